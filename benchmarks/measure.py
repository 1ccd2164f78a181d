"""The measuring: every operation in rounds that go from one target to the next, so that noise hits all."""

import os
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle
from typing import Any

from starlette.applications import Starlette

from benchmarks.loader import Sample, drive
from benchmarks.operations import Maker, Operation, World
from scim_server.store.database import Database

GOOD = frozenset({200, 201, 204, 304})


@dataclass(slots=True)
class Figures:
    """What a target did with an operation: medians over the rounds, latencies in milliseconds."""

    rate: float
    p50: float
    p99: float


@dataclass(slots=True)
class Row:
    """One row of the table."""

    database: str
    users: int
    operation: str
    least: float | None
    ours: Figures
    limit: Figures | None = None
    ratio: float | None = None
    peers: dict[str, Figures] = field(default_factory=dict)
    statements: int | None = None
    memory: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the row as JSON has it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go, and what they are about there."""

    port: int
    world: World
    base: bytes = b"/scim/v2"

    def requests(self, maker: Maker) -> Callable[[], bytes]:
        """Return what makes the next request."""
        world, base = self.world, self.base
        if base == b"/scim/v2":
            return lambda: maker(world)
        return lambda: maker(world).replace(b" /scim/v2/", b" " + base + b"/", 1)


_LIKE_OTHERS = Operation("beside", lambda _world: b"")
"""How single requests are sent that an operation is compared with."""


class WrongAnswer(Exception):
    """A target answered something else than success."""


async def measured(
    operation: Operation,
    ours: Target,
    limit: Target | None,
    peers: dict[str, Target],
    *,
    seconds: float,
    rounds: int,
) -> tuple[Figures, Figures | None, float | None, dict[str, Figures]]:
    """Return the figures of all targets, and the median of the ratios to the limit, each of one round.

    This server is asked a few times before: the first request of a kind prepares statements and counts.
    """
    own: list[Sample] = []
    bare: list[Sample] = []
    others: dict[str, list[Sample]] = {name: [] for name in peers}
    if operation.is_counted:
        await _sampled("warm up", ours, operation.ours, operation, min(0.1, seconds))
    for _ in range(rounds):
        own.append(await _sampled(operation.name, ours, operation.ours, operation, seconds))
        if operation.beside is not None:
            bare.append(await _sampled("beside", ours, operation.beside, _LIKE_OTHERS, seconds))
        elif limit is not None and operation.bare is not None:
            bare.append(await _sampled("limit", limit, operation.bare, operation, seconds, is_bare=True))
        for name, peer in peers.items():
            others[name].append(await _sampled(name, peer, operation.ours, operation, seconds, lenient=True))
    ratios = [one.rate / other.rate for one, other in zip(own, bare, strict=False) if other.rate]
    return (
        _figures(own),
        _figures(bare) if bare else None,
        statistics.median(ratios) if ratios else None,
        {name: _figures(samples) for name, samples in others.items()},
    )


async def _sampled(
    name: str,
    target: Target,
    maker: Maker,
    operation: Operation,
    seconds: float,
    *,
    is_bare: bool = False,
    lenient: bool = False,
) -> Sample:
    """Return one stretch of load; answers a lenient target refuses count as none."""
    requests = target.requests(maker)
    if operation.undone is not None:
        requests = _in_turns(target.requests(operation.undone[is_bare]), requests)
    sample, kept = await drive(
        target.port, requests, connections=operation.connections, seconds=seconds, keep=1
    )
    wrong = {status: count for status, count in sample.statuses.items() if status not in GOOD}
    if wrong and not lenient:
        raise WrongAnswer(f"{name}: {wrong}: {kept[0][:400]!r}")
    if wrong:
        sample.latencies = sample.latencies[: sum(sample.statuses.values()) - sum(wrong.values())]
    if operation.undone is not None:
        sample.keep_every_second()
    sample.each = operation.each
    return sample


def _in_turns(one: Callable[[], bytes], other: Callable[[], bytes]) -> Callable[[], bytes]:
    """Return what makes a request of each kind in turns."""
    makers = cycle((one, other))

    def made() -> bytes:
        maker = next(makers)
        return maker()

    return made


def _figures(samples: Sequence[Sample]) -> Figures:
    return Figures(
        round(statistics.median(one.rate for one in samples), 3),
        round(statistics.median(one.percentile(0.5) for one in samples), 2),
        round(statistics.median(one.percentile(0.99) for one in samples), 2),
    )


async def statements_of(
    application: Starlette,
    world: World,
    operation: Operation,
    seen: Callable[[str, Any], None] = lambda _text, _arguments: None,
) -> int:
    """Return how many SQL statements an operation takes at the most once everything is warm."""
    database: Database = application.state.database
    counts = []
    for _ in range(3):
        found = [0]

        def note(text: str, arguments: object, _rows: int, found: list[int] = found) -> None:
            found[0] += 1
            seen(text, arguments)

        if operation.undone is not None:
            await _called(application, operation.undone[0](world))
        with database.observed(note):
            status = await _called(application, operation.ours(world))
        if status not in GOOD:
            raise WrongAnswer(f"{operation.name}: {status}")
        counts.append(found[0])
    return max(counts[1:])


async def _called(application: Starlette, request: bytes) -> int:
    """Send the bytes of a request to an application in this process and return the status."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    path, _, query = target.partition("?")
    headers = [tuple(part.encode() for part in line.split(": ", 1)) for line in lines]
    messages: Iterator[dict[str, Any]] = iter(
        [{"type": "http.request", "body": body, "more_body": False}, {"type": "http.disconnect"}]
    )
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return next(messages)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "scheme": "http",
        "server": ("bench.test", 80),
        "client": ("bench.test", os.getpid()),
        "headers": headers,
    }
    await application(scope, receive, send)
    return statuses[0]
