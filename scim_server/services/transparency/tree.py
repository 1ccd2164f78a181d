"""Hashes of parts of a tenant's Merkle tree, from the chain, the kept subtrees and the last cut."""

from collections.abc import Sequence

from scim_server.security.transparency.merkle import (
    TILE,
    Frontier,
    Range,
    fold,
    leaf_hash,
    pieces,
    root_of_row,
)
from scim_server.store import chain
from scim_server.store.checkpoints import Cut
from scim_server.store.database import Reader, Writer


class Removed(LookupError):
    """A part of the tree was removed by retention, and what remains does not tell its hash."""


class Tree:
    """The tree of one tenant; reads some hundred rows for each part, however large the tree is."""

    def __init__(self, reader: Reader | Writer, tenant_id: int, cut: Cut | None) -> None:
        """Take where to read; `cut` is the last removal, whose frontier stands for what is gone."""
        self._reader = reader
        self._tenant_id = tenant_id
        self._cut = 0 if cut is None else cut.size
        self._left: dict[tuple[int, int], bytes] = {}
        if cut is not None:
            frontier = Frontier.load(cut.size, cut.frontier)
            self._left = dict(zip(pieces((0, cut.size)), frontier.hashes, strict=True))

    async def hashes(self, parts: Sequence[Range]) -> list[bytes]:
        """Return the hash of each part. Raises Removed."""
        return [fold(await self._pieces(part)) for part in parts]

    async def frontier(self, size: int) -> Frontier:
        """Return the frontier that the tree had at a size. Raises Removed."""
        return Frontier(size, await self._pieces((0, size)))

    async def _pieces(self, part: Range) -> list[bytes]:
        return [await self._subtree(level, position) for level, position in pieces(part)]

    async def _subtree(self, level: int, position: int) -> bytes:
        known = self._left.get((level, position))
        if known is not None:
            return known
        kept = level // TILE * TILE
        width = 1 << (level - kept)
        row = await self._row(kept, position * width, width)
        if len(row) == width:
            return root_of_row(row)
        if level == 0:
            raise Removed(f"the event {position + 1} is not there")
        left = await self._subtree(level - 1, 2 * position)
        right = await self._subtree(level - 1, 2 * position + 1)
        return root_of_row([left, right])

    async def _row(self, level: int, start: int, width: int) -> list[bytes]:
        if level:
            return await chain.nodes(self._reader, self._tenant_id, level, start, start + width)
        if start < self._cut:
            return []
        found = await chain.hashes(self._reader, self._tenant_id, start + 1, start + 1 + width)
        return [leaf_hash(value) for value in found]
