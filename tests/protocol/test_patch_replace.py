"""PATCH "replace" (RFC 7644 §3.5.2.3)."""

from typing import Any

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


async def replaced(scim: ScimClient, resource: Json, *operations: Json) -> Json:
    """Apply the operations and return what the resource then states, which is also what is read."""
    path = f"/Users/{resource['id']}"
    body = accepted(await patch(scim, path, *operations))
    assert await scim.read(path) == body
    return sent(body)


def ann(**attributes: Any) -> Json:
    extensions = [name for name in attributes if name.startswith("urn:")]
    return {"schemas": [USER, *extensions], "userName": "ann", "active": True, **attributes}


async def test_a_single_value_is_replaced(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", title="Guide")
    assert await replaced(scim, resource, operation("replace", "title", "Driver")) == ann(title="Driver")


async def test_what_is_not_there_is_added(scim: ScimClient) -> None:
    resource = await scim.create_user("ann")
    result = await replaced(
        scim, resource, operation("replace", "title", "Guide"), operation("replace", "emails", [WORK])
    )
    assert result == ann(title="Guide", emails=[WORK])


async def test_attributes_are_replaced_without_a_path(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", title="Guide", emails=[WORK], nickName="Annie")
    value = {"title": "Driver", "emails": [HOME], "active": False}
    result = await replaced(scim, resource, operation("replace", value=value))
    assert result == {**ann(title="Driver", emails=[HOME], nickName="Annie"), "active": False}


async def test_sub_attributes_that_are_not_given_stay(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", name={"givenName": "Ann", "familyName": "Lee"})
    result = await replaced(scim, resource, operation("replace", "name", {"familyName": "Low"}))
    assert result == ann(name={"givenName": "Ann", "familyName": "Low"})


async def test_a_sub_attribute_is_replaced_by_its_path(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", name={"givenName": "Ann", "familyName": "Lee"})
    result = await replaced(scim, resource, operation("replace", "name.familyName", "Low"))
    assert result == ann(name={"givenName": "Ann", "familyName": "Low"})


async def test_all_values_are_replaced(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", emails=[WORK, HOME])
    values = [{"value": "new@example.com", "type": "work"}]
    assert await replaced(scim, resource, operation("replace", "emails", values)) == ann(emails=values)


async def test_the_example_of_the_standard_replaces_the_selected_address(scim: ScimClient) -> None:
    home = {"type": "home", "locality": "Berlin"}
    resource = await scim.create_user(
        "ann", addresses=[{"type": "work", "streetAddress": "1 Old Road"}, home]
    )
    address = {
        "type": "work",
        "streetAddress": "911 Universal City Plaza",
        "locality": "Hollywood",
        "region": "CA",
        "postalCode": "91608",
        "country": "US",
        "formatted": "911 Universal City Plaza\nHollywood, CA 91608 US",
        "primary": True,
    }
    result = await replaced(scim, resource, operation("replace", 'addresses[type eq "work"]', address))
    assert result == ann(addresses=[address, home])


async def test_the_example_of_the_standard_replaces_one_street(scim: ScimClient) -> None:
    work, home = {"type": "work", "streetAddress": "1 Old Road", "country": "US"}, {"type": "home"}
    resource = await scim.create_user("ann", addresses=[work, home])
    street = "1010 Broadway Ave"
    result = await replaced(
        scim, resource, operation("replace", 'addresses[type eq "work"].streetAddress', street)
    )
    assert result == ann(addresses=[{**work, "streetAddress": street}, home])


async def test_every_selected_value_is_changed(scim: ScimClient) -> None:
    phones = [{"value": "1", "type": "work"}, {"value": "2", "type": "work"}, {"value": "3", "type": "home"}]
    resource = await scim.create_user("ann", phoneNumbers=phones)
    result = await replaced(
        scim, resource, operation("replace", 'phoneNumbers[type eq "work"].display', "Work")
    )
    assert result == ann(
        phoneNumbers=[{**phones[0], "display": "Work"}, {**phones[1], "display": "Work"}, phones[2]]
    )


async def test_a_new_primary_clears_the_former(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", emails=[{**WORK, "primary": True}, HOME])
    result = await replaced(
        scim, resource, operation("replace", 'emails[type eq "home"].primary', value=True)
    )
    assert [email.get("primary", False) for email in result["emails"]] == [False, True]


@pytest.mark.parametrize("dialect", ["okta", "entra", "generic"])
async def test_a_value_path_that_selects_nothing_creates_the_value(connect: Connect, dialect: str) -> None:
    scim = await connect(dialect=dialect)
    resource = await scim.create_user("ann", emails=[HOME])
    result = await replaced(
        scim, resource, operation("replace", 'emails[type eq "work"].value', WORK["value"])
    )
    assert result == ann(emails=[HOME, WORK])


@pytest.mark.parametrize(
    ("dialect", "selected"),
    [
        ("strict", 'emails[type eq "work"]'),
        ("strict", 'emails[type eq "work"].value'),
        ("generic", 'emails[type sw "wo"].value'),
        ("generic", 'emails[not (type eq "home")].value'),
    ],
)
async def test_a_value_path_without_a_target_is_refused(
    connect: Connect, dialect: str, selected: str
) -> None:
    scim = await connect(dialect=dialect)
    resource = await scim.create_user("ann", emails=[HOME])
    path = f"/Users/{resource['id']}"
    value: Any = WORK if selected.endswith("]") else WORK["value"]
    refused(await patch(scim, path, operation("replace", selected, value)), 400, "noTarget")
    assert await scim.read(path) == resource


async def test_an_extension_attribute_is_replaced_by_its_urn(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", **{ENTERPRISE: {"department": "Tours", "division": "Parks"}})
    result = await replaced(scim, resource, operation("replace", f"{ENTERPRISE}:department", "Sales"))
    assert result == ann(**{ENTERPRISE: {"department": "Sales", "division": "Parks"}})


async def test_the_active_state_is_replaced(scim: ScimClient) -> None:
    resource = await scim.create_user("ann")
    assert await replaced(scim, resource, operation("replace", "active", value=False)) == {
        **ann(),
        "active": False,
    }
    assert await replaced(scim, resource, operation("replace", "active", value=True)) == ann()


async def test_an_empty_list_unassigns(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", emails=[WORK])
    assert await replaced(scim, resource, operation("replace", "emails", [])) == ann()


async def test_null_unassigns(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", title="Guide")
    assert await replaced(scim, resource, operation("replace", value={"title": None})) == ann()


async def test_members_are_replaced_as_a_whole(scim: ScimClient) -> None:
    ids = [(await scim.create_user(name))["id"] for name in ("ann", "bob", "cid")]
    group = await scim.create_group("Guides", members=ids[:2])
    await scim.patch_ok(
        f"/Groups/{group['id']}", operation("replace", "members", [{"value": each} for each in ids[1:]])
    )
    members = (await scim.read(f"/Groups/{group['id']}"))["members"]
    assert {member["value"] for member in members} == set(ids[1:])


@pytest.mark.parametrize("nothing", [[], None])
async def test_members_replaced_by_nothing_are_gone(scim: ScimClient, nothing: Any) -> None:
    ann_id = (await scim.create_user("ann"))["id"]
    group = await scim.create_group("Guides", members=(ann_id,))
    await scim.patch_ok(f"/Groups/{group['id']}", operation("replace", "members", nothing))
    assert "members" not in await scim.read(f"/Groups/{group['id']}")


@pytest.mark.parametrize("dialect", ["generic", "strict"])
async def test_a_group_is_renamed_by_a_path_or_without(connect: Connect, dialect: str) -> None:
    scim = await connect(dialect=dialect)
    group = await scim.create_group("Guides")
    path = f"/Groups/{group['id']}"
    await scim.patch_ok(path, operation("replace", "displayName", "Drivers"))
    assert (await scim.read(path))["displayName"] == "Drivers"
    await scim.patch_ok(path, operation("replace", value={"displayName": "Pilots"}))
    assert (await scim.read(path))["displayName"] == "Pilots"
