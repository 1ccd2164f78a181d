"""Checkpoints are made in time, signed, and published until every sink has them."""

import base64
import json
from pathlib import Path

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from benchmarks.tamper import Trail
from scim_server.security.transparency.notes import Checkpoint
from scim_server.services.transparency.checkpoints import Checkpoints, KeyUnusable, read_signer
from scim_server.services.transparency.keeping import Habits, Keeper
from scim_server.services.transparency.sinks import SIGNATURE_HEADER, FileSink, Sink, SinkFailed, Webhook
from scim_server.store import checkpoints
from tests.support.time import Clock

HOUR = 3_600.0


def of(trail: Trail, *sinks: Sink) -> Checkpoints:
    return Checkpoints(trail.database, trail.signer, sinks)


async def sizes(trail: Trail) -> list[int]:
    found = await trail.database.read(
        lambda reader: checkpoints.between(reader, trail.tenant_id, 0, 1_000_000)
    )
    return [one.size for one in found]


async def test_a_chain_gets_a_checkpoint_every_hour_also_when_nothing_happens(
    begun: Trail, clock: Clock
) -> None:
    await begun.write(3)
    await begun.chain()
    made = [await of(begun).make_due(HOUR, events=10_000), await of(begun).make_due(HOUR, events=10_000)]
    clock.advance(hours=2)
    made.append(await of(begun).make_due(HOUR, events=10_000))
    assert (made, await sizes(begun)) == ([1, 0, 1], [3, 3])


async def test_many_events_get_a_checkpoint_at_once(begun: Trail) -> None:
    for _ in range(2):
        await begun.write(3)
        await begun.chain()
        await of(begun).make_due(HOUR, events=3)
    assert await sizes(begun) == [3, 6]


async def test_a_tenant_without_a_chain_gets_none(begun: Trail) -> None:
    assert await of(begun).make_due(0, events=1) == 0


async def test_without_a_key_there_is_none(begun: Trail) -> None:
    await begun.write(3)
    await begun.chain()
    assert await Checkpoints(begun.database, None).make_due(0, events=1) == 0


async def test_a_checkpoint_names_the_log_and_the_tenant(begun: Trail) -> None:
    assert Checkpoint.parse((await begun.checkpoint()).note).origin == "demonstration/default"


async def test_a_file_gets_one_line_for_each_checkpoint(begun: Trail, tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.jsonl"
    own = of(begun, FileSink(f"file:{path}", path))
    await begun.write(1)
    await begun.chain()
    await own.make_due(HOUR, events=1)
    assert [await own.publish(), await own.publish()] == [1, 0]
    (line,) = path.read_text(encoding="utf-8").splitlines()
    told = json.loads(line)
    assert told["tenant"] == "default"
    assert begun.signer.verifier.has_signed(told["checkpoint"])


async def test_a_webhook_gets_a_signed_message(begun: Trail) -> None:
    taken: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        taken.append(request)
        return httpx2.Response(204)

    await Webhook("https://w.test/", begun.signer, httpx2.MockTransport(answer)).take("default", "note")
    (request,) = taken
    kind, _, signature = request.headers[SIGNATURE_HEADER].partition("=")
    key = Ed25519PublicKey.from_public_bytes(begun.signer.verifier.key)
    key.verify(base64.b64decode(signature), request.content)
    assert kind == "ed25519"
    assert json.loads(request.content) == {"tenant": "default", "checkpoint": "note"}


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_a_webhook_that_answers_otherwise_has_not_taken_it(status: int, begun: Trail) -> None:
    transport = httpx2.MockTransport(lambda _request: httpx2.Response(status))
    with pytest.raises(SinkFailed, match=str(status)):
        await Webhook("https://w.test/", begun.signer, transport).take("default", "note")


async def test_what_a_sink_does_not_take_is_visible_and_tried_again_later(
    begun: Trail, tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "missing" / "checkpoints.jsonl"
    own = of(begun, FileSink(f"file:{path}", path))
    await begun.write(1)
    await begun.chain()
    await own.make_due(HOUR, events=1)
    assert [await own.publish(), await own.publish()] == [0, 0]
    ((sink, number, error),) = await begun.database.read(
        lambda reader: checkpoints.troubles(reader, begun.tenant_id)
    )
    assert (sink, number) == (f"file:{path}", 1)
    assert "No such file" in str(error)
    path.parent.mkdir()
    clock.advance(minutes=5)
    assert await own.publish() == 1
    assert await begun.database.read(lambda reader: checkpoints.troubles(reader, begun.tenant_id)) == []


def test_a_key_that_others_can_read_is_refused(begun: Trail, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text(begun.signer.stored(), encoding="utf-8")
    path.chmod(0o644)
    with pytest.raises(KeyUnusable, match="chmod 600"):
        read_signer(path)
    path.chmod(0o600)
    assert read_signer(path).verifier == begun.signer.verifier


async def test_a_round_chains_makes_a_checkpoint_and_publishes_it(begun: Trail, tmp_path: Path) -> None:
    sink = FileSink("file:x", tmp_path / "x")
    keeper = Keeper(begun.database, begun.lifecycle.registry, begun.sealing, begun.signer, [sink], Habits())
    await begun.write(3)
    assert await keeper.run_once() == {"chained": 3, "checkpoints": 1, "removed": 0, "published": 1}
    assert await keeper.run_once() == {"chained": 0, "checkpoints": 0, "published": 0}


async def test_events_that_wait_too_long_are_an_alarm(
    begun: Trail, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    await begun.write(1)
    clock.advance(hours=1)
    keeper = Keeper(begun.database, begun.lifecycle.registry, begun.sealing, None)
    await keeper._tell_lag()  # noqa: SLF001 - a round would chain what waits
    assert "audit lag" in "".join(capsys.readouterr())
