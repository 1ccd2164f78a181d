"""Where checkpoints are published: files that only grow, and webhooks."""

import asyncio
import json
import os
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

from scim_server.security.transparency.notes import Signer

_SECONDS = 10.0
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
            raise SinkFailed(f"{self.path}: {error.strerror}") from error

    def _append(self, line: bytes) -> None:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Sends each checkpoint by POST, signed with the key of the audit trail; any success will do."""

    name: str
    signer: Signer
    transport: Any = None

    async def take(self, tenant: str, note: str) -> None:
        """Send the checkpoint. Raises SinkFailed where it is not taken within ten seconds."""
        import httpx2  # a third of a second that only who has a webhook waits for

        body = message(tenant, note)
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: f"ed25519={self.signer.signature(body)}",
        }
        try:
            async with httpx2.AsyncClient(transport=self.transport, timeout=_SECONDS) as client:
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
