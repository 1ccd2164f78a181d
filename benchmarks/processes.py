"""The processes under load, each on one core of its own, and what they cost in memory and start-up."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[1]
SERVER_CORE, OTHER_CORE = 0, 1
_PATIENCE = 30.0


def has_two_cores() -> bool:
    """Tell whether server and load can have a core each, whatever this process itself is pinned to by now."""
    return (os.cpu_count() or 1) > 1


def free_port() -> int:
    """Return a TCP port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@dataclass(slots=True)
class Process:
    """One server process on a port of its own."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    path: str = "/"
    port: int = 0
    start_seconds: float = 0.0
    log: Path = Path(os.devnull)
    _running: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start the process and wait for its first answer; raises RuntimeError where none comes."""
        self.port = free_port()
        command = [part.replace("{port}", str(self.port)) for part in self.command]
        if has_two_cores():
            command = ["taskset", "-c", str(SERVER_CORE), *command]
        started = time.perf_counter()
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                command,
                env={**os.environ, **self.environment},
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        while not self._answers():
            if self._running.poll() is not None or time.perf_counter() - started > _PATIENCE:
                self.__exit__()
                raise RuntimeError(f"{self.name} did not start; see {self.log}")
            time.sleep(0.01)
        self.start_seconds = time.perf_counter() - started
        return self

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(f"GET {self.path} HTTP/1.1\r\nhost: bench.test\r\n\r\n".encode())
                return connection.recv(16).startswith(b"HTTP/1.1")
        except OSError:
            return False

    def __exit__(self, *_: object) -> None:
        """Stop the process and whatever it started."""
        if self._running is None:
            return
        for kind in (signal.SIGTERM, signal.SIGKILL):
            if self._running.poll() is None:
                os.killpg(self._running.pid, kind)
                try:
                    self._running.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    continue

    @property
    def memory(self) -> float:
        """The resident memory in MiB."""
        return 0.0 if self._running is None else resident_memory(self._running.pid)


def resident_memory(process: int) -> float:
    """Return the resident memory of a process, named by its id, in MiB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def server(database_url: str, log: Path) -> Process:
    """Return this server with one worker over a store."""
    command = [str(Path(sys.executable).parent / "scim-server"), "serve", "--port", "{port}"]
    environment = {
        "SCIM_DATABASE_URL": database_url,
        "SCIM_LOG_LEVEL": "warning",
        "SCIM_RATE_LIMIT_CLIENT": os.environ.get("SCIM_RATE_LIMIT_CLIENT", "0"),
        "SCIM_RATE_LIMIT_TENANT": os.environ.get("SCIM_RATE_LIMIT_TENANT", "0"),
    }
    return Process("scim-server", command, environment, "/healthz", log=log)


def bare(kind: str, database_url: str, log: Path) -> Process:
    """Return the bare handlers of a database, under the same ASGI server."""
    command = [sys.executable, "-m", "uvicorn", f"benchmarks.{kind}:app", "--port", "{port}"]
    command += ["--no-access-log", "--log-level", "warning"]
    return Process("limit", command, {"BENCH_DATABASE_URL": database_url}, "/healthz", log=log)
