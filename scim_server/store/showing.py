"""Resources as clients see them by default, read in the pieces that were stored for it.

A row whose pieces do not say how it is now is reported as such and read in full by the caller: one
that changes by itself as time passes, one whose pieces were never made, one of nested groups.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from scim_server.scim.documents import encode, is_storable
from scim_server.scim.identifiers import canonical_id
from scim_server.scim.shown import BASE_URL, Shown, shown
from scim_server.store.database import Reader
from scim_server.store.references import MEMBERS
from scim_server.store.sessions import Row
from scim_server.store.statements import Statement, given, one_of
from scim_server.store.tables import counter, reference, resource, unique_value
from scim_server.store.validity import is_visible

_NOW = given("now", sa.BigInteger())
_GROUP: sa.ColumnElement[str] = sa.literal_column("'Group'")
_MEMBERS: sa.ColumnElement[str] = sa.literal_column(f"'{MEMBERS}'")


@dataclass(frozen=True, slots=True)
class Unshown:
    """A resource that is there, but has to be read in full."""

    id: str


Found = Shown | Unshown


def _text(*parts: sa.ColumnElement[str] | str) -> sa.ColumnElement[str]:
    """Return parts of JSON, put together."""
    own = [sa.literal_column(f"'{part}'") if isinstance(part, str) else part for part in parts]
    whole = own[0]
    for part in own[1:]:
        whole = whole.op("||")(part)
    return whole


def _membership(dialect: str, group: sa.FromClause) -> sa.ColumnElement[str]:
    """Return the JSON of a group as a member's attribute `groups` shows it."""
    marker = sa.func.char(1) if dialect == "sqlite" else sa.func.chr(1)
    quoted = (
        sa.func.json_quote(group.c.display)
        if dialect == "sqlite"
        else sa.cast(sa.func.to_json(group.c.display), postgresql.TEXT())
    )
    display = sa.case(
        (group.c.display.is_(None), sa.literal_column("''")), else_=_text(',"display":', quoted)
    )
    location = _text(marker, "/Groups/", group.c.id)
    return _text('{"value":"', group.c.id, '","$ref":"', location, '"', display, ',"type":"direct"}')


def _groups(
    dialect: str, is_member: sa.ColumnElement[bool], member: sa.FromClause, group: sa.FromClause
) -> sa.Select[Any]:
    """Return a query for the direct groups of members, in the order in which they are shown."""
    joined = member.join(
        group,
        sa.and_(
            group.c.tenant_id == member.c.tenant_id,
            group.c.id == member.c.source_id,
            group.c.deleted.is_(None),
        ),
    )
    return (
        sa.select(
            member.c.target_id.label("member"),
            _membership(dialect, group).label("shown"),
            (group.c.type == _GROUP).label("is_group"),
        )
        .select_from(joined)
        .where(
            member.c.tenant_id == given("tenant_id"),
            is_member,
            member.c.attribute == _MEMBERS,
            is_visible(member, _NOW),
        )
        .order_by(member.c.target_id, member.c.source_id)
    )


def _listed(dialect: str, texts: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    if dialect == "sqlite":
        return sa.func.group_concat(texts, ",")
    return sa.func.string_agg(texts, sa.literal_column("','"))


def _nested(is_member: sa.ColumnElement[bool], member: sa.FromClause) -> sa.ColumnElement[bool]:
    """Test whether a group of members is itself in a group."""
    outer = reference.alias()
    groups = sa.select(member.c.source_id).where(
        member.c.tenant_id == given("tenant_id"), is_member, member.c.attribute == _MEMBERS
    )
    query: sa.Select[Any] = sa.select(sa.literal_column("1")).where(
        outer.c.tenant_id == given("tenant_id"), outer.c.attribute == _MEMBERS, outer.c.target_id.in_(groups)
    )
    return sa.exists(query)


_OWN = (resource.c.id, resource.c.version, resource.c.shown, resource.c.boundaries.is_(None).label("untimed"))


def _one(dialect: str, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Return a query for a resource with its groups."""
    member, group, inner = reference.alias(), resource.alias(), reference.alias()
    rows = _groups(dialect, member.c.target_id == resource.c.id, member, group).correlate(resource).subquery()
    groups = sa.select(_listed(dialect, rows.c.shown)).select_from(rows).scalar_subquery()
    return sa.select(
        *_OWN,
        groups.label("groups"),
        _nested(inner.c.target_id == resource.c.id, inner).label("nested"),
    ).where(
        resource.c.tenant_id == given("tenant_id"),
        resource.c.type == given("type"),
        resource.c.deleted.is_(None),
        *conditions,
    )


def _by_key(dialect: str) -> sa.Select[Any]:
    holder = sa.select(unique_value.c.resource_id).where(
        unique_value.c.tenant_id == given("tenant_id"),
        unique_value.c.type == given("type"),
        unique_value.c.attribute == given("attribute"),
        unique_value.c.key == given("key"),
    )
    return _one(dialect, resource.c.id == holder.scalar_subquery())


_BY_ID = Statement(lambda dialect: _one(dialect, resource.c.id == given("id")))
_BY_KEY = Statement(_by_key)


async def show(reader: Reader, tenant_id: int, type_name: str, id: str, now: int) -> Found | None:
    """Return a live resource, None where there is none; a claim of the reader's is confirmed with it."""
    own_id = canonical_id(id)
    if not is_storable(own_id):
        return None
    row = await reader.claimed_row(_BY_ID, tenant_id=tenant_id, type=type_name, id=own_id, now=now)
    return None if row is None else _found(type_name, row)


async def show_by(
    reader: Reader, tenant_id: int, type_name: str, attribute: str, key: str, now: int
) -> Found | None:
    """Return the live resource that holds a unique value, as `show` does."""
    row = await reader.claimed_row(
        _BY_KEY, tenant_id=tenant_id, type=type_name, attribute=attribute, key=key, now=now
    )
    return None if row is None else _found(type_name, row)


def _found(type_name: str, row: Row) -> Found:
    own_id, version, stored, is_untimed, groups, is_nested = row
    if stored is None or not is_untimed or is_nested:
        return Unshown(own_id)
    return shown(type_name, own_id, version, stored, f"[{groups}]" if groups else "")


def _page(*, is_filtered: bool) -> sa.Select[Any]:
    """Return a query for a page in the order of ids."""
    conditions = [
        resource.c.tenant_id == given("tenant_id"),
        resource.c.type == given("type"),
        resource.c.deleted.is_(None),
        resource.c.id > given("after"),
    ]
    if is_filtered:
        example = sa.cast(given("example", sa.Text()), postgresql.JSONB())
        conditions.append(resource.c.folded.op("@>")(example))
    return (
        sa.select(*_OWN)
        .where(*conditions)
        .order_by(resource.c.id)
        .limit(given("limit", sa.Integer()))
        .offset(given("offset", sa.Integer()))
    )


def _groups_of_page(dialect: str) -> sa.Select[Any]:
    member, group, inner = reference.alias(), resource.alias(), reference.alias()
    rows = _groups(dialect, one_of(dialect, member.c.target_id, "ids"), member, group).subquery()
    nested = _nested(one_of(dialect, inner.c.target_id, "ids"), inner)
    return (
        sa.select(rows.c.member, _listed(dialect, rows.c.shown), nested)
        .select_from(rows)
        .group_by(rows.c.member)
    )


_COUNT = Statement(
    lambda _dialect: sa.select(sa.func.coalesce(sa.func.sum(counter.c.value), 0)).where(
        counter.c.tenant_id == given("tenant_id"), counter.c.name == given("name")
    )
)
_PAGE = Statement(lambda _dialect: _page(is_filtered=False))
_FILTERED = Statement(lambda _dialect: _page(is_filtered=True))
_GROUPS = Statement(_groups_of_page)


async def live_total(reader: Reader, tenant_id: int, type_name: str) -> int:
    """Return how many live resources of a type there are; a claim of the reader's is confirmed with it."""
    row = await reader.claimed_row(_COUNT, tenant_id=tenant_id, name=f"live:{type_name}")
    return 0 if row is None else int(row[0])


async def show_page(
    reader: Reader,
    tenant_id: int,
    type_name: str,
    *,
    limit: int,
    offset: int = 0,
    after: str = "",
    example: Any = None,
    now: int,
) -> list[Found]:
    """Return a page in the order of ids, after an id or an offset; PostgreSQL takes an example to contain."""
    values = {"tenant_id": tenant_id, "type": type_name, "after": after, "limit": limit, "offset": offset}
    if example is None:
        rows = await reader.rows(_PAGE, **values)
    else:
        rows = await reader.rows(_FILTERED, example=encode(example).decode(), **values)
    if not rows:
        return []
    ids = [row[0] for row in rows]
    groups = {
        member: (texts, is_nested)
        for member, texts, is_nested in await reader.rows(_GROUPS, tenant_id=tenant_id, ids=ids, now=now)
    }
    none = ("", False)
    return [_found(type_name, (*row, *groups.get(row[0], none))) for row in rows]


assert chr(1) == BASE_URL  # noqa: S101 - what the statements above write as char(1)
