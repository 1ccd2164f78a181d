"""On SQLite a filter tests few resources where its equalities allow few, and answers as it does otherwise."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from scim_server.store import clients
from scim_server.store.database import Database, Reader, Writer
from scim_server.store.filters import narrowing
from scim_server.store.filters.compiler import FilterContext
from scim_server.store.filters.entries import LONGEST, contains
from scim_server.store.filters.json import JSON_DIALECTS
from scim_server.store.listing import Lister, Selection
from scim_server.store.tables import phase, resource, unique_value
from tests.scim.samples import REGISTRY, USER, bound
from tests.store.statements import counted

NUMBER = 300
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
NOW = 1_000
VARYING = frozenset({"active"})
LONG = "l" * LONGEST
FILTERS = {
    'title eq "t7"': True,
    'title eq "T7" and active eq true': True,
    'active eq true and title eq "t7"': True,
    'title eq "t7" and title eq "t8"': True,
    'title eq "t7" and not (userName eq "u7")': True,
    'title eq "t7" or title eq "t8"': True,
    'title eq "t7" or userName eq "u8"': True,
    'title eq "t7" or (active eq true and (title eq "t8" or title eq "t9"))': True,
    'title eq "t7" and (active eq true or userName sw "u")': True,
    'emails[type eq "work" and value eq "u7@x.test"]': True,
    'emails[type eq "home" and value eq "u7@x.test"]': True,
    'emails[value eq "u7@x.test" or value eq "u8@x.test"]': True,
    'emails.value eq "all@x.test" and emails.value eq "u7@x.test"': True,
    f'{ENTERPRISE}:costCenter eq "c7"': True,
    f'nickName eq "{LONG}7"': True,
    'name.familyName eq "f7"': True,
    'name.familyName eq "F7" and meta.created ge "1970-01-01T00:00:00Z"': True,
    "active eq false": True,
    'title eq "nobody"': True,
    'title eq "t7" or nickName sw "x"': False,
    'title eq "t7" or not (active eq true)': False,
    'not (title eq "t7")': False,
    'title ne "t7"': False,
    'title gt "t7"': False,
    'title eq "t7" or meta.resourceType eq "Group"': False,
    'title eq "t7" or id eq "0001"': False,
    'userName eq "u7" and title eq "t7"': False,
    'id eq "0007" and title eq "t7"': False,
    'emails[type eq "work" and not (value eq "u7@x.test")]': True,
    "title pr": False,
}
"""Filters, and whether their equalities say which resources they can be true of (or nothing has to)."""


def row(number: int) -> dict[str, Any]:
    """Return the row of a user; every tenth was inactive and is active since a boundary passed."""
    folded = {
        "username": f"u{number}",
        "title": f"t{number // 2}",
        "nickname": f"{LONG}{number}",
        "active": number % 10 != 0,
        "name": {"familyname": f"f{number % 20}"},
        "emails": [{"value": f"u{number}@x.test", "type": "work"}, {"value": "all@x.test", "type": "home"}],
        ENTERPRISE.lower(): {"costcenter": f"c{number % 50}"},
    }
    return {
        "tenant_id": 1,
        "id": f"{number:04}",
        "type": "User",
        "version": 1,
        "created": number,
        "modified": number,
        "next_change": NOW - 1 if number % 20 == 0 else None,
        "deleted": 5 if number % 17 == 0 else None,
        "document": "{}",
        "folded": json.dumps(folded),
    }


@pytest.fixture
async def filled(sqlite_url: str) -> AsyncIterator[Database]:
    """Give a store of users."""
    database = Database(sqlite_url)
    rows = [row(number) for number in range(NUMBER)]
    names = [
        {"tenant_id": 1, "type": "User", "attribute": "userName", "key": f"u{n}", "resource_id": f"{n:04}"}
        for n in range(NUMBER)
    ]
    begun = [
        {"tenant_id": 1, "resource_id": one["id"], "starts": NOW - 1, "folded": '{"active":true}'}
        for one in rows
        if one["next_change"]
    ]

    async def work(writer: Writer) -> None:
        await clients.ensure_tenant(writer, "one", 1)
        await writer.execute(resource.insert(), rows)
        await writer.execute(unique_value.insert(), names)
        await writer.execute(phase.insert(), begun)

    await database.write(work)
    yield database
    await database.close()


def lister(filter: str) -> Lister:
    locations = dict.fromkeys(REGISTRY.resource_types, "https://x.test/")
    context = FilterContext(JSON_DIALECTS["sqlite"], 1, REGISTRY, locations, VARYING, NOW)
    return Lister(context, Selection(((USER, bound(filter, USER)),)))


async def answers(database: Database, filter: str) -> tuple[list[str], int]:
    """Return the ids of all pages, of 7 each, and the number."""

    async def work(reader: Reader) -> tuple[list[str], int]:
        found: list[str] = []
        while page := await lister(filter).page(reader, limit=7, after=found[-1:] or None):
            found += [one.resource.id for one in page]
        return found, await lister(filter).count(reader)

    return await database.read(work)


@pytest.fixture
def walking(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Give what has every filter walk from now on."""
    return lambda: monkeypatch.setattr("scim_server.store.listing.plan_of", lambda *_: None)


@pytest.mark.parametrize("few", [narrowing.FEW, 20, 0])
async def test_the_answer_is_that_of_walking(
    filled: Database, few: int, walking: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(narrowing, "FEW", few)
    narrow = {text: await answers(filled, text) for text in FILTERS}
    walking()
    walked = {text: await answers(filled, text) for text in FILTERS}
    assert narrow == walked
    assert sum(bool(found) for found, _ in walked.values()) > len(FILTERS) * 2 / 3


async def test_equalities_that_say_enough_are_looked_up_and_others_are_not(filled: Database) -> None:
    looked_up = {}
    for text in FILTERS:
        with counted(filled) as cost:
            await filled.read(lister(text).count)
        looked_up[text] = any("folded_value" in statement for statement in cost.statements)
    assert looked_up == FILTERS


async def test_the_equality_that_fewest_satisfy_is_gathered_by(filled: Database) -> None:
    with counted(filled) as cost:
        await filled.read(lister('emails.value eq "all@x.test" and title eq "t7"').count)
    assert cost.statements[-1].count("FROM folded_value") == 1
    assert len(cost.statements) == 2


async def test_what_many_satisfy_is_walked_through(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrowing, "FEW", 100)
    with counted(filled) as cost:
        await filled.read(lister('emails.value eq "all@x.test"').count)
    assert "folded_value" not in cost.statements[-1]


async def test_a_filter_of_very_many_equalities_is_walked(filled: Database) -> None:
    text = " or ".join(f'title eq "t{number}"' for number in range(150))
    found, number = await answers(filled, text)
    assert len(found) == number == sum(row(each)["deleted"] is None for each in range(NUMBER))


@pytest.mark.parametrize(
    ("document", "example", "expected"),
    [
        ({"a": 1, "b": [1, 2]}, {"b": [2]}, True),
        ({"a": [{"x": 1, "y": 2}, {"x": 3}]}, {"a": [{"x": 1, "y": 2}]}, True),
        ({"a": [{"x": 1}, {"y": 2}]}, {"a": [{"x": 1, "y": 2}]}, False),
        ({"a": {"b": "c"}}, {"a": {"b": "d"}}, False),
        ({"a": "b"}, {"a": ["b"]}, False),
        ({"a": "b"}, {"a": {"b": "c"}}, False),
        ({}, {"a": "b"}, False),
    ],
)
def test_containment_is_that_of_postgresql(document: Any, example: Any, *, expected: bool) -> None:
    assert contains(document, example) is expected
