"""Filters on the common attributes that are columns or computed: id, meta and schemas."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from scim_server.scim.attributes import ReferenceKind
from scim_server.scim.filters.binding import Predicate
from scim_server.scim.registry import ResourceType
from scim_server.scim.values import WrongValue
from scim_server.store.clock import microseconds_of
from scim_server.store.filters.json import Expression, Test, compare
from scim_server.store.filters.logic import Leaf
from scim_server.store.filters.matching import text_matches
from scim_server.store.filters.source import Source
from scim_server.store.tables import reference
from scim_server.store.validity import is_visible

if TYPE_CHECKING:
    from scim_server.store.filters.compiler import FilterContext

_CommonTest = Callable[[Leaf, "FilterContext", ResourceType, Source], Test]


def _id(condition: Leaf, context: "FilterContext", _resource_type: ResourceType, source: Source) -> Test:
    if not isinstance(condition, Predicate):
        return sa.true()
    return compare(context.json, source.id, condition.operator, condition.value)


def _meta(condition: Leaf, context: "FilterContext", resource_type: ResourceType, source: Source) -> Test:
    if not isinstance(condition, Predicate):
        return sa.true()
    key, operator, value = condition.attribute.key, condition.operator, condition.value
    if key == "created":
        return moment_test(source.created, operator, value)
    if key == "lastmodified":
        return source.modified_test(context.now, lambda column: moment_test(column, operator, value))
    if key == "resourcetype":
        return sa.true() if text_matches(resource_type.name, operator, value) else sa.false()
    prefix = sa.literal(context.locations[resource_type.name])
    computed: dict[str, Expression] = {
        "location": prefix + source.id,
        "version": sa.literal('W/"') + sa.cast(source.version(context.now), sa.String) + sa.literal('"'),
    }
    return compare(context.json, computed[key], operator, value)


def moment_test(column: Expression, operator: str, folded: str) -> Test:
    """Compare a column of microseconds with a dateTime of nanoseconds exactly."""
    try:
        floor, rest = microseconds_of(folded)
    except WrongValue:
        return sa.false()
    if operator == "eq":
        return column == floor if not rest else sa.false()
    tests: dict[str, Test] = {
        "gt": column > floor,
        "ge": column >= floor + bool(rest),
        "lt": column < floor + bool(rest),
        "le": column <= floor,
    }
    return tests[operator]


def _schemas(condition: Leaf, context: "FilterContext", resource_type: ResourceType, source: Source) -> Test:
    """`schemas` names the core schema always and an extension where it has data."""
    if not isinstance(condition, Predicate):
        return sa.true()
    if text_matches(resource_type.schema.id, condition.operator, condition.value):
        return sa.true()
    tests: list[Test] = []
    for urn, extension in resource_type.extensions.items():
        if not text_matches(extension.id, condition.operator, condition.value):
            continue
        tests.append(context.json.present(source.folded, [urn]))
        keys = [
            attribute.storage_key
            for attribute in resource_type.references_of(ReferenceKind.SINGLE_SOURCE)
            if attribute.extension == extension.id
        ]
        if keys:
            rows: sa.Select[Any] = sa.select(sa.literal_column("1")).where(
                reference.c.tenant_id == context.tenant_id,
                reference.c.source_id == source.id,
                reference.c.attribute.in_(keys),
                is_visible(reference, context.now),
            )
            tests.append(sa.exists(rows).correlate_except(reference))
    return sa.or_(sa.false(), *tests)


TESTS: dict[str, _CommonTest] = {"id": _id, "meta": _meta, "schemas": _schemas}
