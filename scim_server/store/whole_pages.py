"""Pages of resources read by one statement of PostgreSQL: the resources, their groups, how many, who asks.

Each statement costs the server a message each way, which takes longer than putting the parts together here
(docs/performance.md). The parts are rows of one shape, told apart by their first column.
"""

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from scim_server.store.callers import of_token
from scim_server.store.database import Reader
from scim_server.store.listing import live_number
from scim_server.store.sessions import Row as Columns
from scim_server.store.showing import MEMBERSHIPS, NOW, shown_group, together_in
from scim_server.store.statements import Statement, given
from scim_server.store.tables import reference, resource
from scim_server.store.validity import is_visible

_RESOURCE, _GROUP, _NUMBER, _CALLER = range(4)
_NOTHING: Sequence[sa.ColumnElement[Any]] = [sa.null(), sa.null(), sa.null()]


class WholePage:
    """The statement that reads a page whole: `page` is a query for the columns OWN in their order.

    `is_counted` adds how many live resources of the type there are.
    """

    def __init__(self, page: Statement, *, is_counted: bool) -> None:
        self._page = page
        self._is_counted = is_counted
        self.plain = Statement(lambda dialect: self._query(dialect, with_caller=False))
        self.with_caller = Statement(lambda dialect: self._query(dialect, with_caller=True))

    def _query(self, dialect: str, *, with_caller: bool) -> sa.CompoundSelect[Any]:
        inner = self._page.select(dialect).subquery()
        page = sa.select(inner, _group_ids(inner).label("own")).cte("page")
        page = page.prefix_with("MATERIALIZED", dialect="postgresql")
        each = sa.func.unnest(sa.func.string_to_array(page.c.own, sa.literal_column("','")))
        groups = sa.select(each.label("id")).distinct().cte("groups")
        group = resource.alias()
        of_group = sa.select(shown_group(dialect, group)).where(
            group.c.tenant_id == given("tenant_id"), group.c.id == groups.c.id, group.c.deleted.is_(None)
        )
        parts = [
            sa.select(_kind(_GROUP), groups.c.id, *_NOTHING, of_group.scalar_subquery()),
        ]
        if self._is_counted:
            number = live_number(dialect).scalar_subquery()
            parts.append(sa.select(_kind(_NUMBER), sa.null(), *_NOTHING, sa.cast(number, sa.Text())))
        if with_caller:
            caller = of_token(dialect).subquery()
            told = sa.select(
                sa.cast(sa.func.json_build_array(*caller.c), postgresql.TEXT())
            ).scalar_subquery()
            parts.append(sa.select(_kind(_CALLER), sa.null(), *_NOTHING, told))
        return sa.select(_kind(_RESOURCE), *page.c).union_all(*parts)


class Parts:
    """What a whole page is made of: the rows OWN with their groups, the number, and the caller or None."""

    def __init__(self, rows: Sequence[Columns]) -> None:
        of: tuple[list[Columns], ...] = ([], [], [], [])
        for row in rows:
            of[row[0]].append(row)
        texts = {row[1]: row[5] for row in of[_GROUP] if row[5] is not None}
        own_groups = {row[5] for row in of[_RESOURCE]} - {None}
        listed = {own: together_in(sorted(own.split(",")), texts) for own in own_groups}
        self.rows = [(*row[1:5], listed.get(row[5])) for row in sorted(of[_RESOURCE], key=lambda row: row[1])]
        self.number = int(of[_NUMBER][0][5]) if of[_NUMBER] else None
        told = of[_CALLER][0][5] if of[_CALLER] else None
        self.caller = None if told is None else tuple(json.loads(told))


def _kind(number: int) -> sa.ColumnElement[int]:
    return sa.literal_column(str(number))


def _group_ids(page: sa.FromClause) -> sa.ScalarSelect[str]:
    """Return the ids of the groups that a resource of a page is in, in one text.

    As a value of each row it is looked up by index, whatever PostgreSQL expects of the length of the page.
    """
    member = reference.alias()
    return (
        sa.select(sa.func.string_agg(member.c.source_id, sa.literal_column("','")))
        .where(
            member.c.tenant_id == given("tenant_id"),
            member.c.target_id == page.c.id,
            member.c.attribute == MEMBERSHIPS,
            is_visible(member, NOW),
        )
        .correlate(page)
        .scalar_subquery()
    )


async def read_whole(reader: Reader, page: WholePage, **values: Any) -> Parts:
    """Read a page by one statement, which confirms a claim that is open; raises CallerChanged."""
    claim = reader.open_claim
    if claim is None:
        return Parts(await reader.rows(page.plain, **values))
    parts = Parts(await reader.rows(page.with_caller, digest=claim.digest, **values))
    claim.confirm(parts.caller)
    return parts
