"""What every request message has in common: a JSON object that names its schema."""

from typing import Any

from scim_server.scim.errors import InvalidSyntax
from scim_server.scim.policy import Policy
from scim_server.scim.values import json_type


def opened(data: Any, urn: str, policy: Policy) -> dict[str, Any]:
    """Return the members of a message by lower-case name; raises InvalidSyntax.

    Under `optional_schemas` the message need not name its schema (RFC 7644 §3.4.3, §3.5.2, §3.7).
    """
    if not isinstance(data, dict):
        raise InvalidSyntax(f"The body must be a JSON object, not {json_type(data)}.")
    message = {key.lower(): value for key, value in data.items()}
    if len(message) < len(data):
        raise InvalidSyntax("A member of the message stands twice, in different cases.")
    named = message.get("schemas")
    stated = {str(name).lower() for name in named} if isinstance(named, list) else set()
    if urn.lower() not in stated and not policy.optional_schemas:
        raise InvalidSyntax(f"schemas must name {urn}.")
    return message
