"""What a change costs in statements: nothing for time where nothing is timed, nothing for what stays."""

from dataclasses import replace
from typing import Any

import pytest

from scim_server.scim.resources import Resource
from scim_server.security import tokens
from scim_server.services.clients import Clients
from scim_server.store import catalogue, clients, references, resources
from scim_server.store.database import Database, Writer
from tests.scim.samples import REGISTRY
from tests.store.statements import Cost, counted

PLAIN = resources.Contents({"title": "a"}, {"title": "a"}, None)
TIMED = resources.Contents({"title": "a"}, {"title": "a"}, None, (5, 7), ((5, {}), (7, {})))
Values = dict[str, tuple[dict[str, Any], dict[str, Any]]]


async def cost_of(database: Database, work: Any) -> Cost:
    """Return the cost of writing work."""
    with counted(database) as cost:
        await database.write(work)
    cost.statements = [text for text in cost.statements if not text.startswith(("BEGIN", "COMMIT"))]
    return cost


def first(id: str = "1") -> Resource:
    return Resource("Probe", id, 1, 1, 1, {"title": "a"})


async def stored(database: Database) -> Resource:
    found = await database.read(lambda reader: resources.fetch(reader, 1, "Probe", "1", now=4))
    assert found is not None
    return found


@pytest.mark.parametrize(("contents", "statements"), [(PLAIN, 1), (TIMED, 2)])
async def test_a_resource_is_inserted_with_one_statement_and_one_for_its_phases(
    database: Database, contents: resources.Contents, statements: int
) -> None:
    cost = await cost_of(database, lambda writer: resources.insert(writer, 1, first(), contents))
    assert len(cost.statements) == statements


@pytest.mark.parametrize(
    ("before", "after", "statements"),
    [(PLAIN, PLAIN, 1), (PLAIN, TIMED, 3), (TIMED, PLAIN, 2), (TIMED, TIMED, 3)],
)
async def test_phases_cost_an_update_only_where_there_are_or_were_any(
    database: Database, before: resources.Contents, after: resources.Contents, statements: int
) -> None:
    await database.write(lambda writer: resources.insert(writer, 1, first(), before))
    found = await stored(database)
    changed = replace(found, version=found.version + 1)
    cost = await cost_of(database, lambda writer: resources.update(writer, 1, changed, after))
    assert len(cost.statements) == statements


async def test_saving_references_writes_only_what_differs(database: Database) -> None:
    async def save(values: Values) -> int:
        cost = await cost_of(database, lambda writer: references.save(writer, 1, "s", "k", values, 9))
        return len(cost.statements)

    several: Values = {f"t{number}": ({"primary": False}, {"primary": False}) for number in range(20)}
    assert await save(several) == 2
    assert await save(several) == 1
    assert await save({**several, "t3": ({"primary": True}, {"primary": True})}) == 2
    assert await save({"t3": ({"primary": True}, {"primary": True})}) == 2


async def test_a_catalogue_is_read_with_two_statements_whatever_its_size(database: Database) -> None:
    async def fill(writer: Writer) -> None:
        for number in range(50):
            role = Resource("Role", f"r{number}", 1, 1, 1, {"value": f"v{number}"})
            await resources.insert(writer, 1, role, PLAIN)

    await database.write(fill)
    with counted(database) as cost:
        found = await database.read(lambda reader: catalogue.catalogue_rows(reader, 1, REGISTRY))
    assert (len(found), len(cost.statements)) == (50, 2)


async def test_a_caller_is_guarded_with_one_statement(database: Database) -> None:
    digest = tokens.digest((await Clients(database).create("c")).token)
    known = await database.read(lambda reader: clients.caller_of(reader, digest))
    assert known is not None
    cost = await cost_of(database, lambda writer: clients.guard(writer, 1, known.client_id, digest))
    assert len(cost.statements) == 1
