"""Refused changes: put on record in a transaction of their own, since that of the change is taken back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scim_server.lifecycle.judgement import Finding
from scim_server.scim.documents import is_storable
from scim_server.scim.errors import ScimError, TooManyRequests
from scim_server.scim.registry import Registry, ResourceType
from scim_server.services import audit
from scim_server.services.context import CallContext
from scim_server.store.clock import now
from scim_server.store.database import Database

REFUSED = frozenset({400, 403, 409, 429})
"""The statuses that refuse what was asked; others say that something is not there or not working."""


@asynccontextmanager
async def on_record(
    database: Database,
    registry: Registry,
    call: CallContext,
    resource_type: ResourceType,
    work: str,
    id: str | None = None,
) -> AsyncIterator[None]:
    """Record a change that is refused inside, and let the refusal go on (S4 §14: failed attempts are logged).

    `work` is create, update or delete. A dry run, which asks for the refusal, is not recorded.
    """
    try:
        yield
    except ScimError as error:
        if call.claim is not None:
            await database.read(lambda reader: reader.confirm(), call.claim)
        if error.status in REFUSED and not call.is_dry_run:
            await record(database, registry, call, resource_type, work, id, error)
        raise


async def record(
    database: Database,
    registry: Registry,
    call: CallContext,
    resource_type: ResourceType,
    work: str,
    id: str | None,
    error: ScimError,
) -> None:
    """Write the event of a refused change; it holds what was said about it, not what was sent.

    Too much of something in a short time raises an alarm besides.
    """
    finding = Finding(error.scim_type or "refused", "refused", error.detail)
    action = audit.action_of(resource_type, work)
    named = id if id is not None and is_storable(id) else ""
    event = audit.Event(action, resource_type.name, named, outcome="refused", findings=[finding])
    if isinstance(error, TooManyRequests):
        event.tells.append(("alarm", {"message": error.detail}))
    await database.write(lambda writer: audit.record(writer, registry, call, event, now()))
