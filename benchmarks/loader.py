"""The load: a fixed number of connections, each sending its next request when its answer is complete."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

_TIMEOUT = 60.0
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"
_CHUNKED = b"\r\ntransfer-encoding: chunked"
_LAST_CHUNK = b"\r\n0\r\n\r\n"


@dataclass(slots=True)
class Sample:
    """What one stretch of load saw: latencies in seconds, how long it took, answers by status.

    `each` is what an answer counts for.
    """

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    each: int = 1

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.each * len(self.latencies) / self.seconds if self.seconds else 0.0

    def keep_every_second(self) -> None:
        """Leave out the first request, the third and so on, of one connection, and the time they took."""
        self.latencies = self.latencies[1::2]
        self.seconds = sum(self.latencies)

    def percentile(self, share: float) -> float:
        """Return the latency, in milliseconds, that a share of the requests stayed within."""
        ordered = sorted(self.latencies)
        return 1_000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def request(
    method: str, path: str, token: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> bytes:
    """Return the bytes of a request as every target gets them."""
    lines = [f"{method} {path} HTTP/1.1", "host: bench.test", f"authorization: Bearer {token}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body is not None:
        lines += ["content-type: application/scim+json", f"content-length: {len(body)}"]
    return "\r\n".join(lines).encode() + _HEAD_END + (body or b"")


def body_of(answer: bytes) -> bytes:
    """Return the body of an answer, put together where it came in chunks."""
    head, _, body = answer.partition(_HEAD_END)
    if _CHUNKED not in head.lower():
        return body
    parts = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        parts.append(rest[: int(size, 16)])
        body = rest[int(size, 16) + 2 :]
    return b"".join(parts)


class _Connection(asyncio.Protocol):
    """One connection: sends the next request as soon as the answer to the last is complete."""

    def __init__(self, load: "_Load") -> None:
        self._load = load
        self._buffer = bytearray()
        self._needed = -1
        self._in_chunks = False
        self._sent = 0.0
        self._transport: asyncio.Transport | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        transport = self._transport
        following = self._load.next()
        if transport is None or following is None:
            self._end()
            return
        self._sent = time.perf_counter()
        transport.write(following)

    def _end(self, error: Exception | None = None) -> None:
        if self._transport is not None:
            self._transport.close()
        if not self.ended.done():
            self.ended.set_exception(error) if error else self.ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        if self._needed < 0:
            head = buffer.find(_HEAD_END)
            if head < 0:
                return
            self._needed = head + len(_HEAD_END) + self._length(bytes(buffer[:head]).lower())
        if len(buffer) >= self._needed and (not self._in_chunks or buffer.endswith(_LAST_CHUNK)):
            status = int(buffer[9:12])
            self._load.note(status, time.perf_counter() - self._sent, bytes(buffer))
            buffer.clear()
            self._needed = -1
            self._send()

    def _length(self, head: bytes) -> int:
        """Return the length that a head announces; an answer in chunks ends with the last of them."""
        self._in_chunks = _CHUNKED in head
        found = head.find(_LENGTH)
        return 0 if found < 0 else int(head[found + len(_LENGTH) :].split(b"\r\n", 1)[0])

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(ConnectionError(f"the connection was closed before its answer: {exc}"))


class _Load:
    def __init__(self, requests: Callable[[], bytes | None], seconds: float) -> None:
        self._requests = requests
        self._until = time.perf_counter() + seconds
        self.sample = Sample()
        self.bodies: list[bytes] = []
        self.kept = 0

    def next(self) -> bytes | None:
        return self._requests() if time.perf_counter() < self._until else None

    def note(self, status: int, latency: float, answer: bytes) -> None:
        self.sample.latencies.append(latency)
        self.sample.statuses[status] += 1
        if len(self.bodies) < self.kept:
            self.bodies.append(answer)


async def drive(
    port: int, requests: Callable[[], bytes | None], *, connections: int, seconds: float, keep: int = 0
) -> tuple[Sample, list[bytes]]:
    """Send requests over several connections for some seconds, or until there are none.

    Returns the sample and the first `keep` answers. Raises ConnectionError where an answer never came.
    """
    loop = asyncio.get_running_loop()
    load = _Load(requests, seconds)
    load.kept = keep
    started = time.perf_counter()
    opened = []
    for _ in range(connections):
        _, protocol = await loop.create_connection(lambda: _Connection(load), "127.0.0.1", port)
        opened.append(protocol)
    async with asyncio.timeout(seconds + _TIMEOUT):
        await asyncio.gather(*(protocol.ended for protocol in opened))
    load.sample.seconds = time.perf_counter() - started
    return load.sample, load.bodies
