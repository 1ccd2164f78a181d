"""Walks through long lists: the key of a walk is remembered, nobody is skipped, nothing costs its offset."""

from typing import Any

import pytest

from scim_server.dialects import GENERIC
from scim_server.schema_files import load_registry
from scim_server.scim.errors import Forbidden, InvalidCursor, InvalidFilter, InvalidPath
from scim_server.scim.messages.query import Query
from scim_server.security.principals import PERMISSIONS, Principal
from scim_server.services.context import CallContext
from scim_server.services.lifecycle import Lifecycle
from scim_server.services.search import WALK_FROM, Page, PageLimits, Search
from scim_server.store import clients, counters, references, resources
from scim_server.store.database import Database, Writer
from scim_server.store.filters.json import TENANT
from scim_server.store.identifiers import new_id
from scim_server.store.tables import resource
from tests.store.statements import counted

REGISTRY = load_registry()
USER = REGISTRY.resource_types["User"]
NUMBER = 1_300
SIZE = 100


class Walker:
    """Walks the users of a store that holds some more than a walk by offset is good for."""

    def __init__(self, database: Database, tenant_id: int, client: str = "c") -> None:
        self.database = database
        self.tenant_id = tenant_id
        self.search = Search(database, REGISTRY, Lifecycle(REGISTRY), PageLimits(SIZE, 1_000, 60))
        self.principal = Principal(
            tenant_id, "one", client, client, "idp", "generic", GENERIC, frozenset(PERMISSIONS)
        )
        self.ids: list[str] = []

    async def page(self, start: int = 1, **query: Any) -> Page:
        """Return a page by index."""
        call = CallContext(self.principal, "https://x.test/scim/v2")
        return await self.search.search(call, [USER], Query(start_index=start, count=SIZE, **query))

    async def fill(self) -> None:
        """Insert the users and count them."""
        self.ids = [new_id() for _ in range(NUMBER)]
        tenant = self.tenant_id
        rows = [
            {
                "tenant_id": self.tenant_id,
                "id": own_id,
                "type": "User",
                "version": 1,
                "created": number,
                "modified": number,
                "document": f'{{"userName":"u{number:05}"}}',
                "folded": f'{{"username":"u{number:05}","title":"t{number % 7}","{TENANT}":{tenant}}}',
            }
            for number, own_id in enumerate(self.ids)
        ]

        async def work(writer: Writer) -> None:
            await writer.execute(resource.insert(), rows)
            await counters.count_live(writer, self.tenant_id, "User", NUMBER)

        await self.database.write(work)

    async def delete(self, *ids: str) -> None:
        """Delete users."""

        async def work(writer: Writer) -> None:
            for own_id in ids:
                await resources.mark_deleted(writer, self.tenant_id, own_id, 1)
                await references.forget(writer, self.tenant_id, own_id)
                await counters.count_live(writer, self.tenant_id, "User", -1)

        await self.database.write(work)


@pytest.fixture
async def walker(database: Database) -> Walker:
    tenant_id = await database.write(lambda writer: clients.ensure_tenant(writer, "one", 1))
    walker = Walker(database, tenant_id)
    await walker.fill()
    return walker


def ids(page: Page) -> list[str]:
    return [found.id for found in page.resources]


async def test_a_walk_by_index_sees_everybody_once(walker: Walker) -> None:
    seen = [own_id for start in range(1, NUMBER + 1, SIZE) for own_id in ids(await walker.page(start))]
    assert seen == walker.ids


async def test_a_sorted_walk_by_index_sees_everybody_once(walker: Walker) -> None:
    query = {"sort_by": "title", "descending": True}
    seen = [
        own_id for start in range(1, NUMBER + 1, SIZE) for own_id in ids(await walker.page(start, **query))
    ]
    assert len(seen) == len(set(seen)) == NUMBER


async def test_deletions_behind_a_long_walk_skip_nobody(walker: Walker) -> None:
    seen: list[str] = []
    for start in range(1, NUMBER + 1, SIZE):
        seen += ids(await walker.page(start))
        if start > WALK_FROM - SIZE:
            await walker.delete(*seen[-3:])
    assert seen == walker.ids


async def test_insertions_during_a_walk_repeat_nobody(walker: Walker) -> None:
    before = list(walker.ids)
    seen = [own_id for start in range(1, 1_002, SIZE) for own_id in ids(await walker.page(start))]
    await walker.fill()
    seen += [own_id for start in range(1_101, NUMBER, SIZE) for own_id in ids(await walker.page(start))]
    assert seen[:NUMBER] == before


async def test_beyond_the_first_thousand_a_walk_uses_its_key(walker: Walker) -> None:
    await walker.page(901)
    with counted(walker.database) as cost:
        await walker.page(1_001)
    assert "resource.id > " in cost.statements[0]


async def test_a_jump_beyond_the_first_thousand_counts_in_the_index_what_it_skips(walker: Walker) -> None:
    with counted(walker.database) as cost:
        page = await walker.page(1_101)
    assert ids(page) == walker.ids[1_100:1_200]
    assert "resource.id >= (SELECT" in cost.statements[0]


async def test_a_walk_whose_other_pages_another_process_serves_goes_on_from_the_nearest_known(
    walker: Walker,
) -> None:
    other = Walker(walker.database, walker.tenant_id)
    seen = ids(await walker.page(901))
    await walker.delete(*walker.ids[:10])
    seen += ids(await other.page(1_001 - 10))
    seen += ids(await walker.page(1_101))
    assert seen == walker.ids[900:1_200]


async def test_walks_of_other_clients_queries_and_orders_are_other_walks(walker: Walker) -> None:
    await walker.page(901)
    await walker.delete(*walker.ids[:10])
    for query in ({"filter": "userName pr"}, {"sort_by": "id", "descending": False}):
        assert ids(await walker.page(1_001, **query))[0] == walker.ids[1_010]
    other = Walker(walker.database, walker.tenant_id, "other")
    other.search = walker.search
    assert ids(await other.page(1_001))[0] == walker.ids[1_010]


async def test_the_plain_list_is_counted_by_its_counter(walker: Walker) -> None:
    with counted(walker.database) as cost:
        page = await walker.page()
    assert page.total == NUMBER
    assert [text for text in cost.statements if "count(*)" in text.lower()] == []


async def test_a_filtered_walk_is_counted_once(walker: Walker) -> None:
    with counted(walker.database) as cost:
        totals = {(await walker.page(start, filter="userName pr")).total for start in range(1, NUMBER, SIZE)}
    assert totals == {NUMBER}
    assert len([text for text in cost.statements if "count(*)" in text.lower()]) == 1


async def test_a_short_result_is_counted_by_its_page(walker: Walker) -> None:
    with counted(walker.database) as cost:
        page = await walker.page(filter='userName sw "u0000"')
    assert (page.total, len(page.resources)) == (10, 10)
    assert [text for text in cost.statements if "count(*)" in text.lower()] == []


async def test_a_page_beyond_the_end_is_empty_and_still_knows_the_total(walker: Walker) -> None:
    page = await walker.page(5_001, filter='userName sw "u0000"')
    assert (ids(page), page.total) == ([], 10)


async def test_a_walk_by_cursor_sees_everybody_once_whatever_is_deleted(walker: Walker) -> None:
    page = await walker.page(cursor="")
    seen = ids(page)
    while page.next_cursor:
        await walker.delete(*seen[-2:])
        page = await walker.page(cursor=page.next_cursor)
        seen += ids(page)
    assert seen == walker.ids


@pytest.mark.parametrize(
    "query", [{"filter": "userName pr"}, {"sort_by": "userName"}, {"sort_by": "id", "descending": True}]
)
async def test_a_cursor_is_good_for_its_query_only(walker: Walker, query: dict[str, Any]) -> None:
    page = await walker.page(cursor="")
    with pytest.raises(InvalidCursor):
        await walker.page(cursor=page.next_cursor, **query)


async def test_a_query_that_cannot_be_answered_is_refused(walker: Walker) -> None:
    with pytest.raises(InvalidFilter):
        await walker.page(filter="nothing pr")
    for path in ("nothing", "groups", "password"):
        with pytest.raises(InvalidPath):
            await walker.page(sort_by=path)


async def test_who_may_not_look_gets_nothing(walker: Walker) -> None:
    walker.principal = Principal(1, "one", "c", "c", "idp", "generic", GENERIC, frozenset(["user:create"]))
    with pytest.raises(Forbidden):
        await walker.page()
