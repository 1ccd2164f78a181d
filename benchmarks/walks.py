"""Walks of all pages of a list: by index, by cursor, by two at once, through two processes; and jumps."""

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

from benchmarks.loader import request
from benchmarks.operations import BASE, World

SIZE = 100
"""Resources of a page."""
_LEAST, FIRST = 2, 40
"""How often the first page is asked for, which all others are compared with."""
PATIENCE = 90.0
"""Seconds of a walk; where all pages would take longer, evenly spaced stretches by index, else a part."""
STRETCHES = 20
JUMPS = 10
COMMON = "active eq true"
IMPORT = 'meta.lastModified gt "2020-01-01T00:00:00Z"'
"""What Okta asks an import for that is not its first."""


@dataclass(frozen=True, slots=True)
class Walk:
    """What the pages of a walk took, in milliseconds.

    `cold` is the very first request, which counts; the first page is asked for again and again after it.
    """

    database: str
    users: int
    name: str
    total: int
    pages: int
    cold: float
    first: float
    first_p99: float
    p50: float
    p99: float
    slowest: float

    @property
    def ratio(self) -> float:
        """The median of the pages to that of the first page."""
        return self.p50 / self.first

    @property
    def late_ratio(self) -> float:
        """What all but one of a hundred pages stayed within, to the first page."""
        return self.p99 / self.first

    def as_dict(self) -> dict[str, Any]:
        """Return the walk as JSON has it."""
        return {**asdict(self), "ratio": self.ratio, "late_ratio": self.late_ratio}


class Line:
    """A connection that asks for one page at a time; `times` has the milliseconds of each."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
        self._reader = reader
        self._writer = writer
        self._token = token
        self.times: list[float] = []

    async def page(self, **query: str | int) -> dict[str, Any]:
        """Return a page of users; raises RuntimeError where the answer is something else."""
        said = "&".join(f"{name}={quote(str(value))}" for name, value in query.items())
        sent = request("GET", f"{BASE}/Users?{said}&count={SIZE}", self._token)
        started = time.perf_counter()
        self._writer.write(sent)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
        body = await self._reader.readexactly(length)
        self.times.append(1_000 * (time.perf_counter() - started))
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{said}: {body[:300]!r}")
        found: dict[str, Any] = json.loads(body)
        return found


@asynccontextmanager
async def line(port: int, token: str) -> AsyncIterator[Line]:
    """Give a connection to a port."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    try:
        yield Line(reader, writer, token)
    finally:
        writer.close()


async def walked(database: str, world: World, ports: Sequence[int], seconds: float) -> list[Walk]:
    """Return the walks through a store that two processes serve, the second of which saw none yet."""
    ways: list[tuple[str, dict[str, str]]] = [
        ("list", {}),
        (COMMON, {"filter": COMMON}),
        ("meta.lastModified gt", {"filter": IMPORT}),
    ]
    found = []
    for name, query in ways:
        for how in (_by_index, _by_cursor):
            async with line(ports[0], world.token) as one:
                found.append(await how(_Place(database, world.size, name), one, query, seconds))
    place = _Place(database, world.size, "list")
    async with line(ports[0], world.entra) as one, line(ports[0], world.entra) as other:
        found.append(await _interleaved(place, (one, other), seconds))
    async with line(ports[0], world.token) as one, line(ports[1], world.token) as other:
        found.append(await _alternating(place, (one, other), seconds))
    for name, query in ways[:2]:
        async with line(ports[1], world.entra) as one:
            found.append(await _jumps(_Place(database, world.size, name), one, query, seconds))
    return found


@dataclass(frozen=True, slots=True)
class _Place:
    database: str
    users: int
    name: str

    def told(self, how: str, begun: "_Begun", times: Sequence[float]) -> Walk:
        ordered = sorted(times) or [0.0]
        late = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
        figures = (begun.cold, begun.first, begun.first_p99, statistics.median(ordered), late, ordered[-1])
        rounded = [round(value, 2) for value in figures]
        return Walk(self.database, self.users, f"{self.name}, {how}", begun.total, len(times), *rounded)


@dataclass(frozen=True, slots=True)
class _Begun:
    """What the first page told."""

    total: int
    cold: float
    first: float
    first_p99: float

    @property
    def pages(self) -> int:
        return -(-self.total // SIZE)


async def _begun(own: Line, query: dict[str, Any], seconds: float) -> _Begun:
    total, ends = 0, time.perf_counter() + seconds / 4
    while len(own.times) <= _LEAST or (len(own.times) <= FIRST and time.perf_counter() < ends):
        total = (await own.page(**query))["totalResults"]
    cold, *times = own.times
    own.times = []
    return _Begun(total, cold, statistics.median(times), sorted(times)[int(0.99 * len(times))])


async def _by_index(place: _Place, own: Line, query: dict[str, str], seconds: float) -> Walk:
    begun = await _begun(own, {**query, "startIndex": 1}, seconds)
    if begun.pages * begun.first < 1_000 * seconds:
        for page in range(begun.pages):
            await own.page(**query, startIndex=page * SIZE + 1)
        return place.told("by index", begun, own.times)
    length = max(2, int(1_000 * seconds / begun.first / STRETCHES))
    times: list[float] = []
    for stretch in range(STRETCHES):
        start = stretch * begun.pages // STRETCHES
        own.times = []
        for page in range(start, min(start + length, begun.pages)):
            await own.page(**query, startIndex=page * SIZE + 1)
        times += own.times[1:]
    return place.told(f"by index, {STRETCHES} stretches", begun, times)


async def _by_cursor(place: _Place, own: Line, query: dict[str, str], seconds: float) -> Walk:
    begun = await _begun(own, {**query, "cursor": ""}, seconds)
    cursor: str | None = ""
    ends = time.perf_counter() + seconds
    while cursor is not None and time.perf_counter() < ends:
        cursor = (await own.page(**query, cursor=cursor)).get("nextCursor")
    return place.told("by cursor", begun, own.times)


async def _interleaved(place: _Place, lines: tuple[Line, Line], seconds: float) -> Walk:
    """Walk the first half and the second half of the pages in turns, as one client."""
    begun = await _begun(lines[0], {"startIndex": 1}, seconds)
    half = begun.pages // 2
    for page in range(min(half, int(500 * seconds / begun.first))):
        for own, start in zip(lines, (0, half), strict=True):
            await own.page(startIndex=(start + page) * SIZE + 1)
    return place.told("two walkers at once", begun, [*lines[0].times, *lines[1].times[1:]])


async def _alternating(place: _Place, lines: tuple[Line, Line], seconds: float) -> Walk:
    """Walk from the middle, each page served by another process than the one before."""
    begun = await _begun(lines[0], {"startIndex": 1}, seconds)
    half = begun.pages // 2
    for page in range(min(half, int(500 * seconds / begun.first))):
        await lines[page % 2].page(startIndex=(half + page) * SIZE + 1)
    return place.told("two processes in turns", begun, [*lines[0].times[1:], *lines[1].times[1:]])


async def _jumps(place: _Place, own: Line, query: dict[str, str], seconds: float) -> Walk:
    """Ask for pages around the middle of which nothing is known, each before the last."""
    begun = await _begun(own, {**query, "startIndex": 1}, seconds)
    middle = begun.total // 2 // SIZE
    ends = time.perf_counter() + seconds
    for jump in range(min(JUMPS, middle)):
        if time.perf_counter() > ends:
            break
        await own.page(**query, startIndex=(middle - jump) * SIZE + 1)
    return place.told("jump to the middle", begun, own.times)
