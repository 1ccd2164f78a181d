"""One PATCH operation on the value of one attribute: pure functions from old to new value."""

from collections.abc import Callable
from typing import Any

from scim_server.scim.attributes import Attribute, ReferenceKind
from scim_server.scim.errors import InvalidPath, InvalidValue, NoTarget
from scim_server.scim.filters import grammar
from scim_server.scim.filters.matching import matches
from scim_server.scim.normalize import Document, Normalizer, fold_complex, is_placeholder
from scim_server.scim.patch.operations import Operation
from scim_server.scim.paths import Path
from scim_server.scim.values import fold


def changed(operation: Operation, path: Path, value: Any, normalizer: Normalizer) -> Any:
    """Return the attribute's value after one operation; None or empty means unassigned.

    `value` is the value before and may be changed in place.
    """
    attribute = path.attribute
    if attribute is None:
        raise InvalidPath("The path names no attribute.")
    if path.sub_attribute is None and path.condition is None:
        return _whole(operation, attribute, value, normalizer)
    if not attribute.multi_valued:
        return _part(operation, attribute, path.sub_attribute, value or {}, normalizer)
    return _selected(operation, path, attribute, value or [], normalizer)


def _whole(operation: Operation, attribute: Attribute, value: Any, normalizer: Normalizer) -> Any:
    if operation.name == "remove":
        return _without(operation, attribute, value, normalizer)
    if attribute.type == "complex" and not attribute.multi_valued and isinstance(operation.value, dict):
        return _merged(attribute, value or {}, operation.value, normalizer)
    new = normalizer.value(attribute, operation.value)
    if operation.name == "replace" or not attribute.multi_valued:
        return value if new is None and operation.name == "add" else new
    return _appended(attribute, value or [], new or [])


def _without(operation: Operation, attribute: Attribute, value: Any, normalizer: Normalizer) -> Any:
    """Remove a whole attribute, or the listed values of it where the policy reads a remove's value."""
    if operation.value in (None, "", [], {}) or not attribute.multi_valued:
        return None
    if not normalizer.policy.remove_by_value:
        raise InvalidValue(
            f"remove takes no value; name what to remove in the path, as {attribute.name}[...]."
        )
    listed = [_comparable(attribute, item) for item in normalizer.value(attribute, operation.value) or ()]
    return [item for item in value or () if not any(_covers(item, one, attribute) for one in listed)]


def _covers(element: Any, listed: Any, attribute: Attribute) -> bool:
    own = _comparable(attribute, element)
    if isinstance(listed, dict):
        telling = set(listed) - {"primary"} or set(listed)
        return all(own.get(key) == listed[key] for key in telling)
    return bool(own == listed)


def _comparable(attribute: Attribute, element: Any) -> Any:
    return fold_complex(attribute, element) if attribute.type == "complex" else fold(attribute, element)


def _merged(
    attribute: Attribute, value: Document, patch: Document, normalizer: Normalizer
) -> Document | None:
    """Set the stated sub-attributes of a complex value; null and empty ones are unassigned."""
    stated = {key.lower() for key in patch}
    new = normalizer.element(attribute, patch, attribute.path, partial=True) or {}
    cleared = {
        sub.name
        for sub in attribute.sub_attributes.values()
        if sub.key in stated and sub.name not in new and sub.mutability != "readOnly"
    }
    merged = {name: part for name, part in value.items() if name not in cleared} | new
    if attribute.reference_kind is ReferenceKind.SINGLE_SOURCE and "value" not in merged:
        return None
    normalizer.check_required_parts(attribute, merged, attribute.path)
    return merged or None


def _part(
    operation: Operation, attribute: Attribute, sub: Attribute | None, value: Document, normalizer: Normalizer
) -> Document | None:
    if sub is None:
        raise InvalidPath(f"{attribute.path} has no such sub-attribute.")
    new = None if operation.name == "remove" else operation.value
    if new is None and operation.name == "add":
        return value
    return _merged(attribute, value, {sub.name: new}, normalizer)


def _selected(
    operation: Operation, path: Path, attribute: Attribute, value: list[Any], normalizer: Normalizer
) -> list[Any]:
    """Apply an operation to the values that a path's filter selects, or to all without one."""
    condition = path.condition
    hits = [index for index, item in enumerate(value) if condition is None or matches(condition, item)]
    if not hits:
        return _nothing_selected(operation, path, attribute, value, normalizer)
    if operation.name == "remove" and path.sub_attribute is None:
        return [item for index, item in enumerate(value) if index not in hits]
    change = _element_change(operation, path.sub_attribute, attribute, normalizer)
    for index in hits:
        value[index] = change(value[index])
    kept = {index for index in hits if value[index] is not None}
    result = [item for index, item in enumerate(value) if index not in hits or index in kept]
    fresh = [value[index] for index in hits if index in kept]
    return _single_primary(result, fresh)


def _nothing_selected(
    operation: Operation, path: Path, attribute: Attribute, value: list[Any], normalizer: Normalizer
) -> list[Any]:
    policy = normalizer.policy
    if operation.name == "remove":
        if policy.remove_absent:
            return value
        raise NoTarget(f"{attribute.path} has no value that the path selects.")
    if operation.value in (None, "") and policy.empty_string_clears:
        return value
    implied = {} if path.expression is None else implied_values(path.expression)
    if not policy.create_on_value_path or implied is None or attribute.type != "complex":
        raise NoTarget(f"{attribute.path} has no value that the path selects.")
    stated = operation.value if path.sub_attribute is None else {path.sub_attribute.name: operation.value}
    if not isinstance(stated, dict):
        raise InvalidValue(f"{attribute.path} must be given an object.")
    overridden = {key.lower() for key in stated}
    implied = {key: part for key, part in implied.items() if key.lower() not in overridden}
    created = normalizer.element(attribute, {**implied, **stated}, attribute.path)
    normalizer.finish()
    return _single_primary([*value, created], [created]) if created else value


def implied_values(expression: grammar.Expression) -> dict[str, Any] | None:
    """Return what a filter of `eq` tests joined by `and` says about a value, None for other filters."""
    if isinstance(expression, grammar.Comparison) and expression.operator == "eq":
        return {expression.path.lower(): expression.value}
    if not isinstance(expression, grammar.Junction) or expression.operator != "and":
        return None
    implied: dict[str, Any] = {}
    for operand in expression.operands:
        inner = implied_values(operand)
        if inner is None:
            return None
        if any(implied.get(key, part) != part for key, part in inner.items()):
            return None
        implied |= inner
    return implied


def _element_change(
    operation: Operation, sub: Attribute | None, attribute: Attribute, normalizer: Normalizer
) -> Callable[[Any], Any]:
    if sub is not None:

        def set_sub(element: Document) -> Document | None:
            part = _part(operation, attribute, sub, element, normalizer)
            cleared = part is not None and sub.name not in part and is_placeholder(part)
            return None if cleared else part

        return set_sub
    if attribute.type == "complex" and operation.name == "add" and isinstance(operation.value, dict):
        return lambda element: _merged(attribute, element, operation.value, normalizer)

    new = normalizer.element(attribute, operation.value, attribute.path)
    normalizer.finish()
    return lambda _element: dict(new) if isinstance(new, dict) else new


def _appended(attribute: Attribute, value: list[Any], new: list[Any]) -> list[Any]:
    """Add values that are not there yet; the same value and type again only updates the rest."""
    result = list(value)
    fresh = []
    for item in new:
        index = next((at for at, own in enumerate(result) if _is_same(attribute, own, item)), None)
        if index is None:
            result.append(item)
        elif isinstance(item, dict):
            result[index] = result[index] | item
        fresh.append(item if index is None else result[index])
    return _single_primary(result, fresh)


def _is_same(attribute: Attribute, own: Any, new: Any) -> bool:
    mine, other = _comparable(attribute, own), _comparable(attribute, new)
    if not isinstance(other, dict) or "value" not in other:
        return bool(mine == other)
    return bool(
        mine.get("value") == other["value"] and mine.get("type") == other.get("type", mine.get("type"))
    )


def _single_primary(values: list[Any], fresh: list[Any]) -> list[Any]:
    """Leave `primary` true on one value at most: the one set last (RFC 7644 §3.5.2)."""
    chosen = [item for item in fresh if isinstance(item, dict) and item.get("primary") is True]
    if not chosen:
        return values
    for item in values:
        if isinstance(item, dict) and item is not chosen[-1] and item.get("primary") is True:
            item["primary"] = False
    return values
