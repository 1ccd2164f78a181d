"""PATCH paths: an attribute, a value path, or a sub-attribute of either (RFC 7644 §3.5.2, figure 7)."""

import re
from dataclasses import dataclass
from functools import lru_cache

from scim_server.scim.attributes import Attribute
from scim_server.scim.errors import InvalidFilter, InvalidPath
from scim_server.scim.filters import grammar
from scim_server.scim.filters.binding import Condition, bind_value_filter
from scim_server.scim.policy import Policy
from scim_server.scim.registry import ResourceType, Schema

MAX_LENGTH = 8_192
_REMEMBERED = 100
_NAME = re.compile(r"[A-Za-z$][\w$.:-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Path:
    """Where a PATCH operation applies.

    `attribute` is the whole attribute, `sub_attribute` the part of it that is meant, `condition`
    selects values (with `expression` as the client wrote it). For the URN of an extension, or of
    the core schema, only `extension` is set.
    """

    attribute: Attribute | None
    sub_attribute: Attribute | None = None
    condition: Condition | None = None
    expression: grammar.Expression | None = None
    extension: Schema | None = None


def parse_path(
    text: str, resource_type: ResourceType, policy: Policy, hidden: frozenset[str] = frozenset()
) -> Path | None:
    """Return what a PATCH path means, None where it names no attribute of the resource type.

    Raises InvalidPath for a malformed path, InvalidFilter for a bad filter in brackets, and for one on
    `hidden` paths, which the client is not shown.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidPath(f"The path is longer than {MAX_LENGTH} characters.")
    return (_parsed if len(text) < _REMEMBERED else _parse)(text, resource_type, policy, hidden)


def _parse(text: str, resource_type: ResourceType, policy: Policy, hidden: frozenset[str]) -> Path | None:
    path = text.strip()
    attribute = resource_type.resolve(path)
    if attribute is not None:
        return _plain(attribute)
    core = resource_type.schema if path.lower() == resource_type.schema.id.lower() else None
    extension = resource_type.extension(path) or core
    if extension is not None:
        return Path(None, extension=extension)
    head, bracket, rest = path.partition("[")
    if not bracket:
        if _NAME.fullmatch(path) is None:
            raise InvalidPath(f"{path[:120]!r} is not a path.")
        return None
    return _value_path(path, (head, rest), resource_type, policy, hidden)


_parsed = lru_cache(maxsize=4_096)(_parse)
"""Clients send the same few paths over and over; a value path takes 50 us to parse."""


def _plain(attribute: Attribute) -> Path:
    if attribute.parent is not None:
        return Path(attribute.parent, sub_attribute=attribute)
    return Path(attribute)


def _value_path(
    path: str, parts: tuple[str, str], resource_type: ResourceType, policy: Policy, hidden: frozenset[str]
) -> Path | None:
    head, rest = parts
    inner, bracket, tail = rest.rpartition("]")
    if not bracket or _NAME.fullmatch(head) is None or (tail and not tail.startswith(".")):
        raise InvalidPath(f"{path[:120]!r} is not a path.")
    attribute = resource_type.resolve(head)
    if attribute is None:
        return None
    if not attribute.multi_valued:
        raise InvalidPath(f"{attribute.path} has a single value; a filter in brackets does not apply to it.")
    expression = grammar.parse_filter(inner, policy)
    try:
        condition = bind_value_filter(expression, attribute, policy, hidden=hidden)
    except InvalidFilter as error:
        raise InvalidFilter(f"In {path[:120]!r}: {error.detail}") from error
    if not tail:
        return Path(attribute, condition=condition, expression=expression)
    sub_attribute = attribute.sub(tail[1:])
    if sub_attribute is None:
        return None
    return Path(attribute, sub_attribute=sub_attribute, condition=condition, expression=expression)
