"""A database that goes away: told as such, and used again when it is back, without a restart."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from scim_server.store import clients
from scim_server.store.database import Database, Writer
from scim_server.store.failures import DatabaseUnavailable
from scim_server.store.upgrade import stored_revision
from tests.store.relay import Relay


@pytest.fixture
async def relay(postgresql_url: str) -> AsyncIterator[Relay]:
    async with Relay(postgresql_url) as relay:
        yield relay


@pytest.fixture
async def remote(relay: Relay) -> AsyncIterator[Database]:
    database = Database(relay.url, pool_size=3)
    yield database
    await database.close()


async def read(database: Database) -> int | None:
    return await database.read(lambda reader: clients.tenant_id_of(reader, "one"))


async def write(database: Database, name: str = "one") -> int:
    return await database.write(lambda writer: clients.ensure_tenant(writer, name, 1))


async def test_a_cut_database_is_unavailable_for_readers_and_writers(remote: Database, relay: Relay) -> None:
    await write(remote)
    await relay.cut()
    with pytest.raises(DatabaseUnavailable):
        await read(remote)
    with pytest.raises(DatabaseUnavailable):
        await write(remote)


async def test_a_database_that_was_never_there_is_unavailable(relay: Relay) -> None:
    await relay.cut()
    database = Database(relay.url)
    with pytest.raises(DatabaseUnavailable):
        await read(database)
    with pytest.raises(DatabaseUnavailable):
        await write(database)
    await database.close()


async def test_a_mended_database_is_used_again(remote: Database, relay: Relay) -> None:
    tenant = await write(remote)
    await relay.cut()
    with pytest.raises(DatabaseUnavailable):
        await read(remote)
    await relay.mend()
    assert await read(remote) == tenant
    assert await write(remote) == tenant


async def test_connections_that_died_unnoticed_cost_no_request(remote: Database, relay: Relay) -> None:
    tenant = await write(remote)
    await asyncio.gather(*(read(remote) for _ in range(3)))
    await relay.drop()
    assert await read(remote) == tenant
    assert await write(remote) == tenant


async def test_every_dead_connection_of_the_pool_is_replaced(remote: Database, relay: Relay) -> None:
    tenant = await write(remote)
    await asyncio.gather(*(read(remote) for _ in range(9)))
    await relay.drop()
    assert await asyncio.gather(*(read(remote) for _ in range(9))) == [tenant] * 9


async def test_a_writer_that_is_cut_off_leaves_nothing_half_done(remote: Database, relay: Relay) -> None:
    attempts = 0

    async def work(writer: Writer) -> None:
        nonlocal attempts
        attempts += 1
        await clients.ensure_tenant(writer, f"half-{attempts}", 1)
        if attempts == 1:
            await relay.drop()
        await clients.ensure_tenant(writer, f"whole-{attempts}", 1)

    await remote.write(work)
    names = [f"{part}-{attempt}" for attempt in (1, 2) for part in ("half", "whole")]
    found = [
        await remote.read(lambda reader, name=name: clients.tenant_id_of(reader, name))  # type: ignore[misc]
        for name in names
    ]
    assert [each is not None for each in found] == [False, False, True, True]


async def test_the_revision_of_a_mended_database_can_be_read(remote: Database, relay: Relay) -> None:
    revision = await stored_revision(remote)
    await relay.drop()
    try:
        again = await stored_revision(remote)
    except Exception:  # noqa: BLE001 - the first use of a dead connection may fail, the next may not
        again = await stored_revision(remote)
    assert again == revision
