"""/Me: the user behind the client (RFC 7644 §3.11)."""

import pytest

from tests.protocol.messages import USER, Connect, accepted, operation, patch, refused, sent, user
from tests.support.client import ScimClient


@pytest.fixture
async def ann(scim: ScimClient) -> dict[str, object]:
    return await scim.create_user("ann", title="Guide")


@pytest.fixture
async def me(connect: Connect, ann: dict[str, object]) -> ScimClient:
    return await connect(user=ann["id"])


async def test_me_is_the_user_of_the_client(me: ScimClient, ann: dict[str, object]) -> None:
    assert await me.read("/Me") == ann


async def test_me_carries_the_version_of_the_user(me: ScimClient) -> None:
    response = await me.get("/Me")
    assert response.headers["etag"] == accepted(response)["meta"]["version"]


async def test_me_names_the_location_of_the_user(me: ScimClient, ann: dict[str, object]) -> None:
    response = await me.get("/Me")
    location = accepted(response)["meta"]["location"]
    assert location == f"{me.base_url}/Users/{ann['id']}"
    assert response.headers.get("location", response.headers.get("content-location")) == location


async def test_me_is_projected(me: ScimClient, ann: dict[str, object]) -> None:
    assert accepted(await me.get("/Me", attributes="title")) == {
        "schemas": [USER],
        "id": ann["id"],
        "title": "Guide",
    }


async def test_me_can_be_patched(me: ScimClient, scim: ScimClient, ann: dict[str, object]) -> None:
    body = accepted(await patch(me, "/Me", operation("replace", "title", "Driver")))
    assert body["title"] == "Driver"
    assert await scim.read(f"/Users/{ann['id']}") == body


async def test_me_can_be_replaced(me: ScimClient) -> None:
    body = accepted(await me.request("PUT", "/Me", json=user("ann", nickName="Annie")))
    assert sent(body) == {"schemas": [USER], "userName": "ann", "nickName": "Annie", "active": True}


async def test_me_can_be_deleted(me: ScimClient, scim: ScimClient, ann: dict[str, object]) -> None:
    assert (await me.delete("/Me")).status_code == 204
    refused(await scim.get(f"/Users/{ann['id']}"), 404)
    refused(await me.get("/Me"), 404)


async def test_a_condition_guards_me(me: ScimClient, ann: dict[str, object]) -> None:
    response = await me.request("PUT", "/Me", json=user("ann"), headers={"If-Match": 'W/"stale"'})
    refused(response, 412)
    assert await me.read("/Me") == ann


async def test_a_client_without_a_user_has_no_me(scim: ScimClient) -> None:
    refused(await scim.get("/Me"), 404)
    refused(await scim.delete("/Me"), 404)
    refused(await patch(scim, "/Me", operation("remove", "title")), 404)


async def test_a_method_nobody_knows_is_refused(me: ScimClient) -> None:
    response = await me.request("BREW", "/Me")
    refused(response, 405)
    assert {"GET", "PUT", "PATCH", "DELETE"} <= {
        name.strip() for name in response.headers["allow"].split(",")
    }
