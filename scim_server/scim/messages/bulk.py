"""The bulk messages: operations read, references by bulkId found and replaced (RFC 7644 §3.7)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scim_server.scim.errors import InvalidSyntax, InvalidValue, PayloadTooLarge
from scim_server.scim.messages.envelope import opened
from scim_server.scim.policy import Policy
from scim_server.scim.values import json_type

BULK_REQUEST_URN = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
BULK_RESPONSE_URN = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_KEYS_OF_PATHS = frozenset({"path", "$ref"})
_REFERENCE = re.compile(r"bulkId:([^\s/\"\]]+)")


@dataclass(frozen=True, slots=True)
class BulkOperation:
    """One operation as it was sent.

    `references` are the bulkIds that its path or data points at; `fault` says why it cannot even be
    tried, None where it can.
    """

    method: str
    path: str
    bulk_id: str | None
    version: str | None
    data: Any
    references: frozenset[str] = frozenset()
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """The operations of a request in order; `fail_on_errors` None means to carry on whatever fails."""

    operations: tuple[BulkOperation, ...]
    fail_on_errors: int | None


def parse_bulk(data: Any, policy: Policy, *, maximum: int) -> BulkRequest:
    """Return the bulk request of a body.

    Raises InvalidSyntax for a body that is not a BulkRequest, PayloadTooLarge above `maximum`
    operations, InvalidValue for a failOnErrors that is not a positive integer or a bulkId that
    stands twice.
    """
    message = opened(data, BULK_REQUEST_URN, policy)
    items = message.get("operations")
    if not isinstance(items, list):
        raise InvalidSyntax(f"Operations must be an array, not {json_type(items)}.")
    if len(items) > maximum:
        raise PayloadTooLarge(f"The request has {len(items)} operations; at most {maximum} are possible.")
    limit = message.get("failonerrors")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise InvalidValue("failOnErrors must be an integer of at least 1.")
    operations = tuple(_parse(item, index) for index, item in enumerate(items))
    named = [operation.bulk_id for operation in operations if operation.bulk_id is not None]
    twice = sorted({name for name in named if named.count(name) > 1}) if len(set(named)) != len(named) else []
    if twice:
        raise InvalidValue(f"The bulkId {', '.join(twice)} stands at more than one operation.")
    return BulkRequest(operations, limit)


def _parse(item: Any, index: int) -> BulkOperation:
    if not isinstance(item, dict):
        raise InvalidSyntax(f"Operations[{index}] must be an object, not {json_type(item)}.")
    parts = {key.lower(): value for key, value in item.items()}
    method, path, bulk_id = parts.get("method"), parts.get("path"), parts.get("bulkid")
    name = method.upper() if isinstance(method, str) else ""
    fault = None
    if name not in METHODS:
        fault = f"Operations[{index}].method must be one of {', '.join(sorted(METHODS))}."
    elif not isinstance(path, str) or not path.startswith("/"):
        fault = f"Operations[{index}].path must be a path such as /Users."
    elif bulk_id is not None and (not isinstance(bulk_id, str) or not bulk_id):
        fault = f"Operations[{index}].bulkId must be a string."
    elif name == "POST" and bulk_id is None:
        fault = f"Operations[{index}].bulkId is required with POST."
    version, data = parts.get("version"), parts.get("data")
    if version is not None and not isinstance(version, str):
        fault = fault or f"Operations[{index}].version must be a string."
    path = path.rstrip("/") if isinstance(path, str) else ""
    return BulkOperation(
        method=name or "POST",
        path=path,
        bulk_id=bulk_id if isinstance(bulk_id, str) and bulk_id else None,
        version=version if isinstance(version, str) else None,
        data=data,
        references=frozenset(_REFERENCE.findall(path)) | frozenset(_referenced(data, "")),
        fault=fault,
    )


def replace_references(value: Any, ids: Mapping[str, str], key: str = "path") -> Any:
    """Return a value with every reference `bulkId:x` replaced by the id of x; unknown ones stay.

    A path and a `$ref` may hold a reference, any other text is one or is left alone.
    """
    if isinstance(value, str):
        if "bulkId:" not in value or not _may_refer(value, key):
            return value
        return _REFERENCE.sub(lambda match: ids.get(match[1], match[0]), value)
    if isinstance(value, dict):
        return {name: replace_references(item, ids, name) for name, item in value.items()}
    if isinstance(value, list):
        return [replace_references(item, ids, key) for item in value]
    return value


def _may_refer(text: str, key: str) -> bool:
    return key.lower() in _KEYS_OF_PATHS or _REFERENCE.fullmatch(text) is not None


def _referenced(value: Any, key: str) -> Iterator[str]:
    if isinstance(value, str):
        if "bulkId:" in value and _may_refer(value, key):
            yield from _REFERENCE.findall(value)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _referenced(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from _referenced(item, key)
