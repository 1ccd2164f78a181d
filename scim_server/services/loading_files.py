"""Many resources from a file of one JSON object a line, created as one client would create them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scim_server.scim.documents import decode
from scim_server.scim.errors import ScimError
from scim_server.scim.messages.bulk import BulkOperation, BulkRequest
from scim_server.scim.registry import Registry
from scim_server.services.authentication import principal_of
from scim_server.services.bulk import Bulk
from scim_server.services.context import CallContext
from scim_server.services.lifecycle import USER, Lifecycle
from scim_server.store import clients
from scim_server.store.callers import Caller
from scim_server.store.database import Database, Reader

LINES_AT_ONCE = 500
_SHOWN = 20


class UnknownLoader(Exception):
    """There is no such client, or it was revoked."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that made no resource, and why."""

    line: int
    detail: str


@dataclass(slots=True)
class Loaded:
    """What became of a file: how many lines made a resource, and the first that did not."""

    created: int = 0
    refused: int = 0
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, line: int, detail: str) -> None:
        """Note a line that made no resource."""
        self.refused += 1
        if len(self.refusals) < _SHOWN:
            self.refusals.append(Refusal(line, detail))


class Loader:
    """Creates the resources of files for a client, with its permissions and under its rules."""

    def __init__(self, database: Database, lifecycle: Lifecycle) -> None:
        self._database = database
        self._lifecycle = lifecycle
        self._bulk = Bulk(database, lifecycle.registry, lifecycle)

    async def call(self, tenant: str, client: str) -> CallContext:
        """Return the call of a client; raises UnknownLoader."""

        async def work(reader: Reader) -> Caller | None:
            tenant_id = await clients.tenant_id_of(reader, tenant)
            if tenant_id is None:
                return None
            for row in await clients.clients_of(reader, tenant_id, client):
                if row.revoked is None:
                    return await clients.caller_by_client(reader, tenant_id, row.id)
            return None

        caller = await self._database.read(work)
        if caller is None:
            raise UnknownLoader(f"there is no client {client} in the tenant {tenant}, or it was revoked")
        return CallContext(principal_of(caller), "")

    async def load(self, call: CallContext, lines: list[tuple[int, bytes]], loaded: Loaded) -> None:
        """Create what some numbered lines describe; a line that is refused does not stop the others."""
        registry = self._lifecycle.registry.of_tenant(call.principal.settings.private_schemas)
        operations: list[tuple[int, BulkOperation]] = []
        for number, text in lines:
            try:
                data = decode(text)
                operations.append((number, _operation(data, registry)))
            except ScimError as error:
                loaded.refuse(number, error.detail)
        request = BulkRequest(tuple(operation for _, operation in operations), None)
        for (number, _), result in zip(operations, await self._bulk.run(call, request), strict=True):
            if result.error is None:
                loaded.created += 1
            else:
                loaded.refuse(number, result.error.detail)


def _operation(data: Any, registry: Registry) -> BulkOperation:
    """Return what creates a resource: of the type whose schema it names, or a user."""
    named = data.get("schemas") if isinstance(data, dict) else None
    urns = {str(urn).lower() for urn in named} if isinstance(named, list) else set()
    kinds = [kind for kind in registry.resource_types.values() if kind.schema.id.lower() in urns]
    kind = kinds[0] if kinds else registry.resource_types[USER]
    return BulkOperation("POST", kind.endpoint, None, None, data)


def numbered_lines(file: Path, start: int = 1) -> Iterator[list[tuple[int, bytes]]]:
    """Yield the numbered lines of a file from one on, some at a time; empty ones are passed over."""
    some: list[tuple[int, bytes]] = []
    with file.open("rb") as content:
        for number, text in enumerate(content, 1):
            if number < start or not text.strip():
                continue
            some.append((number, text))
            if len(some) == LINES_AT_ONCE:
                yield some
                some = []
    if some:
        yield some
