"""Methods and content types of every endpoint (RFC 7644 §3.1, §3.2 and §8.1)."""

import pytest

from tests.protocol.messages import ENTERPRISE, UNKNOWN_ID, USER, accepted, refused, user
from tests.support.client import ScimClient

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
ALLOWED = {
    "/Users": {"GET", "POST"},
    "/Groups": {"GET", "POST"},
    f"/Users/{UNKNOWN_ID}": {"GET", "PUT", "PATCH", "DELETE"},
    f"/Groups/{UNKNOWN_ID}": {"GET", "PUT", "PATCH", "DELETE"},
    "/Departments": {"GET", "POST"},
    f"/Departments/{UNKNOWN_ID}": {"GET", "PUT", "PATCH", "DELETE"},
    "/AuditEvents": {"GET"},
    f"/AuditEvents/{UNKNOWN_ID}": {"GET"},
    "/AuditEvents/.search": {"POST"},
    "/AccountActions": {"GET", "POST"},
    f"/AccountActions/{UNKNOWN_ID}": {"GET"},
    "/LoginReports": {"GET", "POST"},
    f"/LoginReports/{UNKNOWN_ID}": {"GET"},
    "/ApiTokens": {"GET", "POST"},
    f"/ApiTokens/{UNKNOWN_ID}": {"GET", "PATCH", "DELETE"},
    "/Users/.search": {"POST"},
    "/Groups/.search": {"POST"},
    "/.search": {"POST"},
    "/Bulk": {"POST"},
    "/Schemas": {"GET"},
    f"/Schemas/{USER}": {"GET"},
    "/ResourceTypes": {"GET"},
    "/ResourceTypes/User": {"GET"},
    "/ServiceProviderConfig": {"GET"},
}
WRONG = [(path, method) for path, allowed in ALLOWED.items() for method in sorted(METHODS - allowed)]
AUTOMATIC = {"HEAD", "OPTIONS"}


@pytest.mark.parametrize(("path", "method"), WRONG)
async def test_a_wrong_method_is_refused_before_its_body_is_read(
    scim: ScimClient, path: str, method: str
) -> None:
    response = await scim.request(method, path, content=b"{")
    refused(response, 405)
    allow = {name.strip() for name in response.headers["allow"].split(",")}
    assert allow - AUTOMATIC == ALLOWED[path]


@pytest.mark.parametrize("path", sorted(ALLOWED))
async def test_a_method_nobody_knows_is_refused_everywhere(scim: ScimClient, path: str) -> None:
    response = await scim.request("BREW", path)
    refused(response, 405)
    assert {name.strip() for name in response.headers["allow"].split(",")} - AUTOMATIC == ALLOWED[path]


@pytest.mark.parametrize("path", ["/Users", "/Schemas", "/ServiceProviderConfig"])
async def test_head_answers_as_get_does_without_a_body(scim: ScimClient, path: str) -> None:
    got = await scim.get(path)
    head = await scim.request("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == got.headers["content-type"]


async def test_head_of_a_resource_carries_its_version(scim: ScimClient) -> None:
    created = await scim.create_user("ann")
    head = await scim.request("HEAD", f"/Users/{created['id']}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == created["meta"]["version"]


@pytest.mark.parametrize("path", sorted(ALLOWED))
async def test_options_names_the_methods(scim: ScimClient, path: str) -> None:
    response = await scim.request("OPTIONS", path)
    assert response.status_code in {200, 204}
    assert {name.strip() for name in response.headers["allow"].split(",")} >= ALLOWED[path]


@pytest.mark.parametrize("path", ["/Nothing", "/users", "/Users/a/b", "/Bulk/1", "/Schemas/a/b/c"])
async def test_an_unknown_path_is_a_scim_error(scim: ScimClient, path: str) -> None:
    refused(await scim.get(path), 404)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/scim+json",
        "application/scim+json; charset=utf-8",
        "application/scim+json;charset=UTF-8",
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/SCIM+JSON",
    ],
)
async def test_json_bodies_are_read(scim: ScimClient, content_type: str) -> None:
    response = await scim.request("POST", "/Users", json=user("ann"), headers={"Content-Type": content_type})
    assert accepted(response, 201)["userName"] == "ann"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "garbage"]
)
async def test_other_bodies_are_an_unsupported_media_type(
    scim: ScimClient, method: str, content_type: str
) -> None:
    ann = await scim.create_user("ann")
    path = "/Users" if method == "POST" else f"/Users/{ann['id']}"
    headers = {"Content-Type": content_type}
    refused(await scim.request(method, path, content=b'{"userName": "bob"}', headers=headers), 415)
    assert await scim.read(f"/Users/{ann['id']}") == ann


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/scim+json"])
async def test_a_content_type_without_a_body_is_ignored(scim: ScimClient, content_type: str) -> None:
    ann = await scim.create_user("ann")
    headers = {"Content-Type": content_type}
    assert accepted(await scim.request("GET", f"/Users/{ann['id']}", headers=headers)) == ann
    assert (await scim.request("DELETE", f"/Users/{ann['id']}", headers=headers)).status_code == 204


@pytest.mark.parametrize("accept", ["application/scim+json", "*/*", "application/*", ""])
async def test_answers_are_scim_json(scim: ScimClient, accept: str) -> None:
    response = await scim.request("GET", "/Users", headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"].split(";")[0] == "application/scim+json"


async def test_a_client_asking_for_json_gets_json(scim: ScimClient) -> None:
    response = await scim.request("GET", "/Users", headers={"Accept": "application/json"})
    assert response.headers["content-type"].split(";")[0] in {"application/json", "application/scim+json"}
    assert accepted(response)["totalResults"] == 0


@pytest.mark.parametrize(
    "path", ["/Users", "/Nothing", f"/Users/{UNKNOWN_ID}", f"/Schemas/{ENTERPRISE}", "/ServiceProviderConfig"]
)
async def test_every_answer_carries_its_own_request_id(scim: ScimClient, path: str) -> None:
    first, second = await scim.get(path), await scim.get(path)
    assert first.headers["x-request-id"]
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


async def test_a_deletion_has_no_body(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    response = await scim.delete(f"/Users/{ann['id']}")
    assert (response.status_code, response.content) == (204, b"")


async def test_a_deleted_resource_is_gone_for_every_method(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    path = f"/Users/{ann['id']}"
    await scim.delete(path)
    refused(await scim.get(path), 404)
    refused(await scim.delete(path), 404)
    refused(await scim.request("PUT", path, json=user("ann")), 404)
    assert (await scim.read("/Users"))["totalResults"] == 0


async def test_the_name_of_a_deleted_user_is_free_again(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    await scim.delete(f"/Users/{ann['id']}")
    assert (await scim.create_user("ann"))["id"] != ann["id"]


@pytest.mark.parametrize("path", ["//Users", "/Users/", "//Users//"])
async def test_slashes_of_a_pasted_base_url_are_passed_over(scim: ScimClient, path: str) -> None:
    assert accepted(await scim.get(path))["totalResults"] == 0
