"""A caller whose token was used before: what is taken away meanwhile is gone with the next request."""

import json
from typing import Any

import pytest

from scim_server.store import catalogue
from scim_server.store.database import Database, Writer
from scim_server.store.tables import client as client_table
from scim_server.store.tables import token as token_table
from tests.support.client import PATCH_SCHEMA, ScimClient
from tests.support.people import person as human


def person(name: str, **attributes: Any) -> dict[str, Any]:
    """Return the body of a user with a user name."""
    return human(name, userName=f"{name}@example.com", **attributes)


MISSING = "/Users/00000000-0000-7000-8000-000000000000"
PATCH = {"schemas": [PATCH_SCHEMA], "Operations": [{"op": "replace", "path": "title", "value": "Boss"}]}
REQUESTS: dict[str, tuple[str, str, Any]] = {
    "read": ("GET", "/Users/{id}", None),
    "read what is not there": ("GET", MISSING, None),
    "list": ("GET", "/Users", None),
    "list by a filter that is wrong": ("GET", '/Users?filter=nonsense eq "a"', None),
    "look up": ("GET", '/Users?filter=userName eq "ann@example.com"', None),
    "search": ("POST", "/.search", {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}),
    "create": ("POST", "/Users", person("bob")),
    "create what is wrong": ("POST", "/Users", {"active": "perhaps"}),
    "change": ("PATCH", "/Users/{id}", PATCH),
    "replace": ("PUT", "/Users/{id}", person("ann", title="Boss")),
    "delete": ("DELETE", "/Users/{id}", None),
    "discover": ("GET", "/Schemas", None),
    "go astray": ("GET", "/Nowhere", None),
}


async def hire(client: ScimClient, name: str) -> dict[str, Any]:
    """Create a user, which has to succeed, and return it."""
    response = await client.post("/Users", person(name))
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()
    return created


async def execute(database: Database, statement: Any) -> None:
    """Change the store behind the server's back, as another server or the command line does."""

    async def work(writer: Writer) -> None:
        await writer.execute(statement)

    await database.write(work)


@pytest.mark.parametrize("what", [client_table, token_table], ids=["client", "token"])
@pytest.mark.parametrize("name", REQUESTS)
async def test_a_revoked_caller_is_unknown_at_once_and_changes_nothing(
    name: str, what: Any, scim: ScimClient, admin: ScimClient, database: Database
) -> None:
    user = await hire(scim, "ann")
    (await scim.get("/Users")).raise_for_status()
    mine = client_table.c.profile == "idp"
    if what is token_table:
        mine = token_table.c.client_id.in_(
            client_table.select().with_only_columns(client_table.c.id).where(mine)
        )
    await execute(database, what.update().where(mine).values(revoked=1))
    method, path, body = REQUESTS[name]
    answer = await scim.request(method, path.replace("{id}", user["id"]), json=body)
    assert answer.status_code == 401, answer.text
    kept = (await admin.get("/Users")).json()
    assert [(one["id"], one["meta"]["version"]) for one in kept["Resources"]] == [
        (user["id"], user["meta"]["version"])
    ]


async def test_a_permission_that_was_taken_away_is_missing_at_once(
    scim: ScimClient, database: Database
) -> None:
    user = await hire(scim, "ann")
    mine = client_table.c.profile == "idp"
    await execute(database, client_table.update().where(mine).values(permissions=json.dumps(["user:create"])))
    assert (await scim.get(f"/Users/{user['id']}")).status_code == 403
    assert (await scim.get("/Users")).status_code == 403
    assert (await scim.patch(f"/Users/{user['id']}", PATCH)).status_code == 403
    assert (await scim.post("/Users", person("bob"))).status_code == 201


async def test_a_permission_that_was_given_is_there_at_once(scim: ScimClient, database: Database) -> None:
    mine = client_table.c.profile == "idp"
    await execute(database, client_table.update().where(mine).values(permissions=json.dumps(["user:view"])))
    assert (await scim.post("/Users", person("bob"))).status_code == 403
    await execute(
        database,
        client_table.update().where(mine).values(permissions=json.dumps(["user:view", "user:create"])),
    )
    assert (await scim.post("/Users", person("bob"))).status_code == 201


async def test_a_body_is_served_again_where_the_tenant_has_moved_on(
    scim: ScimClient, database: Database
) -> None:
    await hire(scim, "ann")
    await database.write(lambda writer: catalogue.bump(writer, 1))
    created = await scim.post("/Users", person("bob"))
    assert (created.status_code, created.json()["userName"]) == (201, "bob@example.com")
    assert (await scim.get("/Users")).json()["totalResults"] == 2
