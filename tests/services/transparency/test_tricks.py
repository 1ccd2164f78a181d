"""What looks right in the tables and is not on record in the chain deceives no verification."""

import dataclasses
import json

import pytest
import sqlalchemy as sa

from benchmarks.tamper import AT, EVENTS, EVERY, Hand, Trail
from scim_server.scim.errors import Conflict
from scim_server.security.transparency.merkle import Frontier
from scim_server.security.transparency.notes import Keys, Signer
from scim_server.services.settlement import system_call
from scim_server.services.transparency import exporting, verification
from scim_server.services.transparency.erasure import erase
from scim_server.services.transparency.reporting import late
from scim_server.services.transparency.retention import Kept, Retention
from scim_server.services.transparency.verification import Outside, Verdict, Verification
from scim_server.store import chain_walk
from scim_server.store.clock import now
from scim_server.store.tables import (
    audit_chain,
    audit_checkpoint,
    audit_cut,
    audit_event,
    audit_head,
    audit_private,
    audit_queue,
)
from tests.requirements.records import rows_of


async def erased(trail: Trail, subject: str) -> None:
    call = system_call(trail.tenant_id, "default")
    await erase(trail.database, trail.lifecycle.registry, trail.sealing, call, subject)


async def retained(trail: Trail, size: int) -> Kept:
    query = sa.select(audit_event.c.at).join(audit_chain, audit_chain.c.event_id == audit_event.c.id)
    moment = now()
    if size < EVENTS:
        ((moment,),) = await rows_of(trail.database, query.where(audit_chain.c.sequence == size + 1))
    call = system_call(trail.tenant_id, "default")
    keys = trail.signer.keys
    return await Retention(trail.database, trail.lifecycle.registry, keys).retain(call, moment)


async def verified(trail: Trail, outside: Outside) -> Verdict:
    own = Verification(trail.database, trail.lifecycle.registry, trail.sealing)
    return await own.verify(trail.tenant_id, "default", outside)


async def test_the_database_gives_no_number_that_was_removed_or_is_below_1(trail: Trail) -> None:
    row = {"tenant_id": trail.tenant_id, "event_id": "forged", "hash": bytes(32)}
    await retained(trail, 20)
    for number in (-1, 0, 7, 20):
        with pytest.raises(sa.exc.IntegrityError, match="no number that was removed"):
            async with trail.database.engine.begin() as connection:
                await connection.execute(audit_chain.insert().values(sequence=number, **row))


async def test_events_taken_out_of_the_queue_by_a_number_below_1_are_found(trail: Trail) -> None:
    await trail.write(3)

    def work(hand: Hand) -> None:
        own = {"tenant_id": hand.tenant_id, "hash": b"x"}
        ids = hand.connection.execute(sa.select(audit_queue.c.id)).scalars().all()
        for number, event_id in enumerate(ids):
            hand.connection.execute(audit_chain.insert().values(sequence=-number, event_id=event_id, **own))
        hand.run(audit_queue.delete())

    await trail.tamper(work)
    verdict = await trail.verify()
    assert verdict.bad is not None
    assert verdict.bad.sequence == -2


@pytest.mark.parametrize("number", [7, 20])
async def test_an_event_with_a_number_that_was_removed_is_found_and_not_exported(
    number: int, trail: Trail
) -> None:
    await retained(trail, 20)
    await trail.chain()
    assert (await trail.verify()).code == 0

    def work(hand: Hand) -> None:
        own = {"sequence": number, "event_id": "0forged", "hash": bytes(32)}
        hand.connection.execute(audit_chain.insert().values(tenant_id=hand.tenant_id, **own))
        row = hand.link(21)
        own_event = audit_event.c
        query = sa.select(audit_event).where(own_event.id == row.event_id)
        found = dict(hand.connection.execute(query).one()._mapping)  # noqa: SLF001 - SQLAlchemy's public name
        hand.connection.execute(audit_event.insert().values({**found, "id": "0forged"}))

    await trail.tamper(work)
    verdict = await trail.verify()
    assert verdict.bad is not None
    assert verdict.bad.sequence == number
    lines = exporting.lines(trail.database, trail.sealing, trail.tenant_id, "default", exporting.as_json)
    assert min([json.loads(line)["sequence"] async for line in lines]) == 21


async def test_the_first_event_that_a_removal_left_cannot_be_told(trail: Trail) -> None:
    await retained(trail, 20)

    def work(hand: Hand) -> None:
        cut = hand.connection.execute(sa.select(audit_cut.c.hash)).scalar_one()
        own = {"sequence": 20, "event_id": "0forged", "hash": cut}
        hand.connection.execute(audit_chain.insert().values(tenant_id=hand.tenant_id, **own))

    await trail.tamper(work)
    assert (await trail.verify()).code == 2


async def test_a_removal_that_an_event_tells_of_is_no_fault(trail: Trail) -> None:
    await retained(trail, 20)
    assert (await trail.verify()).code == 0
    await trail.chain()
    assert (await trail.verify()).code == 0
    await retained(trail, EVENTS)
    await trail.chain()
    assert (await trail.verify()).code == 0


async def test_checkpoints_that_are_all_about_what_was_removed_cannot_tell(trail: Trail) -> None:
    await retained(trail, 20)
    await trail.chain()
    outside = Outside(trail.notes[:1], trail.signer.keys)
    assert (await verified(trail, outside)).code == 2
    assert (await verified(trail, dataclasses.replace(outside, allowed_removed=20))).code == 0
    assert (await verified(trail, dataclasses.replace(outside, allowed_removed=10))).code == 2


async def test_a_removal_whose_event_is_about_another_one_is_found(trail: Trail) -> None:
    await retained(trail, 10)
    await trail.chain()
    await trail.tamper(lambda hand: _after(hand, 20))
    verdict = await trail.verify()
    assert verdict.bad is not None
    assert verdict.bad.what == "no event says that the events up to 20 were removed by retention"


def _after(hand: Hand, size: int) -> None:
    cut = hand.connection.execute(sa.select(audit_cut)).one()
    frontier = Frontier.load(cut.size, bytes(cut.frontier))
    for sequence in range(cut.size + 1, size + 1):
        link = hand.link(sequence)
        frontier.push(bytes(link.hash))
        hand.remove(audit_private, sequence)
        hand.remove(audit_event, sequence)
        hand.run(audit_chain.delete(), audit_chain.c.sequence == sequence)
    own = {"size": size, "at": now(), "root": frontier.root(), "hash": link.hash}
    hand.connection.execute(
        audit_cut.insert().values(tenant_id=hand.tenant_id, frontier=frontier.stored(), **own)
    )


async def test_an_erasure_accounts_for_its_own_subject_alone(trail: Trail) -> None:
    query = sa.select(audit_private.c.key_id).where(audit_private.c.subject_id == "user-1").distinct()
    ((old,),) = await rows_of(trail.database, query)
    await erased(trail, "user-1")
    await trail.chain()
    assert (await trail.verify()).erased == 8  # of forty events about five users
    await trail.tamper(lambda hand: hand.run(audit_private.update().values(key_id=old, sealed=b"")))
    verdict = await trail.verify()
    assert verdict.bad is not None
    assert verdict.bad.sequence == 1
    await trail.tamper(lambda hand: hand.run(audit_private.update().values(subject_id="user-1")))
    assert (await trail.verify()).code == 1


async def test_an_erasure_accounts_for_nothing_after_it(trail: Trail) -> None:
    query = sa.select(audit_private.c.key_id).where(audit_private.c.subject_id == "user-1").distinct()
    ((old,),) = await rows_of(trail.database, query)
    await erased(trail, "user-1")
    await trail.write(5)
    await trail.chain()
    assert (await trail.verify()).code == 0
    own = audit_private.c.subject_id == "user-1"
    await trail.tamper(lambda hand: hand.run(audit_private.update().values(key_id=old, sealed=b""), own))
    verdict = await trail.verify()
    assert verdict.bad is not None
    assert verdict.bad.sequence > EVENTS


async def test_an_erasure_during_verification_is_no_fault(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "AT_ONCE", 8)
    done = list[int]()
    links = chain_walk.links

    async def meanwhile(*arguments: object, **named: object) -> object:
        if len(done) == 2:
            await erased(trail, "user-1")
        done.append(1)
        return await links(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(chain_walk, "links", meanwhile)
    verdict = await trail.verify()
    assert (verdict.code, verdict.erased > 0) == (0, True)


async def test_a_removal_during_verification_is_no_fault(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "AT_ONCE", 8)
    done = list[int]()
    links = chain_walk.links

    async def meanwhile(*arguments: object, **named: object) -> object:
        done.append(1)
        if len(done) == 2:
            await retained(trail, 20)
            await trail.write(3)
            await trail.chain()
            await trail.checkpoint()
        return await links(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(chain_walk, "links", meanwhile)
    verdict = await trail.verify(outside=False)
    assert (verdict.code, verdict.first) == (0, 21)


async def test_retention_trusts_no_checkpoint_that_is_not_signed(trail: Trail) -> None:
    def work(hand: Hand) -> None:
        own = {"at": now(), "size": 33, "root": b"x", "hash": b"x", "note": "x"}
        hand.connection.execute(audit_checkpoint.insert().values(tenant_id=hand.tenant_id, **own))

    await trail.tamper(work)
    with pytest.raises(Conflict, match="nothing was removed"):
        await retained(trail, EVENTS)


async def test_retention_wants_a_signature_by_its_own_key(trail: Trail) -> None:
    trail.signer = Signer.generate("another")
    with pytest.raises(Conflict):
        await retained(trail, EVENTS)


async def test_a_signature_by_an_unknown_key_cannot_be_told(trail: Trail) -> None:
    old, trail.signer = trail.signer, Signer.generate("demonstration")
    verdict = await trail.verify(outside=False)
    assert (verdict.code, verdict.bad) == (2, None)
    assert verdict.unknown == [
        "4 checkpoints are signed by keys that are not at hand: give them with --pubkey"
    ]
    await trail.write(1)
    await trail.chain()
    await trail.checkpoint()
    both = Keys((trail.signer.verifier, old.verifier))
    assert (await verified(trail, Outside(trail.notes, both))).code == 0


async def test_a_note_without_a_signature_is_a_fault(trail: Trail) -> None:
    note = trail.notes[0].rpartition("\n\n")[0] + "\n\n"
    own = audit_checkpoint.c.size == EVERY
    await trail.tamper(lambda hand: hand.run(audit_checkpoint.update().values(note=note), own))
    assert (await trail.verify(outside=False)).code == 1


async def test_a_checkpoint_under_another_time_is_a_fault(trail: Trail) -> None:
    own = audit_checkpoint.c.size == EVERY
    await trail.tamper(lambda hand: hand.run(audit_checkpoint.update().values(at=1), own))
    assert (await trail.verify(outside=False)).code == 1


@pytest.mark.parametrize(
    ("table", "values", "sequence"),
    [
        (audit_event, {"folded": "{"}, AT),
        (audit_event, {"document": "x"}, AT),
        (audit_event, {"document": sa.literal_column("CAST(x'ff' AS TEXT)")}, AT),
        (audit_chain, {"hash": sa.literal_column("'abc'")}, AT),
        (audit_head, {"sequence": sa.literal_column("'abc'")}, 1),
        (audit_checkpoint, {"note": sa.literal_column("x'00'")}, EVERY),
        (audit_checkpoint, {"root": sa.literal_column("'abc'")}, None),
    ],
)
async def test_what_has_not_its_shape_is_a_fault_at_its_place(
    table: sa.Table, values: dict[str, object], sequence: int | None, trail: Trail
) -> None:
    if trail.database.dialect == "postgresql":
        pytest.skip("PostgreSQL keeps to the types of columns")

    def work(hand: Hand) -> None:
        if table is audit_event:
            hand.change(table, AT, **values)
        elif table is audit_chain:
            hand.run(table.update().values(**values), audit_chain.c.sequence == AT)
        else:
            hand.run(table.update().values(**values))

    await trail.tamper(work)
    verdict = await trail.verify(outside=False)
    assert verdict.bad is not None
    assert sequence in {None, verdict.bad.sequence}


async def test_a_range_beyond_the_end_cannot_be_told(trail: Trail) -> None:
    assert (await trail.verify(outside=False, start=EVENTS + 1)).code == 0
    assert (await trail.verify(outside=False, start=EVENTS + 2)).code == 2


async def test_checkpoints_that_a_range_has_no_use_for_cannot_be_told(trail: Trail) -> None:
    assert (await trail.verify(start=12)).code == 2
    assert (await trail.verify(end=30)).code == 2


async def test_queued_events_that_are_not_there_are_counted_apart(trail: Trail) -> None:
    await trail.write(3)
    assert await late(trail.database, trail.tenant_id, 60) is None

    def work(hand: Hand) -> None:
        hand.connection.execute(audit_queue.insert().values(tenant_id=hand.tenant_id, id="0ghost"))

    await trail.tamper(work)
    assert await late(trail.database, trail.tenant_id, 60) == "ALARM: 1 queued events are not there"


async def test_a_tenant_without_events_is_intact(begun: Trail) -> None:
    assert (await begun.verify()).code == 0


async def test_verification_while_events_are_written_raises_no_alarm(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "AT_ONCE", 8)
    ends, links = chain_walk.ends, chain_walk.links

    async def more(work: object, *arguments: object, **named: object) -> object:
        await trail.write(2)
        await trail.chain()
        await trail.checkpoint()
        await trail.write(1)
        return await work(*arguments, **named)  # type: ignore[operator]

    monkeypatch.setattr(chain_walk, "links", lambda *given, **named: more(links, *given, **named))
    monkeypatch.setattr(chain_walk, "ends", lambda *given: more(ends, *given))
    verdict = await trail.verify(outside=False)
    assert (verdict.code, verdict.bad) == (0, None)
