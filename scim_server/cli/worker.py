"""`scim-server worker`: the housekeeping process."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from scim_server.cli import output
from scim_server.cli.store import DatabaseUrl, current_store, lifecycle_of
from scim_server.services import housekeeping
from scim_server.services.lifecycle import Lifecycle
from scim_server.services.transparency.assembling import keeper_of
from scim_server.settings import load_settings
from scim_server.store.database import Database
from scim_server.store.failures import DatabaseUnavailable


def worker(
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between two rounds.")] = 60,
    once: Annotated[bool, typer.Option(help="Run one round and end.")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Write down what time has brought about and remove what has ended, until SIGTERM or Ctrl-C.

    `serve` does the same every SCIM_WORKER_INTERVAL_SECONDS; nothing that clients see waits for it.

    Example: scim-server worker --once
    """
    asyncio.run(_work(database_url, interval, once=once))


async def _work(database_url: str | None, interval: float, *, once: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    settings = load_settings(database_url=database_url)
    lifecycle = lifecycle_of(settings)
    async with current_store(settings) as database:
        keeper = keeper_of(settings, database, lifecycle.registry)
        if once:
            output.say(_described("housekeeping", await housekeeping.run_once(database, lifecycle)))
            output.say(_described("audit trail", await keeper.run_once()))
            return
        interval_of_keeping = settings.audit_interval_seconds or 1
        keeping = asyncio.gather(
            _keep(keeper.keep_once, stop, interval_of_keeping),
            _keep(keeper.publish_once, stop, interval_of_keeping),
        )
        while not stop.is_set():
            await _round(database, lifecycle)
            await _wait(stop, interval)
        await keeping


async def _keep(work: Callable[[], Awaitable[object]], stop: asyncio.Event, interval: float) -> None:
    """Keep the audit trail going until the end; what fails is told about and tried again."""
    while not stop.is_set():
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - whatever fails here must not end the worker
            output.complain(f"the audit trail was not kept: {type(error).__name__}")
        await _wait(stop, interval)


async def _round(database: Database, lifecycle: Lifecycle) -> None:
    """Run one round; a database that does not answer is told about and tried again in the next round."""
    try:
        output.say(_described("housekeeping", await housekeeping.run_once(database, lifecycle)))
    except DatabaseUnavailable as error:
        output.complain(f"the database cannot be reached: {error}")


async def _wait(stop: asyncio.Event, interval: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), interval)
    except TimeoutError:
        return


def _described(what: str, counts: dict[str, int]) -> str:
    return f"{what}: " + ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items())
