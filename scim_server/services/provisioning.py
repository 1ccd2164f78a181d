"""The use cases on single resources: each is one transaction, answered with the resource as it is then."""

from collections.abc import Awaitable, Callable
from typing import Any

from scim_server.lifecycle.catalogue import Catalogue
from scim_server.lifecycle.documents import Document
from scim_server.scim.identifiers import canonical_id
from scim_server.scim.patch.operations import parse_patch
from scim_server.scim.projection import Projection
from scim_server.scim.registry import Registry, ResourceType
from scim_server.scim.resources import Resource
from scim_server.scim.shown import Shown, made_under
from scim_server.security.principals import READING
from scim_server.security.transparency.sealing import Sealing
from scim_server.services import audit
from scim_server.services.changes import Changes, not_found
from scim_server.services.completion import complete
from scim_server.services.context import CallContext, filter_context
from scim_server.services.dry_run import raise_if_dry
from scim_server.services.lifecycle import USER, Lifecycle
from scim_server.services.loading import fetch_loaded, load_references
from scim_server.services.refusals import on_record
from scim_server.services.row_scope import (
    check_readable,
    is_in_scope,
    stays_in_scope,
)
from scim_server.services.settlement import Settlement
from scim_server.services.showing import is_current, is_shown
from scim_server.services.transparency.revealing import reveal
from scim_server.store.audit import fetch_event
from scim_server.store.clock import now
from scim_server.store.database import Database, Reader, Writer
from scim_server.store.filters.compiler import FilterContext
from scim_server.store.identifiers import new_id
from scim_server.store.showing import Found, show, show_written


class Provisioning:
    """Reads and changes resources for a principal."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        lifecycle: Lifecycle,
        sealing: Sealing | None = None,
    ) -> None:
        self._database = database
        self._sealing = sealing or Sealing()
        self._registry = registry
        self._lifecycle = lifecycle
        self._settlement = Settlement(database, registry, lifecycle)

    async def read(
        self, call: CallContext, resource_type: ResourceType, id: str, projection: Projection
    ) -> Resource | Shown:
        """Return a resource with the references that the projection shows; raises NotFound."""
        call.principal.require_for(resource_type.name, READING)
        await self._settlement.settle(call)
        find = self._shown if is_shown(call, resource_type, projection) else self._found
        found = await self._database.read(
            lambda reader: find(reader, call, resource_type, id, projection), call.claim
        )
        await self._note_reading(call, found, projection)
        return found

    async def _shown(
        self,
        reader: Reader,
        call: CallContext,
        resource_type: ResourceType,
        id: str,
        projection: Projection,
    ) -> Resource | Shown:
        found = await show(reader, call.principal.tenant_id, resource_type.name, id, now())
        if found is None:
            raise not_found(resource_type, id)
        if isinstance(found, Shown) and is_current(call, found):
            return found
        return await self._found(reader, call, resource_type, id, projection)

    async def _found(
        self,
        reader: Reader,
        call: CallContext,
        resource_type: ResourceType,
        id: str,
        projection: Projection,
    ) -> Resource:
        tenant_id, moment = call.principal.tenant_id, now()
        if resource_type.name == audit.AUDIT_EVENT:
            check_readable(call.principal, resource_type)
            event = await fetch_event(reader, tenant_id, canonical_id(id))
            if event is None:
                raise not_found(resource_type, id)
            await reveal(reader, self._sealing, tenant_id, [event])
            return event
        found = await fetch_loaded(reader, tenant_id, resource_type, id, projection, now=moment)
        if found is None or not await is_in_scope(reader, self._context(call), call.principal, found):
            raise not_found(resource_type, id)
        projections = {resource_type.name: projection}
        catalogue = await self._lifecycle.catalogue(reader, tenant_id, call.principal.catalogue_version)
        await complete(reader, self._lifecycle, call.principal, catalogue, [found], projections, moment)
        return found

    async def _complete(
        self,
        writer: Writer,
        call: CallContext,
        found: Resource,
        projection: Projection,
        moment: int,
        catalogue: Catalogue,
    ) -> None:
        tenant_id = call.principal.tenant_id
        projections = {projection.resource_type.name: projection}
        await load_references(writer, tenant_id, self._registry, [found], projections, now=moment)
        await complete(writer, self._lifecycle, call.principal, catalogue, [found], projections, moment)

    async def _note_reading(self, call: CallContext, found: Resource | Shown, projection: Projection) -> None:
        """Put into the audit trail that a person looked at a user (S2 UC-002 Post, X-22)."""
        if found.type != USER or call.principal.profile != "admin":
            return
        mode = (await self._lifecycle.policies(self._database, call)).audit_reads
        if mode == "off" or (mode == "sensitive" and projection.is_default):
            return
        event = audit.Event("user.view", USER, found.id)
        await self._database.write(lambda writer: audit.record(writer, self._registry, call, event, now()))

    async def create(
        self, call: CallContext, resource_type: ResourceType, data: Any, projection: Projection
    ) -> Resource | Shown:
        """Create a resource from a POST body (see Changes.create)."""
        return await self._change(
            call, projection, lambda changes: changes.create(resource_type, data), resource_type
        )

    async def replace(
        self,
        call: CallContext,
        resource_type: ResourceType,
        id: str,
        data: Any,
        projection: Projection,
        *,
        if_match: str | None = None,
    ) -> Resource | Shown:
        """Replace a resource by a PUT body (see Changes.replace)."""
        return await self._change(
            call,
            projection,
            lambda changes: changes.replace(resource_type, id, data, if_match=if_match),
            resource_type,
            id,
        )

    async def patch(
        self,
        call: CallContext,
        resource_type: ResourceType,
        id: str,
        data: Any,
        projection: Projection | None,
        *,
        if_match: str | None = None,
    ) -> Resource | Shown:
        """Apply a PATCH body (see Changes.patch); without a projection no references are read back."""
        operations = parse_patch(data, call.principal.policy)
        return await self._change(
            call,
            projection,
            lambda changes: changes.patch(resource_type, id, operations, if_match=if_match),
            resource_type,
            id,
        )

    async def delete(
        self, call: CallContext, resource_type: ResourceType, id: str, *, if_match: str | None = None
    ) -> None:
        """Delete a resource (see Changes.delete)."""

        async def work(writer: Writer) -> None:
            changes = self._changes(writer, call)
            await changes.delete(resource_type, id, if_match=if_match)
            raise_if_dry(call, changes, None)

        await self._settlement.settle(call)
        async with on_record(self._database, self._registry, call, resource_type, "delete", id):
            await self._database.write(work)

    async def _change(
        self,
        call: CallContext,
        projection: Projection | None,
        change: Callable[[Changes], Awaitable[Resource]],
        resource_type: ResourceType,
        id: str | None = None,
    ) -> Resource | Shown:
        async def work(writer: Writer) -> Resource | Shown:
            changes = self._changes(writer, call)
            changed = await change(changes)
            changed.version = changes.persistence.versions.get(changed.id, changed.version)
            await stays_in_scope(changes, changed)
            if projection is not None:
                catalogue = await changes.catalogue()
                if is_shown(call, resource_type, projection) and not call.is_dry_run:
                    found = await self._as_written(changes, changed, catalogue.version)
                    if isinstance(found, Shown) and found.is_made_under(catalogue.version):
                        return found
                shown = dict(changed.document)
                await self._complete(writer, call, changed, projection, changes.moment, catalogue)
                changed.document |= {name: shown[name] for name in changes.shown}
            if call.is_dry_run:
                changed.document = _without(changed.document, changes.shown)
            raise_if_dry(call, changes, changed)
            return changed

        await self._settlement.settle(call)
        done = "create" if id is None else "update"
        tries = None if call.is_dry_run else (call.principal.tenant_id, id or new_id())
        async with on_record(self._database, self._registry, call, resource_type, done, id):
            return await self._database.write(work, tries=tries)

    async def _as_written(self, changes: Changes, changed: Resource, version: int) -> Found | None:
        """Return a user in the pieces that were stored for reading, now or, where nothing was, before.

        None where what was stored does not say all of it under a version of the catalogue.
        """
        pieces, tenant_id = changes.persistence.pieces, changes.tenant_id
        if changed.id not in pieces:
            return await show(changes.writer, tenant_id, USER, changed.id, changes.moment)
        own = pieces[changed.id]
        if own is None or not own.endswith(made_under(version)):
            return None
        return await show_written(
            changes.writer, tenant_id, USER, changed.id, changed.version, own, changes.moment
        )

    def _context(self, call: CallContext) -> FilterContext:
        return filter_context(self._database, self._registry, call, self._lifecycle.engine.varying)

    def _changes(self, writer: Writer, call: CallContext) -> Changes:
        return Changes(writer, self._registry, self._lifecycle, call, self._context(call))


def _without(document: Document, secrets: Document) -> Document:
    """Return a document without what is shown once: a dry run keeps no token and sets no password."""
    return {name: value for name, value in document.items() if name not in secrets}
