"""Lists of resources: filtered, sorted, paged by offset or by key; counts."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_server.scim.attributes import Attribute
from scim_server.scim.filters.binding import Condition
from scim_server.scim.registry import ResourceType
from scim_server.scim.resources import Resource
from scim_server.store.database import Reader, Writer
from scim_server.store.filters.compiler import FilterCompiler, FilterContext
from scim_server.store.filters.contents import path_of
from scim_server.store.filters.json import Expression, Test
from scim_server.store.filters.narrowing import narrowed, plan_of
from scim_server.store.filters.source import RESOURCES, Source
from scim_server.store.filters.varying import value_as_it_is
from scim_server.store.statements import Statement, given, one_of
from scim_server.store.tables import counter

COUNTER_SLOTS = 16


@dataclass(frozen=True, slots=True)
class Selection:
    """Which resources a list is about: types with the condition for each (None for all), and the order."""

    types: tuple[tuple[ResourceType, Condition | None], ...]
    sort: tuple[tuple[ResourceType, Attribute], ...] = ()
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A resource of a page with its sort key (None without a sort or a value)."""

    resource: Resource
    sort_key: Any = None


class Lister:
    """Runs one selection of the rows of a source."""

    def __init__(self, context: FilterContext, selection: Selection, source: Source = RESOURCES) -> None:
        self.context = context
        self.selection = selection
        self.source = source
        self.sort_key = self._sort_expression() if selection.sort else None

    def _where(self) -> Test:
        tests: list[Test] = []
        for resource_type, condition in self.selection.types:
            test = self.source.of_type(resource_type.name)
            if condition is not None:
                compiler = FilterCompiler(self.context, resource_type, self.source)
                test = sa.and_(test, compiler.compile(condition))
            tests.append(test)
        of_type = sa.or_(*tests) if len(tests) > 1 else tests[0]
        return sa.and_(self.source.tenant_id == self.context.tenant_id, self.source.is_live, of_type)

    def _sort_expression(self) -> Expression:
        keys = [
            (resource_type.name, sort_value(self.context, attribute, self.source))
            for resource_type, attribute in self.selection.sort
        ]
        if len(keys) == 1:
            return keys[0][1]
        if len({type(key.type) for _, key in keys}) > 1:
            keys = [(name, sa.cast(key, sa.String)) for name, key in keys]
        return sa.case(*((self.source.type == name, key) for name, key in keys))

    def _order(self) -> list[Expression]:
        """Order by the sort key with missing values last, or first when descending, then by id."""
        direction = sa.desc if self.selection.descending else sa.asc
        if self.sort_key is None:
            return [direction(self.source.id)]
        return [direction(self.sort_key.is_(None)), direction(self.sort_key), direction(self.source.id)]

    def _after(self, position: Sequence[Any]) -> Test:
        """Return the test for what comes after a position: [id] or [sort key or None, id]."""
        later: Callable[[Expression, Any], Test] = operator.lt if self.selection.descending else operator.gt
        id_later: Test = later(self.source.id, position[-1])
        if self.sort_key is None:
            return id_later
        missing, key = self.sort_key.is_(None), position[0]
        if key is None:
            rest = sa.and_(missing, id_later)
            return sa.or_(rest, self.sort_key.is_not(None)) if self.selection.descending else rest
        beyond = sa.or_(later(self.sort_key, key), sa.and_(self.sort_key == key, id_later))
        return beyond if self.selection.descending else sa.or_(beyond, missing)

    async def _test(self, reader: Reader | Writer) -> Test:
        """Return the test of a row; on SQLite of few rows where few can satisfy the conditions."""
        if reader.dialect.name != "sqlite" or self.source is not RESOURCES:
            return self._where()
        plan = plan_of(self.selection.types, self.context)
        ids = None if plan is None else await narrowed(reader, plan, self.context)
        return self._where() if ids is None else sa.and_(self._where(), self.source.id.in_(ids))

    async def page(
        self, reader: Reader | Writer, *, limit: int, offset: int = 0, after: Sequence[Any] | None = None
    ) -> list[Row]:
        """Return a page; ids are chosen first and their documents read after, whatever the offset."""
        key = self.sort_key if self.sort_key is not None else sa.null()
        chosen = sa.select(self.source.id, key.label("sort_key")).where(await self._test(reader))
        if after is not None:
            chosen = chosen.where(self._after(after))
        chosen = chosen.order_by(*self._order()).limit(limit)
        ids = [
            (row.id, row.sort_key)
            for row in await reader.execute(chosen.offset(offset) if offset else chosen)
        ]
        if not ids:
            return []
        query = sa.select(*self.source.selected).where(
            self.source.tenant_id == self.context.tenant_id, self.source.id.in_([own_id for own_id, _ in ids])
        )
        found = {row.id: self.source.read(row, self.context.now) for row in await reader.execute(query)}
        return [Row(found[own_id], sort_key) for own_id, sort_key in ids if own_id in found]

    async def count(self, reader: Reader | Writer) -> int:
        """Return how many resources the selection has."""
        query = sa.select(sa.func.count()).where(await self._test(reader))
        return (await reader.execute(query)).scalar_one()


def sort_value(context: FilterContext, attribute: Attribute, source: Source) -> Expression:
    """Return the SQL value to sort by: of several the primary one, else the first (RFC 7644 §3.4.2.3)."""
    special = source.sorted_by(context.now).get(attribute.path) if not attribute.schema else None
    if special is None:
        special = {**source.texts, **source.moments}.get(attribute.path.lower())
    if special is not None:
        return special
    if attribute.container.path.lower() in context.varying:
        value = value_as_it_is(context.now, lambda folded: _value(context, attribute, folded))
    else:
        value = _value(context, attribute, source.folded)
    if attribute.type != "boolean":
        return value
    return sa.case((value.is_(None), sa.null()), (value, 1), else_=0)


def _value(context: FilterContext, attribute: Attribute, folded: Expression) -> Expression:
    path = path_of(attribute.container)
    if attribute.container.multi_valued:
        return _of_first(context, attribute, folded, path)
    return context.json.scalar(folded, [*path, attribute.key] if attribute.parent else path, attribute)


def _of_first(
    context: FilterContext, attribute: Attribute, folded: Expression, path: Sequence[str]
) -> Expression:
    rows = context.json.elements(folded, path)
    primary = attribute.container.sub("primary")
    if attribute.parent is None:
        value = context.json.bare(rows, attribute)
        return sa.select(sa.func.min(value)).select_from(rows).correlate_except(rows).scalar_subquery()
    element = context.json.element(rows)
    query = sa.select(context.json.scalar(element, [attribute.key], attribute)).select_from(rows)
    if primary is not None:
        query = query.order_by(sa.case((context.json.scalar(element, ["primary"], primary), 0), else_=1))
    return query.limit(1).correlate_except(rows).scalar_subquery()


def live_number(dialect: str) -> sa.Select[int]:
    """Return the query for the sum of the counters that are `names`."""
    return sa.select(sa.func.coalesce(sa.func.sum(counter.c.value), sa.literal_column("0"))).where(
        counter.c.tenant_id == given("tenant_id"), one_of(dialect, counter.c.name, "names")
    )


_LIVE = Statement(live_number)


def counters_of(type_names: Sequence[str]) -> list[str]:
    """Return the names of the counters of live resources."""
    return [f"live:{name}" for name in type_names]


async def live_count(reader: Reader | Writer, tenant_id: int, type_names: Sequence[str]) -> int:
    """Return how many live resources of the types there are, from the counters.

    A claim of a reader's is confirmed with it.
    """
    names = counters_of(type_names)
    row = await reader.claimed_row(_LIVE, tenant_id=tenant_id, names=names)
    return 0 if row is None else int(row[0])
