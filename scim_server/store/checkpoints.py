"""Rows of checkpoints, of their publication, and of cuts, which are what retention leaves of events."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_server.store.database import Reader, Writer
from scim_server.store.tables import (
    audit_chain,
    audit_checkpoint,
    audit_cut,
    audit_event,
    audit_head,
    audit_private,
    audit_publication,
    tenant,
)


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint: when it was made, what it says, and the signed note that says it."""

    at: int
    size: int
    root: bytes
    hash: bytes
    note: str


@dataclass(frozen=True, slots=True)
class Cut:
    """What is left of the events up to a size: root and frontier of the tree, hash of the last of them."""

    size: int
    at: int
    root: bytes
    hash: bytes
    frontier: bytes


@dataclass(frozen=True, slots=True)
class Publication:
    """A checkpoint that a sink has yet to take."""

    tenant_id: int
    tenant: str
    at: int
    sink: str
    attempts: int
    next_try: int
    note: str


_COLUMNS = [audit_checkpoint.c[name] for name in ("at", "size", "root", "hash", "note")]
_CUT = [audit_cut.c[name] for name in ("size", "at", "root", "hash", "frontier")]


async def due(reader: Reader, before: int, moment: int) -> list[tuple[int, str]]:
    """Return id and name of the tenants whose last checkpoint was made before one moment or after another."""
    query = (
        sa.select(tenant.c.id, tenant.c.name)
        .join_from(audit_head, tenant, tenant.c.id == audit_head.c.tenant_id)
        .where(tenant.c.deleted.is_(None))
        .where(sa.or_(audit_head.c.checkpoint_at < before, audit_head.c.checkpoint_at > moment))
    )
    return [(row[0], row[1]) for row in await reader.execute(query)]


async def grown(reader: Reader, events: int) -> list[tuple[int, str]]:
    """Return id and name of the tenants with at least so many events since their last checkpoint.

    A checkpoint of more events than there are is none.
    """
    new = audit_head.c.sequence - audit_head.c.checkpoint_size
    query = (
        sa.select(tenant.c.id, tenant.c.name)
        .join_from(audit_head, tenant, tenant.c.id == audit_head.c.tenant_id)
        .where(sa.or_(new >= events, new < 0), tenant.c.deleted.is_(None))
    )
    return [(row[0], row[1]) for row in await reader.execute(query)]


async def add(writer: Writer, tenant_id: int, made: StoredCheckpoint, sinks: Sequence[str]) -> None:
    """Store a checkpoint, to be published to sinks."""
    row = {"at": made.at, "size": made.size, "root": made.root, "hash": made.hash, "note": made.note}
    await writer.execute(audit_checkpoint.insert().values(tenant_id=tenant_id, **row))
    for sink in sinks:
        state = {"attempts": 0, "next_try": made.at, "error": None}
        await writer.execute(
            audit_publication.insert().values(tenant_id=tenant_id, at=made.at, sink=sink, **state)
        )


def _stored(row: Any) -> StoredCheckpoint:
    return StoredCheckpoint(row[0], row[1], bytes(row[2]), bytes(row[3]), row[4])


async def last(
    reader: Reader | Writer,
    tenant_id: int,
    *,
    size_below: int | None = None,
    made_before: int | None = None,
    size: int | None = None,
    since: int | None = None,
) -> StoredCheckpoint | None:
    """Return the newest checkpoint that satisfies the conditions; `since` is the least size."""
    query = sa.select(*_COLUMNS).where(audit_checkpoint.c.tenant_id == tenant_id)
    if size_below is not None:
        query = query.where(audit_checkpoint.c.size < size_below)
    if made_before is not None:
        query = query.where(audit_checkpoint.c.at < made_before)
    if size is not None:
        query = query.where(audit_checkpoint.c.size == size)
    if since is not None:
        query = query.where(audit_checkpoint.c.size >= since)
    row = (await reader.execute(query.order_by(audit_checkpoint.c.at.desc()).limit(1))).first()
    return None if row is None else _stored(row)


async def between(reader: Reader, tenant_id: int, start: int, end: int) -> list[StoredCheckpoint]:
    """Return the checkpoints of sizes from one to another, both included, by size."""
    query = sa.select(*_COLUMNS).where(
        audit_checkpoint.c.tenant_id == tenant_id,
        audit_checkpoint.c.size >= start,
        audit_checkpoint.c.size <= end,
    )
    ordered = query.order_by(audit_checkpoint.c.size, audit_checkpoint.c.at)
    return [_stored(row) for row in await reader.execute(ordered)]


async def unpublished(reader: Reader, sink: str, moment: int, most: int = 100) -> list[Publication]:
    """Return what a sink has yet to take and is to be tried by a moment, the oldest first."""
    same = sa.and_(
        audit_checkpoint.c.tenant_id == audit_publication.c.tenant_id,
        audit_checkpoint.c.at == audit_publication.c.at,
    )
    table = audit_publication.join(audit_checkpoint, same).join(
        tenant, tenant.c.id == audit_publication.c.tenant_id
    )
    own = audit_publication.c
    query = (
        sa.select(
            own.tenant_id,
            tenant.c.name,
            own.at,
            own.sink,
            own.attempts,
            own.next_try,
            audit_checkpoint.c.note,
        )
        .select_from(table)
        .where(own.sink == sink, own.next_try <= moment)
    )
    return [Publication(*row) for row in await reader.execute(query.order_by(own.at).limit(most))]


async def troubles(reader: Reader, tenant_id: int) -> list[tuple[str, int, str | None]]:
    """Return each sink that has something to take yet, with how many checkpoints, and its last error."""
    own = audit_publication.c
    query = (
        sa.select(own.sink, sa.func.count(), sa.func.max(own.error))
        .where(own.tenant_id == tenant_id, own.next_try.is_not(None))
        .group_by(own.sink)
        .order_by(own.sink)
    )
    return [(row[0], row[1], row[2]) for row in await reader.execute(query)]


async def note_try(
    writer: Writer, one: Publication, *, attempts: int, next_try: int | None, error: str | None
) -> bool:
    """Note what became of a publication, or who is on it; False where somebody else was faster."""
    own = audit_publication.c
    same = sa.and_(
        own.tenant_id == one.tenant_id,
        own.at == one.at,
        own.sink == one.sink,
        own.next_try == one.next_try,
        own.attempts == one.attempts,
    )
    values = {"attempts": attempts, "next_try": next_try, "error": error}
    return (await writer.execute(audit_publication.update().where(same).values(**values))).rowcount == 1


async def last_cut(reader: Reader | Writer, tenant_id: int) -> Cut | None:
    """Return the last removal, None where nothing was removed."""
    query = sa.select(*_CUT).where(audit_cut.c.tenant_id == tenant_id)
    row = (await reader.execute(query.order_by(audit_cut.c.size.desc()).limit(1))).first()
    return None if row is None else Cut(row[0], row[1], bytes(row[2]), bytes(row[3]), bytes(row[4]))


async def add_cut(writer: Writer, tenant_id: int, cut: Cut) -> None:
    """Record a removal, before it is done."""
    values = {"size": cut.size, "at": cut.at, "root": cut.root, "hash": cut.hash, "frontier": cut.frontier}
    await writer.execute(audit_cut.insert().values(tenant_id=tenant_id, **values))


async def first_since(
    reader: Reader | Writer, tenant_id: int, start: int, end: int, moment: int
) -> int | None:
    """Return the number of the first event in a range that happened at a moment or later."""
    same = sa.and_(
        audit_event.c.tenant_id == audit_chain.c.tenant_id, audit_event.c.id == audit_chain.c.event_id
    )
    own = audit_chain.c
    query = (
        sa.select(sa.func.min(own.sequence))
        .select_from(audit_chain.join(audit_event, same))
        .where(own.tenant_id == tenant_id, own.sequence > start, own.sequence <= end)
        .where(audit_event.c.at >= moment)
    )
    found: int | None = (await reader.execute(query)).scalar()
    return found


async def remove(writer: Writer, tenant_id: int, size: int, most: int) -> int:
    """Remove some of the events up to a number, which a recorded cut covers; returns how many."""
    own = audit_chain.c
    oldest = (
        sa.select(own.event_id)
        .where(own.tenant_id == tenant_id, own.sequence <= size)
        .order_by(own.sequence)
        .limit(most)
    )
    ids = [row[0] for row in await writer.execute(oldest)]
    for table, column in ((audit_private, "id"), (audit_event, "id"), (audit_chain, "event_id")):
        gone = sa.and_(table.c.tenant_id == tenant_id, table.c[column].in_(ids))
        await writer.execute(table.delete().where(gone))
    return len(ids)
