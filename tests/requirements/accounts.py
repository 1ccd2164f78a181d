"""Short ways to bring users into a status and to read what became of them."""

from typing import Any

import httpx2

from tests.support.client import ScimClient

_EXTENSION = "urn:ietf:params:scim:schemas:extension:"
LIFECYCLE = f"{_EXTENSION}lifecycle:2.0:User"
CONNECTOR = f"{_EXTENSION}connector:2.0:User"
ENTERPRISE = f"{_EXTENSION}enterprise:2.0:User"
PERSON: dict[str, Any] = {
    "name": {"givenName": "Ann", "familyName": "Lee"},
    "emails": [{"value": "ann@example.com"}],
}
"""What an administrator has to say of a new user."""


async def make(client: ScimClient, user_name: str = "ann", /, **attributes: Any) -> str:
    """Create a user and return its id."""
    return str((await client.create_user(user_name, **attributes))["id"])


async def hire(client: ScimClient, user_name: str = "ann", /, **attributes: Any) -> str:
    """Create a user with all that an administrator has to say, and return its id."""
    emails = [{"value": f"{user_name}@example.com"}]
    return await make(client, user_name, **{**PERSON, "emails": emails, **attributes})


async def lifecycle_of(client: ScimClient, id: str) -> dict[str, Any]:
    """Return the lifecycle extension of a user with everything that is returned on request."""
    user = await client.read(f"/Users/{id}", attributes=f"{LIFECYCLE}")
    found: dict[str, Any] = user[LIFECYCLE]
    return found


async def part(client: ScimClient, id: str, name: str) -> Any:
    """Return one attribute of the lifecycle extension, None where the user has none."""
    user = await client.read(f"/Users/{id}", attributes=f"{LIFECYCLE}:{name}")
    return user.get(LIFECYCLE, {}).get(name)


async def status_of(client: ScimClient, id: str) -> str:
    """Return the effective status of a user."""
    return str(await part(client, id, "effectiveStatus"))


async def holds_of(client: ScimClient, id: str) -> set[str]:
    """Return the names of the holds on a user."""
    return {hold["value"] for hold in await part(client, id, "holds") or ()}


async def act(client: ScimClient, id: str, action: str, **facts: Any) -> httpx2.Response:
    """Ask for an account action."""
    return await client.post("/AccountActions", {"user": {"value": id}, "action": action, **facts})


async def acted(client: ScimClient, id: str, action: str, **facts: Any) -> dict[str, Any]:
    """Carry out an account action, which has to succeed."""
    response = await act(client, id, action, **facts)
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.json()
    return body


async def wish(client: ScimClient, id: str, status: str, **context: Any) -> httpx2.Response:
    """Ask for a status by PATCH, with the reasons that go with it."""
    value: dict[str, Any] = {f"{LIFECYCLE}:status": status}
    if context:
        value[f"{LIFECYCLE}:changeContext"] = context
    return await client.patch(f"/Users/{id}", {"op": "replace", "value": value})


async def set_active(client: ScimClient, id: str, active: bool, **context: Any) -> httpx2.Response:
    """Set `active` by PATCH, with the reasons that go with it."""
    operations: list[dict[str, Any]] = [{"op": "replace", "path": "active", "value": active}]
    if context:
        operations.append({"op": "add", "path": f"{LIFECYCLE}:changeContext", "value": context})
    return await client.patch(f"/Users/{id}", *operations)


async def report(client: ScimClient, id: str, outcome: str = "failure", **facts: Any) -> None:
    """Report a login, which has to succeed."""
    response = await client.post("/LoginReports", {"user": {"value": id}, "outcome": outcome, **facts})
    assert response.status_code == 201, response.text


async def fail(client: ScimClient, id: str, times: int = 5) -> None:
    """Report failed logins."""
    for _ in range(times):
        await report(client, id)


async def events(client: ScimClient, filter: str) -> list[dict[str, Any]]:
    """Return the audit events that satisfy a filter, the oldest first."""
    return await client.find("/AuditEvents", filter)


async def last_event(client: ScimClient, id: str) -> dict[str, Any]:
    """Return the newest audit event about a resource that is more than a look at it."""
    return (await events(client, f'resource.value eq "{id}" and action ne "user.view"'))[-1]


def problem(response: httpx2.Response) -> tuple[int, str]:
    """Return status and detail of an error."""
    return response.status_code, response.json()["detail"]
