"""Requests by the hundred thousand, nearly right: none may be answered with 5xx, late, or not at all."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.torture.shapes import Shapes
from tests.torture.stage import Server, TortureFailed

CONNECTIONS = 8
LONGEST = 1.0
_PATIENCE = 20.0
_KEPT = 2_000
_EVERY = 20_000
_NOT_DONE = 501


@dataclass(slots=True)
class Fuzzed:
    """What became of the requests: answers by status, the slowest, memory along the way in MiB.

    `slow` are those whose answers took longer than LONGEST among others, on a machine that may be busy.
    """

    requests: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    slowest: float = 0.0
    seconds: float = 0.0
    memory: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    slow: list[bytes] = field(default_factory=list)


class Fuzzer:
    """Sends drawn requests over several connections and looks at every answer."""

    def __init__(
        self, server: Server, tokens: Sequence[str], *, seed: int, tell: Callable[[str], None]
    ) -> None:
        self._server = server
        self._shapes = Shapes(seed, tokens)
        self._tell = tell
        # What the fuzzer reads of an answer is in lower case.
        self._endpoints = {kind.endpoint[1:].lower(): kind.endpoint for kind in self._shapes.types}
        self.outcome = Fuzzed()

    async def run(self, requests: int, *, seconds: float = float("inf")) -> Fuzzed:
        """Send so many requests, or as many as there is time for."""
        outcome, started = self.outcome, time.monotonic()
        deadline = started + seconds

        def is_over() -> bool:
            return outcome.requests >= requests or time.monotonic() > deadline

        outcome.memory.append(self._server.memory)
        await asyncio.gather(*(self._connection(is_over) for _ in range(CONNECTIONS)))
        outcome.seconds = time.monotonic() - started
        await self._send_slow_ones_again()
        outcome.memory.append(self._server.memory)
        return outcome

    async def _connection(self, is_over: Callable[[], bool]) -> None:
        while not is_over():
            reader, writer = await asyncio.open_connection("127.0.0.1", self._server.port)
            try:
                while not is_over() and await self._exchange(reader, writer):
                    pass
            finally:
                writer.close()

    async def _send_slow_ones_again(self) -> None:
        """Send each that took long once more, alone: it is at fault itself where it takes long again."""
        for content in self.outcome.slow:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._server.port)
            started = time.monotonic()
            writer.write(content)
            await _answer(reader, is_head=content.startswith(b"HEAD"))
            writer.close()
            if time.monotonic() - started > LONGEST:
                self.outcome.faults.append(f"more than {LONGEST} s, twice: {content[:800]!r}")

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Send one request and take its answer; returns whether the connection is good for another."""
        outcome = self.outcome
        kind, content = self._shapes.request()
        outcome.requests += 1
        outcome.kinds[kind] = outcome.kinds.get(kind, 0) + 1
        if outcome.requests % _EVERY == 0:
            outcome.memory.append(self._server.memory)
            self._tell(f"{outcome.requests} requests, {outcome.memory[-1]:.0f} MiB")
        sent = time.monotonic()
        try:
            async with asyncio.timeout(_PATIENCE):
                writer.write(content)
                status, head, body = await _answer(reader, is_head=content.startswith(b"HEAD"))
        except TimeoutError:
            outcome.faults.append(f"no answer within {_PATIENCE:.0f} s: {content[:500]!r}")
            return False
        except (asyncio.IncompleteReadError, ConnectionError, ValueError) as error:
            outcome.faults.append(f"{type(error).__name__}: {content[:500]!r}")
            return False
        took = time.monotonic() - sent
        outcome.statuses[status] = outcome.statuses.get(status, 0) + 1
        outcome.slowest = max(outcome.slowest, took)
        if took > LONGEST:
            outcome.slow.append(content)
        if status >= 500 and status != _NOT_DONE:
            outcome.faults.append(f"{status}: {content[:2_000]!r}")
        self._learn(status, head, body)
        return b"connection: close" not in head

    def _learn(self, status: int, head: bytes, body: bytes) -> None:
        """Keep ids and cursors that the server gave, the newest of them."""
        if status == 201 and (where := head.find(b"location: ")) >= 0:
            location = head[where:].split(b"\r\n", 1)[0].decode()
            start, _, known = location.rpartition("/")
            endpoint = self._endpoints.get(start.rpartition("/")[2], "")
            _keep(self._shapes.ids.setdefault(endpoint, []), known)
        if (where := body.find(b'"nextCursor":"')) >= 0:
            _keep(self._shapes.cursors, body[where + 14 :].split(b'"', 1)[0].decode())


def _keep(kept: list[str], value: str) -> None:
    kept.append(value)
    if len(kept) > _KEPT:
        del kept[: _KEPT // 2]


async def _answer(reader: asyncio.StreamReader, *, is_head: bool) -> tuple[int, bytes, bytes]:
    """Return status, head in lower case, and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    status, names = int(head[9:12]), head.lower()
    if is_head or status in {204, 304}:
        return status, names, b""
    where = names.find(b"\r\ncontent-length:")
    if where < 0:
        return status, names + b"connection: close", await reader.read()
    length = int(names[where + 17 :].split(b"\r\n", 1)[0])
    return status, names, await reader.readexactly(length)


def check(outcome: Fuzzed) -> None:
    """Raise TortureFailed for an answer that must not be, with the requests that got them."""
    if outcome.faults:
        raise TortureFailed(f"{len(outcome.faults)} faults:\n" + "\n".join(outcome.faults[:20]))
    least = outcome.requests / 50
    if outcome.statuses.get(200, 0) < least or outcome.statuses.get(400, 0) < least:
        raise TortureFailed(f"The requests were not of both kinds: {outcome.statuses}")
