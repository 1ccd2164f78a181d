"""The life cycle as the services use it: the engine with its extensions, and each tenant's catalogue."""

from collections.abc import Sequence
from pathlib import Path

from scim_server.lifecycle.catalogue import Catalogue, Entry
from scim_server.lifecycle.engine import Engine
from scim_server.lifecycle.extension import Extension, discover
from scim_server.lifecycle.policies import Policies
from scim_server.schema_files import load_registry
from scim_server.scim.contents import put_references
from scim_server.scim.registry import Registry
from scim_server.services.context import CallContext
from scim_server.store import catalogue as rows
from scim_server.store.database import Database, Reader, Writer
from scim_server.store.policies import read_policy

USER = "User"
SEEN_UNDER = "~catalogue"
"""Member of a stored user that names the version of the catalogue under which it was computed."""


class Lifecycle:
    """The engine, and the catalogues of the tenants as of their versions.

    A catalogue is kept in memory until its tenant's version moves on, which every change of a catalogue
    resource or of the policies does in its own transaction.
    """

    def __init__(self, registry: Registry, extensions: Sequence[Extension] | None = None) -> None:
        """Assemble the engine; without `extensions` every installed one is in use."""
        self.registry = registry
        self.extensions = tuple(discover() if extensions is None else extensions)
        self.engine = Engine(self.extensions)
        self._catalogues: dict[int, Catalogue] = {}

    @classmethod
    def of(cls, schema_folders: Sequence[Path] = (), enabled: Sequence[str] | None = None) -> "Lifecycle":
        """Return the life cycle with the built-in schemas, those of the folders and those of the extensions.

        `enabled` names the extensions in use, None stands for all installed ones. Raises SchemaError and
        ExtensionError.
        """
        extensions = discover(enabled)
        folders = [folder for extension in extensions for folder in extension.schemas]
        return cls(load_registry((*folders, *schema_folders)), extensions)

    async def catalogue(
        self, connection: Reader | Writer, tenant_id: int, version: int | None = None
    ) -> Catalogue:
        """Return the catalogue of a tenant; `version` is the tenant's where the caller knows it already."""
        if version is None:
            version = await rows.version(connection, tenant_id)
        kept = self._catalogues.get(tenant_id)
        if kept is not None and kept.version == version:
            return kept
        loaded = await self.load(connection, tenant_id, version)
        self._catalogues[tenant_id] = loaded
        return loaded

    async def load(self, connection: Reader | Writer, tenant_id: int, version: int = -1) -> Catalogue:
        """Return the catalogue as a connection sees it now, kept nowhere."""
        kinds = self.registry.resource_types
        entries = [
            Entry(resource.id, resource.type, put_references(resource, kinds[resource.type]))
            for resource in await rows.catalogue_rows(connection, tenant_id, self.registry)
        ]
        stored = await read_policy(connection, tenant_id)
        policies = Policies() if stored is None else Policies.model_validate(stored)
        return Catalogue.of(entries, policies, version)

    async def policies(self, database: Database, call: CallContext) -> Policies:
        """Return the policies of the tenant of a call."""
        tenant_id, version = call.principal.tenant_id, call.principal.catalogue_version
        kept = self._catalogues.get(tenant_id)
        if kept is None or kept.version != version:
            kept = await database.read(lambda reader: self.catalogue(reader, tenant_id, version))
        return kept.policies
