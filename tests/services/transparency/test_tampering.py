"""Whatever is done to the rows of an audit trail, verification says where."""

import pytest
import sqlalchemy as sa

from benchmarks.tamper import AT, ATTACKS, EVENTS, Attack, Hand, Trail
from scim_server.security.transparency.sealing import Sealing
from scim_server.store.tables import audit_checkpoint, audit_event, audit_head, audit_node, audit_queue


async def test_what_nobody_touched_is_intact(trail: Trail) -> None:
    verdict = await trail.verify()
    assert (verdict.code, verdict.bad, verdict.unknown) == (0, None, [])
    assert (verdict.events, verdict.first, verdict.last, verdict.checkpoints) == (EVENTS, 1, EVENTS, 8)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_tampering_is_found_at_its_place(attack: Attack, trail: Trail) -> None:
    await trail.tamper(attack.work)
    verdict = await trail.verify(outside=attack.needs_outside)
    assert verdict.bad is not None
    assert (verdict.code, verdict.bad.sequence) == (1, attack.first_bad)


@pytest.mark.parametrize("attack", [one for one in ATTACKS if one.needs_outside], ids=lambda one: one.name)
async def test_a_complete_forgery_is_found_only_with_a_published_checkpoint(
    attack: Attack, trail: Trail
) -> None:
    await trail.tamper(attack.work)
    assert (await trail.verify(outside=False)).code == 0


async def test_a_stored_checkpoint_beyond_the_end_tells_that_the_end_was_cut_off(trail: Trail) -> None:
    kept = sa.select(audit_checkpoint).where(audit_checkpoint.c.size == EVENTS)

    def work(hand: Hand) -> None:
        row = dict(hand.connection.execute(kept).one()._mapping)  # noqa: SLF001 - SQLAlchemy's public name
        next(one for one in ATTACKS if one.name.startswith("cut off the end, set back")).work(hand)
        hand.connection.execute(audit_checkpoint.insert().values(row))

    await trail.tamper(work)
    verdict = await trail.verify(outside=False)
    assert verdict.bad is not None
    assert verdict.bad.sequence == 35


async def test_a_kept_hash_of_the_tree_that_was_changed_is_found(begun: Trail) -> None:
    await begun.write(300)
    await begun.chain()
    assert (await begun.verify()).code == 0
    await begun.tamper(lambda hand: hand.run(audit_node.update().values(hash=bytes(32))))
    verdict = await begun.verify()
    assert verdict.bad is not None
    assert "kept hash" in verdict.bad.what


async def test_a_range_is_verified_from_its_beginning_to_its_end(trail: Trail) -> None:
    verdict = await trail.verify(outside=False, start=11, end=30)
    assert (verdict.code, verdict.events, verdict.first, verdict.last) == (0, 20, 11, 30)
    await trail.tamper(lambda hand: hand.change(audit_event, AT, actor_type="admin"))
    assert (await trail.verify(outside=False, start=AT + 1)).code == 0
    assert (await trail.verify(start=11, end=30)).code == 1


async def test_without_the_master_key_private_parts_cannot_be_told(begun: Trail) -> None:
    begun.sealing = Sealing(b"m" * 32)
    await begun.write(3)
    await begun.chain()
    assert (await begun.verify()).code == 0
    verdict = await begun.verify(sealing=Sealing())
    assert (verdict.code, verdict.unknown) == (2, ["3 private parts are sealed under another master key"])


async def test_an_event_that_waits_is_no_stray(trail: Trail) -> None:
    await trail.write(3)
    assert (await trail.verify()).code == 0


async def test_an_event_taken_out_of_the_queue_is_a_stray(trail: Trail) -> None:
    await trail.write(3)
    await trail.tamper(lambda hand: hand.run(audit_queue.delete()))
    verdict = await trail.verify()
    assert verdict.bad is not None
    assert "beside the chain" in verdict.bad.what


async def test_a_chain_whose_head_is_gone_is_not_taken_for_an_empty_one(trail: Trail) -> None:
    await trail.tamper(lambda hand: hand.run(audit_head.delete()))
    assert (await trail.verify(outside=False)).code == 1
