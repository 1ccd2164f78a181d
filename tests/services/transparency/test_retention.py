"""Old events go in whole ranges below a checkpoint, and what is left verifies from there on."""

import pytest
import sqlalchemy as sa

from benchmarks.tamper import EVENTS, EVERY, Trail
from scim_server.services.settlement import system_call
from scim_server.services.transparency import retention
from scim_server.services.transparency.proofs import Proofs
from scim_server.services.transparency.retention import Kept, Retention
from scim_server.store.clock import now
from scim_server.store.database import Database
from scim_server.store.tables import audit_chain, audit_cut, audit_event, audit_private
from tests.requirements.records import rows_of


async def retained(trail: Trail, moment: int, *, is_dry_run: bool = False) -> Kept:
    call = system_call(trail.tenant_id, "default")
    return await Retention(trail.database, trail.lifecycle.registry).retain(
        call, moment, is_dry_run=is_dry_run
    )


async def halfway(database: Database) -> int:
    """Return the moment of the 26th event."""
    query = sa.select(audit_event.c.at).join(audit_chain, audit_chain.c.event_id == audit_event.c.id)
    ((moment,),) = await rows_of(database, query.where(audit_chain.c.sequence == 26))
    return int(moment)


async def test_what_is_old_goes_up_to_a_checkpoint(trail: Trail) -> None:
    assert await retained(trail, await halfway(trail.database)) == Kept(20, 2 * EVERY)
    numbers = await rows_of(trail.database, sa.select(sa.func.min(audit_chain.c.sequence)))
    assert numbers == [(21,)]
    for table in (audit_event, audit_private):
        (row,) = await rows_of(trail.database, sa.select(sa.func.count()).select_from(table))
        assert row[0] in {20, 21}


async def test_what_is_left_verifies_and_the_removal_is_an_event(trail: Trail) -> None:
    await retained(trail, await halfway(trail.database))
    await trail.chain()
    verdict = await trail.verify()
    assert (verdict.code, verdict.bad, verdict.events) == (0, None, 21)
    assert "the events up to 20 were removed by retention" in verdict.remarks
    query = sa.select(audit_event.c.id).where(audit_event.c.action == "audit.retain")
    assert len(await rows_of(trail.database, query)) == 1


async def test_a_second_removal_goes_on_from_the_first(trail: Trail) -> None:
    await retained(trail, await halfway(trail.database))
    assert await retained(trail, now()) == Kept(20, EVENTS)
    await trail.chain()
    assert (await trail.verify()).code == 0


async def test_what_is_left_can_be_proved(trail: Trail) -> None:
    query = sa.select(audit_chain.c.event_id).where(audit_chain.c.sequence == 27)
    ((event_id,),) = await rows_of(trail.database, query)
    before = await Proofs(trail.database).inclusion(trail.tenant_id, event_id)
    growth = await Proofs(trail.database).consistency(trail.tenant_id, 20, 40)
    await retained(trail, await halfway(trail.database))
    assert await Proofs(trail.database).inclusion(trail.tenant_id, event_id) == before
    assert await Proofs(trail.database).consistency(trail.tenant_id, 20, 40) == growth


async def test_a_dry_run_removes_nothing(trail: Trail) -> None:
    assert await retained(trail, now(), is_dry_run=True) == Kept(EVENTS, EVENTS)
    assert await rows_of(trail.database, sa.select(audit_cut.c.size)) == []


async def test_nothing_is_removed_where_nothing_is_old(trail: Trail) -> None:
    assert await retained(trail, 1) == Kept(0, None)


async def test_nothing_is_removed_without_a_checkpoint(begun: Trail) -> None:
    await begun.write(3)
    await begun.chain()
    assert await retained(begun, now()) == Kept(0, None)


async def test_a_removal_that_was_cut_short_is_finished(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stop(*_arguments: object) -> None:
        raise RuntimeError("stopped")

    with monkeypatch.context() as patch:
        patch.setattr(Retention, "_remove", stop)
        with pytest.raises(RuntimeError):
            await retained(trail, await halfway(trail.database))
    assert (await trail.verify()).code == 0
    monkeypatch.setattr(retention, "AT_ONCE", 3)
    assert await retained(trail, 1) == Kept(0, None)
    assert await rows_of(trail.database, sa.select(sa.func.min(audit_chain.c.sequence))) == [(21,)]
