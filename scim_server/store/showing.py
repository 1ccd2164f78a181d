"""Resources as clients see them by default, read in the pieces that were stored for it.

A row whose pieces do not say how it is now is reported as such and read in full by the caller: one
that changes by itself as time passes, one whose pieces were never made, one of nested groups.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from scim_server.scim.documents import is_storable
from scim_server.scim.identifiers import canonical_id
from scim_server.scim.shown import BASE_URL, Shown
from scim_server.store.database import Reader, Writer
from scim_server.store.references import MEMBERS
from scim_server.store.sessions import Row as Columns
from scim_server.store.statements import Statement, given, one_of
from scim_server.store.tables import reference, resource, unique_value
from scim_server.store.validity import is_visible

NOW = given("now", sa.BigInteger())
_NESTED = "!"
_GROUP: sa.ColumnElement[str] = sa.literal_column("'Group'")
MEMBERSHIPS: sa.ColumnElement[str] = sa.literal_column(f"'{MEMBERS}'")


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
    number: sa.ColumnElement[int] = sa.literal_column(str(ord(BASE_URL)))
    marker = sa.func.char(number) if dialect == "sqlite" else sa.func.chr(number)
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


def _is_nested(group_id: sa.ColumnElement[str], type_name: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Test whether a group is itself in a group, or is none that _membership shows."""
    outer = reference.alias()
    in_another: sa.Select[Any] = sa.select(sa.literal_column("1")).where(
        outer.c.tenant_id == given("tenant_id"),
        outer.c.target_id == group_id,
        outer.c.attribute == MEMBERSHIPS,
    )
    return sa.or_(sa.exists(in_another), type_name != _GROUP)


def _groups(dialect: str, is_member: sa.ColumnElement[bool], member: sa.FromClause) -> sa.Select[Any]:
    """Return a query for the direct groups of members, in the order in which they are shown."""
    group = resource.alias()
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
            _is_nested(member.c.source_id, group.c.type).label("nested"),
        )
        .select_from(joined)
        .where(
            member.c.tenant_id == given("tenant_id"),
            is_member,
            member.c.attribute == MEMBERSHIPS,
            is_visible(member, NOW),
        )
        .order_by(member.c.target_id, member.c.source_id)
    )


def _listed(dialect: str, rows: sa.Subquery) -> sa.ColumnElement[str]:
    """Return the JSON of groups without its brackets, or _NESTED where that is not all of them."""
    any_of, together = ("max", "group_concat") if dialect == "sqlite" else ("bool_or", "string_agg")
    is_nested = getattr(sa.func, any_of)(rows.c.nested)
    texts = getattr(sa.func, together)(rows.c.shown, sa.literal_column("','"))
    return sa.case((is_nested, sa.literal_column(f"'{_NESTED}'")), else_=texts)


OWN = (resource.c.id, resource.c.version, resource.c.shown, resource.c.boundaries.is_(None).label("untimed"))


def own_groups(dialect: str) -> sa.ScalarSelect[str]:
    """Return a query for what is shown of the groups of a resource's row."""
    member = reference.alias()
    rows = _groups(dialect, member.c.target_id == resource.c.id, member).correlate(resource).subquery()
    return sa.select(_listed(dialect, rows)).select_from(rows).scalar_subquery()


def _groups_of_one(dialect: str) -> sa.Select[Any]:
    """Return a query for the groups of the member `id`, in one row; good are those that can be shown so."""
    member = reference.alias()
    rows = _groups(dialect, member.c.target_id == given("id"), member).subquery()
    shown = _listed(dialect, rows)
    is_good = sa.func.coalesce(shown, sa.literal_column("''")) != sa.literal_column(f"'{_NESTED}'")
    columns: tuple[sa.ColumnElement[Any], ...] = (is_good.label("good"), shown.label("groups"))
    return sa.select(*columns).select_from(rows)


def live(rows: sa.FromClause = resource) -> list[sa.ColumnElement[bool]]:
    """Return the tests of a live resource of the tenant and type that a statement is given."""
    return [
        rows.c.tenant_id == given("tenant_id"),
        rows.c.type == given("type"),
        rows.c.deleted.is_(None),
    ]


def _one(dialect: str, condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(*OWN, own_groups(dialect).label("groups")).where(*live(), condition)


def _by_key(dialect: str) -> sa.Select[Any]:
    holder = sa.select(unique_value.c.resource_id).where(
        unique_value.c.tenant_id == given("tenant_id"),
        unique_value.c.type == given("type"),
        unique_value.c.attribute == given("attribute"),
        unique_value.c.key == given("key"),
    )
    return _one(dialect, resource.c.id == holder.scalar_subquery())


def _page(dialect: str, *, is_after: bool, with_groups: bool) -> sa.Select[Any]:
    """Return a query for a page of a whole type in the order of ids, after an id or from an offset after one.

    What an offset skips is counted in the index alone: reading those rows takes ten times as long.
    """
    groups = (own_groups(dialect).label("groups"),) if with_groups else ()
    query = sa.select(*OWN, *groups).where(*live()).order_by(resource.c.id)
    query = query.limit(given("limit", sa.Integer()))
    if is_after:
        return query.where(resource.c.id > given("after"))
    skipped = resource.alias()
    first = sa.select(skipped.c.id).where(*live(skipped), skipped.c.id > given("after"))
    first = first.order_by(skipped.c.id).limit(sa.literal_column("1"))
    return query.where(resource.c.id >= first.offset(given("offset", sa.BigInteger())).scalar_subquery())


def shown_group(dialect: str, group: sa.FromClause) -> sa.ColumnElement[str]:
    """Return the JSON of a group as its members show it, or what tells that they have to be read in full."""
    nested: sa.ColumnElement[str] = sa.literal_column(f"'{_NESTED}'")
    return sa.case((_is_nested(group.c.id, group.c.type), nested), else_=_membership(dialect, group))


def _groups_of_page(dialect: str) -> sa.CompoundSelect[Any]:
    """Return a query for the ids of each member's groups, and for what is shown of each of these groups.

    Members of a page mostly share their groups, so that each group is looked at once.
    """
    member, group = reference.alias(), resource.alias()
    pairs = (
        sa.select(member.c.target_id.label("member"), member.c.source_id.label("own"))
        .where(
            member.c.tenant_id == given("tenant_id"),
            one_of(dialect, member.c.target_id, "ids"),
            member.c.attribute == MEMBERSHIPS,
            is_visible(member, NOW),
        )
        .order_by(member.c.target_id, member.c.source_id)
        .cte("pairs")
    )
    together = getattr(sa.func, "group_concat" if dialect == "sqlite" else "string_agg")
    of_members = sa.select(
        sa.literal_column("1").label("is_member"),
        pairs.c.member.label("id"),
        together(pairs.c.own, sa.literal_column("','")).label("text"),
    ).group_by(pairs.c.member)
    of_groups = sa.select(sa.literal_column("0"), group.c.id, shown_group(dialect, group)).where(
        group.c.tenant_id == given("tenant_id"),
        group.c.id.in_(sa.select(pairs.c.own)),
        group.c.deleted.is_(None),
    )
    return of_members.union_all(of_groups)


FEW = 10
"""Rows whose groups are read with them, and with the claim on the caller; more are read apart."""
_BY_ID = Statement(lambda dialect: _one(dialect, resource.c.id == given("id")))
BY_KEY = Statement(_by_key)
_GROUPS_OF = Statement(_groups_of_one)
GROUPS = Statement(_groups_of_page)
_BOTH = (False, True)
PAGES = {
    (is_after, is_small): Statement(partial(_page, is_after=is_after, with_groups=is_small))
    for is_after in _BOTH
    for is_small in _BOTH
}


def found_in(type_name: str, row: Columns) -> Found:
    """Return the resource of a row of a query made here."""
    own_id, version, stored, is_untimed, groups = row
    if stored is None or not is_untimed or groups == _NESTED:
        return Unshown(own_id)
    return Shown(type_name, own_id, version, stored, f"[{groups}]" if groups else "")


async def show(
    connection: Reader | Writer, tenant_id: int, type_name: str, id: str, now: int
) -> Found | None:
    """Return a live resource, None where there is none; a claim of a reader's is confirmed with it."""
    own_id = canonical_id(id)
    if not is_storable(own_id):
        return None
    row = await connection.claimed_row(_BY_ID, tenant_id=tenant_id, type=type_name, id=own_id, now=now)
    return None if row is None else found_in(type_name, row)


async def show_written(
    writer: Writer, tenant_id: int, type_name: str, id: str, version: int, pieces: str, now: int
) -> Found:
    """Return a resource that was written with its pieces; what is deferred goes to the database with it."""
    row = await writer.last_row(_GROUPS_OF, tenant_id=tenant_id, id=id, now=now)
    return found_in(type_name, (id, version, pieces, True, row[1]))


def together_in(group_ids: Sequence[str], texts: Mapping[str, str]) -> str:
    """Return the JSON of groups without its brackets, from what is shown of each."""
    shown = [texts[own] for own in group_ids if own in texts]
    return _NESTED if _NESTED in shown else ",".join(shown)
