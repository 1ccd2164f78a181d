"""What SQLite's index of folded copies has of a value: its path and its key.

The index is the table `folded_value`, with a row for each value of a resource; triggers of the migration
that makes it keep it. Arrays are no part of a path, so that all their elements have the same one.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from scim_server.scim.attributes import Attribute
from scim_server.scim.filters.binding import Condition, Element, Predicate
from scim_server.store.filters.contents import equal_parts, path_of

LONGEST = 128
"""Characters of a text that are its key; the migration says the same."""


class Entry(NamedTuple):
    """A row of the index, as far as the value makes it."""

    path: str
    key: str | int


def entry_of(attribute: Attribute, value: Any) -> Entry:
    """Return the entry of an attribute's folded value."""
    return entry_at([*path_of(attribute.container), *([attribute.key] if attribute.parent else [])], value)


def entry_at(path: Sequence[str], value: Any) -> Entry:
    """Return the entry of a folded value at a path of keys."""
    return Entry(".".join(["$", *path]), value[:LONGEST] if isinstance(value, str) else int(value))


def is_whole(value: Any) -> bool:
    """Tell whether an entry says all of a value, which may be longer than its key."""
    return not isinstance(value, str) or len(value) < LONGEST


def contains(document: Any, example: Any) -> bool:
    """Tell whether a folded value contains an example, as PostgreSQL's @> does of JSON."""
    if isinstance(example, dict):
        return isinstance(document, dict) and all(
            key in document and contains(document[key], part) for key, part in example.items()
        )
    if isinstance(example, list):
        return isinstance(document, list) and all(
            any(contains(own, part) for own in document) for part in example
        )
    return bool(document == example)


def telling(condition: Condition) -> tuple[Entry, bool]:
    """Return the entry that says most of a condition for which there is an example, and whether all of it.

    See contents.example_of.
    """
    parts = equal_parts(condition.condition if isinstance(condition, Element) else condition)
    chosen = min(parts, key=_commonness)
    return entry_of(chosen.attribute, chosen.value), len(parts) == 1 and is_whole(chosen.value)


def _commonness(part: Predicate) -> tuple[bool, bool, bool]:
    """Return what orders the parts of a value by how many resources may have them."""
    attribute = part.attribute
    return attribute.type == "boolean", attribute.key == "type", attribute.key != "value"
