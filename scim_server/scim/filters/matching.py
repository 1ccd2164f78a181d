"""Evaluation of a bound condition on one value of an attribute, for PATCH value paths."""

from collections.abc import Callable, Mapping
from typing import Any

from scim_server.scim.attributes import Attribute
from scim_server.scim.filters.binding import (
    AllOf,
    AnyOf,
    Condition,
    Element,
    Negation,
    Never,
    Predicate,
    Presence,
)
from scim_server.scim.values import fold

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda own, asked: bool(own == asked),
    "co": lambda own, asked: asked in own,
    "sw": lambda own, asked: own.startswith(asked),
    "ew": lambda own, asked: own.endswith(asked),
    "gt": lambda own, asked: own > asked,
    "ge": lambda own, asked: own >= asked,
    "lt": lambda own, asked: own < asked,
    "le": lambda own, asked: own <= asked,
}


def matches(condition: Condition, element: Any) -> bool:
    """Tell whether one value of a multi-valued attribute satisfies a bound condition.

    `element` is an object for a complex attribute, otherwise the bare value, which the filter
    calls `value`.
    """
    if isinstance(condition, AllOf):
        return all(matches(operand, element) for operand in condition.operands)
    if isinstance(condition, AnyOf):
        return any(matches(operand, element) for operand in condition.operands)
    if isinstance(condition, Negation):
        return not matches(condition.operand, element)
    if isinstance(condition, Predicate):
        compare = OPERATORS[condition.operator]
        own = _values(condition.attribute, element)
        return any(compare(fold(condition.attribute, value), condition.value) for value in own)
    if isinstance(condition, Presence):
        return bool(_values(condition.attribute, element))
    return not isinstance(condition, Element | Never)


def _values(attribute: Attribute, element: Any) -> list[Any]:
    if not isinstance(element, Mapping):
        return [element]
    value = element.get(attribute.name)
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
