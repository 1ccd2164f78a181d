"""Resources that contain an example, as clients see them: gathered by index where few do, walked to else.

PostgreSQL's index of folded copies tells where all of them are, but nothing of their order: it serves
what is rare. What is common is met soon enough by walking.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from scim_server.store.filters.varying import as_it_is
from scim_server.store.phases import Clocked
from scim_server.store.showing import NOW, OWN, live, own_groups
from scim_server.store.statements import Statement, given
from scim_server.store.tables import resource

TOO_MANY = -1
"""The number that a probe tells of what is common."""
_FOUND = ("tenant_id", "type", "deleted", "id", "next_change")


def _contains(folded: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Test whether a folded copy contains the example; an index of PostgreSQL serves."""
    return folded.op("@>", is_comparison=True)(sa.cast(given("example", sa.Text()), postgresql.JSONB()))


def _matching() -> sa.Select[Any]:
    """Return a query for whatever contains the example, which names the tenant, as stored.

    Its caller keeps it apart from the tests of the columns of tenant and type: given the chance PostgreSQL
    reads all users of the tenant from another index as well, to have fewer rows to look at, which takes 12 ms
    of 100,000.
    """
    return sa.select(*(resource.c[name] for name in _FOUND)).where(_contains(resource.c.folded))


def _found(matching: sa.FromClause, *, is_varying: bool) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """Return a query for the ids of those of what matches that are live and of the tenant and type."""
    stored = sa.select(matching.c.id).where(*live(matching))
    if not is_varying:
        return stored
    is_as_stored = sa.or_(matching.c.next_change.is_(None), matching.c.next_change > NOW)
    passed = sa.select(resource.c.id).where(*live(), Clocked(NOW).has_passed)
    return stored.where(is_as_stored).union_all(passed.where(as_it_is(NOW, _contains)))


def _gathered(dialect: str, *, is_varying: bool, most: int | None) -> sa.Select[Any]:
    """Return a query for a page of what contains the example, each row after the number of all of them.

    There is a row with that number even if nothing is on the page. A probe looks at not many more than `most`
    matches, and tells TOO_MANY where there are more; what is on its page is of no use then.
    """
    some = _matching()
    if most is not None:
        some = some.limit(sa.literal_column(str(most + 1)))
    matching = some.cte("matching").prefix_with("MATERIALIZED", dialect="postgresql")
    found = _found(matching, is_varying=is_varying).cte("found")
    number: sa.ColumnElement[int] = sa.select(sa.func.count()).select_from(found).scalar_subquery()
    if most is not None:
        seen = sa.select(sa.func.count()).select_from(matching).scalar_subquery()
        number = sa.case(
            (seen > sa.literal_column(str(most)), sa.literal_column(str(TOO_MANY))), else_=number
        )
    chosen = sa.select(found.c.id).where(found.c.id > given("after")).order_by(found.c.id)
    chosen = chosen.limit(given("limit", sa.Integer())).offset(given("offset", sa.BigInteger()))
    page = (
        sa.select(*OWN, own_groups(dialect).label("groups"))
        .where(resource.c.tenant_id == given("tenant_id"), resource.c.id.in_(chosen))
        .subquery()
    )
    told = sa.select(number.label("number")).subquery()
    return sa.select(told.c.number, *page.c).select_from(told.outerjoin(page, sa.true())).order_by(page.c.id)


def _counted(_dialect: str, *, is_varying: bool) -> sa.Select[Any]:
    """Return a query for how many contain the example; OFFSET 0 keeps the matches apart, but stores none."""
    matching = _matching().offset(sa.literal_column("0")).subquery()
    return sa.select(sa.func.count()).select_from(_found(matching, is_varying=is_varying).subquery())


def _walked(_dialect: str, *, is_varying: bool, rows: int) -> sa.CompoundSelect[Any]:
    """Return a query for a page of what contains the example among the next rows in their order.

    Where that is less than a page, a row without an id follows, whose last column tells whether there are
    rows beyond those that were looked at.
    """
    columns = (*OWN, resource.c.folded) if not is_varying else (resource.c.id,)
    some = sa.select(*columns).where(*live(), resource.c.id > given("after")).order_by(resource.c.id)
    part = some.limit(sa.literal_column(str(rows))).subquery()
    if is_varying:
        is_same = sa.and_(resource.c.tenant_id == given("tenant_id"), resource.c.id == part.c.id)
        query = sa.select(*OWN).select_from(part.join(resource, is_same)).where(as_it_is(NOW, _contains))
    else:
        query = sa.select(*(part.c[column.name] for column in OWN)).where(_contains(part.c.folded))
    limit = given("limit", sa.Integer())
    found = query.order_by(part.c.id).limit(limit).offset(given("offset", sa.BigInteger())).subquery()
    later = resource.alias()
    rest: sa.Select[Any] = sa.select(sa.literal_column("1")).where(*live(later), later.c.id > given("after"))
    beyond = rest.order_by(later.c.id).limit(sa.literal_column("1"))
    is_more = sa.exists(beyond.offset(sa.literal_column(str(rows))))
    nothing: Sequence[sa.ColumnElement[Any]] = [sa.literal_column(text) for text in ("''", "0", "NULL")]
    end = sa.select(*nothing, is_more)
    return sa.select(*found.c).union_all(end).limit(limit)


_BOTH = (False, True)


class Matches:
    """The statements for what contains an example, each for attributes that vary in time and for others."""

    def __init__(self, many: int, walked: int) -> None:
        """Take how many have a common value at the least, less one, and how many rows a walk looks at."""
        self.many = many
        self.walked = walked
        self.probed = {one: Statement(partial(_gathered, is_varying=one, most=many)) for one in _BOTH}
        self.gathered = {one: Statement(partial(_gathered, is_varying=one, most=None)) for one in _BOTH}
        self.counted = {one: Statement(partial(_counted, is_varying=one)) for one in _BOTH}
        self.walks = {one: Statement(partial(_walked, is_varying=one, rows=walked)) for one in _BOTH}


MATCHES = Matches(500, 5_000)
"""A walk that finds its page among the first rows takes as long as gathering some hundred; one that does not,
as long as gathering as many as it looks at."""
