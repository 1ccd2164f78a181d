"""Each fault of a database, for a moment."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.store.relay import Relay
from tests.torture import outages
from tests.torture.__main__ import STORES, UNLIMITED
from tests.torture.stage import PostgresStore, Server


@pytest.fixture
def store(place: Path) -> Iterator[PostgresStore]:
    """Give a PostgreSQL whose processes may be killed."""
    store = PostgresStore(place / "store")
    store.start()
    yield store
    store.stop()


@pytest.fixture
async def relay(store: PostgresStore) -> AsyncIterator[Relay]:
    async with Relay(store.url) as relay:
        yield relay


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("fault", outages.FAULTS)
async def test_a_fault_of_the_database_is_503_and_over_when_it_is_over(
    fault: str, store: PostgresStore, relay: Relay, server: Server, token: str
) -> None:
    server.environment |= {
        "SCIM_DATABASE_URL": relay.url,
        "SCIM_QUERY_TIMEOUT_SECONDS": "3",
        "SCIM_WRITE_TIMEOUT_SECONDS": "3",
    }
    await asyncio.to_thread(server.start)
    outage = await outages.suffer(fault, store, relay, server, token, longest=20)
    assert outage.broken == []
    assert outage.answered > 50


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("kind", sorted(STORES))
async def test_a_full_disk_is_503_and_over_when_there_is_room(kind: str, place: Path) -> None:
    try:
        with outages.small_disk(place / "disk") as disk:
            store = STORES[kind](disk / "store")
            await asyncio.to_thread(store.start)
            server = Server(store, place, environment=dict(UNLIMITED))
            try:
                await asyncio.to_thread(server.run, "db", "upgrade")
                made = await asyncio.to_thread(server.run, "client", "create", "okta", "--json")
                await asyncio.to_thread(server.start)
                token = json.loads(made)["token"]
                outage = await outages.fill_disk(disk, store, server, token, longest=20)
            finally:
                server.die()
                await asyncio.to_thread(store.stop)
    except PermissionError as error:
        pytest.skip(str(error))
    assert outage.broken == []
    assert outage.refused > 0
