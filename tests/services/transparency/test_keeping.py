"""What fails for one tenant, step or sink does not keep the others waiting."""

import asyncio
import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benchmarks.tamper import Trail
from scim_server.scim.errors import NotFound
from scim_server.services.transparency import checkpoints as making
from scim_server.services.transparency.checkpoints import Checkpoints
from scim_server.services.transparency.keeping import Keeper
from scim_server.services.transparency.overdue import overdue
from scim_server.services.transparency.proofs import Proofs
from scim_server.services.transparency.retention import Retention
from scim_server.services.transparency.sinks import FileSink, Sink, SinkFailed
from scim_server.services.transparency.tree import Removed, Tree
from scim_server.store import chain, clients
from scim_server.store.clock import now
from scim_server.store.tables import audit_chain, audit_checkpoint, audit_queue
from tests.requirements.records import rows_of
from tests.support.time import Clock

HOUR = 3_600.0


class Slow:
    """A sink that never answers."""

    name = "slow"

    async def take(self, _tenant: str, _note: str) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()


class Kept:
    """A sink that keeps what it takes."""

    name = "kept"

    def __init__(self) -> None:
        self.notes: list[str] = []

    async def take(self, _tenant: str, note: str) -> None:
        """Keep it."""
        self.notes.append(note)


def keeper_of(trail: Trail, *sinks: Sink) -> Keeper:
    return Keeper(trail.database, trail.lifecycle.registry, trail.sealing, trail.signer, sinks)


async def second_tenant(trail: Trail) -> int:
    return await trail.database.write(lambda writer: clients.ensure_tenant(writer, "two", 1))


async def change_head(trail: Trail, **values: Any) -> None:
    tenant_id = trail.tenant_id
    await trail.database.write(lambda writer: chain.move_head(writer, tenant_id, **values))


async def test_what_is_queued_again_is_taken_out_and_told_of(
    begun: Trail, capsys: pytest.CaptureFixture[str]
) -> None:
    await begun.write(2)
    await begun.chain()
    ((event_id,),) = await rows_of(
        begun.database, sa.select(audit_chain.c.event_id).where(audit_chain.c.sequence == 1)
    )
    row = {"tenant_id": begun.tenant_id, "id": event_id, "private": b"made up"}
    await begun.database.write(lambda writer: writer.execute(audit_queue.insert().values(row)))
    await begun.write(2)
    await begun.chain()
    assert await rows_of(begun.database, sa.select(audit_queue.c.id)) == []
    verdict = await begun.verify()
    assert (verdict.code, verdict.events) == (0, 4)
    assert "queued twice" in "".join(capsys.readouterr())


async def test_a_tenant_with_a_bad_head_does_not_stop_checkpoints_and_sinks(
    begun: Trail, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = begun.tenant_id
    await begun.write(3)
    await begun.chain()
    await change_head(begun, frontier=b"no frontier")
    begun.tenant_id = await second_tenant(begun)
    await begun.write(3)
    kept = Kept()
    with pytest.raises(Exception, match=r".*"):
        await keeper_of(begun, kept).run_once()
    assert len(kept.notes) == 1
    said = "".join(capsys.readouterr())
    assert "audit trail not kept" in said
    assert f"tenant={bad}" in said or f'"tenant": {bad}' in said or f'"tenant":{bad}' in said


async def test_a_failure_of_the_sequencer_or_of_retention_stops_nothing_else(
    begun: Trail, monkeypatch: pytest.MonkeyPatch, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    await begun.write(3)
    await begun.chain()
    await begun.write(1)
    clock.advance(hours=2)

    async def fail(*_arguments: object, **_values: object) -> None:
        raise RuntimeError("denied")

    monkeypatch.setattr(chain, "take", fail)
    monkeypatch.setattr(Retention, "retain", fail)
    kept = Kept()
    with pytest.raises(RuntimeError, match="denied"):
        await keeper_of(begun, kept).run_once()
    assert len(kept.notes) == 1
    assert "audit lag" in "".join(capsys.readouterr())


async def test_a_sink_that_never_answers_stops_neither_another_one_nor_the_chain(
    begun: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "SECONDS", 0.3)
    await begun.write(1)
    kept, slow = Kept(), Slow()
    keeper = keeper_of(begun, slow, kept)
    assert (await keeper.keep_once())["checkpoints"] == 1
    publishing = asyncio.create_task(keeper.publish_once())
    await begun.write(1)
    assert (await keeper.keep_once())["chained"] == 1
    assert await asyncio.wait_for(publishing, 5) == 1
    assert len(kept.notes) == 1
    state = await rows_of(begun.database, sa.text("SELECT sink, error FROM audit_publication ORDER BY sink"))  # type: ignore[arg-type]
    assert [tuple(row) for row in state] == [("kept", None), ("slow", "not done within 0.3 seconds")]


async def test_a_sink_that_was_renamed_does_not_starve_the_new_one(begun: Trail) -> None:
    await begun.write(1)
    await begun.chain()
    old, new = Slow(), Kept()
    for _ in range(101):
        await Checkpoints(begun.database, begun.signer, [old]).make(begun.tenant_id, "default")
    own = Checkpoints(begun.database, begun.signer, [new])
    await own.make(begun.tenant_id, "default")
    assert await own.publish() == 1


async def test_a_short_write_to_a_file_is_a_failure_and_the_next_line_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoints.jsonl"
    sink, write = FileSink("file:x", path), os.write
    await sink.take("default", "first")
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:7]))
        with pytest.raises(SinkFailed, match="only 7 of"):
            await sink.take("default", "second")
    await sink.take("default", "second")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(lines[number])["checkpoint"] for number in (0, 2)] == ["first", "second"]
    assert len(lines) == 3


async def test_a_file_that_may_only_be_appended_to_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, opened = tmp_path / "checkpoints.jsonl", os.open

    def write_only(name: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_RDWR:
            raise PermissionError(errno.EACCES, "denied")
        return opened(name, flags, mode)

    monkeypatch.setattr(os, "open", write_only)
    for note in ("first", "second"):
        await FileSink("file:x", path).take("default", note)
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line]
    assert [json.loads(line)["checkpoint"] for line in lines] == ["first", "second"]


@pytest.mark.parametrize("values", [{"checkpoint_at": 9 * 10**18}, {"checkpoint_size": 10**9}])
async def test_checkpoints_cannot_be_switched_off(begun: Trail, values: dict[str, int]) -> None:
    await begun.write(3)
    await begun.chain()
    own = Checkpoints(begun.database, begun.signer)
    assert await own.make_due(HOUR, events=10_000) == 1
    await change_head(begun, **values)
    assert await overdue(begun.database, begun.tenant_id, HOUR) is not None
    await asyncio.sleep(0.001)
    assert await own.make_due(HOUR, events=10_000) == 1
    assert await own.make_due(HOUR, events=10_000) == 0
    assert await overdue(begun.database, begun.tenant_id, HOUR) is None
    ((latest,),) = await rows_of(begun.database, sa.select(sa.func.max(audit_checkpoint.c.at)))
    assert latest <= now()
    assert (await begun.verify()).code == 0


async def test_a_checkpoint_that_is_overdue_is_told_of(
    begun: Trail, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    await begun.write(3)
    await begun.chain()
    await begun.checkpoint()
    assert await overdue(begun.database, begun.tenant_id, HOUR) is None
    clock.advance(hours=3)
    assert await overdue(begun.database, begun.tenant_id, HOUR) is not None
    await keeper_of(begun)._tell_overdue()  # noqa: SLF001 - a round would make one
    assert "audit checkpoint overdue" in "".join(capsys.readouterr())


async def test_a_proof_that_retention_has_made_impossible_is_not_found(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_arguments: object) -> list[bytes]:
        raise Removed

    monkeypatch.setattr(Tree, "hashes", gone)
    ((event_id,),) = await rows_of(
        trail.database, sa.select(audit_chain.c.event_id).where(audit_chain.c.sequence == 1)
    )
    with pytest.raises(NotFound, match="Retention"):
        await Proofs(trail.database).inclusion(trail.tenant_id, event_id)
