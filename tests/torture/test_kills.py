"""A few kills, and that whoever counts what was lost would see it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import asyncpg
import pytest

from tests.torture import invariants, kills
from tests.torture.stage import Server, SqliteStore, Store, TortureFailed
from tests.torture.writers import Ledger, write

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
Spoil = Callable[[Store, Ledger], None]


async def test_nothing_acknowledged_is_lost_when_server_and_database_are_killed(
    store: Store, server: Server, token: str
) -> None:
    await asyncio.to_thread(server.start)
    outcome = await kills.kill_under_load(store, server, token, kills=2)
    kills.check(outcome, kills=2)
    assert outcome.acknowledged > 50


def spoil(store: Store, statement: str) -> None:
    """Run a statement beside the server."""
    if isinstance(store, SqliteStore):
        import sqlite3

        with sqlite3.connect(store.folder / "scim.db") as connection:
            connection.execute(statement)
        connection.close()
        return
    with suppress(asyncpg.InterfaceError):
        store.rows(statement)


ONE = "(SELECT id FROM resource WHERE type = 'User' AND deleted IS NULL LIMIT 1)"
SPOILED = {
    "lost: user": f"DELETE FROM resource WHERE id = {ONE}",
    "lost: a change": "UPDATE resource SET version = 0 WHERE type = 'User' AND deleted IS NULL",
    "gone: user": f"UPDATE resource SET deleted = 1 WHERE id = {ONE}",
    "number of its changes": f"UPDATE resource SET version = version + 1 WHERE id = {ONE}",
    "belongs to a resource": f"UPDATE unique_value SET resource_id = 'x' WHERE resource_id = {ONE}",
    "has its userName": f"DELETE FROM unique_value WHERE resource_id = {ONE}",
    "leads from and to": "UPDATE reference SET target_id = 'x' WHERE target_id IN (SELECT min(target_id) "
    "FROM reference)",
    "belongs to an event": "UPDATE outbox SET audit_id = 'x'",
    "are told to others": "DELETE FROM outbox",
    "the counter says": "UPDATE counter SET value = value + 1 WHERE name = 'live:User'",
    "missing": "DELETE FROM reference WHERE attribute LIKE '%members%'",
}


async def test_whatever_is_spoiled_is_seen(store: Store, server: Server, token: str) -> None:
    await asyncio.to_thread(server.start)
    ledger = Ledger()
    end = asyncio.get_running_loop().time() + 4
    await write(server.base_url, token, ledger, end, clients=4, seed=1)
    await asyncio.to_thread(server.stop)
    assert await asyncio.to_thread(invariants.broken, store, ledger) == []
    unseen = []
    for seen, statement in SPOILED.items():
        await asyncio.to_thread(spoil, store, statement)
        found = await asyncio.to_thread(invariants.broken, store, ledger)
        unseen += [] if any(seen in line for line in found) else [seen]
    assert unseen == []


def test_a_run_that_tells_nothing_is_no_success() -> None:
    with pytest.raises(TortureFailed):
        kills.check(kills.Outcome("sqlite"), kills=30)
