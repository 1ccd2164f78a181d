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

from scim_server.scim.attributes import ReferenceKind
from scim_server.scim.documents import encode, is_storable
from scim_server.scim.identifiers import canonical_id
from scim_server.scim.shown import BASE_URL, Shown
from scim_server.store.database import Reader, Writer
from scim_server.store.filters import common
from scim_server.store.filters.compiler import FilterContext, is_unique
from scim_server.store.filters.contents import example_of
from scim_server.store.filters.varying import as_it_is
from scim_server.store.listing import Selection
from scim_server.store.references import MEMBERS
from scim_server.store.sessions import Row as Columns
from scim_server.store.statements import Statement, given, one_of
from scim_server.store.tables import counter, reference, resource, unique_value
from scim_server.store.validity import is_visible

_NOW = given("now", sa.BigInteger())
_NESTED = "!"
_GROUP: sa.ColumnElement[str] = sa.literal_column("'Group'")
_MEMBERS: sa.ColumnElement[str] = sa.literal_column(f"'{MEMBERS}'")


@dataclass(frozen=True, slots=True)
class Unshown:
    """A resource that is there, but has to be read in full."""

    id: str


Found = Shown | Unshown


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A resource of a page; `sort_key` is there for what lists in another order."""

    resource: Found
    sort_key: None = None


def _text(*parts: sa.ColumnElement[str] | str) -> sa.ColumnElement[str]:
    """Return parts of JSON, put together."""
    own = [sa.literal_column(f"'{part}'") if isinstance(part, str) else part for part in parts]
    whole = own[0]
    for part in own[1:]:
        whole = whole.op("||")(part)
    return whole


def _membership(dialect: str, group: sa.FromClause) -> sa.ColumnElement[str]:
    """Return the JSON of a group as a member's attribute `groups` shows it."""
    marker = (
        sa.func.char(sa.literal_column("1")) if dialect == "sqlite" else sa.func.chr(sa.literal_column("1"))
    )
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
        outer.c.attribute == _MEMBERS,
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
            member.c.attribute == _MEMBERS,
            is_visible(member, _NOW),
        )
        .order_by(member.c.target_id, member.c.source_id)
    )


def _listed(dialect: str, rows: sa.Subquery) -> sa.ColumnElement[str]:
    """Return the JSON of groups without its brackets, or _NESTED where that is not all of them."""
    any_of, together = ("max", "group_concat") if dialect == "sqlite" else ("bool_or", "string_agg")
    is_nested = getattr(sa.func, any_of)(rows.c.nested)
    texts = getattr(sa.func, together)(rows.c.shown, sa.literal_column("','"))
    return sa.case((is_nested, sa.literal_column(f"'{_NESTED}'")), else_=texts)


_OWN = (resource.c.id, resource.c.version, resource.c.shown, resource.c.boundaries.is_(None).label("untimed"))


def _own_groups(dialect: str) -> sa.ScalarSelect[str]:
    member = reference.alias()
    rows = _groups(dialect, member.c.target_id == resource.c.id, member).correlate(resource).subquery()
    return sa.select(_listed(dialect, rows)).select_from(rows).scalar_subquery()


def _contains(folded: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Test whether a folded copy contains the example; an index of PostgreSQL serves."""
    return folded.op("@>", is_comparison=True)(sa.cast(given("example", sa.Text()), postgresql.JSONB()))


def _selected(test: str) -> list[sa.ColumnElement[bool]]:
    """Return the conditions for what a list is of (see TESTS)."""
    conditions = [
        resource.c.tenant_id == given("tenant_id"),
        resource.c.type == given("type"),
        resource.c.deleted.is_(None),
    ]
    if test == "stored":
        conditions.append(_contains(resource.c.folded))
    elif test == "varying":
        conditions.append(as_it_is(_NOW, _contains))
    return conditions


def _one(dialect: str, condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(*_OWN, _own_groups(dialect).label("groups")).where(*_selected(""), condition)


def _by_key(dialect: str) -> sa.Select[Any]:
    holder = sa.select(unique_value.c.resource_id).where(
        unique_value.c.tenant_id == given("tenant_id"),
        unique_value.c.type == given("type"),
        unique_value.c.attribute == given("attribute"),
        unique_value.c.key == given("key"),
    )
    return _one(dialect, resource.c.id == holder.scalar_subquery())


def _page(dialect: str, test: str, *, is_after: bool, with_groups: bool) -> sa.Select[Any]:
    """Return a query for a page in the order of ids, after an id or an offset."""
    groups = (_own_groups(dialect).label("groups"),) if with_groups else ()
    query = sa.select(*_OWN, *groups).where(*_selected(test)).order_by(resource.c.id)
    query = query.limit(given("limit", sa.Integer()))
    if is_after:
        return query.where(resource.c.id > given("after"))
    return query.offset(given("offset", sa.Integer()))


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
            member.c.attribute == _MEMBERS,
            is_visible(member, _NOW),
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
    shown = sa.case(
        (_is_nested(group.c.id, group.c.type), sa.literal_column(f"'{_NESTED}'")),
        else_=_membership(dialect, group),
    )
    of_groups = sa.select(sa.literal_column("0"), group.c.id, shown).where(
        group.c.tenant_id == given("tenant_id"),
        group.c.id.in_(sa.select(pairs.c.own)),
        group.c.deleted.is_(None),
    )
    return of_members.union_all(of_groups)


TESTS = ("", "stored", "varying")
"""What a list is of: everything, or what contains an example, as it was stored or as it is at the moment."""
_FEW = 10
"""Rows whose groups are read with them, and with the claim on the caller; more are read apart."""
_BY_ID = Statement(lambda dialect: _one(dialect, resource.c.id == given("id")))
_BY_KEY = Statement(_by_key)
_GROUPS = Statement(_groups_of_page)
_COUNT = Statement(
    lambda _dialect: sa.select(sa.func.coalesce(sa.func.sum(counter.c.value), 0)).where(
        counter.c.tenant_id == given("tenant_id"), counter.c.name == given("name")
    )
)
_PAGES = {
    (test, is_after, is_small): Statement(partial(_page, test=test, is_after=is_after, with_groups=is_small))
    for test in TESTS
    for is_after in (False, True)
    for is_small in (False, True)
}


def _total(_dialect: str, test: str) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(resource).where(*_selected(test))


_TOTALS = {one: Statement(partial(_total, test=one)) for one in TESTS}


def _found(type_name: str, row: Columns) -> Found:
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
    return None if row is None else _found(type_name, row)


def _together(group_ids: Sequence[str], texts: Mapping[str, str]) -> str:
    shown = [texts[own] for own in group_ids if own in texts]
    return _NESTED if _NESTED in shown else ",".join(shown)


class ShownLister:
    """Lists resources in the order of their ids: all of a type, or those whose folded copy has an example.

    Takes the place of store.listing.Lister where that is all that is asked for.
    """

    sort_key = None

    def __init__(
        self, context: FilterContext, selection: Selection, test: str = "", example: Any = None
    ) -> None:
        self.context = context
        self.selection = selection
        self._test = test
        self._type = selection.types[0][0].name
        self._values: dict[str, Any] = {
            "tenant_id": context.tenant_id,
            "type": self._type,
            "now": context.now,
        }
        if test:
            self._values["example"] = encode(example).decode()

    async def page(
        self, reader: Reader, *, limit: int, offset: int = 0, after: Sequence[Any] | None = None
    ) -> list[ShownRow]:
        """Return a page after an offset or an id.

        A small one is one statement, a claim confirmed with it; whether what a filter finds is that is
        tried out first.
        """
        values = {**self._values, "limit": limit}
        values |= {"after": after[-1]} if after else {"offset": offset}
        is_small = limit <= _FEW
        if is_small or self._test:
            few = {**values, "limit": min(limit, _FEW)}
            rows = await reader.claimed_rows(_PAGES[self._test, bool(after), True], **few)
            if is_small or len(rows) < _FEW:
                return [ShownRow(_found(self._type, row)) for row in rows]
        rows = await reader.rows(_PAGES[self._test, bool(after), False], **values)
        if not rows:
            return []
        groups = await self._groups(reader, [row[0] for row in rows])
        return [ShownRow(_found(self._type, (*row, groups.get(row[0])))) for row in rows]

    async def _groups(self, reader: Reader, ids: Sequence[str]) -> dict[str, str]:
        """Return the JSON of the groups of each member without its brackets."""
        found = await reader.rows(_GROUPS, **self._values, ids=ids)
        texts = {row[1]: row[2] for row in found if not row[0]}
        of_members = {row[1]: row[2] for row in found if row[0]}
        listed = {own: _together(own.split(","), texts) for own in set(of_members.values())}
        return {member: listed[own] for member, own in of_members.items()}

    async def count(self, reader: Reader) -> int:
        """Return how many resources there are; of a whole type a counter tells."""
        if self._test:
            return int((await reader.rows(_TOTALS[self._test], **self._values))[0][0])
        row = await reader.claimed_row(_COUNT, **self._values, name=f"live:{self._type}")
        return 0 if row is None else int(row[0])


class ShownByKey(ShownLister):
    """Lists the one resource, if any, that holds a unique value."""

    def __init__(self, context: FilterContext, selection: Selection, attribute: str, key: str) -> None:
        super().__init__(context, selection)
        self._key = {"attribute": attribute, "key": key}

    async def page(
        self, reader: Reader, *, limit: int, offset: int = 0, after: Sequence[Any] | None = None
    ) -> list[ShownRow]:
        """Return the resource, by one statement that a claim is confirmed with."""
        if not is_storable(self._key["key"]):
            return []
        row = await reader.claimed_row(_BY_KEY, **self._values, **self._key)
        if row is None or offset or not limit or (after and row[0] <= after[-1]):
            return []
        return [ShownRow(_found(self._type, row))]

    async def count(self, reader: Reader) -> int:
        """Return 1 or 0."""
        return len(await self.page(reader, limit=1))


def shown_lister(context: FilterContext, selection: Selection) -> ShownLister | None:
    """Return what lists a selection of one type in the order of ids, None where a filter asks for more."""
    ((_, condition),) = selection.types
    if condition is None:
        return ShownLister(context, selection)
    if is_unique(condition):
        return ShownByKey(context, selection, condition.attribute.path, str(condition.value))
    found = example_of(condition)
    if found is None or context.json.contains(resource.c.folded, {}) is None:
        return None
    attribute, example = found
    is_special = not attribute.schema and attribute.key in common.TESTS
    if is_special or attribute.reference_kind is not ReferenceKind.NONE:
        return None
    test = "varying" if attribute.path.lower() in context.varying else "stored"
    return ShownLister(context, selection, test, example)


assert chr(1) == BASE_URL  # noqa: S101 - what the statements above write as char(1)
