"""Rows of resources: read one, lock one, insert, update, mark deleted; unique values beside them."""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scim_server.scim.documents import encode, is_storable, load
from scim_server.scim.normalize import Document
from scim_server.scim.resources import Resource
from scim_server.store import clock
from scim_server.store.database import Reader, Writer
from scim_server.store.filters.json import folded_text
from scim_server.store.phases import Clocked, Phase, add_phases, remove_phases
from scim_server.store.statements import Statement, given, insert_into, one_of
from scim_server.store.tables import Record, resource, unique_value
from scim_server.store.writers import Lock

COLUMNS = (
    resource.c.type,
    resource.c.id,
    resource.c.version,
    resource.c.created,
    resource.c.modified,
    resource.c.document,
    resource.c.boundaries,
)
UniqueKey = tuple[str, str]
"""An attribute's path and the folded value that must be unique."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a row holds besides its identity: the document, its folded copy and a name for people.

    `boundaries` are the moments to come at which anything visible changes, in their order, and
    `phases` say for each what the attributes that vary in time are from then on. `shown` are the pieces
    of what clients see by default (see scim.shown), where they say all of it.
    """

    document: Document
    folded: Document
    display: str | None
    boundaries: Sequence[int] = ()
    phases: Sequence[Phase] = ()
    shown: str | None = None


def resource_of(row: Record, now: int) -> Resource:
    """Return the resource of a row of COLUMNS as it is at a moment, without references."""
    stored = Resource(row[0], row[1], row[2], row[3], row[4], load(row[5]), stored_version=row[2])
    if row[6] is None:
        return stored
    stored.boundaries, stored.is_timed = tuple(json.loads(row[6])), True
    version, modified = stored.effective_version(now), stored.effective_modified(now)
    stored.version, stored.modified = version, modified
    stored.boundaries = stored.boundaries[bisect_right(stored.boundaries, now) :]
    return stored


def insert_ignoring(writer: Writer | Reader, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that passes over rows whose key exists."""
    return insert_into(writer.dialect.name, table).on_conflict_do_nothing()


_LIVE = (
    resource.c.tenant_id == given("tenant_id"),
    resource.c.id == given("id"),
    resource.c.type == given("type"),
    resource.c.deleted.is_(None),
)
_FETCH = Statement(lambda _dialect: sa.select(*COLUMNS).where(*_LIVE))
LOCK = Lock(
    Statement(lambda _dialect: sa.select(*COLUMNS).where(*_LIVE).with_for_update()),
    _FETCH,
    Statement(
        lambda _dialect: (
            sa.select(sa.literal_column("1"))
            .where(*_LIVE, resource.c.version == given("read"))
            .with_for_update(read=True)
        )
    ),
    lambda rows: {"read": rows[0][2]},
)


async def fetch(
    reader: Reader | Writer, tenant_id: int, type_name: str, id: str, *, now: int | None = None
) -> Resource | None:
    """Return a live resource as it is now, None where there is none of that type and id."""
    if not is_storable(id):
        return None
    row = await reader.row(_FETCH, tenant_id=tenant_id, type=type_name, id=id)
    return None if row is None else resource_of(row, clock.now() if now is None else now)


async def fetch_for_update(
    writer: Writer, tenant_id: int, type_name: str, id: str, *, now: int | None = None
) -> Resource | None:
    """Return a live resource as it is now and keep other writers from it until the transaction ends.

    Without `now` the clock is read after the lock was had.
    """
    if not is_storable(id):
        return None
    found = await writer.locked_rows(LOCK, tenant_id=tenant_id, type=type_name, id=id)
    return resource_of(found[0], clock.now() if now is None else now) if found else None


async def only(reader: Reader | Writer, query: sa.Select[Any], now: int | None) -> Resource | None:
    """Return the resource of the first row of a query for COLUMNS, None where there is no row."""
    row = (await reader.execute(query)).first()
    return None if row is None else resource_of(row, clock.now() if now is None else now)


async def fetch_all(reader: Reader, tenant_id: int, ids: Sequence[str], *, now: int) -> dict[str, Resource]:
    """Return the live resources among `ids` as they are now, by id."""
    query = sa.select(*COLUMNS).where(
        resource.c.tenant_id == tenant_id, resource.c.id.in_(ids), resource.c.deleted.is_(None)
    )
    return {row.id: resource_of(row, now) for row in await reader.execute(query)}


def _targets(dialect: str) -> sa.Select[Any]:
    return sa.select(resource.c.id, resource.c.type).where(
        resource.c.tenant_id == given("tenant_id"),
        one_of(dialect, resource.c.id, "ids"),
        resource.c.deleted.is_(None),
    )


_LOCKED_TARGETS = Statement(
    lambda dialect: _targets(dialect).order_by(resource.c.id).with_for_update(read=True)
)
_TARGETS = Lock(_LOCKED_TARGETS, Statement(_targets), _LOCKED_TARGETS, lambda _rows: {})


_LOCKED = Statement(lambda dialect: _targets(dialect).order_by(resource.c.id).with_for_update())


async def lock_all(writer: Writer, tenant_id: int, ids: Sequence[str]) -> None:
    """Keep other writers from the live resources among `ids`, locked in the order of their ids.

    Who locks several one by one and in another order than others do waits for them for ever.
    """
    wanted = sorted({own_id for own_id in ids if is_storable(own_id)})
    for part in chunks(wanted):
        await writer.rows(_LOCKED, tenant_id=tenant_id, ids=part)


async def lock_targets(writer: Writer, tenant_id: int, ids: Sequence[str]) -> dict[str, str]:
    """Return id and type of the live resources among `ids` and keep them from being deleted meanwhile."""
    found: dict[str, str] = {}
    for part in chunks([own_id for own_id in ids if is_storable(own_id)]):
        rows = await writer.locked_rows(_TARGETS, tenant_id=tenant_id, ids=part)
        found.update((row[0], row[1]) for row in rows)
    return found


async def due(reader: Reader, tenant_id: int, now: int, limit: int) -> list[tuple[str, str]]:
    """Return id and type of live resources of which a boundary has passed, the earliest first."""
    query = (
        sa.select(resource.c.id, resource.c.type)
        .where(resource.c.tenant_id == tenant_id, resource.c.next_change <= now, resource.c.deleted.is_(None))
        .order_by(resource.c.next_change, resource.c.id)
        .limit(limit)
    )
    return [(row.id, row.type) for row in await reader.execute(query)]


_CONTENTS = ("document", "folded", "display", "next_change", "boundaries", "shown")
_IDENTITY = ("tenant_id", "id", "type", "version", "created", "modified")
_INSERT = Statement(
    lambda _dialect: (
        resource.insert()
        .values({name: given(name) for name in (*_IDENTITY, *_CONTENTS)})
        .returning(sa.literal_column("1"))
    )
)


async def insert(writer: Writer, tenant_id: int, created: Resource, contents: Contents) -> None:
    """Insert a resource's row and its phases."""
    values = {
        "tenant_id": tenant_id,
        "id": created.id,
        "type": created.type,
        "version": created.version,
        "created": created.created,
        "modified": created.modified,
        **columns_of(writer, tenant_id, contents),
    }
    await writer.writes(created.id)
    writer.defer(_INSERT, values)
    if contents.phases:
        await add_phases(writer, tenant_id, created.id, contents.phases)


def columns_of(writer: Writer, tenant_id: int, contents: Contents) -> dict[str, Any]:
    """Return what the columns of a row hold of its contents."""
    boundaries = list(contents.boundaries)
    return {
        "document": encode(contents.document).decode(),
        "folded": folded_text(writer.dialect.name, contents.folded, tenant_id),
        "display": contents.display,
        "next_change": boundaries[0] if boundaries else None,
        "boundaries": json.dumps(boundaries) if boundaries else None,
        "shown": contents.shown,
    }


_UPDATE = Statement(
    lambda _dialect: (
        resource.update()
        .where(
            resource.c.tenant_id == given("own_tenant"),
            resource.c.id == given("own_id"),
            resource.c.version == given("read"),
            resource.c.deleted.is_(None),
        )
        .values({name: given(name) for name in ("version", "modified", *_CONTENTS)})
        .returning(sa.literal_column("1"))
    )
)


async def update(writer: Writer, tenant_id: int, changed: Resource, contents: Contents) -> None:
    """Store a resource's new contents and phases over the version that was read.

    `changed.version` is the version that clients see from now on. A resource without a
    `stored_version` follows the version before its own. Raises LostRace, here or before the next
    statement, as the update may wait for those that follow.
    """
    read = changed.version - 1 if changed.stored_version is None else changed.stored_version
    values = {
        "own_tenant": tenant_id,
        "own_id": changed.id,
        "read": read,
        "version": changed.version,
        "modified": changed.modified,
        **columns_of(writer, tenant_id, contents),
    }
    await writer.writes(changed.id)
    writer.defer(_UPDATE, values, expects=1)
    writer.overwrites(changed.id)
    if changed.is_timed or contents.phases:
        await remove_phases(writer, tenant_id, changed.id)
    if contents.phases:
        await add_phases(writer, tenant_id, changed.id, contents.phases)


async def touch(writer: Writer, tenant_id: int, ids: Sequence[str], modified: int) -> None:
    """Give the next version to resources whose references changed; their boundaries stay."""
    for part in chunks(sorted(ids)):
        await writer.execute(
            resource.update()
            .where(resource.c.tenant_id == tenant_id, resource.c.id.in_(part), resource.c.deleted.is_(None))
            .values(version=resource.c.version + 1, modified=modified, shown=None)
        )


async def mark_deleted(
    writer: Writer, tenant_id: int, id: str, moment: int, deleted_by: str | None = None
) -> None:
    """Mark a resource deleted, free its unique values and drop its phases; the row stays.

    Its version stays above every one that a client saw.
    """
    await writer.execute(
        resource.update()
        .where(resource.c.tenant_id == tenant_id, resource.c.id == id)
        .values(
            deleted=moment,
            deleted_by=deleted_by,
            modified=moment,
            version=Clocked(moment).version + 1,
            next_change=None,
            boundaries=None,
        )
    )
    await remove_phases(writer, tenant_id, id)
    await writer.execute(
        unique_value.delete().where(unique_value.c.tenant_id == tenant_id, unique_value.c.resource_id == id)
    )


_UNIQUE = ("tenant_id", "type", "attribute", "key", "resource_id")


def _claim(dialect: str) -> sa.Executable:
    claimed = insert_into(dialect, unique_value).values({name: given(name) for name in _UNIQUE})
    return claimed.on_conflict_do_nothing().returning(sa.literal_column("1"))


_CLAIM = Statement(_claim)
_RELEASE = Statement(
    lambda _dialect: (
        unique_value.delete()
        .where(*(unique_value.c[name] == given(name) for name in _UNIQUE))
        .returning(sa.literal_column("1"))
    )
)


def _unique(tenant_id: int, type_name: str, id: str, attribute: str, key: str) -> dict[str, Any]:
    return dict(zip(_UNIQUE, (tenant_id, type_name, attribute, key, id), strict=True))


async def claim_unique(
    writer: Writer, tenant_id: int, type_name: str, id: str, keys: Iterable[UniqueKey]
) -> list[UniqueKey]:
    """Claim unique values for a resource and return those that another resource holds."""
    taken: list[UniqueKey] = []
    for attribute, key in sorted(keys):
        if not await writer.rows(_CLAIM, **_unique(tenant_id, type_name, id, attribute, key)):
            taken.append((attribute, key))
    return taken


_HELD = Statement(
    lambda _dialect: sa.select(unique_value.c.resource_id).where(
        *(unique_value.c[name] == given(name) for name in _UNIQUE[:-1])
    )
)


async def claim_later(
    writer: Writer,
    tenant_id: int,
    type_name: str,
    id: str,
    keys: Iterable[UniqueKey],
    refuse: Callable[[list[UniqueKey]], None],
) -> None:
    """Claim unique values for a resource with what else is deferred.

    `refuse` is called with those that another resource holds, and has to raise.
    """
    wanted = sorted(keys)

    async def say() -> None:
        taken = []
        for attribute, key in wanted:
            values = dict(zip(_UNIQUE, (tenant_id, type_name, attribute, key), strict=False))
            holder = await writer.row(_HELD, **values)
            if holder is not None and holder[0] != id:
                taken.append((attribute, key))
        if taken:
            refuse(taken)

    if wanted and writer.has_deferred(_RELEASE):
        await writer.flush()
    for attribute, key in wanted:
        values = _unique(tenant_id, type_name, id, attribute, key)
        writer.defer(_CLAIM, values, expects=1, otherwise=say)


async def release_unique(
    writer: Writer, tenant_id: int, type_name: str, id: str, keys: Iterable[UniqueKey]
) -> None:
    """Free unique values that a resource no longer has, with what else is deferred."""
    for attribute, key in sorted(keys):
        writer.defer(_RELEASE, _unique(tenant_id, type_name, id, attribute, key))


def chunks(items: Sequence[str], size: int = 1_000) -> Iterable[Sequence[str]]:
    """Yield a sequence in parts that fit one statement."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


async def is_claimed(writer: Writer, tenant_id: int, type_name: str, attribute: str, key: str) -> bool:
    """Tell whether a live resource of a type has a unique value."""
    query = sa.select(sa.literal(1)).where(
        unique_value.c.tenant_id == tenant_id,
        unique_value.c.type == type_name,
        unique_value.c.attribute == attribute,
        unique_value.c.key == key,
    )
    return (await writer.execute(query)).first() is not None
