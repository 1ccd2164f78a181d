"""PATCH "remove" (RFC 7644 §3.5.2.2)."""

import pytest

from tests.protocol.messages import (
    ENTERPRISE,
    USER,
    Connect,
    Json,
    accepted,
    operation,
    patch,
    refused,
    sent,
)
from tests.support.client import ScimClient

WORK = {"value": "ann@example.com", "type": "work"}
HOME = {"value": "ann@home.example", "type": "home"}
LEAST = {"schemas": [USER], "userName": "ann", "active": True}


async def removed(scim: ScimClient, resource: Json, *paths: str) -> Json:
    """Remove the paths and return what the resource then states, which is also what is read."""
    path = f"/Users/{resource['id']}"
    body = accepted(await patch(scim, path, *(operation("remove", each) for each in paths)))
    assert await scim.read(path) == body
    return sent(body)


async def three_members(scim: ScimClient) -> tuple[str, list[str]]:
    ids = [(await scim.create_user(name))["id"] for name in ("ann", "bob", "cid")]
    return f"/Groups/{(await scim.create_group('Guides', members=ids))['id']}", ids


async def member_ids(scim: ScimClient, path: str) -> set[str]:
    return {member["value"] for member in (await scim.read(path)).get("members", [])}


async def test_a_single_value_is_unassigned(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", title="Guide")
    assert await removed(scim, resource, "title") == LEAST


async def test_all_values_are_removed(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", emails=[WORK, HOME])
    assert await removed(scim, resource, "emails") == LEAST


async def test_the_value_that_is_selected_is_removed(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", emails=[WORK, HOME])
    selected = 'emails[type eq "work" and value ew "example.com"]'
    assert await removed(scim, resource, selected) == {**LEAST, "emails": [HOME]}


async def test_every_value_that_is_selected_is_removed(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", emails=[WORK, HOME, {**HOME, "value": "a@b.example"}])
    assert await removed(scim, resource, 'emails[type eq "home"]') == {**LEAST, "emails": [WORK]}


async def test_the_last_value_removed_leaves_the_attribute_unassigned(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", emails=[WORK])
    assert await removed(scim, resource, 'emails[type eq "work"]') == LEAST


async def test_a_sub_attribute_of_the_selected_value_is_removed(scim: ScimClient) -> None:
    resource = await scim.create_user(
        "ann", emails=[{**WORK, "display": "Work"}, {**HOME, "display": "Home"}]
    )
    result = await removed(scim, resource, 'emails[type eq "work"].display')
    assert result == {**LEAST, "emails": [WORK, {**HOME, "display": "Home"}]}


async def test_a_complex_attribute_is_removed(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", name={"givenName": "Ann"})
    assert await removed(scim, resource, "name") == LEAST


async def test_the_last_sub_attribute_takes_its_parent_along(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", name={"givenName": "Ann"})
    assert await removed(scim, resource, "name.givenName") == LEAST


async def test_one_of_the_sub_attributes_is_removed(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", name={"givenName": "Ann", "familyName": "Lee"})
    assert await removed(scim, resource, "name.givenName") == {**LEAST, "name": {"familyName": "Lee"}}


@pytest.mark.parametrize("path", [f"{ENTERPRISE}:department", ENTERPRISE])
async def test_an_emptied_extension_leaves_the_schemas(scim: ScimClient, path: str) -> None:
    resource = await scim.create_user("ann", **{ENTERPRISE: {"department": "Tours"}})
    assert await removed(scim, resource, path) == LEAST


async def test_the_manager_is_removed(scim: ScimClient) -> None:
    boss = await scim.create_user("boss")
    resource = await scim.create_user(
        "ann", **{ENTERPRISE: {"division": "Parks", "manager": {"value": boss["id"]}}}
    )
    result = await removed(scim, resource, f"{ENTERPRISE}:manager")
    assert result[ENTERPRISE] == {"division": "Parks"}


@pytest.mark.parametrize("path", ["title", "emails", "name.givenName", ENTERPRISE, 'emails[type eq "work"]'])
async def test_what_is_not_there_can_be_removed_without_a_change(scim: ScimClient, path: str) -> None:
    resource = await scim.create_user("ann")
    assert accepted(await patch(scim, f"/Users/{resource['id']}", operation("remove", path))) == resource


@pytest.mark.parametrize("dialect", ["generic", "strict"])
@pytest.mark.parametrize("target", [operation("remove"), operation("remove", value={"title": "Guide"})])
async def test_a_removal_needs_a_path(connect: Connect, dialect: str, target: Json) -> None:
    scim = await connect(dialect=dialect)
    resource = await scim.create_user("ann", title="Guide")
    path = f"/Users/{resource['id']}"
    refused(await patch(scim, path, target), 400, "noTarget")
    assert await scim.read(path) == resource


@pytest.mark.parametrize("dialect", ["okta", "entra", "generic", "strict"])
async def test_a_required_attribute_cannot_be_removed(connect: Connect, dialect: str) -> None:
    scim = await connect(dialect=dialect)
    resource = await scim.create_user("ann", title="Guide")
    path = f"/Users/{resource['id']}"
    response = await patch(scim, path, operation("remove", "title"), operation("remove", "userName"))
    refused(response, 400, "mutability")
    assert await scim.read(path) == resource


async def test_the_name_of_a_group_cannot_be_removed(scim: ScimClient) -> None:
    group = await scim.create_group("Guides")
    refused(
        await patch(scim, f"/Groups/{group['id']}", operation("remove", "displayName")), 400, "mutability"
    )


async def test_one_member_is_removed_by_a_filter(scim: ScimClient) -> None:
    path, (ann, bob, cid) = await three_members(scim)
    await scim.patch_ok(path, operation("remove", f'members[value eq "{bob}"]'))
    assert await member_ids(scim, path) == {ann, cid}


async def test_members_are_removed_by_a_list_of_values(scim: ScimClient) -> None:
    path, (ann, bob, cid) = await three_members(scim)
    await scim.patch_ok(path, operation("remove", "members", [{"value": ann}, {"value": cid}]))
    assert await member_ids(scim, path) == {bob}


async def test_members_are_removed_by_a_composed_filter(scim: ScimClient) -> None:
    path, (ann, bob, cid) = await three_members(scim)
    await scim.patch_ok(path, operation("remove", f'members[value eq "{ann}" or value eq "{bob}"]'))
    assert await member_ids(scim, path) == {cid}


async def test_members_are_removed_by_their_type(scim: ScimClient) -> None:
    path, ids = await three_members(scim)
    nested = await scim.create_group("Nested")
    await scim.patch_ok(path, operation("add", "members", [{"value": nested["id"]}]))
    await scim.patch_ok(path, operation("remove", 'members[type eq "Group"]'))
    assert await member_ids(scim, path) == set(ids)


async def test_all_members_are_removed(scim: ScimClient) -> None:
    path, _ = await three_members(scim)
    await scim.patch_ok(path, operation("remove", "members"))
    assert "members" not in await scim.read(path)


async def test_a_member_that_is_absent_can_be_removed_without_a_change(scim: ScimClient) -> None:
    path, _ = await three_members(scim)
    before = await scim.read(path)
    outsider = await scim.create_user("outsider")
    await scim.patch_ok(path, operation("remove", f'members[value eq "{outsider["id"]}"]'))
    await scim.patch_ok(path, operation("remove", "members", [{"value": outsider["id"]}]))
    assert await scim.read(path) == before
