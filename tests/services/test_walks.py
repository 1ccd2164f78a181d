"""The memory of walks: where they are, what they counted, and what it forgets."""

import asyncio
import time

import pytest

from scim_server.services.walks import COUNT_SECONDS, MARKS_KEPT, START_SECONDS, WALKS_KEPT, WalkMemory

SCOPE = ("one", "c")


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.moment = 100.0
        monkeypatch.setattr(time, "monotonic", lambda: self.moment)


class Counter:
    """Counts, told how long it takes on a clock, and how often it did."""

    def __init__(self, clock: Clock | None = None, seconds: float = 0) -> None:
        self.clock = clock
        self.seconds = seconds
        self.times = 0

    async def __call__(self) -> int:
        """Return a number that tells how often was counted."""
        self.times += 1
        if self.clock is not None:
            self.clock.moment += self.seconds
        await asyncio.sleep(0)
        return 1_000 + self.times


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_the_nearest_mark_is_at_the_offset_or_before_it() -> None:
    memory = WalkMemory()
    for offset in (300, 100, 200):
        memory.mark(SCOPE, offset, [f"id{offset}"])
    assert [memory.nearest(SCOPE, offset) for offset in (99, 100, 250, 9_000)] == [
        None,
        (100, ["id100"]),
        (200, ["id200"]),
        (300, ["id300"]),
    ]
    assert memory.nearest(("other",), 300) is None


def test_a_walk_keeps_its_latest_marks() -> None:
    memory = WalkMemory()
    for offset in (0, *range(1_000, 1_000 + MARKS_KEPT)):
        memory.mark(SCOPE, offset, [str(offset)])
    assert memory.nearest(SCOPE, 999) is None
    assert memory.nearest(SCOPE, 1_000) == (1_000, ["1000"])


def test_a_mark_made_again_is_the_latest() -> None:
    memory = WalkMemory()
    for offset in range(MARKS_KEPT):
        memory.mark(SCOPE, offset, ["first"])
    memory.mark(SCOPE, 0, ["again"])
    memory.mark(SCOPE, MARKS_KEPT, ["last"])
    assert (memory.nearest(SCOPE, 0), memory.nearest(SCOPE, 1)) == ((0, ["again"]), (0, ["again"]))


def test_the_walk_that_rests_longest_is_forgotten_first() -> None:
    memory = WalkMemory()
    for number in (0, 1, 0, *range(2, WALKS_KEPT + 1)):
        memory.mark((number,), 5, [number])
    assert [memory.nearest((number,), 5) for number in (0, 1, 2)] == [(5, [0]), None, (5, [2])]


def test_a_mark_is_forgotten_after_ten_minutes(clock: Clock) -> None:
    memory = WalkMemory()
    memory.mark(SCOPE, 100, ["early"])
    clock.moment += 300
    memory.mark(SCOPE, 200, ["late"])
    clock.moment += 300
    assert memory.nearest(SCOPE, 199) == (100, ["early"])
    clock.moment += 1
    assert memory.nearest(SCOPE, 199) is None
    assert memory.nearest(SCOPE, 200) == (200, ["late"])


async def test_many_are_counted_again_for_a_walk_after_a_minute_and_for_a_start_sooner(clock: Clock) -> None:
    memory, count = WalkMemory(), Counter()
    found = []
    for is_start, seconds in ((True, 0), (True, START_SECONDS), (False, COUNT_SECONDS), (False, 1)):
        clock.moment += seconds
        found.append(await memory.total(SCOPE, count, is_start=is_start, many=1_000))
    assert found == [1_001, 1_001, 1_002, 1_002]


async def test_a_count_that_took_long_serves_longer(clock: Clock) -> None:
    memory, count = WalkMemory(), Counter(clock, 0.3)
    await memory.total(SCOPE, count, is_start=True, many=1_000)
    clock.moment += 29
    assert await memory.total(SCOPE, count, is_start=True, many=1_000) == 1_001
    clock.moment += 2
    assert await memory.total(SCOPE, count, is_start=True, many=1_000) == 1_002


async def test_few_are_counted_each_time() -> None:
    memory, count = WalkMemory(), Counter()
    found = [await memory.total(SCOPE, count, is_start=False, many=9_000) for _ in range(2)]
    assert found == [1_001, 1_002]


async def test_what_several_ask_at_once_is_counted_once() -> None:
    memory, count = WalkMemory(), Counter()
    asked = (memory.total(SCOPE, count, is_start=True, many=1) for _ in range(5))
    assert await asyncio.gather(*asked) == [1_001] * 5


async def test_while_somebody_counts_again_others_are_told_the_last_number(clock: Clock) -> None:
    memory, count = WalkMemory(), Counter()
    await memory.total(SCOPE, count, is_start=False, many=1)
    for late, expected in ((1, [1_002, 1_001, 1_001]), (COUNT_SECONDS + 1, [1_003, 1_003, 1_003])):
        clock.moment += COUNT_SECONDS + late
        asked = (memory.total(SCOPE, count, is_start=False, many=1) for _ in range(3))
        assert await asyncio.gather(*asked) == expected


async def test_who_waited_for_a_count_that_failed_counts() -> None:
    memory, count = WalkMemory(), Counter()

    async def failing() -> int:
        await asyncio.sleep(0)
        raise LookupError

    asked = [memory.total(SCOPE, one, is_start=True, many=1) for one in (failing, count)]
    failed, found = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(failed, LookupError)
    assert found == 1_001


async def test_who_no_longer_waits_takes_no_count_from_the_others() -> None:
    memory, count = WalkMemory(), Counter()
    asked = [asyncio.ensure_future(memory.total(SCOPE, count, is_start=True, many=1)) for _ in range(3)]
    await asyncio.sleep(0)
    asked[1].cancel()
    assert await asyncio.gather(*asked[::2]) == [1_001, 1_001]
