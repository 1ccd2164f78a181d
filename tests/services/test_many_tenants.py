"""Tenants that nobody uses cost the worker nothing."""

import pytest

from scim_server.services.clockwork import Clockwork
from scim_server.services.lifecycle import Lifecycle
from scim_server.store import tenants
from scim_server.store.clock import now
from scim_server.store.database import Database, Writer
from scim_server.store.recalculation import enqueue
from tests.store.statements import counted


@pytest.fixture(scope="module")
def lifecycle() -> Lifecycle:
    return Lifecycle.of()


async def make(database: Database, first: int, number: int) -> None:
    async def work(writer: Writer) -> None:
        for one in range(first, first + number):
            await tenants.insert_tenant(writer, f"t{one}", 1)

    await database.write(work)


async def test_a_round_costs_the_same_statements_for_any_number_of_idle_tenants(
    database: Database, lifecycle: Lifecycle
) -> None:
    costs = []
    for first, number in ((0, 1), (1, 300)):
        await make(database, first, number)
        with counted(database) as cost:
            await Clockwork(database, lifecycle).run_once()
        costs.append(len(cost.statements))
    assert costs == [1, 1]


async def test_only_tenants_in_which_something_is_due_are_visited(
    database: Database, lifecycle: Lifecycle
) -> None:
    await make(database, 0, 5)
    found = await database.read(lambda reader: tenants.find(reader, "t3"))
    assert found is not None
    await database.write(lambda writer: enqueue(writer, found.id, ["019f0000-0000-7000-8000-000000000000"]))
    assert await database.read(lambda reader: tenants.due(reader, now())) == [(found.id, "t3")]
    counts = await Clockwork(database, lifecycle).run_once()
    assert counts["recalculated"] == 1
    assert await database.read(lambda reader: tenants.due(reader, now())) == []
