"""Versions of a resource (RFC 7644 §3.14, RFC 9110 §13)."""

import pytest

from tests.protocol.messages import UNKNOWN_ID, Json, accepted, operation, patch, refused, user
from tests.support.client import ScimClient

STALE = 'W/"stale"'


async def conditional(scim: ScimClient, method: str, resource: Json, **headers: str) -> tuple[int, Json]:
    """Send a write with those headers and return its status and the resource as it then is."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    change = {"Operations": [operation("replace", "title", "Driver")]}
    body = {
        "PUT": user("ann", title="Driver"),
        "PATCH": {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], **change},
    }.get(method)
    path = f"/Users/{resource['id']}"
    response = await scim.request(method, path, json=body, headers=names)
    if response.status_code >= 400:
        refused(response, response.status_code)
    return response.status_code, (await scim.get(path)).json()


async def test_the_version_is_a_weak_tag(scim: ScimClient) -> None:
    response = await scim.post("/Users", user("ann"))
    version = accepted(response, 201)["meta"]["version"]
    assert version.startswith('W/"')
    assert version.endswith('"')
    assert response.headers["etag"] == version


async def test_every_answer_of_one_resource_carries_its_tag(scim: ScimClient) -> None:
    path = f"/Users/{(await scim.create_user('ann'))['id']}"
    for response in (
        await scim.get(path),
        await patch(scim, path, operation("replace", "title", "Driver")),
        await scim.request("PUT", path, json=user("ann")),
    ):
        assert response.headers["etag"] == accepted(response)["meta"]["version"]


async def test_the_tag_of_a_group_is_sent_without_a_body(scim: ScimClient) -> None:
    path = f"/Groups/{(await scim.create_group('Guides'))['id']}"
    response = await patch(scim, path, operation("replace", "displayName", "Drivers"))
    assert response.headers["etag"] == (await scim.read(path))["meta"]["version"]


@pytest.mark.parametrize("form", ["{}", "*", 'W/"other", {}', '{},W/"other"'])
async def test_a_resource_the_client_has_is_not_sent_again(scim: ScimClient, form: str) -> None:
    ann = await scim.create_user("ann")
    headers = {"If-None-Match": form.format(ann["meta"]["version"])}
    response = await scim.request("GET", f"/Users/{ann['id']}", headers=headers)
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == ann["meta"]["version"]


async def test_a_resource_that_changed_is_sent(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    path = f"/Users/{ann['id']}"
    changed = accepted(await patch(scim, path, operation("replace", "title", "Driver")))
    response = await scim.request("GET", path, headers={"If-None-Match": ann["meta"]["version"]})
    assert accepted(response) == changed


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("form", ["{}", "*", 'W/"other", {}'])
async def test_a_write_upon_the_known_version_is_done(scim: ScimClient, method: str, form: str) -> None:
    ann = await scim.create_user("ann")
    status, body = await conditional(scim, method, ann, If_Match=form.format(ann["meta"]["version"]))
    assert (status, body["title"]) == (200, "Driver")


async def test_a_deletion_upon_the_known_version_is_done(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    status, body = await conditional(scim, "DELETE", ann, If_Match=ann["meta"]["version"])
    assert (status, body["status"]) == (204, "404")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("tag", [STALE, '"stale"', "garbage", 'W/"1", W/"x'])
async def test_a_write_upon_another_version_fails(scim: ScimClient, method: str, tag: str) -> None:
    ann = await scim.create_user("ann", title="Guide")
    path = f"/Users/{ann['id']}"
    ann = accepted(await patch(scim, path, operation("replace", "title", "Pilot")))
    assert await conditional(scim, method, ann, If_Match=tag) == (412, ann)


async def test_a_write_upon_the_former_version_fails(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    changed = accepted(await patch(scim, f"/Users/{ann['id']}", operation("replace", "title", "Guide")))
    assert await conditional(scim, "PATCH", ann, If_Match=ann["meta"]["version"]) == (412, changed)


async def test_a_version_that_is_met_still_guards_an_unchanged_write(scim: ScimClient) -> None:
    ann = await scim.create_user("ann", title="Driver")
    assert await conditional(scim, "PATCH", ann, If_Match=STALE) == (412, ann)


async def test_an_unknown_resource_is_not_found_whatever_its_version(scim: ScimClient) -> None:
    response = await scim.request(
        "PUT", f"/Users/{UNKNOWN_ID}", json=user("ann"), headers={"If-Match": 'W/"1"'}
    )
    refused(response, 404)


async def test_a_change_of_members_moves_the_version_of_the_group(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    group = await scim.create_group("Guides")
    path = f"/Groups/{group['id']}"
    versions = [group["meta"]["version"]]
    for change in (
        operation("add", "members", [{"value": ann["id"]}]),
        operation("remove", f'members[value eq "{ann["id"]}"]'),
    ):
        await scim.patch_ok(path, change)
        versions.append((await scim.read(path))["meta"]["version"])
    assert len(set(versions)) == 3


async def test_a_member_already_there_leaves_the_version(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    group = await scim.create_group("Guides", members=(ann["id"],))
    path = f"/Groups/{group['id']}"
    await scim.patch_ok(path, operation("add", "members", [{"value": ann["id"]}]))
    assert await scim.read(path) == group


async def test_a_version_on_a_post_is_ignored(scim: ScimClient) -> None:
    response = await scim.request("POST", "/Users", json=user("ann"), headers={"If-Match": STALE})
    assert accepted(response, 201)["userName"] == "ann"
