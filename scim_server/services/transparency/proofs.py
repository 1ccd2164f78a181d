"""Proofs that somebody without access to the store can check: of inclusion and of consistency."""

import base64
from dataclasses import dataclass
from typing import Any

from scim_server.scim.documents import is_storable
from scim_server.scim.errors import InvalidValue, NotFound
from scim_server.security.transparency.chain import GENESIS
from scim_server.security.transparency.merkle import Frontier, consistency, inclusion
from scim_server.services.transparency.tree import Removed, Tree
from scim_server.store import chain, chain_walk, checkpoints
from scim_server.store.database import Database, Reader


def b64(value: bytes) -> str:
    """Return bytes in base64."""
    return base64.b64encode(value).decode()


@dataclass(frozen=True, slots=True)
class _Target:
    """A tree to prove something about: size, root, and the note that says so, where there is one."""

    size: int
    root: bytes
    note: str | None


class Proofs:
    """Answers for the trees of a store."""

    def __init__(self, database: Database) -> None:
        """Take the store."""
        self._database = database

    async def checkpoint(self, tenant_id: int) -> str | None:
        """Return the last signed note of a tenant, None where there is none."""
        found = await self._database.read(lambda reader: checkpoints.last(reader, tenant_id))
        return None if found is None else found.note

    async def inclusion(self, tenant_id: int, event_id: str) -> dict[str, Any]:
        """Return the proof that an event is in the tree of the last checkpoint, or of the head beyond it.

        Raises NotFound for an event without a place in the chain.
        """

        async def work(reader: Reader) -> dict[str, Any]:
            place = await chain.place_of(reader, tenant_id, event_id) if is_storable(event_id) else None
            if place is None:
                raise NotFound(
                    f"The event {event_id[:80]} has no place in the chain: wait a second and try again."
                )
            tree = Tree(reader, tenant_id, await checkpoints.last_cut(reader, tenant_id))
            target = await self._target(reader, tenant_id, place.sequence)
            try:
                path = await tree.hashes(inclusion(place.sequence - 1, target.size))
            except Removed as error:
                raise NotFound(
                    f"Retention has removed what a proof of the event {event_id[:80]} needs."
                ) from error
            before = await self._before(reader, tenant_id, place.sequence)
            return {
                "id": event_id,
                "sequence": place.sequence,
                "event": place.document,
                "previousHash": b64(before),
                "hash": b64(place.hash),
                "index": place.sequence - 1,
                "size": target.size,
                "root": b64(target.root),
                "proof": [b64(one) for one in path],
                "checkpoint": target.note,
            }

        return await self._database.read(work)

    async def _before(self, reader: Reader, tenant_id: int, sequence: int) -> bytes:
        if sequence == 1:
            return GENESIS
        found = await chain_walk.hash_at(reader, tenant_id, sequence - 1)
        if found is not None:
            return found
        cut = await checkpoints.last_cut(reader, tenant_id)
        return GENESIS if cut is None else cut.hash

    async def _target(self, reader: Reader, tenant_id: int, sequence: int) -> _Target:
        made = await checkpoints.last(reader, tenant_id, since=sequence)
        if made is not None:
            return _Target(made.size, made.root, made.note)
        head = await chain.head_of(reader, tenant_id)
        assert head is not None  # noqa: S101 - the event has a place
        return _Target(head.sequence, Frontier.load(head.sequence, head.frontier).root(), None)

    async def consistency(self, tenant_id: int, first: int, second: int) -> dict[str, Any]:
        """Return the proof that the tree of one size is the beginning of the tree of another.

        Raises InvalidValue for sizes that the chain does not have, or has no more.
        """

        async def work(reader: Reader) -> dict[str, Any]:
            head = await chain.head_of(reader, tenant_id)
            last = 0 if head is None else head.sequence
            if not 0 < first <= second <= last:
                raise InvalidValue(f"Sizes are from 1 to {last}, and the first is not above the second.")
            tree = Tree(reader, tenant_id, await checkpoints.last_cut(reader, tenant_id))
            try:
                path = await tree.hashes(consistency(first, second))
                roots = [(await tree.frontier(size)).root() for size in (first, second)]
            except Removed as error:
                raise InvalidValue(f"Retention has removed what a proof from {first} needs.") from error
            return {
                "first": first,
                "second": second,
                "firstRoot": b64(roots[0]),
                "secondRoot": b64(roots[1]),
                "proof": [b64(one) for one in path],
            }

        return await self._database.read(work)
