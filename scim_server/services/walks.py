"""What is remembered of walks through lists: no page costs its offset, and no total is counted often."""

import asyncio
import time
from bisect import bisect_right, insort
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
Scope = tuple[object, ...]
"""What a walk is through: tenant, client, types, filter and order."""
Position = list[Any]
"""The key of the last row of a page."""
WALKS_KEPT = 1_000
MARKS_KEPT = 32
"""Ends of pages kept of a walk: several may be under way in it, and other processes serve pages of it."""
WALK_SECONDS = 600
COUNT_SECONDS = 60
START_SECONDS = 5
"""How long a count of many serves the pages of a walk, and the first pages of further ones."""
_TIMES = 100
"""A count serves first pages for so many times as long as it took, if that is longer."""


@dataclass(slots=True)
class _Walk:
    """The ends of pages: where they are, by how many rows are before it, the latest last."""

    marks: dict[int, tuple[float, Position]] = field(default_factory=dict)
    offsets: list[int] = field(default_factory=list)

    def put(self, offset: int, position: Position, until: float) -> None:
        if self.marks.pop(offset, None) is None:
            insort(self.offsets, offset)
        self.marks[offset] = (until, position)
        if len(self.marks) > MARKS_KEPT:
            self._drop(next(iter(self.marks)))

    def _drop(self, offset: int) -> None:
        del self.marks[offset]
        self.offsets.remove(offset)

    def nearest(self, offset: int) -> tuple[int, Position] | None:
        moment = time.monotonic()
        while (place := bisect_right(self.offsets, offset)) > 0:
            own = self.offsets[place - 1]
            until, position = self.marks[own]
            if until >= moment:
                return own, position
            self._drop(own)
        return None


@dataclass(frozen=True, slots=True)
class _Total:
    number: int
    until: float
    start_until: float


class WalkMemory:
    """Remembers where walks by index are and what they counted.

    Kept per process and bounded. What is forgotten, or was seen by another process, costs an offset in the
    index from the nearest page before it that is known, or a count; never a wrong answer.
    """

    def __init__(self) -> None:
        self._walks: OrderedDict[Scope, _Walk] = OrderedDict()
        self._totals: OrderedDict[Scope, _Total] = OrderedDict()
        self._counting: dict[Scope, asyncio.Future[int | None]] = {}

    def mark(self, scope: Scope, offset: int, position: Position) -> None:
        """Keep where the row is that so many rows come up to."""
        walk = _kept(self._walks, scope, self._walks.get(scope) or _Walk())
        walk.put(offset, position, time.monotonic() + WALK_SECONDS)

    def nearest(self, scope: Scope, offset: int) -> tuple[int, Position] | None:
        """Return the mark nearest to an offset, at it or before it: its own offset and its position."""
        walk = self._walks.get(scope)
        return None if walk is None else walk.nearest(offset)

    async def total(
        self, scope: Scope, count: Callable[[], Awaitable[int]], *, is_start: bool, many: int
    ) -> int:
        """Return how many a walk is through: as counted before, by whoever counts now, or by counting.

        While somebody counts again, others are told what was counted before, if that is not too old.
        Of less than `many` nothing is kept. Raises what `count` does.
        """
        known, moment = self._totals.get(scope), time.monotonic()
        if known is not None and moment <= (known.start_until if is_start else known.until):
            return known.number
        running = self._counting.get(scope)
        if running is not None and known is not None and moment <= known.until + COUNT_SECONDS:
            return known.number
        if running is not None and (told := await asyncio.shield(running)) is not None:
            return told
        return await self._counted(scope, count, many)

    async def _counted(self, scope: Scope, count: Callable[[], Awaitable[int]], many: int) -> int:
        mine: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._counting[scope] = mine
        started, number = time.monotonic(), None
        try:
            number = await count()
        finally:
            mine.set_result(number)
            if self._counting.get(scope) is mine:
                del self._counting[scope]
        if number >= many:
            moment = time.monotonic()
            start = min(COUNT_SECONDS, max(START_SECONDS, _TIMES * (moment - started)))
            _kept(self._totals, scope, _Total(number, moment + COUNT_SECONDS, moment + start))
        return number


def _kept(entries: OrderedDict[Scope, T], key: Scope, value: T) -> T:
    """Keep a value, the latest last, and no more than WALKS_KEPT of them."""
    entries[key] = value
    entries.move_to_end(key)
    while len(entries) > WALKS_KEPT:
        entries.popitem(last=False)
    return value
