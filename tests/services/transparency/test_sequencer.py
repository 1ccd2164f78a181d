"""The sequencer makes one gapless chain of everything, however many sequencers there are."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from benchmarks.tamper import Trail
from scim_server.app import create_app
from scim_server.services.transparency import sequencer
from scim_server.settings import Settings
from scim_server.store import chain, clients
from scim_server.store.database import Database, Writer
from scim_server.store.tables import audit_chain, audit_event, audit_head, audit_private, audit_queue
from tests.requirements.records import rows_of


async def count(database: Database, table: sa.Table) -> int:
    (row,) = await rows_of(database, sa.select(sa.func.count()).select_from(table))
    return int(row[0])


async def test_fifty_writers_of_two_hundred_events_make_one_chain(begun: Trail, database_url: str) -> None:
    others = [Database(database_url) for _ in range(3)]
    writers = [asyncio.create_task(begun.write(200, number * 200)) for number in range(50)]

    async def chain_all(database: Database) -> None:
        own = sequencer.Sequencer(database, begun.sealing)
        while not all(writer.done() for writer in writers):
            await own.run_once()
            await asyncio.sleep(0.01)
        await own.run_once()

    await asyncio.gather(*writers, *(chain_all(one) for one in (begun.database, *others)))
    for one in others:
        await one.close()
    numbers = await rows_of(
        begun.database, sa.select(audit_chain.c.sequence).order_by(audit_chain.c.sequence)
    )
    assert [row[0] for row in numbers] == list(range(1, 10_001))
    assert await count(begun.database, audit_queue) == 0
    assert (await begun.verify()).code == 0


async def test_nothing_is_chained_twice(begun: Trail) -> None:
    await begun.write(3)
    assert [await begun.chain(), await begun.chain()] == [3, 0]


async def test_more_than_a_batch_is_chained_in_one_round(
    begun: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencer, "AT_ONCE", {"sqlite": 4, "postgresql": 4})
    await begun.write(10)
    assert await begun.chain() == 10
    assert (await begun.verify()).code == 0


async def test_what_fails_halfway_leaves_nothing(begun: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    await begun.write(5)

    async def fail(*_arguments: Any, **_values: Any) -> None:
        raise RuntimeError("halfway")

    with monkeypatch.context() as patch:
        patch.setattr(chain, "take", fail)
        with pytest.raises(RuntimeError):
            await begun.chain()
    for table in (audit_chain, audit_private, audit_head):
        assert await count(begun.database, table) == 0
    assert await begun.chain() == 5
    assert (await begun.verify()).code == 0


async def test_a_tenant_that_fails_does_not_stop_the_others(
    begun: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begun.write(3)
    first = begun.tenant_id
    begun.tenant_id = await begun.database.write(lambda writer: clients.ensure_tenant(writer, "two", 1))
    await begun.write(3)
    take = chain.take

    async def fail(writer: Writer, tenant_id: int, ids: Sequence[str]) -> None:
        if tenant_id == first:
            raise RuntimeError("of the first")
        await take(writer, tenant_id, ids)

    monkeypatch.setattr(chain, "take", fail)
    with pytest.raises(RuntimeError):
        await begun.chain()
    assert await rows_of(begun.database, sa.select(audit_chain.c.tenant_id).distinct()) == [
        (begun.tenant_id,)
    ]


async def test_the_server_chains_by_itself(database_url: str, begun: Trail) -> None:
    await begun.write(3)
    application = create_app(Settings(database_url=database_url, audit_interval_seconds=0.05))
    async with application.router.lifespan_context(application):
        for _ in range(100):
            if await count(begun.database, audit_queue) == 0:
                break
            await asyncio.sleep(0.05)
    assert (await begun.verify()).events == 3


async def test_a_sequencer_that_is_cancelled_leaves_all_or_nothing(begun: Trail) -> None:
    for number in range(20):
        await begun.write(20, number * 20)
        task = asyncio.create_task(begun.chain())
        await asyncio.sleep(number * 0.001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    while await begun.chain():
        pass
    verdict = await begun.verify()
    assert (verdict.code, verdict.events) == (0, 400)


async def test_a_tenant_that_waits_for_nothing_costs_nothing(begun: Trail) -> None:
    await begun.write(1)
    assert await begun.database.read(chain.waiting_tenants) == [begun.tenant_id]
    await begun.chain()
    assert await begun.database.read(chain.waiting_tenants) == []


async def test_what_is_private_is_in_no_table_in_the_open_once_it_is_chained(begun: Trail) -> None:
    await begun.write(1)
    await begun.chain()
    (event,) = await rows_of(begun.database, sa.select(audit_event.c.document, audit_event.c.folded))
    (part,) = await rows_of(begun.database, sa.select(audit_private.c.sealed))
    assert not any(word in str(event) for word in ("Boss", "Promoted", "boss", "promoted"))
    assert b"Boss" not in bytes(part[0])
