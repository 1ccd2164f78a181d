"""Tenants: the token names one, the path may spell it out, and nothing crosses the border."""

import httpx2
import pytest

from scim_server.services.clients import Clients
from scim_server.store.database import Database
from tests.protocol.messages import (
    PATCH_OP,
    accepted,
    group,
    listed,
    operation,
    patch,
    refused,
    user,
    user_names,
)
from tests.support.client import ScimClient
from tests.support.tenants import token_of


@pytest.fixture
async def acme_token(database_url: str) -> str:
    database = Database(database_url)
    try:
        return await token_of(database, "acme", "acme-idp", profile="idp")
    finally:
        await database.close()


@pytest.fixture
def acme(scim: ScimClient, acme_token: str) -> "Acme":
    return Acme(scim, acme_token)


class Acme:
    """The tenant `acme` through the connection of another tenant's client, with a token of its own."""

    def __init__(self, scim: ScimClient, token: str) -> None:
        self.scim = scim
        self.headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str) -> httpx2.Response:
        """Send GET."""
        return await self.scim.request("GET", path, headers=self.headers)

    async def send(self, method: str, path: str, json: object) -> httpx2.Response:
        """Send that method with a JSON body."""
        return await self.scim.request(method, path, json=json, headers=self.headers)


def spelled(scim: ScimClient, tenant: str) -> str:
    """Return the base of that tenant, spelled out."""
    return scim.base_url.replace("/scim/v2", f"/t/{tenant}/scim/v2")


async def test_the_users_of_another_tenant_are_not_listed(scim: ScimClient, acme: Acme) -> None:
    await scim.create_user("ann")
    assert accepted(await acme.get("/Users"))["totalResults"] == 0


async def test_a_user_of_another_tenant_is_not_found(scim: ScimClient, acme: Acme) -> None:
    ann = await scim.create_user("ann")
    path = f"/Users/{ann['id']}"
    refused(await acme.get(path), 404)
    refused(await acme.send("PUT", path, user("ann", title="x")), 404)
    change = {"schemas": [PATCH_OP], "Operations": [operation("add", "title", "x")]}
    refused(await acme.send("PATCH", path, change), 404)
    refused(await acme.send("DELETE", path, None), 404)
    assert await scim.read(path) == ann


async def test_names_are_unique_within_a_tenant_only(scim: ScimClient, acme: Acme) -> None:
    await scim.create_user("ann")
    await scim.create_group("Guides")
    assert accepted(await acme.send("POST", "/Users", user("ann")), 201)["userName"] == "ann"
    assert accepted(await acme.send("POST", "/Groups", group("Guides")), 201)["displayName"] == "Guides"
    refused(await acme.send("POST", "/Users", user("ANN")), 409, "uniqueness")


async def test_a_user_of_another_tenant_cannot_be_a_member(scim: ScimClient, acme: Acme) -> None:
    ann = await scim.create_user("ann")
    refused(await acme.send("POST", "/Groups", group("Guides", ann["id"])), 400, "invalidValue")
    assert accepted(await acme.get("/Groups"))["totalResults"] == 0


async def test_a_filter_does_not_reach_another_tenant(scim: ScimClient, acme: Acme) -> None:
    ann = await scim.create_user("ann")
    for filter_ in (f'id eq "{ann["id"]}"', 'userName eq "ann"', "userName pr", 'not (userName eq "x")'):
        response = await acme.get("/Users?" + str(httpx2.QueryParams({"filter": filter_})))
        assert accepted(response)["totalResults"] == 0


async def test_a_cursor_of_another_tenant_is_refused(scim: ScimClient, acme: Acme) -> None:
    for name in ("ann", "bob"):
        await scim.create_user(name)
    cursor = accepted(await scim.get("/Users", cursor="", count=1))["nextCursor"]
    query = str(httpx2.QueryParams({"cursor": cursor, "count": 1}))
    refused(await acme.get(f"/Users?{query}"), 400, "invalidCursor")


async def test_the_path_may_spell_out_the_tenant(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    body = accepted(await scim.request("GET", f"{spelled(scim, 'default')}/Users"))
    assert user_names(body["Resources"]) == ["ann"]
    read = accepted(await scim.request("GET", f"{spelled(scim, 'default')}/Users/{ann['id']}"))
    assert (read["id"], read["userName"]) == (ann["id"], "ann")


async def test_the_locations_follow_the_path_that_was_asked(scim: ScimClient) -> None:
    response = await scim.request("POST", f"{spelled(scim, 'default')}/Users", json=user("ann"))
    body = accepted(response, 201)
    assert body["meta"]["location"] == f"{spelled(scim, 'default')}/Users/{body['id']}"
    assert response.headers["location"] == body["meta"]["location"]


async def test_the_path_of_the_own_tenant_reaches_its_users(scim: ScimClient, acme: Acme) -> None:
    await acme.send("POST", "/Users", user("ann"))
    body = accepted(await acme.get(f"{spelled(scim, 'acme')}/Users"))
    assert user_names(body["Resources"]) == ["ann"]


@pytest.mark.parametrize("tenant", ["default", "nowhere"])
async def test_a_token_opens_no_other_tenant(scim: ScimClient, acme: Acme, tenant: str) -> None:
    ann = await scim.create_user("ann")
    for path in ("/Users", f"/Users/{ann['id']}"):
        response = await acme.get(f"{spelled(scim, tenant)}{path}")
        refused(response, response.status_code)
        assert response.status_code in {401, 403, 404}


async def test_a_write_into_another_tenant_changes_nothing(scim: ScimClient, acme: Acme) -> None:
    response = await acme.send("POST", f"{spelled(scim, 'default')}/Users", user("eve"))
    assert response.status_code in {401, 403, 404}
    assert await listed(scim, "/Users") == []


async def test_one_tenant_does_not_move_the_versions_of_another(scim: ScimClient, acme: Acme) -> None:
    ann = await scim.create_user("ann")
    theirs = accepted(await acme.send("POST", "/Users", user("ann")), 201)
    await patch(scim, f"/Users/{ann['id']}", operation("add", "title", "Guide"))
    assert accepted(await acme.get(f"/Users/{theirs['id']}")) == theirs


@pytest.mark.parametrize("name", ["", "a b", "ünï", "a/b", "-a", "a" * 64])
async def test_a_tenant_has_a_name_that_fits_a_url(database: Database, name: str) -> None:
    with pytest.raises(ValueError, match="tenant"):
        await Clients(database).create("okta", tenant=name)
