"""Reading the whole of a chain, some thousand rows at a time, for verification and export."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from scim_server.store.audit import columns_of
from scim_server.store.chain import Sealed
from scim_server.store.database import Reader
from scim_server.store.statements import Statement, given
from scim_server.store.tables import (
    audit_chain,
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
    rest = (part.sealed, part.key_id, key.secret, *(event[name] for name in COLUMNS))
    query = sa.select(*columns, *rest).select_from(tables.outerjoin(audit_key, same))
    ours = (own.tenant_id == given("tenant_id"), own.sequence > given("after", sa.BigInteger()))
    return query.where(*ours).order_by(own.sequence).limit(given("most", sa.Integer()))


_WALK = Statement(_walk)


async def links(reader: Reader, tenant_id: int, after: int, most: int) -> list[Link]:
    """Return the events of a chain after a number, in their order."""
    rows = await reader.rows_of_many(_WALK, tenant_id=tenant_id, after=after, most=most)
    return [_link(row) for row in rows]


def _link(row: Any) -> Link:
    sealed, key_id, secret = row[7:10]
    part = None if sealed is None else Sealed(None, bytes(sealed), key_id, secret)
    columns = dict(zip(COLUMNS, row[10:], strict=True))
    return Link(row[0], row[1], bytes(row[2]), row[3], row[4], row[5], row[6], columns, part)


def _strays(_dialect: str) -> sa.Select[Any]:
    event, own, waiting = audit_event.c, audit_chain.c, audit_queue.c
    tables = audit_event.outerjoin(
        audit_chain, sa.and_(own.tenant_id == event.tenant_id, own.event_id == event.id)
    ).outerjoin(audit_queue, sa.and_(waiting.tenant_id == event.tenant_id, waiting.id == event.id))
    columns = (event.id, own.sequence.is_(None) & waiting.id.is_(None))
    query = sa.select(*columns).select_from(tables)
    ours = (event.tenant_id == given("tenant_id"), event.id > given("after"))
    return query.where(*ours).order_by(event.id).limit(given("most", sa.Integer()))


_STRAYS = Statement(_strays)


async def strays(reader: Reader, tenant_id: int, after: str, most: int) -> tuple[list[str], str | None]:
    """Look at events after an id: those neither chained nor queued, and the last id looked at, if any."""
    rows = await reader.rows_of_many(_STRAYS, tenant_id=tenant_id, after=after, most=most)
    return [row[0] for row in rows if row[1]], rows[-1][0] if rows else None


async def erasures(reader: Reader, tenant_id: int, action: str) -> list[str]:
    """Return the documents of the events of an action, which are few."""
    query = sa.select(audit_event.c.document).where(
        audit_event.c.tenant_id == tenant_id, audit_event.c.action == action
    )
    return [row[0] for row in await reader.execute(query)]


async def kept_nodes(
    reader: Reader, tenant_id: int, level: int, start: int, end: int
) -> dict[tuple[int, int], bytes]:
    """Return the kept subtrees of a level by level and position, from one position to another."""
    own = audit_node.c
    query = sa.select(own.level, own.position, own.hash).where(
        own.tenant_id == tenant_id, own.level == level, own.position >= start, own.position <= end
    )
    return {(row[0], row[1]): bytes(row[2]) for row in await reader.execute(query)}


async def ends(reader: Reader, tenant_id: int) -> tuple[int, int]:
    """Return what the head says is the last number, and the last number there is, of one moment."""
    said = sa.select(audit_head.c.sequence).where(audit_head.c.tenant_id == tenant_id).scalar_subquery()
    last = sa.select(sa.func.max(audit_chain.c.sequence)).where(audit_chain.c.tenant_id == tenant_id)
    row = (await reader.execute(sa.select(said, last.scalar_subquery()))).one()
    return row[0] or 0, row[1] or 0


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
