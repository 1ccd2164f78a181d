"""Tests of the JSON document of a row: single values, arrays of them, and complex ones."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from scim_server.scim.attributes import Attribute
from scim_server.scim.filters.binding import (
    AllOf,
    Condition,
    Element,
    Predicate,
    Presence,
)
from scim_server.store.filters.json import Expression, JsonDialect, Test, compare, contains_by_index
from scim_server.store.filters.logic import Leaf, combined


def path_of(attribute: Attribute) -> list[str]:
    """Return the keys of the folded document that lead to a top-level attribute."""
    prefix = [attribute.extension.lower()] if attribute.extension else []
    return [*prefix, attribute.key]


class ContentTests:
    """Makes tests of one folded document, which is a column; that of a resource names its tenant."""

    def __init__(self, json: JsonDialect, base: Expression, tenant_id: int | None = None) -> None:
        self.json = json
        self.base = base
        self.tenant_id = tenant_id

    def test(self, condition: Leaf) -> Test:
        """Return the test; it is true or false, never NULL."""
        if isinstance(condition, Presence):
            return self._presence(condition.attribute)
        if isinstance(condition, Element):
            return self._element(condition)
        return self._predicate(condition)

    def _predicate(self, condition: Predicate) -> Test:
        attribute = condition.attribute
        if condition.operator == "eq":
            indexed = self._indexed(_example(attribute, condition.value))
            if indexed is not None:
                return indexed
        if attribute.container.multi_valued:
            return self._any_element(attribute.container, condition)
        path = path_of(attribute.container)
        if attribute.parent is not None:
            path.append(attribute.key)
        if not attribute.multi_valued:
            own = self.json.scalar(self.base, path, attribute)
            return compare(self.json, own, condition.operator, condition.value)
        rows = self.json.elements(self.base, path)
        own = self.json.bare(rows, attribute)
        return _exists(rows, compare(self.json, own, condition.operator, condition.value))

    def _indexed(self, example: Any) -> Test | None:
        return contains_by_index(self.json, self.base, example, self.tenant_id)

    def _presence(self, attribute: Attribute) -> Test:
        parent = attribute.parent
        if parent is not None and parent.multi_valued:
            return self._any_element(parent, Presence(attribute))
        path = path_of(attribute.container)
        return self.json.present(self.base, [*path, attribute.key] if parent else path)

    def _element(self, condition: Element) -> Test:
        attribute = condition.attribute
        equal = equal_parts(condition.condition)
        if not attribute.multi_valued:
            path = path_of(attribute)
            there = self.json.present(self.base, path)
            return sa.and_(there, element_test(self.json, condition.condition, self.base, path))
        example = {
            part.attribute.key: [part.value] if part.attribute.multi_valued else part.value for part in equal
        }
        whole = len(equal) == _size(condition.condition) and len(example) == len(equal)
        indexed = None
        if example and attribute.type == "complex":
            indexed = self._indexed(_nested(path_of(attribute), [example]))
        if indexed is not None and whole and not any(part.attribute.multi_valued for part in equal):
            return indexed
        tested = self._any_element(attribute, condition.condition)
        return tested if indexed is None or not whole else sa.and_(indexed, tested)

    def _any_element(self, attribute: Attribute, condition: Condition) -> Test:
        rows = self.json.elements(self.base, path_of(attribute))
        if attribute.type != "complex":
            return _exists(rows, _bare_test(self.json, condition, rows))
        return _exists(rows, element_test(self.json, condition, self.json.element(rows), ()))


def _example(attribute: Attribute, value: Any) -> Any:
    """Return the smallest document that contains a value of an attribute, for containment."""
    example: Any = [value] if attribute.multi_valued else value
    if attribute.parent is not None:
        example = {attribute.key: example}
        if attribute.parent.multi_valued:
            example = [example]
    return _nested(path_of(attribute.container), example)


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
    return sa.exists(sa.select(sa.literal_column("1")).select_from(rows).where(test)).correlate_except(rows)


def _nested(path: Sequence[str], value: Any) -> Any:
    for key in reversed(path):
        value = {key: value}
    return value


def equal_parts(condition: Condition) -> list[Predicate]:
    """Return the equalities of a condition that all have to hold."""
    if isinstance(condition, AllOf):
        return [part for operand in condition.operands for part in equal_parts(operand)]
    if isinstance(condition, Predicate) and condition.operator == "eq":
        return [condition]
    return []


def _size(condition: Condition) -> int:
    return sum(_size(operand) for operand in condition.operands) if isinstance(condition, AllOf) else 1


def example_of(condition: Condition) -> tuple[Attribute, Any] | None:
    """Return the attribute a condition is about and the smallest folded document that satisfies it.

    None where containing a document is not all of what the condition says.
    """
    if isinstance(condition, Predicate) and condition.operator == "eq":
        return condition.attribute.container, _example(condition.attribute, condition.value)
    if not isinstance(condition, Element) or not condition.attribute.multi_valued:
        return None
    equal = equal_parts(condition.condition)
    example = {part.attribute.key: part.value for part in equal}
    is_whole = len(equal) == _size(condition.condition) == len(example)
    if (
        not is_whole
        or condition.attribute.type != "complex"
        or any(part.attribute.multi_valued for part in equal)
    ):
        return None
    return condition.attribute, _nested(path_of(condition.attribute), [example])
