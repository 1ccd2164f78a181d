"""Rows of the chain of audit events: its head, the queue before it, keys and sealed parts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_server.store.database import Reader, Writer
from scim_server.store.resources import insert_ignoring
from scim_server.store.statements import Statement, given, one_of
from scim_server.store.tables import (
    Record,
    audit_chain,
    audit_event,
    audit_head,
    audit_key,
    audit_node,
    audit_private,
    audit_queue,
)

NEVER = 0
_SECOND = 1_000_000
_TENANTS = """
WITH RECURSIVE waiting (id) AS (
    SELECT min(tenant_id) FROM audit_queue
    UNION ALL
    SELECT (SELECT min(tenant_id) FROM audit_queue WHERE tenant_id > waiting.id) FROM waiting
    WHERE waiting.id IS NOT NULL
)
SELECT id FROM waiting WHERE id IS NOT NULL
"""
"""Looks once into the index for each tenant that has anything, however much that is."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: number and hash of the last event, the frontier of the tree, last checkpoint."""

    sequence: int
    hash: bytes
    frontier: bytes
    checkpoint_size: int
    checkpoint_at: int


@dataclass(frozen=True, slots=True)
class Queued:
    """An event that waits for its place in the chain; one that `is_chained` has it and should not wait."""

    id: str
    private: bytes | None
    document: str
    resource_id: str | None
    is_chained: bool = False


@dataclass(frozen=True, slots=True)
class Sealed:
    """The private part of an event: as it waits in the queue, or sealed with the key of its subject."""

    queued: bytes | None = None
    sealed: bytes | None = None
    key_id: str | None = None
    secret: bytes | None = None


async def waiting_tenants(reader: Reader) -> list[int]:
    """Return the tenants with events that wait for their place."""
    return [int(row[0]) for row in await reader.exec_driver_sql(_TENANTS)]


def _of(table: sa.Table, columns: Iterable[str]) -> sa.Select[Any]:
    return sa.select(*(table.c[name] for name in columns)).where(table.c.tenant_id == given("tenant_id"))


_HEAD = ("sequence", "hash", "frontier", "checkpoint_size", "checkpoint_at")
_READ = Statement(lambda _dialect: _of(audit_head, _HEAD))
_LOCK = Statement(lambda _dialect: _of(audit_head, _HEAD).with_for_update())


async def head_of(reader: Reader | Writer, tenant_id: int) -> Head | None:
    """Return the end of a chain, None where there is none yet."""
    row = await reader.row(_READ, tenant_id=tenant_id)
    return None if row is None else Head(*row)


async def locked_head(writer: Writer, tenant_id: int, first: bytes) -> Head:
    """Return the end of a chain, which only this transaction moves from here on; an empty one is begun.

    `first` is what stands before the first event.
    """
    row = await writer.row(_LOCK, tenant_id=tenant_id)
    if row is None:
        values = {"sequence": 0, "hash": first, "frontier": b"", "checkpoint_size": 0, "checkpoint_at": NEVER}
        begun = insert_ignoring(writer, audit_head).values(tenant_id=tenant_id, **values)
        await writer.execute(begun)
        row = await writer.row(_LOCK, tenant_id=tenant_id)
    assert row is not None  # noqa: S101 - it was put there, by this transaction or another
    return Head(*row)


async def move_head(writer: Writer, tenant_id: int, **values: Any) -> None:
    """Write the new end of a chain, or its last checkpoint."""
    await writer.execute(audit_head.update().where(audit_head.c.tenant_id == tenant_id).values(**values))


def _queued(_dialect: str) -> sa.Select[Any]:
    same = sa.and_(audit_event.c.tenant_id == audit_queue.c.tenant_id, audit_event.c.id == audit_queue.c.id)
    place = audit_chain.c
    again = sa.and_(place.tenant_id == audit_queue.c.tenant_id, place.event_id == audit_queue.c.id)
    is_chained = sa.exists(sa.literal_column("1")).where(again)
    event = audit_event.c
    columns = (audit_queue.c.id, audit_queue.c.private, event.document, event.resource_id, is_chained)
    own = audit_queue.c.tenant_id == given("tenant_id")
    found = sa.select(*columns).select_from(audit_queue.join(audit_event, same)).where(own)
    return found.order_by(audit_queue.c.id).limit(given("most", sa.Integer()))


def _queued_of(dialect: str) -> sa.Select[Any]:
    find = sa.func.instr if dialect == "sqlite" else sa.func.strpos
    names = find(audit_event.c.document, given("named")) > 0
    return _queued(dialect).where(
        audit_event.c.tenant_id == given("tenant_id"),
        sa.or_(audit_event.c.resource_id == given("subject"), names),
    )


_QUEUED = Statement(_queued)
_QUEUED_OF = Statement(_queued_of)


async def queued(
    writer: Writer, tenant_id: int, most: int, subject: str | None = None, named: str = ""
) -> list[Queued]:
    """Return events that wait, by id; of one subject where it is given, with those of `named` public bytes.

    These are the bytes that name the subject in the events of other resources.
    """
    if subject is None:
        rows = await writer.rows_of_many(_QUEUED, tenant_id=tenant_id, most=most)
    else:
        values = {"subject": subject, "named": named}
        rows = await writer.rows_of_many(_QUEUED_OF, tenant_id=tenant_id, most=most, **values)
    return [Queued(row[0], row[1], row[2], row[3], bool(row[4])) for row in rows]


_KEYS = Statement(
    lambda dialect: _of(audit_key, ("subject_id", "secret")).where(
        one_of(dialect, audit_key.c.subject_id, "subjects")
    )
)


async def secrets_of(writer: Writer, tenant_id: int, subjects: Sequence[str]) -> dict[str, bytes]:
    """Return the secrets of those subjects that have one."""
    if not subjects:
        return {}
    rows = await writer.rows_of_many(_KEYS, tenant_id=tenant_id, subjects=list(subjects))
    return {row[0]: bytes(row[1]) for row in rows}


def _insert(table: sa.Table) -> Statement:
    return Statement(
        lambda _dialect: table.insert().values({column.name: given(column.name) for column in table.c})
    )


_PUT = {table.name: _insert(table) for table in (audit_key, audit_private, audit_chain, audit_node)}
_TAKE = Statement(
    lambda dialect: audit_queue.delete().where(
        audit_queue.c.tenant_id == given("tenant_id"), one_of(dialect, audit_queue.c.id, "ids")
    )
)


async def put(writer: Writer, table: str, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows of audit_key, audit_private, audit_chain or audit_node, all in one message."""
    if not rows:
        return
    compiled = _PUT[table].compiled(writer.dialect.name)
    session = await writer.session()
    await session.driver.executemany(compiled.text, [compiled.arguments(row) for row in rows])


async def take(writer: Writer, tenant_id: int, ids: Sequence[str]) -> None:
    """Remove events from the queue."""
    await writer.rows_of_many(_TAKE, tenant_id=tenant_id, ids=list(ids))


async def is_known(reader: Reader, tenant_id: int, subject: str) -> bool:
    """Tell whether any event is about a resource, or its key is there."""
    of_event = sa.and_(audit_event.c.tenant_id == tenant_id, audit_event.c.resource_id == subject)
    of_key = sa.and_(audit_key.c.tenant_id == tenant_id, audit_key.c.subject_id == subject)
    for table, own in ((audit_event, of_event), (audit_key, of_key)):
        one: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(table).where(own).limit(1)
        if (await reader.execute(one)).first() is not None:
            return True
    return False


async def remove_key(writer: Writer, tenant_id: int, subject: str) -> bytes | None:
    """Remove the key of a subject; returns its secret, None where it has none."""
    own = sa.and_(audit_key.c.tenant_id == tenant_id, audit_key.c.subject_id == subject)
    removed = await writer.execute(audit_key.delete().where(own).returning(audit_key.c.secret))
    secret = removed.scalar()
    return None if secret is None else bytes(secret)


def _sealed(dialect: str) -> sa.Select[Any]:
    same = sa.and_(
        audit_key.c.tenant_id == audit_private.c.tenant_id,
        audit_key.c.subject_id == audit_private.c.subject_id,
    )
    joined = audit_private.outerjoin(audit_key, same)
    columns = (audit_private.c.id, audit_private.c.sealed, audit_private.c.key_id, audit_key.c.secret)
    own = audit_private.c.tenant_id == given("tenant_id")
    return sa.select(*columns).select_from(joined).where(own, one_of(dialect, audit_private.c.id, "ids"))


_SEALED = Statement(_sealed)
_IN_QUEUE = Statement(
    lambda dialect: _of(audit_queue, ("id", "private")).where(
        one_of(dialect, audit_queue.c.id, "ids"), audit_queue.c.private.is_not(None)
    )
)


async def private_parts(reader: Reader, tenant_id: int, ids: Sequence[str]) -> dict[str, Sealed]:
    """Return the private parts of events, by id.

    The queue is read first: what has left it since is among the sealed ones.
    """
    if not ids:
        return {}
    waiting = await reader.rows_of_many(_IN_QUEUE, tenant_id=tenant_id, ids=list(ids))
    found = {row[0]: Sealed(queued=bytes(row[1])) for row in waiting}
    rest = [one for one in ids if one not in found]
    if rest:
        for own_id, sealed, key_id, secret in await reader.rows_of_many(
            _SEALED, tenant_id=tenant_id, ids=rest
        ):
            found[own_id] = Sealed(None, bytes(sealed), key_id, secret)
    return found


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for its place in a chain: how many events, and when the oldest of them happened."""

    length: int
    oldest: int | None

    def seconds(self, moment: int) -> float:
        """Return for how long the oldest has waited at a moment, 0 where none waits."""
        return 0.0 if self.oldest is None else (moment - self.oldest) / _SECOND


async def backlog(reader: Reader, tenant_id: int) -> Backlog:
    """Return what waits; events whose rows are gone count and have no time."""
    length = sa.select(sa.func.count()).where(audit_queue.c.tenant_id == tenant_id)
    same = sa.and_(audit_event.c.tenant_id == audit_queue.c.tenant_id, audit_event.c.id == audit_queue.c.id)
    first = (
        sa.select(audit_event.c.at)
        .select_from(audit_queue.join(audit_event, same))
        .where(audit_queue.c.tenant_id == tenant_id)
        .order_by(audit_queue.c.id)
        .limit(1)
    )
    return Backlog((await reader.execute(length)).scalar_one(), (await reader.execute(first)).scalar())


@dataclass(frozen=True, slots=True)
class Place:
    """The place of an event in its chain, with the hash before it."""

    sequence: int
    hash: bytes
    document: str


async def place_of(reader: Reader, tenant_id: int, event_id: str) -> Place | None:
    """Return where an event stands in its chain, None where it does not (yet)."""
    same = sa.and_(
        audit_event.c.tenant_id == audit_chain.c.tenant_id, audit_event.c.id == audit_chain.c.event_id
    )
    query = sa.select(audit_chain.c.sequence, audit_chain.c.hash, audit_event.c.document)
    own = sa.and_(audit_chain.c.tenant_id == tenant_id, audit_chain.c.event_id == event_id)
    row = (await reader.execute(query.select_from(audit_chain.join(audit_event, same)).where(own))).first()
    return None if row is None else Place(row[0], bytes(row[1]), row[2])


async def hashes(reader: Reader | Writer, tenant_id: int, start: int, end: int) -> list[bytes]:
    """Return the hashes of the events from one number to before another, in their order."""
    own = sa.and_(
        audit_chain.c.tenant_id == tenant_id, audit_chain.c.sequence >= start, audit_chain.c.sequence < end
    )
    query = sa.select(audit_chain.c.hash).where(own).order_by(audit_chain.c.sequence)
    return [bytes(row[0]) for row in await reader.execute(query)]


async def nodes(reader: Reader | Writer, tenant_id: int, level: int, start: int, end: int) -> list[bytes]:
    """Return the kept subtrees of a level from one position to before another, in their order."""
    own = sa.and_(
        audit_node.c.tenant_id == tenant_id,
        audit_node.c.level == level,
        audit_node.c.position >= start,
        audit_node.c.position < end,
    )
    query = sa.select(audit_node.c.hash).where(own).order_by(audit_node.c.position)
    return [bytes(row[0]) for row in await reader.execute(query)]


async def heads(reader: Reader) -> list[Record]:
    """Return tenant_id and sequence of every chain."""
    return list(await reader.execute(sa.select(audit_head.c.tenant_id, audit_head.c.sequence)))
