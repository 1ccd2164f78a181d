"""The PATCH message: its operations, checked for form."""

from dataclasses import dataclass
from typing import Any

from scim_server.scim.errors import InvalidSyntax, InvalidValue, NoTarget, PayloadTooLarge
from scim_server.scim.messages.envelope import opened
from scim_server.scim.policy import Policy
from scim_server.scim.values import json_type

PATCH_URN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
NAMES = ("add", "remove", "replace")
MAX_OPERATIONS = 5_000


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: `name` is add, remove or replace; `has_value` tells null from absent."""

    name: str
    path: str | None
    value: Any
    has_value: bool


def parse_patch(data: Any, policy: Policy) -> list[Operation]:
    """Return the operations of a PATCH body in order.

    Raises PayloadTooLarge for more than MAX_OPERATIONS,
    InvalidSyntax for a body that is not a PatchOp message or an unknown operation name,
    NoTarget for a remove without path, InvalidValue for an add or replace without value.
    """
    operations = opened(data, PATCH_URN, policy).get("operations")
    if not isinstance(operations, list):
        raise InvalidSyntax(f"Operations must be an array, not {json_type(operations)}.")
    if len(operations) > MAX_OPERATIONS:
        raise PayloadTooLarge(
            f"The request has {len(operations)} operations; at most {MAX_OPERATIONS} are possible."
        )
    if not operations and not policy.empty_operations:
        raise InvalidSyntax("Operations is empty.")
    return [_parse(item, index, policy) for index, item in enumerate(operations)]


def _parse(item: Any, index: int, policy: Policy) -> Operation:
    where = f"Operations[{index}]"
    if not isinstance(item, dict):
        raise InvalidSyntax(f"{where} must be an object, not {json_type(item)}.")
    parts = {key.lower(): value for key, value in item.items()}
    name = parts.get("op")
    known = isinstance(name, str) and (name.lower() if policy.operation_names_any_case else name) in NAMES
    if not isinstance(name, str) or not known:
        raise InvalidSyntax(f"{where}.op must be one of {', '.join(NAMES)}, not {str(name)[:40]!r}.")
    name = name.lower()
    path = parts.get("path")
    if path is not None and not isinstance(path, str):
        raise InvalidSyntax(f"{where}.path must be a string, not {json_type(path)}.")
    path = path or None
    if name == "remove" and path is None:
        raise NoTarget(f"{where} is a remove without path; it would remove nothing in particular.")
    if name != "remove" and "value" not in parts:
        raise InvalidValue(f"{where}.value is missing; {name} needs one.")
    if path is None and not isinstance(parts["value"], dict):
        raise InvalidValue(
            f"{where} has no path, so value must be an object, not {json_type(parts['value'])}."
        )
    return Operation(name, path, parts.get("value"), "value" in parts)
