"""`python -m benchmarks`: fills stores, measures, and writes a table, JSON and plots."""

import os
import platform
import shutil
import sys
import tempfile
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop

from benchmarks import peers, report, stores
from benchmarks.measure import Row, Target, measured, statements_of
from benchmarks.operations import operations
from benchmarks.processes import OTHER_CORE, bare, has_two_cores, server
from benchmarks.walks import PATIENCE, Walk, walked
from scim_server.app import create_app
from scim_server.settings import load_settings


def main(
    users: Annotated[list[int] | None, typer.Option(help="A size of the store; may be repeated.")] = None,
    database: Annotated[list[str] | None, typer.Option(help="postgresql or sqlite; may be repeated.")] = None,
    only: Annotated[
        str, typer.Option(help="Operations whose names contain this; walk for walks alone.")
    ] = "",
    seconds: Annotated[float, typer.Option(help="Length of a stretch of load.")] = 2.0,
    rounds: Annotated[int, typer.Option(help="Stretches for each operation and target.")] = 3,
    walk: Annotated[float, typer.Option(help="Seconds of a walk through a list at the most; 0 for none.")] = (
        PATIENCE
    ),
    with_peers: Annotated[
        bool, typer.Option("--peers/--no-peers", help="Other servers, at 1,000 users.")
    ] = True,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("build/bench"),
) -> None:
    """Measure this server beside bare handlers over the same database, and beside other servers.

    Example: python -m benchmarks --users 1000 --users 100000 --users 1000000 --database postgresql
    """
    sizes, kinds = users or [1_000, 100_000], database or ["postgresql", "sqlite"]
    folder = Path(tempfile.mkdtemp(prefix="scim-bench-"))
    rows: list[Row] = []
    walks: list[Walk] = []
    facts: dict[str, Any] = {"machine": _machine(), "stores": []}
    try:
        for kind in kinds:
            with stores.postgresql(folder) if kind == "postgresql" else nullcontext("") as base:
                for size in sizes:
                    _say(f"{kind}: filling a store of {size:,} users")
                    url = stores.url_of(kind, base, folder, size)
                    store = uvloop.run(stores.made(kind, url, folder, size))
                    rows += uvloop.run(
                        _run(store, folder, facts, only, seconds, rounds, with_peers=with_peers)
                    )
                    if walk and only in "walk":
                        _say(f"{kind} {size:,}: walking")
                        walks += uvloop.run(_walks(store, folder, walk))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for file in report.write(out, rows, walks, facts):
        _say(f"wrote {file}")
    sys.stdout.write(f"{report.table(rows)}\n{report.walk_table(walks)}")


async def _run(
    store: stores.Store,
    folder: Path,
    facts: dict[str, Any],
    only: str,
    seconds: float,
    rounds: int,
    *,
    with_peers: bool,
) -> list[Row]:
    """Return the rows of one store."""
    size, chosen = store.world.size, [one for one in operations(store.world) if only in one.name]
    counts = await _statements(store, [one for one in chosen if one.is_counted])
    if has_two_cores():
        os.sched_setaffinity(0, {OTHER_CORE})
    found: list[Row] = []
    with ExitStack() as stack:
        log = folder / "processes.log"
        ours = stack.enter_context(server(store.url, log))
        limit = stack.enter_context(bare(f"bare_{store.kind}", store.url, log))
        others = await peers.started(stack, folder, size) if with_peers else {}
        with typer.progressbar(chosen, label=f"{store.kind} {size:,}", file=sys.stderr) as progress:
            for operation in progress:
                own, least, ratio, beside = await measured(
                    operation,
                    Target(ours.port, store.world),
                    Target(limit.port, store.world),
                    others if operation.name in peers.COMPARED else {},
                    seconds=seconds,
                    rounds=rounds,
                )
                row = Row(store.kind, size, operation.name, operation.least, own, least, ratio, beside)
                row.statements, row.memory = counts.get(operation.name), ours.memory
                found.append(row)
        facts["stores"].append(
            {
                "database": store.kind,
                "users": size,
                "bulk_creates_per_second": round(store.bulk_rate),
                "load_rows_per_second": round(store.load_rate),
                "start_seconds": round(ours.start_seconds, 2),
                "memory_mib": round(ours.memory, 1),
                "limit_memory_mib": round(limit.memory, 1),
            }
        )
    return found


async def _walks(store: stores.Store, folder: Path, seconds: float) -> list[Walk]:
    """Return the walks through a store, served by two processes that nobody asked anything yet."""
    log = folder / "processes.log"
    with server(store.url, log) as one, server(store.url, log) as other:
        return await walked(store.kind, store.world, (one.port, other.port), seconds)


async def _statements(store: stores.Store, chosen: list[Any]) -> dict[str, int]:
    application = create_app(load_settings(database_url=store.url, log_level="error"))
    counts = {one.name: await statements_of(application, store.world, one) for one in chosen}
    await application.state.database.close()
    return counts


def _machine() -> dict[str, Any]:
    return {"system": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count()}


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    typer.run(main)
