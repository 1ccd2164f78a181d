"""Rows of audit events, appended and listed, and of the outbox that goes with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_server.scim.documents import encode, is_storable, load
from scim_server.scim.normalize import Document
from scim_server.scim.resources import Resource
from scim_server.scim.values import fold_text
from scim_server.store.database import Reader, Writer
from scim_server.store.filters.compiler import FilterContext
from scim_server.store.filters.source import Source
from scim_server.store.listing import Lister, Selection
from scim_server.store.statements import Statement, given
from scim_server.store.tables import Record, audit_event, audit_queue
from scim_server.store.tables import outbox as outbox_table

AUDIT_EVENT = "AuditEvent"
_COLUMNS = {
    "action": "action",
    "outcome": "outcome",
    "reason": "reason",
    "requestid": "request_id",
    "actor.value": "actor_id",
    "actor.type": "actor_type",
    "actor.client": "client",
    "resource.value": "resource_id",
    "resource.type": "resource_type",
}
"""The columns that hold what the folded copy says at a path, so that an index can serve it."""


@dataclass(frozen=True, slots=True)
class Event:
    """One audit event: the canonical bytes of its public part, and the folded copy of that.

    `at` is in microseconds; the folded copy names action, outcome and the actor's type at least. `private` is
    the other part behind its salt.
    """

    tenant_id: int
    id: str
    at: int
    document: bytes
    folded: Document
    client_id: str | None = None
    private: bytes | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be told to others of an audit event; `subject_id` is the resource it is about."""

    tenant_id: int
    id: str
    audit_id: str
    event: str
    at: int
    payload: Document
    subject_id: str | None = None


_APPEND = Statement(
    lambda _dialect: (
        audit_event.insert()
        .values({column.name: given(column.name) for column in audit_event.c})
        .returning(sa.literal_column("1"))
    )
)
_QUEUE = Statement(
    lambda _dialect: (
        audit_queue.insert()
        .values({column.name: given(column.name) for column in audit_queue.c})
        .returning(sa.literal_column("1"))
    )
)
_TELL = Statement(
    lambda _dialect: (
        outbox_table.insert()
        .values({column.name: given(column.name) for column in outbox_table.c})
        .returning(sa.literal_column("1"))
    )
)


async def append(writer: Writer, rows: Sequence[Event]) -> None:
    """Store audit events, and queue them for the chain."""
    for event in rows:
        writer.defer(_APPEND, _event_row(event))
        writer.defer(_QUEUE, {"tenant_id": event.tenant_id, "id": event.id, "private": event.private})


def _event_row(event: Event) -> dict[str, Any]:
    return {
        "tenant_id": event.tenant_id,
        "id": event.id,
        "at": event.at,
        "client_id": event.client_id,
        "document": event.document.decode(),
        "folded": encode(event.folded).decode(),
        **columns_of(event.folded),
    }


def columns_of(folded: Document) -> dict[str, Any]:
    """Return what the columns of an event hold of its folded copy."""
    return {column: _at_path(folded, path) for path, column in _COLUMNS.items()}


def _at_path(folded: Document, path: str) -> Any:
    value: Any = folded
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


async def outbox(writer: Writer, rows: Sequence[Notice]) -> None:
    """Store what is to be sent once the transaction has committed."""
    values = [
        {
            "tenant_id": notice.tenant_id,
            "id": notice.id,
            "audit_id": notice.audit_id,
            "event": notice.event,
            "subject_id": notice.subject_id,
            "at": notice.at,
            "payload": encode(notice.payload).decode(),
        }
        for notice in rows
    ]
    for row in values:
        writer.defer(_TELL, row)


_SELECTED = (audit_event.c.id, audit_event.c.at, audit_event.c.document)


def _resource_of(row: Record, _now: int | None = None) -> Resource:
    return Resource(AUDIT_EVENT, row[0], 1, row[1], row[1], load(row[2]), stored_version=1)


EVENTS = Source(
    tenant_id=audit_event.c.tenant_id,
    id=audit_event.c.id,
    created=audit_event.c.at,
    folded=audit_event.c.folded,
    selected=_SELECTED,
    read=_resource_of,
    is_live=sa.true(),
    of_type=lambda _name: sa.true(),
    type=sa.literal(AUDIT_EVENT),
    texts={path: audit_event.c[column] for path, column in _COLUMNS.items()},
    moments={"at": audit_event.c.at},
)


class AuditLister(Lister):
    """Runs one selection of audit events, which never change; by default in the order of their ids."""

    def __init__(self, context: FilterContext, selection: Selection) -> None:
        super().__init__(context, selection, EVENTS)


async def fetch_event(reader: Reader | Writer, tenant_id: int, id: str) -> Resource | None:
    """Return an audit event, None where there is none of that id."""
    if not is_storable(id):
        return None
    query = sa.select(*_SELECTED).where(audit_event.c.tenant_id == tenant_id, audit_event.c.id == id)
    row = (await reader.execute(query)).first()
    return None if row is None else _resource_of(row)


def _recent(_dialect: str) -> sa.Select[Any]:
    found: sa.Select[Any] = (
        sa.select(sa.literal_column("1"))
        .where(
            audit_event.c.tenant_id == given("tenant_id"),
            audit_event.c.client_id == given("client_id"),
            audit_event.c.action == given("action"),
            audit_event.c.outcome == "success",
            audit_event.c.at >= given("since"),
        )
        .limit(given("most", sa.Integer()))
    )
    return sa.select(sa.func.count()).select_from(found.subquery())


_RECENT = Statement(_recent)


async def count_recent(
    reader: Reader | Writer, tenant_id: int, client_id: str, action: str, since: int, most: int
) -> int:
    """Return how often a client did something with success at a moment or after it, `most` at the most."""
    values = {"client_id": client_id, "action": fold_text(action), "since": since, "most": most}
    row = await reader.row(_RECENT, tenant_id=tenant_id, **values)
    return 0 if row is None else int(row[0])
