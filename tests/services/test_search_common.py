"""Filters on what many have and on what few have: the same pages however they are looked for."""

import json
from collections import OrderedDict
from typing import Any

import pytest

from scim_server.dialects import GENERIC
from scim_server.schema_files import load_registry
from scim_server.scim.messages.query import Query
from scim_server.security.principals import PERMISSIONS, Principal
from scim_server.services.context import CallContext
from scim_server.services.lifecycle import Lifecycle
from scim_server.services.search import Page, PageLimits, Search
from scim_server.store import clients, counters
from scim_server.store.database import Database, Writer
from scim_server.store.filters.json import JSON_DIALECTS, TENANT
from scim_server.store.identifiers import new_id
from scim_server.store.matches import Matches
from scim_server.store.shown_lists import ShownMatches
from scim_server.store.tables import resource
from tests.store.statements import counted
from tests.support.two_paths import in_full

REGISTRY = load_registry()
USER = REGISTRY.resource_types["User"]
COMMON, RARE, LATE, SCATTERED = 1_500, 7, 330, 100
"""How many have each title; the late ones stand behind all others."""
MATCHES = Matches(60, 200)
"""Fewer than in earnest are many here, and walks end sooner: before the late ones, which are common too, and
before a page of those that are scattered."""
SIZE = 400
LONG = "long" * 50
FILTERS = {
    "common": 'title eq "common"',
    "rare": 'title eq "rare"',
    "late": 'title eq "late"',
    "scattered": 'title eq "scattered"',
    "nobody's": 'title eq "nobody"',
    "common and varying": "active eq true",
    "rare and varying": "active eq false",
    "of a list": 'emails[type eq "work"].value eq "all@example.com"',
    "one of a list": 'emails[type eq "home"].value eq "u7@example.com"',
    "one of a list, of another type": 'emails[type eq "work"].value eq "u7@example.com"',
    "long": f'nickName eq "{LONG}7"',
    "several": 'title eq "rare" or emails.value eq "u7@example.com" or emails.value eq "u8@example.com"',
    "rare of the common": 'active eq true and emails.value eq "u7@example.com"',
}


class Tenant:
    """A tenant of users in which some values are common and others rare."""

    def __init__(self, database: Database, tenant_id: int) -> None:
        self.database = database
        self.tenant_id = tenant_id

    async def fill(self) -> None:
        """Insert the users and count them."""
        titles = ["common"] * COMMON
        for number in range(RARE):
            titles.insert(number * 200, "rare")
        for number in range(SCATTERED):
            titles.insert(number * 15, "scattered")
        titles += ["late"] * LATE
        rows = [_row(self.tenant_id, number, title) for number, title in enumerate(titles)]

        async def work(writer: Writer) -> None:
            await writer.execute(resource.insert(), rows)
            await counters.count_live(writer, self.tenant_id, "User", len(rows))

        await self.database.write(work)

    def caller(self, name: str = "c") -> "Caller":
        """Return a client of the tenant on a server of its own."""
        return Caller(self.database, self.tenant_id, name)


class Caller:
    """A client that lists users."""

    def __init__(self, database: Database, tenant_id: int, name: str) -> None:
        self.search = Search(database, REGISTRY, Lifecycle(REGISTRY), PageLimits(SIZE, 2_000, 60))
        principal = Principal(tenant_id, "one", name, name, "idp", "generic", GENERIC, frozenset(PERMISSIONS))
        self.call = CallContext(principal, "https://x.test/scim/v2")

    async def page(self, filter: str, **query: Any) -> Page:
        """Return one page."""
        return await self.search.search(self.call, [USER], Query(filter=filter, **query))

    async def by_index(self, filter: str, size: int) -> list[tuple[list[str], int]]:
        """Return the ids and the total of each page of a walk by index, one page beyond the end included."""
        found = []
        for start in range(1, 1_000_000, size):
            page = await self.page(filter, start_index=start, count=size)
            found.append(([one.id for one in page.resources], page.total))
            if not page.resources:
                break
        return found

    async def by_cursor(self, filter: str, size: int) -> list[tuple[list[str], int]]:
        """Return the ids and the total of each page of a walk by cursor."""
        found, cursor = [], ""
        while True:
            page = await self.page(filter, cursor=cursor, count=size)
            found.append(([one.id for one in page.resources], page.total))
            if page.next_cursor is None:
                return found
            cursor = page.next_cursor


def _row(tenant_id: int, number: int, title: str) -> dict[str, Any]:
    active = "false" if title == "rare" else "true"
    own = f'{{"value":"u{number}@example.com","type":"home"}}'
    others = f'"nickname":"{LONG}{number}","emails":[{{"value":"all@example.com","type":"work"}},{own}]'
    others += f',"{TENANT}":{tenant_id}'
    return {
        "tenant_id": tenant_id,
        "id": new_id(),
        "type": "User",
        "version": 1,
        "created": number,
        "modified": number,
        "document": f'{{"userName":"u{number}","title":"{title}","active":{active}}}',
        "folded": f'{{"username":"u{number}","title":"{title}","active":{active},{others}}}',
    }


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ShownMatches, "matches", MATCHES)
    monkeypatch.setattr(ShownMatches, "_common", OrderedDict())


@pytest.fixture
async def tenant(database: Database) -> Tenant:
    tenant_id = await database.write(lambda writer: clients.ensure_tenant(writer, "one", 1))
    tenant = Tenant(database, tenant_id)
    await tenant.fill()
    return tenant


@pytest.mark.parametrize("size", [400, 90])
@pytest.mark.parametrize("name", FILTERS)
async def test_every_page_of_a_walk_by_index_is_that_of_the_plain_lister(
    name: str, size: int, tenant: Tenant
) -> None:
    with in_full():
        expected = await tenant.caller().by_index(FILTERS[name], size)
    caller = tenant.caller()
    assert await caller.by_index(FILTERS[name], size) == expected
    assert await caller.by_index(FILTERS[name], size) == expected


@pytest.mark.parametrize("size", [400, 90])
@pytest.mark.parametrize("name", FILTERS)
async def test_every_page_of_a_walk_by_cursor_is_that_of_the_plain_lister(
    name: str, size: int, tenant: Tenant
) -> None:
    with in_full():
        expected = await tenant.caller().by_cursor(FILTERS[name], size)
    caller = tenant.caller()
    assert await caller.by_cursor(FILTERS[name], size) == expected
    assert await caller.by_cursor(FILTERS[name], size) == expected


async def test_another_client_counts_what_is_known_to_be_common(tenant: Tenant) -> None:
    first = await tenant.caller("first").page(FILTERS["common"], count=5)
    second = await tenant.caller("second").page(FILTERS["common"], count=5)
    assert [first.total, second.total] == [COMMON, COMMON]
    assert [one.id for one in second.resources] == [one.id for one in first.resources]


async def test_what_is_known_to_be_common_is_counted_without_a_page(tenant: Tenant) -> None:
    await tenant.caller("first").page(FILTERS["common"], count=5)
    page = await tenant.caller("second").page(FILTERS["common"], count=0)
    assert (page.total, page.resources) == (COMMON, [])


async def test_what_is_rare_is_found_after_a_common_value_of_the_same_attribute(tenant: Tenant) -> None:
    caller = tenant.caller()
    await caller.page(FILTERS["common"], count=5)
    page = await caller.page(FILTERS["rare"], count=5)
    assert (page.total, len(page.resources)) == (RARE, 5)
    page = await caller.page(FILTERS["nobody's"], count=5)
    assert (page.total, len(page.resources)) == (0, 0)


@pytest.mark.parametrize("name", ["common", "late", "scattered", "common and varying", "of a list"])
async def test_a_jump_into_what_is_common_is_that_of_the_plain_lister(name: str, tenant: Tenant) -> None:
    caller = tenant.caller()
    for start in (1, 101, 301, 42, 323, 1_402, 9_000):
        with in_full():
            expected = await tenant.caller().page(FILTERS[name], start_index=start, count=25)
        page = await caller.page(FILTERS[name], start_index=start, count=25)
        assert [one.id for one in page.resources] == [one.id for one in expected.resources], start
        assert page.total == expected.total


async def test_what_others_have_many_of_is_found_in_a_tenant_with_few(tenant: Tenant) -> None:
    tenant_id = await tenant.database.write(lambda writer: clients.ensure_tenant(writer, "two", 1))
    rows = [_row(tenant_id, number, "common") for number in range(4)]

    async def work(writer: Writer) -> None:
        await writer.execute(resource.insert(), rows)
        await counters.count_live(writer, tenant_id, "User", len(rows))

    await tenant.database.write(work)
    if tenant.database.dialect == "postgresql":
        assert await _looked_at(tenant.database, tenant_id, "common") == 4
    other = Tenant(tenant.database, tenant_id).caller()
    for query in ({}, {"count": 2}, {"count": 0}, {"start_index": 3}):
        page = await other.page(FILTERS["common"], **query)
        assert page.total == 4
    assert [one.id for one in page.resources] == [row["id"] for row in rows[2:]]


async def _looked_at(database: Database, tenant_id: int, title: str) -> int:
    """Return how many entries PostgreSQL's index gives for a title in a tenant, the others passed over."""
    example = JSON_DIALECTS["postgresql"].of_tenant({"title": title}, tenant_id)
    async with database.engine.connect() as connection:
        await connection.exec_driver_sql("SET enable_seqscan = off")
        query = f"SELECT id FROM resource WHERE folded @> '{json.dumps(example)}'"
        plan = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}")
        found = plan.scalar_one()
    (scan,) = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]["Plans"]
    assert scan["Index Name"] == "resource_folded"
    return int(scan["Actual Rows"])


async def test_one_common_value_makes_no_other_one_common(tenant: Tenant, database: Database) -> None:
    caller = tenant.caller()
    await caller.page(FILTERS["common"], count=5)
    with counted(database) as cost:
        await caller.page(FILTERS["rare"], count=5)
    if database.dialect == "postgresql":
        assert [text.split()[1] for text in cost.statements if "folded" in text] == ["matching"]


async def test_the_second_page_of_what_is_common_is_no_offset(tenant: Tenant, database: Database) -> None:
    caller = tenant.caller()
    await caller.page(FILTERS["common"], count=20)
    with counted(database) as cost:
        await caller.page(FILTERS["common"], count=20, start_index=21)
    if database.dialect == "postgresql":
        assert [text for text in cost.statements if "MATERIALIZED" in text] == []
