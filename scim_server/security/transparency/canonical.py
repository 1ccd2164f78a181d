"""Canonical JSON (RFC 8785) of what audit events are made of: strings, booleans, lists and objects.

Without numbers, and with ASCII names, sorting by bytes is sorting by UTF-16 code units and orjson writes
exactly what the RFC asks for; anything else is refused.
"""

from typing import Any

import orjson


class NotCanonical(ValueError):
    """A value has parts whose canonical form this module does not know."""


def canonical(value: Any) -> bytes:
    """Return the canonical bytes of a JSON value; raises NotCanonical for numbers, null and other names."""
    _check(value)
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise NotCanonical(str(error)) from error


def _check(value: Any) -> None:
    kind = type(value)
    if kind is str or kind is bool:
        return
    if kind is dict:
        for name, item in value.items():
            if not isinstance(name, str) or not name.isascii():
                raise NotCanonical(f"the name {name!r} is not ASCII")
            if type(item) is not str:
                _check(item)
    elif kind is list:
        for item in value:
            if type(item) is not str:
                _check(item)
    elif not isinstance(value, str):
        raise NotCanonical(f"{kind.__name__} has no place in an audit event")
