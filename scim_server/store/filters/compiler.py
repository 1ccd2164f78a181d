"""From a bound condition to an SQL test on a row of the resource table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from scim_server.scim.attributes import Attribute, ReferenceKind
from scim_server.scim.filters.binding import (
    AllOf,
    Condition,
    Element,
    Predicate,
    Presence,
)
from scim_server.scim.registry import Registry, ResourceType
from scim_server.store import clock
from scim_server.store.filters import common
from scim_server.store.filters.json import Expression, JsonDialect, Test, compare
from scim_server.store.filters.logic import Leaf, combined
from scim_server.store.filters.references import reference_test, with_groups_together
from scim_server.store.tables import resource, unique_value


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
    """Compiles conditions about one resource type."""

    def __init__(self, context: FilterContext, resource_type: ResourceType) -> None:
        self.context = context
        self.json = context.json
        self.resource_type = resource_type

    def compile(self, condition: Condition) -> Test:
        """Return the test; it is true or false for every row, never NULL (RFC 7644 §3.4.2.2)."""
        return combined(with_groups_together(condition), self._test)

    def _test(self, condition: Predicate | Presence | Element) -> Test:
        attribute = condition.attribute.container
        if attribute.reference_kind is not ReferenceKind.NONE:
            return reference_test(condition, attribute, self.context)
        special = common.TESTS.get(attribute.key) if not attribute.schema else None
        if special is not None:
            inner = condition.condition if isinstance(condition, Element) else condition
            return combined(inner, lambda leaf: special(leaf, self.context, self.resource_type))
        if isinstance(condition, Presence):
            return self._presence(condition.attribute)
        if isinstance(condition, Element):
            return self._element(condition)
        return self._predicate(condition)

    def _path(self, attribute: Attribute) -> list[str]:
        prefix = [attribute.extension.lower()] if attribute.extension else []
        return [*prefix, attribute.key]

    def _predicate(self, condition: Predicate) -> Test:
        attribute = condition.attribute
        if condition.operator == "eq":
            if attribute.uniqueness != "none" and attribute.parent is None and not attribute.multi_valued:
                return self._unique(condition)
            indexed = self.json.contains(resource.c.folded, self._example(attribute, condition.value))
            if indexed is not None:
                return indexed
        if attribute.container.multi_valued:
            return self._any_element(attribute.container, condition)
        base, path = resource.c.folded, self._path(attribute.container)
        if attribute.parent is not None:
            path.append(attribute.key)
        return self._scalar_test(base, path, condition)

    def _scalar_test(self, base: Expression, path: Sequence[str], condition: Predicate) -> Test:
        attribute = condition.attribute
        if attribute.multi_valued:
            rows = self.json.elements(base, path)
            return _exists(
                rows, compare(self.json, self.json.bare(rows, attribute), condition.operator, condition.value)
            )
        return compare(
            self.json, self.json.scalar(base, path, attribute), condition.operator, condition.value
        )

    def _unique(self, condition: Predicate) -> Test:
        holders = sa.select(unique_value.c.resource_id).where(
            unique_value.c.tenant_id == self.context.tenant_id,
            unique_value.c.type == self.resource_type.name,
            unique_value.c.attribute == condition.attribute.path,
            unique_value.c.key == str(condition.value),
        )
        return resource.c.id.in_(holders)

    def _example(self, attribute: Attribute, value: Any) -> Any:
        """Return the smallest document that contains a value of an attribute, for containment."""
        example: Any = [value] if attribute.multi_valued else value
        if attribute.parent is not None:
            example = {attribute.key: example}
            if attribute.parent.multi_valued:
                example = [example]
        return _nested(self._path(attribute.container), example)

    def _presence(self, attribute: Attribute) -> Test:
        parent = attribute.parent
        if parent is not None and parent.multi_valued:
            return self._any_element(parent, Presence(attribute))
        path = self._path(attribute.container)
        return self.json.present(resource.c.folded, [*path, attribute.key] if parent else path)

    def _element(self, condition: Element) -> Test:
        attribute = condition.attribute
        equal = _equal_parts(condition.condition)
        if not attribute.multi_valued:
            path = self._path(attribute)
            there = self.json.present(resource.c.folded, path)
            return sa.and_(there, element_test(self.json, condition.condition, resource.c.folded, path))
        example = {
            part.attribute.key: [part.value] if part.attribute.multi_valued else part.value for part in equal
        }
        whole = len(equal) == _size(condition.condition) and len(example) == len(equal)
        indexed = None
        if example and attribute.type == "complex":
            indexed = self.json.contains(resource.c.folded, _nested(self._path(attribute), [example]))
        if indexed is not None and whole and not any(part.attribute.multi_valued for part in equal):
            return indexed
        tested = self._any_element(attribute, condition.condition)
        return tested if indexed is None or not whole else sa.and_(indexed, tested)

    def _any_element(self, attribute: Attribute, condition: Condition) -> Test:
        rows = self.json.elements(resource.c.folded, self._path(attribute))
        if attribute.type != "complex":
            return _exists(rows, _bare_test(self.json, condition, rows))
        return _exists(rows, element_test(self.json, condition, self.json.element(rows), ()))


def element_test(json: JsonDialect, condition: Condition, base: Expression, path: Sequence[str]) -> Test:
    """Return the test of a condition on the JSON object at a path of `base`."""

    def test(leaf: Leaf) -> Test:
        where = [*path, leaf.attribute.key]
        if isinstance(leaf, Presence):
            return json.present(base, where)
        if isinstance(leaf, Element):
            return sa.false()
        if leaf.attribute.multi_valued:
            rows = json.elements(base, where)
            return _exists(rows, compare(json, json.bare(rows, leaf.attribute), leaf.operator, leaf.value))
        return compare(json, json.scalar(base, where, leaf.attribute), leaf.operator, leaf.value)

    return combined(condition, test)


def _bare_test(json: JsonDialect, condition: Condition, rows: sa.TableValuedAlias) -> Test:
    """Return the test of a condition on a row of an array of simple values."""

    def test(leaf: Leaf) -> Test:
        if isinstance(leaf, Predicate):
            return compare(json, json.bare(rows, leaf.attribute), leaf.operator, leaf.value)
        return sa.true() if isinstance(leaf, Presence) else sa.false()

    return combined(condition, test)


def _exists(rows: sa.TableValuedAlias, test: Test) -> Test:
    return sa.exists(sa.select(sa.literal_column("1")).select_from(rows).where(test)).correlate(resource)


def _nested(path: Sequence[str], value: Any) -> Any:
    for key in reversed(path):
        value = {key: value}
    return value


def _equal_parts(condition: Condition) -> list[Predicate]:
    if isinstance(condition, AllOf):
        return [part for operand in condition.operands for part in _equal_parts(operand)]
    if isinstance(condition, Predicate) and condition.operator == "eq":
        return [condition]
    return []


def _size(condition: Condition) -> int:
    return sum(_size(operand) for operand in condition.operands) if isinstance(condition, AllOf) else 1
