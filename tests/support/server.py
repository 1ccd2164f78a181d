"""A real server process for the tests: `scim-server serve` on a free port."""

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx2

_ADDRESS = re.compile(r"https?://127\.0\.0\.1:\d+")
UNLIMITED = ("SCIM_RATE_LIMIT_CLIENT", "SCIM_RATE_LIMIT_TENANT")
"""Settings that are 0 in tests, which are often faster than any client."""
_SECONDS_TO_START = 60
_SECONDS_TO_STOP = 20


@dataclass
class LiveServer:
    """A running server: `root_url` of the process, `base_url` of SCIM, the administrator's token."""

    root_url: str
    token: str
    database_url: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def base_url(self) -> str:
        """The SCIM base URL."""
        return f"{self.root_url}/scim/v2"

    @classmethod
    def start(
        cls,
        database_url: str,
        folder: Path,
        *,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str | None] | None = None,
        port: int = 0,
    ) -> Self:
        """Start a server on that store with further arguments and wait until it is ready.

        `folder` is its working directory and takes its output; None takes a variable away.
        """
        token = secrets.token_urlsafe(32)
        log = folder / f"server-{secrets.token_hex(4)}.log"
        variables = {name: value for name, value in os.environ.items() if not name.startswith("SCIM_")}
        variables |= {"SCIM_DATABASE_URL": database_url, "SCIM_BOOTSTRAP_TOKEN": token}
        variables |= dict.fromkeys((*UNLIMITED, "SCIM_DRAIN_SECONDS"), "0")
        for name, value in (environment or {}).items():
            if value is None:
                variables.pop(name, None)
            else:
                variables[name] = value
        command = [
            str(Path(sys.executable).with_name("scim-server")),
            "serve",
            "--port",
            str(port),
            *arguments,
        ]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=variables,
                cwd=folder,
            )
        server = cls("", token, database_url, process, log)
        try:
            server._wait()  # its own method, on the instance it is making
        except BaseException:
            server.stop()
            raise
        return server

    def _wait(self) -> None:
        deadline = time.monotonic() + _SECONDS_TO_START
        while time.monotonic() < deadline and self.process.poll() is None:
            found = _ADDRESS.search(self.log.read_text(encoding="utf-8"))
            if found:
                self.root_url = found.group()
                if self._is_ready():
                    return
            time.sleep(0.05)
        raise RuntimeError(f"the server did not become ready:\n{self.log.read_text(encoding='utf-8')}")

    def _is_ready(self) -> bool:
        try:
            return httpx2.get(f"{self.root_url}/readyz", trust_env=False).status_code == 200
        except httpx2.TransportError:
            return False

    def stop(self) -> int:
        """Ask the process to stop, kill it when it does not, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
