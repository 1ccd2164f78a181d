"""kill -9 of the server and of the database under load, again and again."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.torture import invariants
from tests.torture.stage import PostgresStore, Server, Store, TortureFailed
from tests.torture.writers import Ledger, write

_CLIENTS = 8
_PATIENCE = 60.0
_CALM = (1.0, 2.5)
"""Seconds of load before each kill, at least and at most."""


@dataclass(slots=True)
class Outcome:
    """What became of a run of kills."""

    store: str
    kills: dict[str, int] = field(default_factory=dict)
    acknowledged: int = 0
    unanswered: int = 0
    refused: int = 0
    users: int = 0
    slowest: float = 0.0
    broken: list[str] = field(default_factory=list)
    chain: str = ""


async def kill_under_load(
    store: Store,
    server: Server,
    token: str,
    *,
    kills: int,
    seed: int = 1,
    tell: Callable[[str], None] = lambda _text: None,
) -> Outcome:
    """Kill by turns the server and its database while clients write; returns what was found afterwards."""
    outcome, ledger = Outcome(store.kind, {"server": 0, "database": 0}), Ledger()
    chance = random.Random(seed)
    stop = asyncio.Event()

    async def load() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            end = time.monotonic() + 2.0
            await write(server.base_url, token, ledger, end, clients=_CLIENTS, seed=seed * 100 + number)

    writing = asyncio.create_task(load())
    for number in range(kills):
        await asyncio.sleep(chance.uniform(*_CALM))
        if writing.done():
            break
        is_database = isinstance(store, PostgresStore) and number % 2 == 1
        victim = store if is_database else server
        outcome.kills["database" if is_database else "server"] += 1
        await asyncio.to_thread(victim.kill)
        tell(f"{number + 1} of {kills} kills, {ledger.acknowledged} changes acknowledged")
    await asyncio.sleep(_CALM[1])
    stop.set()
    await writing
    outcome.acknowledged = ledger.acknowledged
    outcome.refused = ledger.statuses["503"]
    outcome.unanswered = sum(count for status, count in ledger.statuses.items() if not status.isdecimal())
    outcome.users, outcome.slowest = len(ledger.users), ledger.slowest
    outcome.broken = await asyncio.to_thread(invariants.broken, store, ledger)
    return outcome


def verified(server: Server) -> str:
    """Return what `audit verify` says once everything on record is in the chain; raises TortureFailed."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        outcome = server.outcome("audit", "verify", "--all")
        if outcome.returncode == 0:
            return outcome.stdout.strip()
        if outcome.returncode == 1 or time.monotonic() > deadline:
            raise TortureFailed(f"audit verify: {outcome.returncode} {outcome.stdout} {outcome.stderr}")
        time.sleep(1)


def check(outcome: Outcome, *, kills: int) -> None:
    """Raise TortureFailed unless everything that was acknowledged is there, and nothing half."""
    if outcome.broken:
        raise TortureFailed("\n".join(outcome.broken))
    if sum(outcome.kills.values()) != kills or not outcome.acknowledged:
        raise TortureFailed(f"The run tells nothing: {outcome}")
