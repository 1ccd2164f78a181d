"""The ListResponse message (RFC 7644 §3.4.2, RFC 9865 §2.1)."""

from typing import Any

LIST_URN = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


def list_response(
    resources: Any,
    *,
    items: int | None = None,
    total: int,
    start_index: int | None = 1,
    next_cursor: str | None = None,
) -> dict[str, Any]:
    """Return the message; `Resources` is an array even when it is empty.

    `items` is how many there are, where `resources` is their JSON. `start_index` is None for cursor
    paging, where the answer has cursors instead.
    """
    message: dict[str, Any] = {"schemas": [LIST_URN], "totalResults": total}
    if start_index is not None:
        message["startIndex"] = start_index
    message["itemsPerPage"] = len(resources) if items is None else items
    if next_cursor is not None:
        message["nextCursor"] = next_cursor
    message["Resources"] = resources
    return message
