"""Proofs convince somebody who has nothing but the public key, and computes by RFC 9162 what they read."""

import base64
import hashlib
import json
from typing import Any

import pytest
import sqlalchemy as sa

from benchmarks.tamper import EVENTS, Trail
from scim_server.scim.errors import InvalidValue, NotFound
from scim_server.security.transparency.notes import Checkpoint
from scim_server.services.transparency.proofs import Proofs
from scim_server.store.tables import audit_chain
from tests.requirements.records import rows_of


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def root_by_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Return the root that an inclusion path leads to: RFC 9162 §2.1.3.2, steps 2 to 4."""
    own, last, found = index, size - 1, leaf
    for other in path:
        assert last != 0
        if own % 2 == 1 or own == last:
            found = sha(b"\x01", other, found)
            if own % 2 == 0:
                while own % 2 == 0 and own != 0:
                    own, last = own >> 1, last >> 1
        else:
            found = sha(b"\x01", found, other)
        own, last = own >> 1, last >> 1
    assert last == 0
    return found


def hash_of(proof: dict[str, Any]) -> bytes:
    """Return the hash of an event in the chain, from what the proof shows of it."""
    public = proof["event"].encode()
    commit = bytes.fromhex(json.loads(public).get("privateCommit", ""))
    before = base64.b64decode(proof["previousHash"])
    return sha(b"\x00", proof["sequence"].to_bytes(8, "big"), before, public, commit)


def is_convincing(proof: dict[str, Any]) -> bool:
    path = [base64.b64decode(one) for one in proof["proof"]]
    leaf = sha(b"\x00", hash_of(proof))
    found = root_by_path(leaf, proof["index"], proof["size"], path)
    return bool(base64.b64encode(found).decode() == proof["root"])


async def event_ids(trail: Trail) -> list[str]:
    query = sa.select(audit_chain.c.event_id).order_by(audit_chain.c.sequence)
    return [row[0] for row in await rows_of(trail.database, query)]


async def test_every_event_can_be_proved_against_a_signed_checkpoint(trail: Trail) -> None:
    for event_id in await event_ids(trail):
        proof = await Proofs(trail.database).inclusion(trail.tenant_id, event_id)
        assert is_convincing(proof)
        assert trail.signer.verifier.has_signed(proof["checkpoint"])
        said = Checkpoint.parse(proof["checkpoint"])
        assert (said.size, base64.b64encode(said.root).decode()) == (proof["size"], proof["root"])


async def test_an_event_after_the_last_checkpoint_is_proved_against_the_head(trail: Trail) -> None:
    await trail.write(3)
    await trail.chain()
    proof = await Proofs(trail.database).inclusion(trail.tenant_id, (await event_ids(trail))[-1])
    assert (proof["size"], proof["checkpoint"]) == (EVENTS + 3, None)
    assert is_convincing(proof)


async def test_a_long_chain_is_proved_from_the_kept_hashes(begun: Trail) -> None:
    await begun.write(700)
    await begun.chain()
    await begun.checkpoint()
    ids = await event_ids(begun)
    for number in (0, 255, 256, 511, 512, 699):
        proof = await Proofs(begun.database).inclusion(begun.tenant_id, ids[number])
        assert is_convincing(proof)
        assert len(proof["proof"]) <= 10


async def test_an_event_without_a_place_cannot_be_proved(trail: Trail) -> None:
    with pytest.raises(NotFound):
        await Proofs(trail.database).inclusion(trail.tenant_id, "nothing")


@pytest.mark.parametrize("sizes", [(0, 1), (2, 1), (1, EVENTS + 1)])
async def test_sizes_that_there_are_not_are_refused(sizes: tuple[int, int], trail: Trail) -> None:
    with pytest.raises(InvalidValue):
        await Proofs(trail.database).consistency(trail.tenant_id, *sizes)


async def test_the_roots_of_a_proof_of_growth_are_those_of_the_checkpoints(trail: Trail) -> None:
    proof = await Proofs(trail.database).consistency(trail.tenant_id, 20, 40)
    said = {Checkpoint.parse(note).size: Checkpoint.parse(note).root for note in trail.notes}
    assert base64.b64decode(proof["firstRoot"]) == said[20]
    assert base64.b64decode(proof["secondRoot"]) == said[40]
