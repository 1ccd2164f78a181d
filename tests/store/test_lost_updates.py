"""Concurrent writers lose nothing and writers that lose a race try again."""

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from scim_server.store import clients
from scim_server.store.database import Database, Reader, Writer
from scim_server.store.failures import DatabaseUnavailable, LostRace
from scim_server.store.tables import counter

INCREMENTS = 400
ROW = {"tenant_id": 1, "name": "probe", "slot": 0}


async def value(connection: Reader | Writer) -> int:
    query = sa.select(counter.c.value).where(counter.c.name == "probe").with_for_update()
    return int((await connection.execute(query)).scalar_one())


async def increment(writer: Writer) -> None:
    read = await value(writer)
    await asyncio.sleep(0)
    await writer.execute(counter.update().where(counter.c.name == "probe").values(value=read + 1))


@pytest.fixture
async def counted(database: Database) -> Database:
    async def work(writer: Writer) -> None:
        await writer.execute(counter.insert().values(**ROW, value=0))

    await database.write(work)
    return database


async def stored(database: Database) -> int:
    query = sa.select(counter.c.value).where(counter.c.name == "probe")

    async def work(reader: Reader) -> int:
        return int((await reader.execute(query)).scalar_one())

    return await database.read(work)


async def test_concurrent_increments_are_all_kept(counted: Database) -> None:
    await asyncio.gather(*(counted.write(increment) for _ in range(INCREMENTS)))
    assert await stored(counted) == INCREMENTS


async def test_increments_through_two_pools_are_all_kept(counted: Database, database_url: str) -> None:
    other = Database(database_url)
    await asyncio.gather(
        *(database.write(increment) for database in (counted, other) for _ in range(INCREMENTS // 8))
    )
    await other.close()
    assert await stored(counted) == INCREMENTS // 4


async def test_readers_see_only_what_is_committed(counted: Database) -> None:
    seen: list[int] = []

    async def work(writer: Writer) -> None:
        await increment(writer)
        seen.append(await stored(counted))

    await counted.write(work)
    seen.append(await stored(counted))
    assert seen == [0, 1]


async def test_work_that_loses_a_race_is_run_again_from_the_start(counted: Database) -> None:
    attempts = 0

    async def work(writer: Writer) -> int:
        nonlocal attempts
        attempts += 1
        await increment(writer)
        if attempts < 3:
            raise LostRace
        return attempts

    assert await counted.write(work) == 3
    assert await stored(counted) == 1


async def test_work_that_always_loses_is_given_up(counted: Database) -> None:
    attempts = 0

    async def work(writer: Writer) -> None:
        nonlocal attempts
        attempts += 1
        await increment(writer)
        raise LostRace

    with pytest.raises(DatabaseUnavailable):
        await counted.write(work)
    assert 2 <= attempts <= 20
    assert await stored(counted) == 0


async def test_other_failures_are_not_tried_again(counted: Database) -> None:
    attempts = 0

    async def work(writer: Writer) -> None:
        nonlocal attempts
        attempts += 1
        await increment(writer)
        raise KeyError

    with pytest.raises(KeyError):
        await counted.write(work)
    assert attempts == 1
    assert await stored(counted) == 0


@pytest.mark.parametrize("step", [0, 0.0001])
async def test_a_transaction_whose_caller_is_cancelled_ends_by_itself(counted: Database, step: float) -> None:
    begun = 0

    async def work(writer: Writer) -> None:
        nonlocal begun
        begun += 1
        await increment(writer)

    for number in range(40):
        task = asyncio.create_task(counted.write(work))
        await asyncio.sleep(step * number)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.wait_for(counted.write(work), 3)
    await asyncio.wait_for(counted.write(work), 3)
    assert await stored(counted) == begun >= 41


async def test_more_readers_than_connections_all_get_their_turn(database: Database) -> None:
    names = await asyncio.gather(
        *(database.read(lambda reader: clients.tenant_id_of(reader, "nobody")) for _ in range(100))
    )
    assert set(names) == {None}


def test_a_database_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="mysql is not supported"):
        Database("mysql://host/name")


async def test_a_file_that_cannot_be_opened_is_an_unavailable_database(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/missing/scim.db")
    with pytest.raises(DatabaseUnavailable):
        await database.read(lambda reader: clients.tenant_id_of(reader, "x"))
    with pytest.raises(DatabaseUnavailable):
        await database.write(lambda writer: clients.tenant_id_of(writer, "x"))
    await database.close()
