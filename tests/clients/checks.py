"""Checks on a JSON document: a path into it and the value, or the kind of value, found there.

A path is segments joined by "/": an attribute name, a list index, `*` for every element of a
list, or `attribute=value` for the only element with that value. An expected value is plain
JSON (compared by equality) or one matcher, an object with a single key of `MATCHERS`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final


class _Missing:
    """The value of a path that leads nowhere."""

    def __repr__(self) -> str:
        return "nothing"


MISSING: Final = _Missing()


def select(document: Any, path: str) -> Any:
    """Return the value at the path, a flat list of values where it contains `*`, or MISSING."""
    found = document
    segments = path.split("/") if path else []
    for position, segment in enumerate(segments):
        if segment == "*":
            return _select_every(found, "/".join(segments[position + 1 :]))
        found = _step(found, segment)
    return found


def _select_every(elements: Any, rest: str) -> list[Any]:
    if not isinstance(elements, list):
        return []
    values = [select(element, rest) for element in elements]
    if "*" in rest.split("/"):
        return [value for nested in values for value in nested]
    return [value for value in values if value is not MISSING]


def _step(found: Any, segment: str) -> Any:
    if isinstance(found, list):
        return _element(found, segment)
    if isinstance(found, dict):
        return found.get(segment, MISSING)
    return MISSING


def _element(elements: list[Any], segment: str) -> Any:
    if "=" in segment:
        attribute, value = segment.split("=", 1)
        matching = [element for element in elements if str(element.get(attribute)) == value]
        return matching[0] if len(matching) == 1 else MISSING
    index = int(segment)
    return elements[index] if index < len(elements) else MISSING


def includes(actual: Any, expected: Any) -> bool:
    """Tell whether every value of `expected` stands at the same place in `actual`."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(
            includes(actual.get(key, MISSING), value) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(actual, list)
            and len(actual) == len(expected)
            and all(includes(element, value) for element, value in zip(actual, expected, strict=True))
        )
    return same(actual, expected)


def same(actual: Any, expected: Any) -> bool:
    """Compare as JSON does: `true` is not 1 and `"1"` is not 1."""
    if isinstance(actual, bool) or isinstance(expected, bool):
        return actual is expected
    if isinstance(actual, list) and isinstance(expected, list):
        return len(actual) == len(expected) and all(map(same, actual, expected))
    if isinstance(actual, dict) and isinstance(expected, dict):
        return actual.keys() == expected.keys() and all(same(actual[key], expected[key]) for key in actual)
    return bool(actual == expected)


def _is_set(actual: Any, expected: list[Any]) -> bool:
    return isinstance(actual, list) and sorted(map(str, actual)) == sorted(map(str, expected))


def _all_match(actual: Any, pattern: str) -> bool:
    values = actual if isinstance(actual, list) else [actual]
    return bool(values) and all(isinstance(value, str) and re.search(pattern, value) for value in values)


MATCHERS: dict[str, Callable[[Any, Any], bool]] = {
    "$absent": lambda actual, _: actual is MISSING,
    "$unassigned": lambda actual, _: actual is MISSING or actual in (None, "", [], {}),
    "$present": lambda actual, _: actual is not MISSING and actual not in (None, "", [], {}),
    "$number": lambda actual, _: isinstance(actual, int) and not isinstance(actual, bool),
    "$contains": lambda actual, expected: isinstance(actual, (str, list)) and expected in actual,
    "$excludes": lambda actual, expected: isinstance(actual, (str, list)) and expected not in actual,
    "$one_of": lambda actual, expected: any(same(actual, value) for value in expected),
    "$count": lambda actual, expected: isinstance(actual, list) and len(actual) == expected,
    "$set": _is_set,
    "$keys": lambda actual, expected: isinstance(actual, dict) and sorted(actual) == sorted(expected),
    "$matches": _all_match,
    "$includes": includes,
}


def complaint(document: Any, path: str, expected: Any) -> str | None:
    """Return what is wrong at the path, or None when the expectation holds."""
    actual = select(document, path)
    if isinstance(expected, dict) and len(expected) == 1:
        (name, argument), *_ = expected.items()
        if name in MATCHERS:
            holds = MATCHERS[name](actual, argument)
            return None if holds else f"{path or 'the body'}: {actual!r} is not {name} {argument!r}"
    return None if same(actual, expected) else f"{path or 'the body'}: {actual!r} is not {expected!r}"


def require(document: Any, checks: Mapping[str, Any], where: str) -> None:
    """Raise AssertionError naming every check that does not hold."""
    found = (complaint(document, path, expected) for path, expected in checks.items())
    complaints = [text for text in found if text]
    if complaints:
        raise AssertionError("\n".join([where, *complaints, f"document: {document!r}"]))
