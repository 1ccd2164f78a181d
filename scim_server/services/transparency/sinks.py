"""Where checkpoints are published: files that only grow, and webhooks."""

import asyncio
import json
import os
import stat
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

from scim_server.security.transparency.notes import Signer

SECONDS = 10.0
"""How long a sink may take for one checkpoint, all in all."""
SIGNATURE_HEADER = "X-Audit-Signature"


class SinkFailed(Exception):
    """A sink did not take a checkpoint; the message says why."""


class Sink(Protocol):
    """Takes checkpoints; its name is the address of the settings."""

    @property
    def name(self) -> str:
        """Return the address."""

    async def take(self, tenant: str, note: str) -> None:
        """Take the note of a tenant's checkpoint. Raises SinkFailed."""


def message(tenant: str, note: str) -> bytes:
    """Return what sinks are given: one JSON object with the tenant and the signed note."""
    return json.dumps({"tenant": tenant, "checkpoint": note}, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class FileSink:
    """Appends one JSON line for each checkpoint, and has it on the disk before it says so."""

    name: str
    path: Path

    async def take(self, tenant: str, note: str) -> None:
        """Append the checkpoint. Raises SinkFailed where the file cannot be written."""
        try:
            await asyncio.to_thread(self._append, message(tenant, note) + b"\n")
        except OSError as error:
            raise SinkFailed(f"{self.path}: {error.strerror or error}") from error

    def _append(self, line: bytes) -> None:
        descriptor, can_read = self._opened()
        try:
            line = _line_break(descriptor, can_read=can_read) + line
            written = os.write(descriptor, line)
            if written != len(line):
                raise SinkFailed(f"{self.path}: only {written} of {len(line)} bytes were written")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _opened(self) -> tuple[int, bool]:
        """Return the file opened for appending, and whether it can be read, too."""
        flags = os.O_APPEND | os.O_CREAT
        try:
            return os.open(self.path, os.O_RDWR | flags, 0o644), True
        except PermissionError:
            return os.open(self.path, os.O_WRONLY | flags, 0o644), False


def _line_break(descriptor: int, *, can_read: bool) -> bytes:
    """Return what ends a line that an earlier attempt left unfinished; an empty line where nobody may look.

    Only files have an end to look at: pipes and devices get nothing.
    """
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode) or not facts.st_size:
        return b""
    is_whole = can_read and os.pread(descriptor, 1, facts.st_size - 1) == b"\n"
    return b"" if is_whole else b"\n"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Sends each checkpoint by POST, signed with the key of the audit trail; any success will do."""

    name: str
    signer: Signer
    transport: Any = None

    async def take(self, tenant: str, note: str) -> None:
        """Send the checkpoint. Raises SinkFailed where it is not taken within SECONDS."""
        import httpx2  # a third of a second that only who has a webhook waits for

        body = message(tenant, note)
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: f"ed25519={self.signer.signature(body)}",
        }
        try:
            async with httpx2.AsyncClient(transport=self.transport, timeout=SECONDS) as client:
                response = await client.post(self.name, content=body, headers=headers)
        except httpx2.HTTPError as error:
            raise SinkFailed(f"no answer: {type(error).__name__}") from error
        if not HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            raise SinkFailed(f"answered {response.status_code}")


def sink_of(address: str, signer: Signer) -> Sink:
    """Return the sink of `file:PATH` or a URL; raises ValueError for anything else."""
    if address.startswith("file:"):
        return FileSink(address, Path(address.removeprefix("file:")))
    if address.startswith(("https://", "http://")):
        return Webhook(address, signer)
    raise ValueError(f"{address} is no sink: file:PATH or a URL is expected")
