"""What an operation costs the database does not depend on how many users there are: statements and plans."""

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from benchmarks import stores
from benchmarks.fill import copies, memberships
from benchmarks.measure import statements_of
from benchmarks.operations import Operation, operations
from scim_server.app import create_app
from scim_server.settings import load_settings
from tests.support.postgres import postgres_server

SMALL = 1_000
LARGE = {"postgresql": 100_000, "sqlite": 20_000}
SCANNED = re.compile(r"(Seq Scan on|SCAN) (resource|reference|unique_value|audit_event|folded_value)\b")
WALKED = re.compile(r"SEARCH resource USING (COVERING )?INDEX resource_walk \(tenant_id=\? AND type=\?\)")
"""A plan that tests every resource of a type, on SQLite."""
READING = ("GET", "filter", "list")
PLANNED_ONCE = {"plan_cache_mode": "force_generic_plan"}
"""As the server's own connections are: the plan is that of any parameters."""
MOST = 6
"""Statements of a page of a filter: who asks, a walk, its groups, what it did not find, a count, a claim."""
Statement = tuple[str, list[Any]]


class Costs:
    """What every operation takes at both sizes: its number of statements, and at the large one these."""

    def __init__(self) -> None:
        self.small: dict[str, int] = {}
        self.large: dict[str, int] = {}
        self.statements: dict[str, list[Statement]] = {}
        self.url = ""


def shared(world: Any) -> list[Operation]:
    """Return the operations that a store of either size has."""
    return [one for one in operations(world) if one.is_counted]


async def costs_of(kind: str, url: str, folder: Path) -> Costs:
    """Make a store, count, make it a hundred times as large, count again."""
    costs = Costs()
    costs.url = url
    store = await stores.made(kind, url, folder, SMALL)
    costs.small, _ = await counted(store)
    grown = copies(kind, LARGE[kind])
    largest = store.world.groups[SMALL]
    await asyncio.to_thread(stores.execute, kind, url, *grown, memberships(largest, LARGE[kind]), "ANALYZE")
    costs.large, costs.statements = await counted(store)
    costs.statements["Bulk"] = await of_bulk(store)
    return costs


async def of_bulk(store: stores.Store) -> list[Statement]:
    """Return the different statements of a Bulk of creations."""
    application = create_app(load_settings(database_url=store.url, log_level="error"))
    (bulk,) = (one for one in operations(store.world) if one.name.startswith("Bulk"))
    seen: dict[str, list[Any]] = {}
    await statements_of(
        application, store.world, bulk, lambda text, values: seen.update({text: list(values)})
    )
    await application.state.database.close()
    return list(seen.items())


async def counted(store: stores.Store) -> tuple[dict[str, int], dict[str, list[Statement]]]:
    """Return the number of statements of each operation, and the statements."""
    application = create_app(load_settings(database_url=store.url, log_level="error"))
    counts: dict[str, int] = {}
    found: dict[str, list[Statement]] = {}
    for operation in shared(store.world):
        seen: list[Statement] = []

        def note(text: str, values: Any, seen: list[Statement] = seen) -> None:
            seen.append((text, list(values)))

        counts[operation.name] = await statements_of(application, store.world, operation, note)
        found[operation.name] = seen
    await application.state.database.close()
    return counts, found


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def costs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Costs]:
    """Give the costs on a database."""
    folder = tmp_path_factory.mktemp("flatness")
    if request.param == "sqlite":
        yield asyncio.run(costs_of("sqlite", f"sqlite:///{folder / 'scim.db'}", folder))
        return
    with postgres_server() as server:
        url = stores.url_of("postgresql", server, folder, LARGE["postgresql"])
        yield asyncio.run(costs_of("postgresql", url, folder))


def test_an_operation_takes_as_many_statements_in_a_large_store_as_in_a_small_one(costs: Costs) -> None:
    filtered = {name for name in costs.large if name.startswith("filter") and "page" in name}
    assert {name: count for name, count in costs.large.items() if name not in filtered} == {
        name: count for name, count in costs.small.items() if name not in filtered
    }
    assert max(costs.large[name] for name in filtered) <= MOST


def test_reading_takes_one_statement_and_so_does_a_page_of_everybody(costs: Costs) -> None:
    reading = {name: count for name, count in costs.large.items() if name.startswith(READING)}
    pages = {name for name in reading if "page" in name}
    is_sqlite = costs.url.startswith("sqlite")
    single = {name: count for name, count in reading.items() if name not in pages}
    assert single == {name: 2 if is_sqlite and name in _GATHERED else 1 for name in single}
    assert reading["list, first page of 100"] == (3 if is_sqlite else 1)


_GATHERED = ("filter externalId", "filter work e-mail")
"""What may be a page, which SQLite reads after the claim."""


def test_a_thousand_members_take_no_more_statements_than_a_few(costs: Costs) -> None:
    for name in ("add 1,000 members to", "remove 1,000 members of"):
        counts = {count for own, count in costs.large.items() if own.startswith(name)}
        assert len(counts) == 1, name
        assert max(counts) <= MOST + 2  # the event goes to two tables


async def test_nothing_of_size_is_read_from_end_to_end(costs: Costs) -> None:
    scanning = {}
    for name, statements in costs.statements.items():
        is_list, is_reading = name.startswith("list"), name.startswith(READING)
        found = await plans(costs.url, statements, is_reading=is_reading)
        for text, plan in zip(statements, found, strict=True):
            if SCANNED.search(plan) or (WALKED.search(plan) and not is_list):
                scanning[name] = f"{text[0]}\n{plan}"
    assert scanning == {}


async def plans(url: str, statements: list[Statement], *, is_reading: bool) -> list[str]:
    """Return how the database goes about each statement.

    PostgreSQL plans it for any values, and for these as well where it may be part of a transaction.
    """
    if not url.startswith("sqlite"):
        connection = await asyncpg.connect(url, server_settings=PLANNED_ONCE)
        found = []
        for text, values in statements:
            await connection.execute(f"PREPARE one AS {text}")
            given = f"({', '.join('NULL' for _ in values)})" if values else ""
            rows = await connection.fetch(f"EXPLAIN EXECUTE one{given}")
            await connection.execute("DEALLOCATE one")
            rows += [] if is_reading else await connection.fetch(f"EXPLAIN {text}", *values)
            found.append("\n".join(row[0] for row in rows))
        await connection.close()
        return found
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
        explained = [file.execute(f"EXPLAIN QUERY PLAN {text}", values) for text, values in statements]
        return ["\n".join(row[-1] for row in rows) for rows in explained]


def test_equality_filters_are_looked_up_by_index(costs: Costs) -> None:
    if not costs.url.startswith("sqlite"):
        pytest.skip("the plans of PostgreSQL are read above")
    others = {"filter userName"}
    for name in (name for name in costs.statements if name.startswith("filter") and name not in others):
        assert any("folded_value" in text for text, _ in costs.statements[name]), name
    assert any("folded_value" in text for text, _ in costs.statements["POST user"])
