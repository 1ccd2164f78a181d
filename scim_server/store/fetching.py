"""One resource with everything that an answer shows of it, read by one statement."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from scim_server.scim.attributes import Attribute
from scim_server.scim.documents import is_storable, load
from scim_server.scim.identifiers import canonical_id
from scim_server.scim.resources import ReferenceValue, Resource
from scim_server.store.database import Reader, Writer
from scim_server.store.groups import groups_of
from scim_server.store.references import MEMBERS, of_sources, pointing
from scim_server.store.resources import COLUMNS, LOCK, fetch_for_update, resource_of
from scim_server.store.sessions import Row
from scim_server.store.statements import Statement, given
from scim_server.store.tables import reference, resource
from scim_server.store.validity import is_visible
from scim_server.store.writers import Lock

_NOW = given("now", sa.BigInteger())
_WIDTH = len(COLUMNS)


def _gathered(dialect: str, rows: sa.Select[Any]) -> sa.ScalarSelect[str]:
    """Return the rows of a query as one JSON array of arrays, in their order."""
    inner = rows.subquery()
    columns = list(inner.c)
    text: sa.ColumnElement[str]
    if dialect == "sqlite":
        text = sa.func.json_group_array(sa.func.json_array(*columns))
    else:
        text = sa.cast(sa.func.json_agg(sa.func.json_build_array(*columns)), postgresql.TEXT())
    return sa.select(text).select_from(inner).scalar_subquery()


def _containing(group: sa.FromClause) -> sa.Select[Any]:
    """Return a query for the groups that a resource is in directly."""
    member = reference.alias()
    return (
        sa.select(group.c.id, group.c.type, group.c.display)
        .select_from(
            member.join(
                group,
                sa.and_(
                    group.c.tenant_id == member.c.tenant_id,
                    group.c.id == member.c.source_id,
                    group.c.deleted.is_(None),
                ),
            )
        )
        .where(
            member.c.tenant_id == given("tenant_id"),
            member.c.target_id == given("id"),
            member.c.attribute == sa.literal_column(f"'{MEMBERS}'"),
            is_visible(member, _NOW),
        )
        .order_by(group.c.id)
    )


def _is_nested() -> sa.ColumnElement[bool]:
    """Test whether any group that a resource is in is itself in one."""
    member, outer = reference.alias(), reference.alias()
    own: sa.ColumnElement[str] = sa.literal_column(f"'{MEMBERS}'")
    query: sa.Select[Any] = sa.select(sa.literal_column("1")).where(
        member.c.tenant_id == given("tenant_id"),
        member.c.target_id == given("id"),
        member.c.attribute == own,
        outer.c.tenant_id == member.c.tenant_id,
        outer.c.target_id == member.c.source_id,
        outer.c.attribute == own,
    )
    return sa.exists(query)


def _whole(dialect: str, *, with_groups: bool) -> sa.Select[Any]:
    groups: tuple[Any, ...] = ()
    if with_groups:
        groups = (
            _gathered(dialect, _containing(resource.alias())).label("groups"),
            _is_nested().label("nested"),
        )
    return sa.select(
        *COLUMNS,
        _gathered(dialect, pointing(dialect, reference.c.source_id == given("id"))).label("pointing"),
        *groups,
    ).where(
        resource.c.tenant_id == given("tenant_id"),
        resource.c.id == given("id"),
        resource.c.type == given("type"),
        resource.c.deleted.is_(None),
    )


_PLAIN = Statement(lambda dialect: _whole(dialect, with_groups=False))
_WITH_GROUPS = Statement(lambda dialect: _whole(dialect, with_groups=True))


async def fetch_whole(
    reader: Reader,
    tenant_id: int,
    type_name: str,
    id: str,
    *,
    pointing: Sequence[Attribute],
    inverse: Sequence[Attribute],
    now: int,
) -> Resource | None:
    """Return a live resource as it is now with its references, None where there is none.

    `pointing` are the attributes whose own references are read, `inverse` those that say which groups
    it is in. A claim of the reader's is confirmed by the same statement.
    """
    own_id = canonical_id(id)
    if not is_storable(own_id):
        return None
    row = await reader.claimed_row(
        _WITH_GROUPS if inverse else _PLAIN,
        tenant_id=tenant_id,
        type=type_name,
        id=own_id,
        keys=[attribute.storage_key for attribute in pointing],
        now=now,
    )
    if row is None:
        return None
    found = _with_references(row, now)
    if inverse and row[_WIDTH + 1] not in (None, "[]"):
        groups = (
            (await groups_of(reader, tenant_id, [own_id], now=now)).get(own_id, [])
            if row[_WIDTH + 2]
            else [
                ReferenceValue(group, kind, display, kind="direct")
                for group, kind, display in load(row[_WIDTH + 1])
            ]
        )
        found.references |= {attribute.storage_key: groups for attribute in inverse if groups}
    return found


_LOCKED = Lock(_PLAIN, _PLAIN, LOCK.confirming, LOCK.read)


async def fetch_locked(
    writer: Writer, tenant_id: int, type_name: str, id: str, owned: Sequence[Attribute], *, now: int
) -> Resource | None:
    """Return a live resource with its own references and keep other writers from it, None without one.

    Where a lock may have to be waited for, the references are read after it was had: a statement that waits
    sees the row as it is then, and everything else as it was before.
    """
    own_id = canonical_id(id)
    if writer.waits_for_locks:
        found = await fetch_for_update(writer, tenant_id, type_name, own_id, now=now)
        if found is not None:
            references = await of_sources(writer, tenant_id, [own_id], owned, now=now)
            found.references = references.get(own_id, {})
        return found
    if not is_storable(own_id):
        return None
    keys = [attribute.storage_key for attribute in owned]
    values = {"tenant_id": tenant_id, "type": type_name, "id": own_id, "keys": keys, "now": now}
    rows = await writer.locked_rows(_LOCKED, **values)
    whole = _with_references(rows[0], now) if rows else None
    if whole is not None and whole.is_timed:
        writer.needs_transaction()
    return whole


def _with_references(row: Row, now: int) -> Resource:
    found = resource_of(row, now)
    for key, target, payload, kind, display in load(row[_WIDTH] or "[]"):
        value = ReferenceValue(target, kind, display, load(payload) if payload else None)
        found.references.setdefault(key, []).append(value)
    return found
