"""Reading the whole of a chain, some thousand rows at a time, for verification and export."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from scim_server.store.audit import columns_of
from scim_server.store.chain import Sealed
from scim_server.store.database import Reader
from scim_server.store.failures import is_disconnect, may_retry
from scim_server.store.statements import Statement, given
from scim_server.store.tables import (
    audit_chain,
    audit_checkpoint,
    audit_cut,
    audit_event,
    audit_head,
    audit_key,
    audit_node,
    audit_private,
    audit_queue,
    tenant,
)

COLUMNS = tuple(columns_of({}))
"""Columns of an event that repeat what its folded copy says."""


class Link(NamedTuple):
    """One event of a chain with all that is stored of it; None for what is not there."""

    sequence: int
    event_id: str
    hash: bytes
    document: str | None
    folded: str | None
    at: int | None
    client_id: str | None
    columns: Mapping[str, Any]
    private: Sealed | None
    subject: str | None


ALL = 2**62
"""More than any number of a chain."""
_MISSHAPEN = (TypeError, ValueError, AttributeError, LookupError, OverflowError)


def is_unreadable(error: BaseException) -> bool:
    """Tell whether an error means that what is stored is none of the server's making, not that it is away."""
    if is_disconnect(error) or may_retry(error):
        return False
    return isinstance(error, _MISSHAPEN) or "Could not decode" in str(error)


def _octets(value: Any) -> bytes:
    return value.encode("utf-8", "replace") if isinstance(value, str) else bytes(value)


def _octets_if(value: Any) -> bytes | None:
    return None if value is None else _octets(value)


def _walk(dialect: str) -> sa.Select[Any]:
    own, event, part, key = audit_chain.c, audit_event.c, audit_private.c, audit_key.c
    tables = audit_chain.outerjoin(
        audit_event, sa.and_(event.tenant_id == own.tenant_id, event.id == own.event_id)
    )
    tables = tables.outerjoin(
        audit_private, sa.and_(part.tenant_id == own.tenant_id, part.id == own.event_id)
    )
    same = sa.and_(key.tenant_id == part.tenant_id, key.subject_id == part.subject_id)
    folded = sa.cast(event.folded, sa.Text) if dialect == "postgresql" else event.folded
    columns = (own.sequence, own.event_id, own.hash, event.document, folded, event.at, event.client_id)
    rest = (part.sealed, part.key_id, key.secret, part.subject_id, *(event[name] for name in COLUMNS))
    query = sa.select(*columns, *rest).select_from(tables.outerjoin(audit_key, same))
    ours = (own.tenant_id == given("tenant_id"), own.sequence > given("after", sa.BigInteger()))
    until = own.sequence <= given("until", sa.BigInteger())
    return query.where(*ours, until).order_by(own.sequence).limit(given("most", sa.Integer()))


_WALK = Statement(_walk)


async def links(reader: Reader, tenant_id: int, after: int, most: int, until: int = ALL) -> list[Link]:
    """Return the events of a chain after a number and up to another, in their order."""
    rows = await reader.rows_of_many(_WALK, tenant_id=tenant_id, after=after, most=most, until=until)
    return [_link(row) for row in rows]


def _link(row: Any) -> Link:
    sealed, key_id, secret, subject = row[7:11]
    part = None if sealed is None else Sealed(None, _octets(sealed), key_id, secret)
    columns = dict(zip(COLUMNS, row[11:], strict=True))
    return Link(row[0], row[1], _octets(row[2]), row[3], row[4], row[5], row[6], columns, part, subject)


def _strays(*, is_first: bool) -> Statement:
    def build(_dialect: str) -> sa.Select[Any]:
        event, own, waiting = audit_event.c, audit_chain.c, audit_queue.c
        head = sa.select(audit_head.c.sequence).where(audit_head.c.tenant_id == given("tenant_id"))
        placed = sa.and_(own.tenant_id == event.tenant_id, own.event_id == event.id)
        within = sa.and_(placed, own.sequence > 0, own.sequence <= head.scalar_subquery())
        tables = audit_event.outerjoin(audit_chain, within).outerjoin(
            audit_queue, sa.and_(waiting.tenant_id == event.tenant_id, waiting.id == event.id)
        )
        columns = (event.id, own.sequence.is_(None) & waiting.id.is_(None))
        query = sa.select(*columns).select_from(tables).where(event.tenant_id == given("tenant_id"))
        if not is_first:
            query = query.where(event.id > given("after"))
        return query.order_by(event.id).limit(given("most", sa.Integer()))

    return Statement(build)


_FIRST_STRAYS, _STRAYS = _strays(is_first=True), _strays(is_first=False)


async def strays(
    reader: Reader, tenant_id: int, after: str | None, most: int
) -> tuple[list[str], str | None]:
    """Look at events after an id, from the first one on with None.

    Returns those that are neither in the chain, which ends where the head says, nor in the queue, and the
    last id looked at, if any.
    """
    if after is None:
        rows = await reader.rows_of_many(_FIRST_STRAYS, tenant_id=tenant_id, most=most)
    else:
        rows = await reader.rows_of_many(_STRAYS, tenant_id=tenant_id, after=after, most=most)
    return [row[0] for row in rows if row[1]], rows[-1][0] if rows else None


class OnRecord(NamedTuple):
    """An event with its place in the chain and the hash before it; without a place it is in the queue."""

    sequence: int | None
    hash: bytes | None
    previous: bytes | None
    document: str


async def on_record(reader: Reader, tenant_id: int, action: str) -> list[OnRecord]:
    """Return the events of an action that are in the chain or in the queue, which are few."""
    earlier = audit_chain.alias()
    event, own, waiting, before = audit_event.c, audit_chain.c, audit_queue.c, earlier.c
    head = sa.select(audit_head.c.sequence).where(audit_head.c.tenant_id == tenant_id).scalar_subquery()
    cut = sa.select(audit_cut.c.hash).where(
        audit_cut.c.tenant_id == own.tenant_id, audit_cut.c.size == own.sequence - 1
    )
    placed = sa.and_(own.tenant_id == event.tenant_id, own.event_id == event.id)
    tables = (
        audit_event.outerjoin(audit_chain, sa.and_(placed, own.sequence > 0, own.sequence <= head))
        .outerjoin(audit_queue, sa.and_(waiting.tenant_id == event.tenant_id, waiting.id == event.id))
        .outerjoin(earlier, sa.and_(before.tenant_id == own.tenant_id, before.sequence == own.sequence - 1))
    )
    previous = sa.func.coalesce(before.hash, cut.scalar_subquery())
    query = sa.select(own.sequence, own.hash, previous, event.document).select_from(tables)
    ours = (event.tenant_id == tenant_id, event.action == action)
    rows = await reader.execute(
        query.where(*ours, sa.or_(own.sequence.is_not(None), waiting.id.is_not(None)))
    )
    return [OnRecord(row[0], _octets_if(row[1]), _octets_if(row[2]), row[3]) for row in rows]


async def cuts(reader: Reader, tenant_id: int) -> dict[int, bytes]:
    """Return the hash of the last event of each removal, by its number."""
    query = sa.select(audit_cut.c.size, audit_cut.c.hash).where(audit_cut.c.tenant_id == tenant_id)
    return {row[0]: _octets(row[1]) for row in await reader.execute(query)}


async def ghosts(reader: Reader, tenant_id: int) -> int:
    """Return how many rows of the queue have no event."""
    own = audit_queue.c
    same = sa.and_(audit_event.c.tenant_id == own.tenant_id, audit_event.c.id == own.id)
    query = sa.select(sa.func.count()).select_from(audit_queue.outerjoin(audit_event, same))
    found: int = (
        await reader.execute(query.where(own.tenant_id == tenant_id, audit_event.c.id.is_(None)))
    ).scalar_one()
    return found


async def kept_nodes(
    reader: Reader, tenant_id: int, level: int, start: int, end: int
) -> dict[tuple[int, int], bytes]:
    """Return the kept subtrees of a level by level and position, from one position to another."""
    own = audit_node.c
    query = sa.select(own.level, own.position, own.hash).where(
        own.tenant_id == tenant_id, own.level == level, own.position >= start, own.position <= end
    )
    return {(row[0], row[1]): bytes(row[2]) for row in await reader.execute(query)}


class Ends(NamedTuple):
    """Where a chain ends by its head, its first and last number, and the size of its largest checkpoint."""

    said: int
    first: int
    last: int
    checkpoint: int


async def ends(reader: Reader, tenant_id: int) -> Ends:
    """Return where a chain begins and ends, all as of one moment."""
    of = audit_chain.c
    said = sa.select(audit_head.c.sequence).where(audit_head.c.tenant_id == tenant_id)
    first = sa.select(sa.func.min(of.sequence)).where(of.tenant_id == tenant_id)
    last = sa.select(sa.func.max(of.sequence)).where(of.tenant_id == tenant_id)
    made = sa.select(sa.func.max(audit_checkpoint.c.size)).where(audit_checkpoint.c.tenant_id == tenant_id)
    parts = (said, first, last, made)
    row = (await reader.execute(sa.select(*(one.scalar_subquery() for one in parts)))).one()
    return Ends(row[0] or 0, 1 if row[1] is None else row[1], row[2] or 0, row[3] or 0)


async def hash_at(reader: Reader, tenant_id: int, sequence: int) -> bytes | None:
    """Return the hash of the event with a number, None where there is none."""
    own = audit_chain.c
    query = sa.select(own.hash).where(own.tenant_id == tenant_id, own.sequence == sequence)
    found = (await reader.execute(query)).scalar()
    return None if found is None else bytes(found)


async def tenants(reader: Reader) -> list[tuple[int, str]]:
    """Return id and name of every tenant that is not deleted."""
    query = sa.select(tenant.c.id, tenant.c.name).where(tenant.c.deleted.is_(None)).order_by(tenant.c.id)
    return [(row[0], row[1]) for row in await reader.execute(query)]


class Owner(NamedTuple):
    """A tenant that has, or may have, an audit trail."""

    id: int
    name: str
    is_deleted: bool


async def owners(reader: Reader) -> list[Owner]:
    """Return the tenants that are not deleted, and of those that are the ones whose chain is still there."""
    own = tenant.c
    has_head = sa.select(audit_head.c.tenant_id).where(audit_head.c.tenant_id == own.id).exists()
    has_chain = sa.select(audit_chain.c.tenant_id).where(audit_chain.c.tenant_id == own.id).exists()
    query = sa.select(own.id, own.name, own.deleted.is_not(None))
    there = sa.or_(own.deleted.is_(None), has_head, has_chain)
    return [
        Owner(row[0], row[1], bool(row[2]))
        for row in await reader.execute(query.where(there).order_by(own.id))
    ]
