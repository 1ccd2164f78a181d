"""From what a filter says to what it means: attributes resolved, operators and values checked."""

from collections.abc import Callable, Container
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from scim_server.scim.attributes import Attribute
from scim_server.scim.errors import InvalidFilter
from scim_server.scim.filters import grammar
from scim_server.scim.policy import Policy
from scim_server.scim.registry import ResourceType
from scim_server.scim.values import (
    FRACTION_DIGITS,
    INTEGER_RANGE,
    WHOLE_DIGITS,
    WrongValue,
    fold,
    json_type,
)

_EQUALITY = frozenset({"eq", "ne"})
_ORDER = frozenset({"gt", "ge", "lt", "le"})
_PARTS = frozenset({"co", "sw", "ew"})
_ALLOWED = {
    "string": _EQUALITY | _ORDER | _PARTS,
    "reference": _EQUALITY | _ORDER | _PARTS,
    "boolean": _EQUALITY,
    "binary": _EQUALITY,
    "integer": _EQUALITY | _ORDER,
    "decimal": _EQUALITY | _ORDER,
    "dateTime": _EQUALITY | _ORDER,
}


@dataclass(frozen=True, slots=True)
class Predicate:
    """A comparison of one attribute's value; `value` is folded the way stored values are.

    Operators are eq, co, sw, ew, gt, ge, lt, le; `ne` is a negated eq, so that on a multi-valued
    attribute it means that no value is equal.
    """

    attribute: Attribute
    operator: str
    value: Any


@dataclass(frozen=True, slots=True)
class Presence:
    """The attribute has a value."""

    attribute: Attribute


@dataclass(frozen=True, slots=True)
class Element:
    """One value of the attribute satisfies the whole condition."""

    attribute: Attribute
    condition: "Condition"


@dataclass(frozen=True, slots=True)
class Negation:
    """The operand does not hold; every condition is either true or false, never unknown."""

    operand: "Condition"


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every operand holds."""

    operands: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one operand holds."""

    operands: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Never:
    """Nothing satisfies this: an attribute that only other resource types have."""


Condition = Predicate | Presence | Element | Negation | AllOf | AnyOf | Never

Resolve = Callable[[str], Attribute | None]


def bind_filter(
    expression: grammar.Expression,
    resource_type: ResourceType,
    policy: Policy,
    *,
    known_elsewhere: Callable[[str], bool] | None = None,
    hidden: Container[str] = frozenset(),
) -> Condition:
    """Return the condition a filter means for a resource type.

    An attribute that only another type knows (as told by `known_elsewhere`) never matches, which
    is what a search over several types needs (RFC 7644 §3.4.2.1). Raises InvalidFilter for an
    attribute nothing knows, an operator its type does not have, a value of another type, and an
    attribute that is never returned or whose path is among the `hidden` ones.
    """
    return _Binder(resource_type.name, resource_type.resolve, policy, known_elsewhere, hidden).bind(
        expression
    )


def bind_value_filter(
    expression: grammar.Expression,
    attribute: Attribute,
    policy: Policy,
    *,
    hidden: Container[str] = frozenset(),
) -> Condition:
    """Return the condition of a value path's brackets, about the sub-attributes of one attribute."""
    return _Binder(attribute.path, _element_resolver(attribute), policy, None, hidden).bind(expression)


def _element_resolver(attribute: Attribute) -> Resolve:
    if attribute.type == "complex":
        return attribute.sub
    return lambda name: attribute if name.lower() == "value" else None


class _Binder:
    def __init__(
        self,
        owner: str,
        resolve: Resolve,
        policy: Policy,
        known_elsewhere: Callable[[str], bool] | None,
        hidden: Container[str],
    ) -> None:
        self.owner = owner
        self.resolve = resolve
        self.policy = policy
        self.known_elsewhere = known_elsewhere
        self.hidden = hidden

    def bind(self, expression: grammar.Expression) -> Condition:
        if isinstance(expression, grammar.Junction):
            kind = AllOf if expression.operator == "and" else AnyOf
            return kind(tuple(self.bind(operand) for operand in expression.operands))
        if isinstance(expression, grammar.Not):
            return Negation(self.bind(expression.operand))
        attribute = self.resolve(expression.path)
        if attribute is None:
            if self.known_elsewhere is not None and self.known_elsewhere(expression.path):
                return Never()
            raise InvalidFilter(f"{self.owner} has no attribute {expression.path[:120]!r}.")
        if attribute.returned == "never":
            raise InvalidFilter(f"{attribute.path} is never returned and cannot be filtered.")
        if attribute.path in self.hidden:
            raise InvalidFilter(f"{attribute.path} is not shown to this client and cannot be filtered.")
        if isinstance(expression, grammar.Present):
            return Presence(attribute)
        if isinstance(expression, grammar.ValuePath):
            return self._value_path(attribute, expression)
        return self._comparison(attribute, expression)

    def _value_path(self, attribute: Attribute, expression: grammar.ValuePath) -> Condition:
        if attribute.type != "complex" and not attribute.multi_valued:
            raise InvalidFilter(
                f"{attribute.path} has single values, {expression.path}[...] selects among several."
            )
        return Element(
            attribute, bind_value_filter(expression.filter, attribute, self.policy, hidden=self.hidden)
        )

    def _comparison(self, attribute: Attribute, expression: grammar.Comparison) -> Condition:
        if expression.value is None and expression.operator in _EQUALITY:
            present = Presence(attribute)
            return Negation(present) if expression.operator == "eq" else present
        if attribute.type == "complex":
            default = attribute.sub("value")
            if default is None:
                raise InvalidFilter(f"{attribute.path} is complex; compare one of its sub-attributes.")
            attribute = default
        operator = expression.operator
        if operator not in _ALLOWED[attribute.type]:
            raise InvalidFilter(f"{attribute.path} is a {attribute.type}; {operator} does not apply to it.")
        value = self._value(attribute, expression.value)
        if operator == "ne":
            return Negation(Predicate(attribute, "eq", value))
        return Predicate(attribute, operator, value)

    def _value(self, attribute: Attribute, value: Any) -> Any:
        expected = attribute.type
        if expected == "boolean" and isinstance(value, str) and self.policy.string_booleans:
            value = {"true": True, "false": False}.get(value.lower(), value)
        if not _VALUE_TYPES[expected](value):
            raise InvalidFilter(
                f"{attribute.path} is a {expected} and cannot be compared with {json_type(value)}."
            )
        try:
            return fold(attribute, value)
        except WrongValue as error:
            raise InvalidFilter(f"{attribute.path}: the value {error}.") from error


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in INTEGER_RANGE


def _is_number(value: Any) -> bool:
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        return isinstance(exponent, int) and exponent >= -FRACTION_DIGITS and value.adjusted() < WHOLE_DIGITS
    return _is_integer(value)


_VALUE_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": _is_text,
    "reference": _is_text,
    "binary": _is_text,
    "dateTime": _is_text,
    "boolean": _is_boolean,
    "integer": _is_integer,
    "decimal": _is_number,
}
