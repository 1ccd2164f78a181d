"""The use cases on single resources: each is one transaction, answered with the resource as it is then."""

from collections.abc import Awaitable, Callable
from typing import Any

from scim_server.scim.identifiers import canonical_id
from scim_server.scim.patch.operations import parse_patch
from scim_server.scim.projection import Projection
from scim_server.scim.registry import Registry, ResourceType
from scim_server.scim.resources import Resource
from scim_server.security.principals import VIEW
from scim_server.services.changes import Changes, not_found
from scim_server.services.context import CallContext, filter_context
from scim_server.services.loading import load_references
from scim_server.store import resources
from scim_server.store.database import Database, Reader, Writer


class Provisioning:
    """Reads and changes resources for a principal."""

    def __init__(self, database: Database, registry: Registry) -> None:
        self._database = database
        self._registry = registry

    async def read(
        self, call: CallContext, resource_type: ResourceType, id: str, projection: Projection
    ) -> Resource:
        """Return a resource with the references that the projection shows; raises NotFound."""
        call.principal.require(VIEW)
        tenant_id = call.principal.tenant_id

        async def work(reader: Reader) -> Resource:
            found = await resources.fetch(reader, tenant_id, resource_type.name, canonical_id(id))
            if found is None:
                raise not_found(resource_type, id)
            projections = {resource_type.name: projection}
            await load_references(reader, tenant_id, self._registry, [found], projections)
            return found

        return await self._database.read(work)

    async def create(
        self, call: CallContext, resource_type: ResourceType, data: Any, projection: Projection
    ) -> Resource:
        """Create a resource from a POST body (see Changes.create)."""
        return await self._change(call, projection, lambda changes: changes.create(resource_type, data))

    async def replace(
        self,
        call: CallContext,
        resource_type: ResourceType,
        id: str,
        data: Any,
        projection: Projection,
        *,
        if_match: str | None = None,
    ) -> Resource:
        """Replace a resource by a PUT body (see Changes.replace)."""
        return await self._change(
            call, projection, lambda changes: changes.replace(resource_type, id, data, if_match=if_match)
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
    ) -> Resource:
        """Apply a PATCH body (see Changes.patch); without a projection no references are read back."""
        operations = parse_patch(data, call.principal.policy)
        return await self._change(
            call, projection, lambda changes: changes.patch(resource_type, id, operations, if_match=if_match)
        )

    async def delete(
        self, call: CallContext, resource_type: ResourceType, id: str, *, if_match: str | None = None
    ) -> None:
        """Delete a resource (see Changes.delete)."""

        async def work(writer: Writer) -> None:
            await self._changes(writer, call).delete(resource_type, id, if_match=if_match)

        await self._database.write(work)

    async def _change(
        self,
        call: CallContext,
        projection: Projection | None,
        change: Callable[[Changes], Awaitable[Resource]],
    ) -> Resource:
        async def work(writer: Writer) -> Resource:
            changed = await change(self._changes(writer, call))
            if projection is not None:
                projections = {projection.resource_type.name: projection}
                await load_references(
                    writer, call.principal.tenant_id, self._registry, [changed], projections
                )
            return changed

        return await self._database.write(work)

    def _changes(self, writer: Writer, call: CallContext) -> Changes:
        context = filter_context(self._database, self._registry, call)
        return Changes(writer, self._registry, call.principal, context)
