"""Planning changes over HTTP."""

import json
from typing import Any

from tests.support.client import PATCH_SCHEMA, ScimClient


async def plan(client: ScimClient, user: str, kind: str, at: str, **facts: Any) -> str:
    """Schedule a change and return its id."""
    body = {"user": {"value": user}, "kind": kind, "effectiveAt": at, **facts}
    response = await client.post("/ScheduledChanges", body)
    assert response.status_code == 201, response.text
    assert response.json()["status"] == "scheduled"
    return str(response.json()["id"])


async def outcome_of(client: ScimClient, id: str) -> str:
    """Return the status of a scheduled change."""
    return str((await client.read(f"/ScheduledChanges/{id}"))["status"])


def patch(**values: Any) -> str:
    """Return a PATCH message as JSON text."""
    operation = {"op": "replace", "value": values}
    return json.dumps({"schemas": [PATCH_SCHEMA], "Operations": [operation]})
