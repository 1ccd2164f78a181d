"""Tenants: made, listed, suspended, set up and deleted."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scim_server.scim.registry import Registry
from scim_server.security.tenants import LISTS, TenantSettings, changed_settings, settings_of
from scim_server.services import audit
from scim_server.services.settlement import system_call
from scim_server.store import clients
from scim_server.store import tenants as rows
from scim_server.store.clock import datetime_of, now
from scim_server.store.database import Database, Writer
from scim_server.store.tables import Record

DEFAULT = "default"
TENANT = "Tenant"
AT_ONCE = 2_000
"""Rows that one transaction of a deletion removes."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
_COUNTED = {"users": "User", "groups": "Group"}


class TenantError(ValueError):
    """A tenant is not in the state that what was asked needs; the message says what to do."""


class UnknownTenant(TenantError):
    """There is no tenant of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no tenant {name}; make it with: scim-server tenant create {name}")


@dataclass(frozen=True, slots=True)
class TenantSummary:
    """A tenant, its state (active, suspended or deleting) and what it has."""

    name: str
    state: str
    created_at: datetime
    users: int
    groups: int
    clients: int
    settings: dict[str, Any]


def check_name(name: str) -> None:
    """Raise ValueError unless a tenant can have the name, which stands in URLs."""
    if _NAME.fullmatch(name) is None:
        raise ValueError("A tenant's name has 1 to 63 letters, digits, dots, hyphens and underscores.")


async def known_tenant(writer: Writer, name: str) -> int:
    """Return the id of a tenant; `default` is made where it is not there. Raises UnknownTenant."""
    found = await clients.tenant_id_of(writer, name)
    if found is None and name == DEFAULT:
        await rows.insert_tenant(writer, name, now())
        found = await clients.tenant_id_of(writer, name)
    if found is None:
        raise UnknownTenant(name)
    return found


class Tenants:
    """The tenants of a store. What becomes of one is on record in its audit trail."""

    def __init__(self, database: Database, registry: Registry) -> None:
        self._database = database
        self._registry = registry

    async def create(self, name: str) -> None:
        """Make a tenant. Raises TenantError where the name is taken, ValueError where none can have it."""
        check_name(name)

        async def work(writer: Writer) -> None:
            if not await rows.insert_tenant(writer, name, now()):
                raise TenantError(f"There is a tenant {name} already.")

        await self._database.write(work)

    async def list(self) -> Sequence[TenantSummary]:
        """Return every tenant by name, with counts that are kept and need no counting."""
        found = await self._database.read(lambda reader: rows.all_with_counts(reader, _COUNTED))
        return [_summary(row) for row in found]

    async def suspend(self, name: str) -> bool:
        """Refuse every token of a tenant from its next request on; returns whether they were good before.

        Raises UnknownTenant.
        """

        async def work(writer: Writer) -> bool:
            found = await _usable(writer, name)
            if found.suspended is None:
                await rows.change(writer, found.id, suspended=now())
                await self._record(writer, found, "tenant.suspend", {"suspended": False}, {"suspended": True})
            return found.suspended is None

        return await self._database.write(work)

    async def resume(self, name: str) -> bool:
        """Let a suspended tenant's tokens be good again; returns whether it was suspended.

        Raises UnknownTenant.
        """

        async def work(writer: Writer) -> bool:
            found = await _usable(writer, name)
            if found.suspended is not None:
                await rows.change(writer, found.id, suspended=None)
                await self._record(writer, found, "tenant.resume", {"suspended": True}, {"suspended": False})
            return found.suspended is not None

        return await self._database.write(work)

    async def settings(self, name: str) -> TenantSettings:
        """Return what is set for a tenant alone. Raises UnknownTenant."""
        found = await self._database.read(lambda reader: rows.find(reader, name))
        if found is None:
            raise UnknownTenant(name)
        return settings_of(found.settings)

    async def set(self, name: str, assignments: Mapping[str, str]) -> TenantSettings:
        """Set something for a tenant from its next request on; an empty text takes a setting away.

        Raises UnknownTenant, and ValueError for a setting or value that is not possible.
        """
        kinds = self._registry.resource_types
        given = changed_settings(None, {name: assignments.get(name, "") for name in LISTS})
        if unknown := [name for name in given.hidden_resource_types if name not in kinds]:
            raise ValueError(f"There is no resource type {unknown[0]}; choose from {', '.join(kinds)}.")
        if others := sorted({*given.private_schemas} - self._registry.private_schemas):
            names = ", ".join(sorted(self._registry.private_schemas)) or "none"
            raise ValueError(f"{others[0]} is no private schema of this server; it has: {names}.")

        async def work(writer: Writer) -> TenantSettings:
            found = await _usable(writer, name)
            wanted = changed_settings(found.settings, dict(assignments))
            text = wanted.model_dump_json(exclude_defaults=True)
            before, after = settings_of(found.settings), wanted
            for urn in sorted({*before.private_schemas} - {*after.private_schemas}):
                await self._refuse_use(writer, found.id, urn)
            if after != before:
                await rows.change(writer, found.id, settings=None if text == "{}" else text)
                known = [one.model_dump(mode="json", exclude_defaults=True) for one in (before, after)]
                await self._record(writer, found, "tenant.update", *known)
            return wanted

        return await self._database.write(work)

    async def _refuse_use(self, writer: Writer, tenant_id: int, urn: str) -> None:
        """Refuse to take a private schema from a tenant that has content in it."""
        schema = self._registry.schemas.get(urn)
        kinds = self._registry.resource_types.values()
        types = [kind.name for kind in kinds if kind.schema.id.lower() == urn]
        pointing = [one for kind in kinds for one in kind.references if (one.extension or "").lower() == urn]
        keys = [attribute.storage_key for attribute in pointing]
        number = await rows.count_with_schema(writer, tenant_id, urn, types, keys)
        if number:
            named = str(schema["id"]) if schema else urn
            raise TenantError(
                f"{number} resources of the tenant have content in {named}; remove that first, for what is "
                "there would neither be shown nor be gone."
            )

    async def counts(self, name: str) -> dict[str, int]:
        """Return how many rows a deletion would remove, by table. Raises UnknownTenant."""
        found = await self._database.read(lambda reader: rows.find(reader, name))
        if found is None:
            raise UnknownTenant(name)
        return await self._database.read(lambda reader: rows.count_rows(reader, found.id))

    async def delete(self, name: str, progress: Callable[[int], None] = lambda _removed: None) -> int:
        """Remove a suspended tenant with everything it has, and free its name; returns how many rows it had.

        From the first moment nothing of it can be used or brought back. What is removed goes in batches, each
        a transaction; who is stopped on the way goes on with the same call. The tenant's row stays under
        another name, so that its number is never given again. Raises UnknownTenant, and TenantError for a
        tenant that is not suspended.
        """

        async def begin(writer: Writer) -> int:
            found = await rows.find(writer, name, locks=True)
            if found is None:
                raise UnknownTenant(name)
            if found.suspended is None:
                raise TenantError(
                    f"The tenant {name} is in use; first run: scim-server tenant suspend {name}"
                )
            if found.deleted is None:
                await rows.change(writer, found.id, deleted=now(), settings=None, settle_at=None)
            return int(found.id)

        tenant_id = await self._database.write(begin)
        total = 0
        while removed := await self._database.write(
            lambda writer: rows.remove_some(writer, tenant_id, AT_ONCE)
        ):
            total += removed
            progress(removed)
        gone = f"{name}{rows.GONE}{tenant_id}"
        await self._database.write(lambda writer: rows.change(writer, tenant_id, name=gone))
        return total

    async def _record(
        self, writer: Writer, found: Record, action: str, before: dict[str, Any], after: dict[str, Any]
    ) -> None:
        event = audit.Event(action, TENANT, found.name, before, after)
        await audit.record(writer, self._registry, system_call(found.id, found.name), event, now())


async def _usable(writer: Writer, name: str) -> Record:
    """Return the row of a tenant, locked. Raises UnknownTenant, and TenantError for one on its way out."""
    found = await rows.find(writer, name, locks=True)
    if found is None:
        raise UnknownTenant(name)
    if found.deleted is not None:
        raise TenantError(f"The tenant {name} is being deleted; go on with: scim-server tenant delete {name}")
    return found


def _summary(row: Record) -> TenantSummary:
    state = "deleting" if row.deleted is not None else "active" if row.suspended is None else "suspended"
    return TenantSummary(
        name=row.name,
        state=state,
        created_at=datetime_of(row.created),
        users=int(row.users),
        groups=int(row.groups),
        clients=int(row.clients),
        settings=settings_of(row.settings).model_dump(mode="json", exclude_defaults=True),
    )
