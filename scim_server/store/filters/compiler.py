"""From a bound condition to an SQL test on a row of the resource table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

import sqlalchemy as sa

from scim_server.scim.attributes import ReferenceKind
from scim_server.scim.filters.binding import Condition, Element, Predicate, Presence
from scim_server.scim.registry import Registry, ResourceType
from scim_server.store import clock
from scim_server.store.filters import common
from scim_server.store.filters.contents import ContentTests
from scim_server.store.filters.json import Expression, JsonDialect, Test, compare
from scim_server.store.filters.logic import Leaf, combined
from scim_server.store.filters.references import reference_test, with_groups_together
from scim_server.store.filters.source import RESOURCES, Source
from scim_server.store.filters.varying import as_it_is
from scim_server.store.tables import unique_value


@dataclass(frozen=True, slots=True)
class FilterContext:
    """What a compiled filter depends on besides its condition.

    `locations` maps a resource type's name to the URL prefix of its resources. `varying` names the
    top-level attributes that change as time passes, by their lower-case paths; filters read them as
    they are at `now`, in microseconds.
    """

    json: JsonDialect
    tenant_id: int
    registry: Registry
    locations: Mapping[str, str]
    varying: frozenset[str] = frozenset()
    now: int = field(default_factory=clock.now)


class FilterCompiler:
    """Compiles conditions about one resource type, whose resources are rows of a source."""

    def __init__(
        self, context: FilterContext, resource_type: ResourceType, source: Source = RESOURCES
    ) -> None:
        self.context = context
        self.json = context.json
        self.resource_type = resource_type
        self.source = source

    def compile(self, condition: Condition) -> Test:
        """Return the test; it is true or false for every row, never NULL (RFC 7644 §3.4.2.2)."""
        return combined(with_groups_together(condition), self._test)

    def _test(self, condition: Leaf) -> Test:
        attribute = condition.attribute.container
        if attribute.reference_kind is not ReferenceKind.NONE:
            return reference_test(condition, attribute, self.context)
        special = common.TESTS.get(attribute.key) if not attribute.schema else None
        if special is not None:
            inner = condition.condition if isinstance(condition, Element) else condition
            return combined(inner, lambda leaf: special(leaf, self.context, self.resource_type, self.source))
        if attribute.path.lower() in self.context.varying:
            return as_it_is(self.context.now, lambda folded: self._tests(folded).test(condition))
        return self._stored_test(condition)

    def _tests(self, folded: Expression) -> ContentTests:
        """Return the tests of a folded copy; those of resources name their tenant."""
        return ContentTests(self.json, folded, self.context.tenant_id if self.source is RESOURCES else None)

    def _stored_test(self, condition: Leaf) -> Test:
        """Return the test of what a row holds as it was written, in a column of its own if it has one."""
        contents = self._tests(self.source.folded)
        attribute = condition.attribute
        if isinstance(condition, Element):
            if attribute.multi_valued or not self.source.texts:
                return contents.test(condition)
            there = contents.test(Presence(attribute))
            return sa.and_(there, combined(condition.condition, self._stored_test))
        column = self.source.moments.get(attribute.path.lower())
        if column is not None and isinstance(condition, Predicate):
            return common.moment_test(column, condition.operator, condition.value)
        column = self.source.texts.get(attribute.path.lower())
        if column is not None and isinstance(condition, Predicate):
            return compare(self.json, column, condition.operator, condition.value)
        if is_unique(condition):
            return self._unique(condition)
        return contents.test(condition)

    def _unique(self, condition: Predicate) -> Test:
        holders = sa.select(unique_value.c.resource_id).where(
            unique_value.c.tenant_id == self.context.tenant_id,
            unique_value.c.type == self.resource_type.name,
            unique_value.c.attribute == condition.attribute.path,
            unique_value.c.key == str(condition.value),
        )
        return self.source.id.in_(holders)


def is_unique(condition: Condition) -> TypeGuard[Predicate]:
    """Tell whether the table of unique values answers a predicate."""
    if not isinstance(condition, Predicate):
        return False
    attribute = condition.attribute
    return (
        condition.operator == "eq"
        and attribute.uniqueness != "none"
        and attribute.parent is None
        and not attribute.multi_valued
    )
