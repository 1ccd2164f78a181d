"""SQLite's index of folded copies has exactly the values of what is stored, whoever writes it."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from scim_server.scim.resources import Resource
from scim_server.store import deleted, phases, resources
from scim_server.store.database import Database, Reader, Writer
from scim_server.store.filters.entries import LONGEST
from scim_server.store.tables import folded_value, phase_value
from scim_server.store.tables import resource as table
from scim_server.store.upgrade import upgrade
from tests.store.test_migrated_data import migrate

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

URN = "urn:example:schemas:extension:2.0:user"
PERSON: dict[str, Any] = {
    "username": "ann",
    "active": True,
    "count": 3,
    "a_name-with$signs": "x",
    "tags": ["a", "b", "a"],
    "empty": {},
    "none": [],
    "name": {"givenname": "ann", "familyname": 'o"brien [x]'},
    "emails": [{"value": "ann@x.test", "primary": True}, {"value": "ann@y.test", "kinds": ["p", "q"]}],
    "long": "l" * (LONGEST + 50),
    URN: {
        "costcenter": "c",
        "holds": [{"by": ["hris", "admin"]}],
        "deep": {"ready": False, "missing": ["m"]},
    },
}
Rows = set[tuple[str, Any, str]]


def leaves(value: Any, path: str = "$") -> Iterator[tuple[str, Any]]:
    """Yield path and key of every value in a folded document."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from leaves(part, f"{path}.{name}")
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part, path)
    else:
        yield path, value[:LONGEST] if isinstance(value, str) else int(value)


async def index(database: Database, deleted: int = 0) -> Rows:
    """Return what the index has of the users of the first tenant."""
    query = sa.select(folded_value.c.path, folded_value.c.key, folded_value.c.resource_id).where(
        folded_value.c.tenant_id == 1, folded_value.c.type == "User", folded_value.c.deleted == deleted
    )

    async def work(reader: Reader) -> Rows:
        return {(row[0], row[1], row[2]) for row in await reader.execute(query)}

    return await database.read(work)


def expected(**documents: dict[str, Any]) -> Rows:
    """Return what the index has to have, by id."""
    return {(path, key, own_id) for own_id, folded in documents.items() for path, key in leaves(folded)}


def contents(folded: dict[str, Any], *later: tuple[int, dict[str, Any]]) -> resources.Contents:
    return resources.Contents({}, folded, None, [starts for starts, _ in later], later)


async def create(database: Database, own_id: str, folded: dict[str, Any]) -> None:
    user = Resource("User", own_id, 1, 1, 1, {})
    await database.write(lambda writer: resources.insert(writer, 1, user, contents(folded)))


async def change(database: Database, own_id: str, folded: dict[str, Any]) -> None:
    async def work(writer: Writer) -> None:
        found = await resources.fetch_for_update(writer, 1, "User", own_id)
        assert found is not None
        await resources.update(writer, 1, replace(found, version=found.version + 1), contents(folded))

    await database.write(work)


async def test_a_new_resource_is_in_the_index_with_every_value(database: Database) -> None:
    await create(database, "a", PERSON)
    assert await index(database) == expected(a=PERSON)
    assert ("$.emails.kinds", "q", "a") in await index(database)
    assert (f"$.{URN}.holds.by", "admin", "a") in await index(database)


@pytest.mark.parametrize(
    "changed",
    [
        {"active": False},
        {"tags": ["a"]},
        {"tags": ["b", "a"]},
        {"emails": PERSON["emails"][:1]},
        {"emails": PERSON["emails"][::-1]},
        {"long": "l" * LONGEST},
        {"count": "3"},
        {"name": "ann"},
        {"name": None},
        {URN: {**PERSON[URN], "costcenter": "d"}},
        {URN: None, "nickname": "n"},
    ],
)
async def test_a_change_takes_and_puts_what_differs(database: Database, changed: dict[str, Any]) -> None:
    after = {name: value for name, value in {**PERSON, **changed}.items() if value is not None}
    await create(database, "a", PERSON)
    await create(database, "b", PERSON)
    await change(database, "a", after)
    assert await index(database) == expected(a=after, b=PERSON)


async def test_changes_at_random_leave_the_index_as_it_has_to_be(database: Database) -> None:
    chance = random.Random(7)
    people = dict.fromkeys("abc", PERSON)
    for own_id in people:
        await create(database, own_id, PERSON)
    for _ in range(60):
        own_id = chance.choice("abc")
        people[own_id] = {
            name: _shaken(chance, value) for name, value in PERSON.items() if chance.random() < 0.9
        }
        await change(database, own_id, people[own_id])
        assert await index(database) == expected(**people)


def _shaken(chance: random.Random, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shaken(chance, part) for name, part in value.items() if chance.random() < 0.8}
    if isinstance(value, list):
        return [_shaken(chance, part) for part in chance.sample(value, chance.randrange(len(value) + 1))]
    return chance.choice([value, "x", 7, True, "ann"])


async def test_a_deleted_resource_is_there_as_deleted_until_it_comes_back(database: Database) -> None:
    await create(database, "a", PERSON)
    await database.write(lambda writer: resources.mark_deleted(writer, 1, "a", 5))
    assert await index(database) == set()
    assert await index(database, deleted=1) == expected(a=PERSON)
    former = await database.read(lambda reader: deleted.fetch_deleted(reader, 1, "User", "a"))
    assert former is not None
    restored, after = replace(former, version=former.version + 1), {**PERSON, "username": "bob"}
    await database.write(lambda writer: deleted.undelete(writer, 1, restored, contents(after)))
    assert await index(database) == expected(a=after)
    assert await index(database, deleted=1) == set()


async def test_the_index_is_taken_back_with_the_transaction(database: Database) -> None:
    await create(database, "a", PERSON)

    async def work(writer: Writer) -> None:
        await resources.mark_deleted(writer, 1, "a", 5)
        raise KeyError

    with pytest.raises(KeyError):
        await database.write(work)
    assert await index(database) == expected(a=PERSON)


async def test_a_resource_whose_values_stay_costs_the_index_nothing(database: Database) -> None:
    await create(database, "a", PERSON)
    await database.write(lambda writer: resources.touch(writer, 1, ["a"], 9))
    await change(database, "a", PERSON)
    assert await index(database) == expected(a=PERSON)


async def test_statements_of_others_keep_the_index_too(database: Database) -> None:
    await create(database, "a", PERSON)
    after = {"username": "b"}
    await database.write(lambda writer: writer.execute(table.update().values(folded=json.dumps(after))))
    assert await index(database) == expected(a=after)


async def test_phases_have_their_values(database: Database) -> None:
    await database.write(
        lambda writer: phases.add_phases(writer, 1, "a", [(5, PERSON), (7, {"active": False})])
    )
    query = sa.select(phase_value.c.path, phase_value.c.key).where(
        phase_value.c.tenant_id == 1, phase_value.c.resource_id == "a", phase_value.c.starts == 5
    )

    async def work(reader: Reader) -> set[tuple[str, Any]]:
        return {(row[0], row[1]) for row in await reader.execute(query)}

    assert await database.read(work) == set(leaves(PERSON))


async def test_what_an_older_store_has_is_put_into_the_index(database: Database, tmp_path: Path) -> None:
    old = Database(f"sqlite:///{tmp_path}/old.db")
    row = {"tenant_id": 1, "type": "User", "version": 1, "created": 1, "modified": 1, "document": "{}"}
    rows = [{**row, "id": own_id, "folded": json.dumps(PERSON)} for own_id in "abc"]
    async with old.engine.begin() as connection:
        await connection.run_sync(migrate, "0005")
        await connection.execute(table.insert(), rows)
        await connection.execute(table.update().where(table.c.id == "b").values(deleted=7))
    assert (await upgrade(old))[0] == "0006"
    assert await index(old) == expected(a=PERSON, c=PERSON)
    assert await index(old, deleted=1) == expected(b=PERSON)
    await change(old, "a", {"username": "x"})
    assert await index(old) == expected(a={"username": "x"}, c=PERSON)
    await old.close()
    assert await index(database) == set()
