"""Which attributes an answer holds (RFC 7644 §3.9, RFC 7643 §7 "returned")."""

from collections.abc import Awaitable, Callable

import pytest

from tests.protocol.messages import (
    ENTERPRISE,
    USER,
    Json,
    accepted,
    group,
    operation,
    patch,
    refused,
    user,
)
from tests.support.client import ScimClient

ANN: Json = user(
    "ann",
    title="Guide",
    name={"givenName": "Ann", "familyName": "Lee"},
    emails=[{"value": "ann@example.com", "type": "work", "primary": True}, {"value": "ann@home.example"}],
    active=True,
    **{ENTERPRISE: {"department": "Tours", "division": "Parks"}},
)
ALWAYS = {"schemas", "id"}


async def projected(scim: ScimClient, **parameters: str) -> Json:
    """Return Ann under the parameters, without the id and the schemas that every answer holds."""
    created = accepted(await scim.post("/Users", ANN), 201)
    body = accepted(await scim.get(f"/Users/{created['id']}", **parameters))
    assert body["id"] == created["id"]
    assert USER in body["schemas"]
    return {name: value for name, value in body.items() if name not in ALWAYS}


async def test_only_the_attribute_asked_for_is_answered(scim: ScimClient) -> None:
    assert await projected(scim, attributes="userName") == {"userName": "ann"}


async def test_several_attributes_are_parted_by_commas(scim: ScimClient) -> None:
    assert await projected(scim, attributes="userName,title") == {"userName": "ann", "title": "Guide"}


async def test_spaces_around_names_are_ignored(scim: ScimClient) -> None:
    assert await projected(scim, attributes="userName, title") == {"userName": "ann", "title": "Guide"}


async def test_a_complex_attribute_is_answered_whole(scim: ScimClient) -> None:
    assert await projected(scim, attributes="name") == {"name": ANN["name"]}


async def test_a_sub_attribute_is_answered_alone(scim: ScimClient) -> None:
    assert await projected(scim, attributes="name.givenName") == {"name": {"givenName": "Ann"}}


async def test_a_sub_attribute_is_answered_for_each_value(scim: ScimClient) -> None:
    assert await projected(scim, attributes="emails.value") == {
        "emails": [{"value": "ann@example.com"}, {"value": "ann@home.example"}]
    }


@pytest.mark.parametrize("name", [f"{ENTERPRISE}:department", f"{ENTERPRISE.upper()}:DEPARTMENT"])
async def test_an_attribute_of_an_extension_is_answered_alone(scim: ScimClient, name: str) -> None:
    assert await projected(scim, attributes=name) == {ENTERPRISE: {"department": "Tours"}}


async def test_an_extension_is_answered_whole(scim: ScimClient) -> None:
    assert await projected(scim, attributes=ENTERPRISE) == {ENTERPRISE: ANN[ENTERPRISE]}


@pytest.mark.parametrize("name", [f"{USER}:userName", "USERNAME", "username"])
async def test_a_name_may_be_spelled_in_full_or_in_any_case(scim: ScimClient, name: str) -> None:
    assert await projected(scim, attributes=name) == {"userName": "ann"}


async def test_meta_is_answered_when_asked_for(scim: ScimClient) -> None:
    body = await projected(scim, attributes="meta.resourceType")
    assert body == {"meta": {"resourceType": "User"}}


@pytest.mark.parametrize("name", ["shoeSize", "password", "emails.shoe", "id"])
async def test_what_cannot_be_answered_leaves_what_always_is(scim: ScimClient, name: str) -> None:
    assert await projected(scim, attributes=name) == {}


async def test_the_attributes_excluded_are_left_out(scim: ScimClient) -> None:
    body = await projected(scim, excludedAttributes=f"emails,name,meta,{ENTERPRISE}")
    assert body == {"userName": "ann", "title": "Guide", "active": True}


async def test_a_sub_attribute_can_be_left_out(scim: ScimClient) -> None:
    body = await projected(scim, excludedAttributes="name.familyName,emails.primary,emails.type")
    assert body["name"] == {"givenName": "Ann"}
    assert body["emails"] == [{"value": "ann@example.com"}, {"value": "ann@home.example"}]


async def test_an_attribute_of_an_extension_can_be_left_out(scim: ScimClient) -> None:
    body = await projected(scim, excludedAttributes=f"{ENTERPRISE}:department")
    assert body[ENTERPRISE] == {"division": "Parks"}


async def test_what_is_always_answered_cannot_be_left_out(scim: ScimClient) -> None:
    created = await scim.create_user("bob")
    body = accepted(await scim.get(f"/Users/{created['id']}", excludedAttributes="id,schemas,shoeSize"))
    assert body == created


@pytest.mark.parametrize("path", ["/Users", "/Users/{id}"])
async def test_both_parameters_together_are_refused(scim: ScimClient, path: str) -> None:
    created = await scim.create_user("bob")
    response = await scim.get(
        path.format(id=created["id"]), attributes="userName", excludedAttributes="title"
    )
    refused(response, 400)


async def test_a_list_is_projected(scim: ScimClient) -> None:
    await scim.post("/Users", ANN)
    body = accepted(await scim.get("/Users", attributes="title"))
    assert [set(resource) - ALWAYS for resource in body["Resources"]] == [{"title"}]


async def test_a_list_leaves_members_out(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    guides = await scim.create_group("Guides", members=(ann["id"],))
    listed = accepted(await scim.get("/Groups", excludedAttributes="members"))["Resources"]
    read = accepted(await scim.get(f"/Groups/{guides['id']}", excludedAttributes="members"))
    del guides["members"]
    assert (listed, read) == ([guides], guides)


async def test_members_can_be_asked_for_alone(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    guides = await scim.create_group("Guides", members=(ann["id"],))
    body = accepted(await scim.get(f"/Groups/{guides['id']}", attributes="members.value"))
    assert {name: value for name, value in body.items() if name not in ALWAYS} == {
        "members": [{"value": ann["id"]}]
    }


async def post(scim: ScimClient, query: str) -> Json:
    return accepted(await scim.request("POST", f"/Users?{query}", json=ANN), 201)


async def put(scim: ScimClient, query: str) -> Json:
    created = accepted(await scim.post("/Users", user("ann")), 201)
    return accepted(await scim.request("PUT", f"/Users/{created['id']}?{query}", json=ANN))


async def patched(scim: ScimClient, query: str) -> Json:
    created = accepted(await scim.post("/Users", ANN), 201)
    change = operation("replace", "title", "Driver")
    return accepted(await patch(scim, f"/Users/{created['id']}?{query}", change))


@pytest.mark.parametrize("write", [post, put, patched])
async def test_the_answer_of_a_write_is_projected(
    scim: ScimClient, write: Callable[[ScimClient, str], Awaitable[Json]]
) -> None:
    assert set(await write(scim, "attributes=name.givenName")) == {*ALWAYS, "name"}


@pytest.mark.parametrize("write", [post, put, patched])
async def test_the_answer_of_a_write_leaves_attributes_out(
    scim: ScimClient, write: Callable[[ScimClient, str], Awaitable[Json]]
) -> None:
    body = await write(scim, "excludedAttributes=meta,emails")
    assert set(body) == {*ALWAYS, "userName", "title", "name", "active", ENTERPRISE}


async def test_a_projected_write_still_says_where_it_is(scim: ScimClient) -> None:
    response = await scim.request("POST", "/Groups?attributes=displayName", json=group("Guides"))
    assert response.headers["location"] == f"{scim.base_url}/Groups/{accepted(response, 201)['id']}"
