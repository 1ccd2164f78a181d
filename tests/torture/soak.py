"""Load without end: memory and connections stay what they were."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.torture.stage import Server, TortureFailed
from tests.torture.writers import Ledger, write

_CLIENTS = 8
_WARM_UP = 0.2
"""The share of the time after which memory is no longer expected to grow."""
_GROWTH = 1.10
_LOOKS = 20


@dataclass(slots=True)
class Soaked:
    """What a stretch of load cost: memory in MiB and open files along the way."""

    seconds: float = 0.0
    requests: int = 0
    acknowledged: int = 0
    slowest: float = 0.0
    memory: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    @property
    def hours(self) -> float:
        """How many hours a provisioning service at its advertised 25 requests a second needs for as many."""
        return self.requests / (25 * 3_600)


async def soak(
    server: Server, token: str, *, seconds: float, tell: Callable[[str], None] = lambda _text: None
) -> Soaked:
    """Let clients write and read for some seconds; returns what it cost."""
    outcome, ledger, started = Soaked(), Ledger(), time.monotonic()
    end = started + seconds
    writing = asyncio.create_task(write(server.base_url, token, ledger, end, clients=_CLIENTS, seed=1))
    for look in range(_LOOKS):
        await asyncio.sleep(max(started + seconds * (look + 1) / _LOOKS - time.monotonic(), 0))
        outcome.memory.append(server.memory)
        outcome.files.append(server.connections)
        requests = sum(ledger.statuses.values())
        tell(f"{time.monotonic() - started:.0f} s, {requests} requests, {outcome.memory[-1]:.0f} MiB")
    await writing
    outcome.requests, outcome.acknowledged = sum(ledger.statuses.values()), ledger.acknowledged
    outcome.seconds, outcome.slowest = time.monotonic() - started, ledger.slowest
    return outcome


def check(outcome: Soaked) -> None:
    """Raise TortureFailed where memory or open files grew after the warm-up."""
    warm = int(len(outcome.memory) * _WARM_UP)
    before, after = max(outcome.memory[: warm + 1]), outcome.memory[-1]
    if after > before * _GROWTH:
        raise TortureFailed(f"memory grew from {before:.0f} to {after:.0f} MiB: {outcome.memory}")
    if max(outcome.files[warm:]) > max(outcome.files[: warm + 1]) + _CLIENTS:
        raise TortureFailed(f"open files grew: {outcome.files}")
