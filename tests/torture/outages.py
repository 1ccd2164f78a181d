"""A PostgreSQL that restarts, drops its connections, is slow or silent, or has no room left."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from tests.store.relay import Relay
from tests.torture import invariants
from tests.torture.stage import PostgresStore, Server, Store, TortureFailed
from tests.torture.writers import Ledger, write

_CLIENTS = 8
_SECONDS = 4.0
_CALM = 1.5
_TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
DISK_MEBIBYTES = 400
_ROOM = 1_000_000
"""Bytes that a full disk has left."""

Fault = Callable[[PostgresStore, Relay], Awaitable[None]]


@dataclass(slots=True)
class Outage:
    """What clients saw of one fault, and whether the server got over it by itself."""

    fault: str
    answered: int
    refused: int
    slowest: float
    recovery: float
    files_before: int
    files_after: int
    broken: list[str]


async def _restart(store: PostgresStore, _relay: Relay) -> None:
    for _ in range(2):
        await asyncio.to_thread(store.restart)
        await asyncio.sleep(_CALM)


async def _drop(store: PostgresStore, _relay: Relay) -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        await asyncio.to_thread(store.rows, _TERMINATE)
        await asyncio.sleep(0.2)


async def _be_slow(_store: PostgresStore, relay: Relay) -> None:
    relay.slow_down(0.5)
    await asyncio.sleep(_SECONDS)
    relay.flow()


async def _be_silent(_store: PostgresStore, relay: Relay) -> None:
    relay.stall()
    await asyncio.sleep(4 * _SECONDS)
    relay.flow()


async def _be_cut(_store: PostgresStore, relay: Relay) -> None:
    await relay.cut()
    await asyncio.sleep(_SECONDS)
    await relay.mend()


FAULTS: dict[str, Fault] = {
    "restarts": _restart,
    "drops its connections": _drop,
    "answers slowly": _be_slow,
    "answers nothing": _be_silent,
    "is cut off": _be_cut,
}
"""Faults of PostgreSQL by what it does; each ends with PostgreSQL as it was."""


async def suffer(
    fault: str, store: PostgresStore, relay: Relay, server: Server, token: str, *, longest: float
) -> Outage:
    """Let clients write while PostgreSQL has a fault; raises TortureFailed where the server is not up to it.

    `longest` is how many seconds an answer may take meanwhile.
    """
    return await _during(fault, store, server, token, lambda: FAULTS[fault](store, relay), longest=longest)


async def _during(
    fault: str,
    store: Store,
    server: Server,
    token: str,
    happen: Callable[[], Awaitable[None]],
    *,
    longest: float,
) -> Outage:
    ledger, before = Ledger(), Ledger()
    await write(server.base_url, token, before, time.monotonic() + _CALM, clients=_CLIENTS, seed=1)
    files = server.connections
    async with _load(server, token, ledger):
        await asyncio.sleep(_CALM)
        await happen()
        ended = time.monotonic()
        recovery = await _recovered(server, token, ended)
    await write(server.base_url, token, ledger, time.monotonic() + _CALM, clients=_CLIENTS, seed=2)
    broken = await asyncio.to_thread(invariants.broken, store, ledger)
    outage = Outage(
        fault,
        ledger.acknowledged,
        ledger.statuses["503"],
        ledger.slowest,
        recovery,
        files,
        server.connections,
        broken,
    )
    if broken:
        raise TortureFailed("\n".join(broken))
    if ledger.slowest > longest:
        raise TortureFailed(f"{fault}: an answer took {ledger.slowest:.1f} s. {outage}")
    return outage


@asynccontextmanager
async def _load(server: Server, token: str, ledger: Ledger) -> AsyncIterator[None]:
    stop = asyncio.Event()

    async def run() -> None:
        number = 10
        while not stop.is_set():
            number += 1
            end = time.monotonic() + 1.0
            await write(server.base_url, token, ledger, end, clients=_CLIENTS, seed=number)

    running = asyncio.create_task(run())
    try:
        yield
    finally:
        stop.set()
        await running


async def _recovered(server: Server, token: str, since: float) -> float:
    """Return how many seconds after a fault one client was served without a refusal for a second."""
    quiet = Ledger()
    while time.monotonic() - since < 60:
        quiet = Ledger()
        started = time.monotonic()
        await write(server.base_url, token, quiet, started + 1.0, clients=1, seed=int(started * 1_000))
        if quiet.acknowledged and not quiet.statuses["503"]:
            return started - since
    raise TortureFailed(f"The server did not recover within 60 s: {dict(quiet.statuses)}")


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Yield a folder on a disk of DISK_MEBIBYTES; raises PermissionError where nobody may mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEBIBYTES}m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        raise PermissionError("A disk of its own cannot be mounted here.")
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


async def fill_disk(disk: Path, store: Store, server: Server, token: str, *, longest: float) -> Outage:
    """Leave no room on the disk of a store for some seconds, while clients write."""
    ballast = disk / "ballast"

    async def happen() -> None:
        size = await asyncio.to_thread(_fill, ballast)
        await asyncio.sleep(2 * _SECONDS)
        if size <= 0:
            raise TortureFailed("The disk was full before.")
        ballast.unlink()
        if isinstance(store, PostgresStore):
            await asyncio.to_thread(_bring_back, store)

    return await _during("has no room left", store, server, token, happen, longest=longest)


def _fill(ballast: Path) -> int:
    """Write until little is left, and return how much was written."""
    written = 0
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            written += file.write(b"\0" * _ROOM)
    with ballast.open("r+b") as file:
        file.truncate(max(written - _ROOM, 0))
    return written


def _bring_back(store: PostgresStore) -> None:
    """Start PostgreSQL again where it gave up for want of room, as whoever watches over it does."""
    try:
        store.rows("SELECT 1")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        with suppress(OSError, ValueError):
            store.die()
        store.revive()
