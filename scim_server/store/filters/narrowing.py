"""On SQLite: which resources a condition can be true of at all, looked up in the index of folded copies.

Where few can be, only these are tested; the test stays the same. Where many can be, what is asked for is
found sooner by walking through all of them.
"""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import sqlalchemy as sa

from scim_server.scim.attributes import ReferenceKind
from scim_server.scim.filters.binding import AllOf, AnyOf, Condition, Element, Never, Predicate
from scim_server.scim.registry import ResourceType
from scim_server.store.database import Reader, Writer
from scim_server.store.filters import common
from scim_server.store.filters.compiler import FilterContext, is_unique
from scim_server.store.filters.entries import Entry, entry_of
from scim_server.store.tables import folded_value, resource

FEW = 10_000
"""Resources up to which they are gathered: that takes 5 ms, which walking takes for 1,000 resources."""
_MOST_LOOKUPS = 100


@dataclass(frozen=True, slots=True)
class Lookup:
    """The live resources of a type that have an entry, and those that may have it by now if it varies."""

    type: str
    entry: Entry
    is_varying: bool

    def ids(self, context: FilterContext) -> list[sa.Select[Any]]:
        """Return the queries that have the ids together."""
        queries = [
            sa.select(folded_value.c.resource_id.label("id")).where(
                folded_value.c.tenant_id == context.tenant_id,
                folded_value.c.type == self.type,
                folded_value.c.deleted == 0,
                folded_value.c.path == self.entry.path,
                folded_value.c.key == self.entry.key,
            )
        ]
        if self.is_varying:
            changed = resource.alias()
            queries.append(
                sa.select(changed.c.id).where(
                    changed.c.tenant_id == context.tenant_id,
                    changed.c.type == self.type,
                    changed.c.next_change <= context.now,
                    changed.c.deleted.is_(None),
                )
            )
        return queries


@dataclass(frozen=True, slots=True)
class _Each:
    """What all of several plans allow; any one of them serves."""

    plans: tuple["Plan", ...]


@dataclass(frozen=True, slots=True)
class _Any:
    """What at least one of several plans allows; all of them are needed."""

    plans: tuple["Plan", ...]


Plan = Lookup | _Each | _Any


def plan_of(types: Sequence[tuple[ResourceType, Condition | None]], context: FilterContext) -> Plan | None:
    """Return how to look up what conditions on types can be true of, None where that is no use."""
    plan = _any_of(
        [
            None if condition is None or _is_narrow(condition) else _Planner(context, kind).plan(condition)
            for kind, condition in types
            if not isinstance(condition, Never)
        ]
    )
    return None if plan is None or len(_lookups(plan)) > _MOST_LOOKUPS else plan


def _is_narrow(condition: Condition) -> bool:
    """Tell whether the test itself looks up the one resource it can be true of."""
    if isinstance(condition, AllOf):
        return any(_is_narrow(operand) for operand in condition.operands)
    is_id = (
        isinstance(condition, Predicate) and condition.operator == "eq" and condition.attribute.path == "id"
    )
    return is_id or is_unique(condition)


def _any_of(plans: Sequence[Plan | None]) -> Plan | None:
    """Return the plan for what any of several allows, None where one of them allows everything."""
    known = tuple(plan for plan in plans if plan is not None)
    if len(known) < len(plans) or not known:
        return None
    return known[0] if len(known) == 1 else _Any(known)


class _Planner:
    def __init__(self, context: FilterContext, resource_type: ResourceType) -> None:
        self.context = context
        self.type = resource_type.name

    def plan(self, condition: Condition) -> Plan | None:
        if isinstance(condition, AnyOf):
            return _any_of([self.plan(one) for one in condition.operands if not isinstance(one, Never)])
        if isinstance(condition, AllOf):
            found = [self.plan(operand) for operand in condition.operands]
            known = tuple(plan for plan in found if plan is not None)
            return _Each(known) if known else None
        if isinstance(condition, Element):
            return self.plan(condition.condition)
        if isinstance(condition, Predicate) and condition.operator == "eq":
            return self._lookup(condition)
        return None

    def _lookup(self, condition: Predicate) -> Lookup | None:
        container = condition.attribute.container
        if not container.schema and container.key in common.TESTS:
            return None
        if container.reference_kind is not ReferenceKind.NONE:
            return None
        is_varying = container.path.lower() in self.context.varying
        return Lookup(self.type, entry_of(condition.attribute, condition.value), is_varying)


def _lookups(plan: Plan) -> list[Lookup]:
    if isinstance(plan, Lookup):
        return [plan]
    return list(dict.fromkeys(one for inner in plan.plans for one in _lookups(inner)))


def _smallest(plan: Plan, sizes: dict[Lookup, int]) -> tuple[int, list[Lookup]]:
    """Return the look-ups to gather by, and how many resources they have at the most."""
    if isinstance(plan, Lookup):
        return sizes[plan], [plan]
    found = [_smallest(inner, sizes) for inner in plan.plans]
    if isinstance(plan, _Each):
        return min(found, key=lambda one: one[0])
    return sum(size for size, _ in found), [one for _, chosen in found for one in chosen]


def _size(lookup: Lookup, context: FilterContext) -> sa.ColumnElement[int]:
    """Return how many resources a look-up has, counted no further than it matters."""
    some = [query.limit(FEW + 1).subquery() for query in lookup.ids(context)]
    counts = [sa.select(sa.func.count()).select_from(each).scalar_subquery() for each in some]
    return reduce(operator.add, counts)


async def narrowed(
    reader: Reader | Writer, plan: Plan, context: FilterContext
) -> sa.CompoundSelect[Any] | sa.Select[Any] | None:
    """Return the query for the ids of the few resources that a plan allows, None where they are many."""
    lookups = _lookups(plan)
    row = (await reader.execute(sa.select(*(_size(one, context) for one in lookups)))).one()
    size, chosen = _smallest(plan, dict(zip(lookups, row, strict=True)))
    if size > FEW:
        return None
    queries = [query for one in dict.fromkeys(chosen) for query in one.ids(context)]
    return queries[0] if len(queries) == 1 else sa.union_all(*queries)
