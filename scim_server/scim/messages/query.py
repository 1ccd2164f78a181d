"""What a list request asks for, from a query string or a SearchRequest (RFC 7644 §3.4.2, §3.4.3)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scim_server.scim.errors import InvalidPath, InvalidValue
from scim_server.scim.messages.envelope import opened
from scim_server.scim.paths import MAX_LENGTH as MAX_PATH
from scim_server.scim.policy import Policy
from scim_server.scim.values import json_type

SEARCH_URN = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
MAX_PARAMETERS = 100
MAX_NAMES = 1_000
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_TEXT = ("filter", "sortBy", "sortOrder", "cursor")
_NUMBERS = ("startIndex", "count")
_LISTS = ("attributes", "excludedAttributes")
_PROJECTION = frozenset(name.lower() for name in _LISTS)
_NAMES = {name.lower(): name for name in (*_TEXT, *_NUMBERS, *_LISTS)}


@dataclass(frozen=True, slots=True)
class Query:
    """A list request; `count` None means the server's default, `cursor` None means index paging."""

    filter: str | None = None
    sort_by: str | None = None
    descending: bool = False
    start_index: int = 1
    count: int | None = None
    cursor: str | None = None
    attributes: tuple[str, ...] = ()
    excluded_attributes: tuple[str, ...] = ()


def query_from_parameters(parameters: Iterable[tuple[str, str]], policy: Policy) -> Query:
    """Return the query of a GET; unknown parameters are passed over. Raises InvalidValue."""
    values: dict[str, Any] = {}
    for number, (key, value) in enumerate(parameters):
        if number == MAX_PARAMETERS:
            raise InvalidValue(f"The query has more than {MAX_PARAMETERS} parameters.")
        name = _NAMES.get(key.lower())
        if name is None or (name != key and not policy.parameter_names_any_case):
            continue
        if name in _NUMBERS:
            values[name] = _number(name, value)
        elif name in _LISTS:
            values[name] = [part for part in value.split(",") if part.strip()]
        else:
            values[name] = value
    return _query(values)


def query_from_message(data: Any, policy: Policy) -> Query:
    """Return the query of a SearchRequest body. Raises InvalidSyntax and InvalidValue."""
    values: dict[str, Any] = {}
    for key, value in opened(data, SEARCH_URN, policy).items():
        name = _NAMES.get(key)
        if name is None or value is None:
            continue
        _check_type(name, value)
        values[name] = value
    return _query(values)


def _check_type(name: str, value: Any) -> None:
    if name in _TEXT and not isinstance(value, str):
        raise InvalidValue(f"{name} must be a string, not {json_type(value)}.")
    if name in _NUMBERS and (isinstance(value, bool) or not isinstance(value, int)):
        raise InvalidValue(f"{name} must be an integer, not {json_type(value)}.")
    if name in _LISTS and not (isinstance(value, list) and all(isinstance(part, str) for part in value)):
        raise InvalidValue(f"{name} must be an array of strings.")


def _number(name: str, text: str) -> int:
    if _INTEGER.fullmatch(text) is None:
        raise InvalidValue(f"{name} must be an integer, not {text[:40]!r}.")
    return int(text)


def _query(values: Mapping[str, Any]) -> Query:
    order = values.get("sortOrder", "ascending").lower()
    if order not in {"ascending", "descending"}:
        raise InvalidValue(f"sortOrder must be ascending or descending, not {order[:40]!r}.")
    count = values.get("count")
    start_index = values.get("startIndex", 1)
    for name in _LISTS:
        if len(values.get(name, ())) > MAX_NAMES:
            raise InvalidValue(f"{name} has more than {MAX_NAMES} names.")
    if len(values.get("sortBy") or "") > MAX_PATH:
        raise InvalidPath(f"sortBy is longer than {MAX_PATH} characters.")
    if start_index >= 2**53:
        raise InvalidValue("startIndex is out of range.")
    return Query(
        filter=values.get("filter"),
        sort_by=values.get("sortBy") or None,
        descending=order == "descending" and bool(values.get("sortBy")),
        start_index=max(start_index, 1),
        count=None if count is None else max(count, 0),
        cursor=values.get("cursor"),
        attributes=tuple(values.get("attributes", ())),
        excluded_attributes=tuple(values.get("excludedAttributes", ())),
    )


def projection_parameters(
    parameters: Iterable[tuple[str, str]], policy: Policy
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the `attributes` and `excludedAttributes` of a request for one resource."""
    stated = [(key, value) for key, value in parameters if key.lower() in _PROJECTION]
    query = query_from_parameters(stated, policy)
    return query.attributes, query.excluded_attributes
