"""POST /.search (RFC 7644 §3.4.3): the same answers as GET, at each type and at the root (§3.4.2.1)."""

from typing import Any

import pytest

from tests.protocol.messages import LIST_RESPONSE, SEARCH_REQUEST, Json, accepted, refused, user_names
from tests.support.client import ScimClient


async def search(scim: ScimClient, path: str, **members: Any) -> Json:
    return accepted(await scim.post(f"{path}/.search", {"schemas": [SEARCH_REQUEST], **members}))


async def populate(scim: ScimClient) -> None:
    ids = [(await scim.create_user(name, displayName=name.title()))["id"] for name in ("ann", "bob", "cid")]
    await scim.create_group("Ann", members=ids)
    await scim.create_group("Drivers")


@pytest.mark.parametrize("path", ["/Users", "/Groups"])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"filter": 'displayName sw "a"'},
        {"startIndex": 2, "count": 1},
        {"count": 0},
        {"startIndex": -5, "count": 1},
        {"sortBy": "displayName", "sortOrder": "descending"},
        {"filter": "displayName pr", "sortBy": "id", "count": 2},
    ],
)
async def test_a_search_answers_as_get_does(scim: ScimClient, path: str, parameters: Json) -> None:
    await populate(scim)
    assert await search(scim, path, **parameters) == accepted(await scim.get(path, **parameters))


@pytest.mark.parametrize("name", ["attributes", "excludedAttributes"])
async def test_a_search_projects_as_get_does(scim: ScimClient, name: str) -> None:
    await populate(scim)
    searched = await search(scim, "/Users", **{name: ["displayName", "meta.location"]})
    assert searched == accepted(await scim.get("/Users", **{name: "displayName,meta.location"}))


async def test_a_search_walks_by_cursor(scim: ScimClient) -> None:
    await populate(scim)
    first = await search(scim, "/Users", cursor="", count=2)
    second = await search(scim, "/Users", cursor=first["nextCursor"], count=2)
    assert user_names(first["Resources"] + second["Resources"]) == ["ann", "bob", "cid"]


async def test_the_root_searches_every_type(scim: ScimClient) -> None:
    await populate(scim)
    body = await search(scim, "")
    assert (body["schemas"], body["totalResults"]) == ([LIST_RESPONSE], 5)
    assert {resource["meta"]["resourceType"] for resource in body["Resources"]} == {"User", "Group"}


async def test_the_root_answers_each_resource_as_its_own_endpoint_does(scim: ScimClient) -> None:
    await populate(scim)
    for resource in (await search(scim, ""))["Resources"]:
        path = resource["meta"]["location"].removeprefix(scim.base_url)
        assert await scim.read(path) == resource


async def test_a_filter_of_the_root_reaches_every_type_that_has_the_attribute(scim: ScimClient) -> None:
    await populate(scim)
    body = await search(scim, "", filter='displayName eq "ann"')
    assert [resource["meta"]["resourceType"] for resource in body["Resources"]] == ["User", "Group"]


@pytest.mark.parametrize(
    ("filter_", "total"),
    [
        ('userName eq "ann"', 1),
        ('meta.resourceType eq "Group"', 2),
        ('meta.resourceType eq "User"', 3),
        ('meta.resourceType eq "User" or displayName eq "drivers"', 4),
        ("members pr", 1),
    ],
)
async def test_a_type_without_the_attribute_does_not_match(
    scim: ScimClient, filter_: str, total: int
) -> None:
    await populate(scim)
    assert (await search(scim, "", filter=filter_))["totalResults"] == total


async def test_an_attribute_no_type_has_is_refused(scim: ScimClient) -> None:
    refused(
        await scim.post("/.search", {"schemas": [SEARCH_REQUEST], "filter": "shoe pr"}), 400, "invalidFilter"
    )


async def test_the_root_pages_across_the_types(scim: ScimClient) -> None:
    await populate(scim)
    pages = [(await search(scim, "", startIndex=index, count=2))["Resources"] for index in (1, 3, 5)]
    ids = [resource["id"] for resources in pages for resource in resources]
    assert [len(resources) for resources in pages] == [2, 2, 1]
    assert len(set(ids)) == 5


async def test_the_root_projects(scim: ScimClient) -> None:
    await populate(scim)
    body = await search(scim, "", attributes=["displayName"], filter='userName eq "ann"')
    assert [set(resource) for resource in body["Resources"]] == [{"schemas", "id", "displayName"}]


@pytest.mark.parametrize("path", ["", "/Users"])
@pytest.mark.parametrize(
    "members",
    [
        {"count": "many"},
        {"count": 1.5},
        {"startIndex": "first"},
        {"filter": 5},
        {"attributes": 5},
        {"sortBy": ["a"]},
        {"cursor": 5},
        {"sortOrder": "sideways", "sortBy": "id"},
    ],
)
async def test_a_member_of_the_wrong_type_is_refused(scim: ScimClient, path: str, members: Json) -> None:
    refused(await scim.post(f"{path}/.search", {"schemas": [SEARCH_REQUEST], **members}), 400)


async def test_a_search_has_no_location(scim: ScimClient) -> None:
    response = await scim.post("/Users/.search", {"schemas": [SEARCH_REQUEST]})
    assert response.status_code == 200
    assert "location" not in response.headers
