"""Users as people in an office make them, and the few operations that tests of rules speak in."""

from typing import Any

import sqlalchemy as sa

from scim_server.lifecycle.urns import DEPARTMENT, LIFECYCLE, LOCATION, ROLE
from scim_server.scim.documents import load
from scim_server.store.database import Database
from scim_server.store.tables import outbox
from tests.support.client import USER_SCHEMA, ScimClient

_ABOUT = frozenset({"id", "type"})
Json = dict[str, Any]


def person(name: str = "ann", /, **attributes: Any) -> Json:
    """Return the body of a user with everything that people have to fill in, and further attributes."""
    return {
        "schemas": [USER_SCHEMA],
        "name": {"givenName": name.capitalize(), "familyName": "Lee"},
        "emails": [{"value": f"{name}@example.com"}],
        **attributes,
    }


async def hire(client: ScimClient, name: str = "ann", /, **attributes: Any) -> Json:
    """Create the user `person` describes, which has to succeed, and return it."""
    response = await client.post("/Users", person(name, **attributes))
    assert response.status_code == 201, response.text
    created: Json = response.json()
    return created


def departments(*names: str) -> Json:
    """Return the attribute that assigns these departments, the first one as the primary."""
    return {DEPARTMENT: {"departments": [{"value": name} for name in names]}}


def locations(*names: str) -> Json:
    """Return the attribute that assigns these locations."""
    return {LOCATION: {"locations": [{"value": name} for name in names]}}


def roles(*names: str) -> Json:
    """Return the attribute that assigns these roles, the first one as the primary."""
    return {ROLE: {"roleAssignments": [{"value": name} for name in names]}}


def because(**context: Any) -> Json:
    """Return the operation that says why: reason, note, justification, ticket, overrides."""
    return {"op": "add", "path": f"{LIFECYCLE}:changeContext", "value": context}


def replace(path: str, value: Any) -> Json:
    """Return the operation that replaces a value."""
    return {"op": "replace", "path": path, "value": value}


def add(path: str, value: Any) -> Json:
    """Return the operation that adds a value."""
    return {"op": "add", "path": path, "value": value}


def remove(path: str) -> Json:
    """Return the operation that removes a value."""
    return {"op": "remove", "path": path}


async def events(client: ScimClient, user_id: str) -> list[Json]:
    """Return the audit events of a user's changes, the oldest first."""
    return await client.find("/AuditEvents", f'resource.value eq "{user_id}" and action ne "user.view"')


async def last_event(client: ScimClient, user_id: str) -> Json:
    """Return the newest audit event of a user."""
    return (await events(client, user_id))[-1]


async def said(client: ScimClient, user_id: str) -> Json:
    """Return why the last change of a user was made: reason, note, justification, ticket, as far as given."""
    newest = await last_event(client, user_id)
    names = ("reason", "note", "justification", "ticket")
    event = await client.read(f"/AuditEvents/{newest['id']}", attributes=",".join(names))
    return {name: event[name] for name in names if name in event}


async def news(database: Database, resource_id: str) -> list[tuple[str, Json]]:
    """Return what the world is to be told of a resource, the oldest first: event and facts."""
    query = sa.select(outbox.c.event, outbox.c.payload).where(outbox.c.subject_id == resource_id)
    rows = await database.read(lambda reader: reader.execute(query.order_by(outbox.c.id)))
    told = [(row.event, load(row.payload)) for row in rows]
    return [
        (event, {name: fact for name, fact in facts.items() if name not in _ABOUT}) for event, facts in told
    ]


def told(event: Json) -> list[tuple[str, str, str]]:
    """Return rule, effect and message of everything that the rules said in an event."""
    return [(rule["value"], rule["effect"], rule["message"]) for rule in event.get("rules", ())]


def names(rows: list[Json]) -> list[str]:
    """Return the display names of assignments in their order."""
    return [row["display"] for row in rows]


async def assigned(client: ScimClient, user_id: str, path: str) -> list[Json]:
    """Return the assignments at a path of the form `urn:attribute`, empty where the user has none."""
    urn, _, attribute = path.rpartition(":")
    user = await client.read(f"/Users/{user_id}", attributes=path)
    rows: list[Json] = user.get(urn, {}).get(attribute, [])
    return rows


async def effective_permissions(client: ScimClient, user_id: str) -> list[str]:
    """Return what all roles of a user permit together."""
    path = f"{ROLE}:effectivePermissions"
    user = await client.read(f"/Users/{user_id}", attributes=path)
    permissions: list[str] = user.get(ROLE, {}).get("effectivePermissions", [])
    return permissions
