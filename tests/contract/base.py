"""The ground of the contract tests: a store and short ways to fill it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from scim_server.scim.contents import display_of, take_memberships, take_references, unique_keys
from scim_server.scim.normalize import fold_document
from scim_server.scim.registry import ResourceType
from scim_server.scim.resources import Resource
from scim_server.store import clients, deleted, references, resources
from scim_server.store.clock import now
from scim_server.store.database import Database, Reader, Writer
from scim_server.store.failures import LostRace
from scim_server.store.filters.compiler import FilterContext
from scim_server.store.filters.json import JSON_DIALECTS
from scim_server.store.identifiers import new_id
from scim_server.store.listing import Lister, Row, Selection
from scim_server.store.phases import Phase
from scim_server.store.tables import phase
from tests.scim.samples import PROBE, REGISTRY, bound, normalize

BASE = "https://store.test/scim/v2"


Work = Callable[[Writer], Awaitable[None]]


def contents_of(
    document: dict[str, Any], resource_type: ResourceType, phases: Sequence[Phase] = ()
) -> resources.Contents:
    """Return what a row holds of a document that time will change."""
    return resources.Contents(
        document,
        fold_document(document, resource_type),
        display_of(document, resource_type),
        [starts for starts, _ in phases],
        phases,
    )


async def phases_of(reader: Reader) -> list[tuple[int, int | None]]:
    """Return start and end of every phase in the store."""
    query = sa.select(phase.c.starts, phase.c.ends).order_by(phase.c.starts)
    return [(row.starts, row.ends) for row in await reader.execute(query)]


class StoreGround:
    """A store with a tenant; every test begins with an empty one.

    Filters are asked at `moment`, or now; `varying` names the attributes that change in time.
    """

    moment: int | None = None
    varying: frozenset[str] = frozenset()

    @pytest.fixture(autouse=True)
    async def _with_store(self, database: Database) -> None:
        self.store = database
        self.tenant = await database.write(lambda writer: clients.ensure_tenant(writer, "one", 1))

    @property
    def context(self) -> FilterContext:
        """What filters of this tenant are compiled with."""
        locations = {kind.name: f"{BASE}{kind.endpoint}/" for kind in REGISTRY.resource_types.values()}
        moment = now() if self.moment is None else self.moment
        json = JSON_DIALECTS[self.store.dialect]
        return FilterContext(json, self.tenant, REGISTRY, locations, self.varying, moment)

    async def put(
        self,
        data: dict[str, Any],
        resource_type: ResourceType = PROBE,
        *,
        tenant: int | None = None,
        moment: int = 1_000_000,
        phases: Sequence[tuple[int, dict[str, Any]]] = (),
    ) -> str:
        """Store a resource with its unique values and references as the services do; return its id.

        `phases` are documents with what time makes of the resource, and the moment for each.
        """
        owner = self.tenant if tenant is None else tenant
        document, members = take_memberships(normalize(data, resource_type), resource_type)
        plain, owned = take_references(document, resource_type)
        created = Resource(resource_type.name, new_id(), 1, moment, moment, plain)
        folded = [(starts, fold_document(part, resource_type)) for starts, part in phases]

        async def work(writer: Writer) -> None:
            await resources.insert(writer, owner, created, contents_of(plain, resource_type, folded))
            keys = unique_keys(plain, resource_type)
            assert await resources.claim_unique(writer, owner, resource_type.name, created.id, keys) == []
            for key, values in owned.items():
                await references.save(writer, owner, created.id, key, values, moment)
            for key, targets in members.items():
                await references.add(writer, owner, created.id, key, targets, moment)

        await self.store.write(work)
        return created.id

    async def change(self, resource: Resource, **document: Any) -> None:
        """Store another document as the resource's next version."""
        changed = replace(resource, version=resource.version + 1, modified=2_000_000, document=document)
        contents = contents_of(document, REGISTRY.resource_types[resource.type])
        await self.store.write(lambda writer: resources.update(writer, self.tenant, changed, contents))

    async def get(self, id: str, resource_type: ResourceType = PROBE) -> Resource | None:
        """Return a live resource."""
        return await self.store.read(
            lambda reader: resources.fetch(reader, self.tenant, resource_type.name, id)
        )

    async def deleted(self, id: str, resource_type: ResourceType = PROBE) -> Resource | None:
        """Return a deleted resource."""
        return await self.store.read(
            lambda reader: deleted.fetch_deleted(reader, self.tenant, resource_type.name, id)
        )

    async def loses(self, work: Work) -> None:
        """Check that a piece of writing work loses the race."""

        async def tried(writer: Writer) -> None:
            with pytest.raises(LostRace):
                await work(writer)

        await self.store.write(tried)

    async def drop(self, id: str, moment: int = 3_000_000) -> list[str]:
        """Delete a resource; return who pointed at it."""

        async def work(writer: Writer) -> list[str]:
            await resources.mark_deleted(writer, self.tenant, id, moment)
            return await references.forget(writer, self.tenant, id)

        return await self.store.write(work)

    async def rows(self, selection: Selection, **page: Any) -> list[Row]:
        """Return one page of a selection."""
        lister = Lister(self.context, selection)
        return await self.store.read(lambda reader: lister.page(reader, **{"limit": 1_000, **page}))

    async def found(self, filter: str, resource_type: ResourceType = PROBE) -> list[str]:
        """Return the ids of the resources that satisfy a filter, and check that counting agrees."""
        selection = Selection(((resource_type, bound(filter, resource_type)),))
        ids = [row.resource.id for row in await self.rows(selection)]
        counted = await self.store.read(Lister(self.context, selection).count)
        assert counted == len(ids)
        return ids
