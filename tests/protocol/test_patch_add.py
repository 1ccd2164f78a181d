"""PATCH "add" (RFC 7644 §3.5.2.1)."""

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


async def added(scim: ScimClient, resource: Json, *operations: Json) -> Json:
    """Apply the operations and return what the resource then states, which is also what is read."""
    path = f"/Users/{resource['id']}"
    body = accepted(await patch(scim, path, *operations))
    assert await scim.read(path) == body
    return sent(body)


def ann(**attributes: Any) -> Json:
    extensions = [name for name in attributes if name.startswith("urn:")]
    return {"schemas": [USER, *extensions], "userName": "ann", "active": True, **attributes}


async def test_the_example_of_the_standard_without_a_path(scim: ScimClient) -> None:
    resource = await scim.create_user("ann")
    emails = [{"value": "babs@jensen.org", "type": "home"}]
    value = {"emails": emails, "nickName": "Babs"}
    assert await added(scim, resource, operation("add", value=value)) == ann(emails=emails, nickName="Babs")


async def test_the_example_of_the_standard_with_a_path(scim: ScimClient) -> None:
    user = await scim.create_user("ann", displayName="Babs Jensen")
    group = await scim.create_group("Guides")
    value = [{"display": "Babs Jensen", "$ref": f"/Users/{user['id']}", "value": user["id"]}]
    response = await patch(scim, f"/Groups/{group['id']}", operation("add", "members", value))
    assert response.status_code == 204
    members = (await scim.read(f"/Groups/{group['id']}"))["members"]
    assert [member["value"] for member in members] == [user["id"]]


async def test_a_single_value_is_set(scim: ScimClient) -> None:
    resource = await scim.create_user("ann")
    assert await added(scim, resource, operation("add", "title", "Guide")) == ann(title="Guide")


async def test_a_single_value_is_replaced(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", title="Guide")
    assert await added(scim, resource, operation("add", "title", "Driver")) == ann(title="Driver")


async def test_a_complex_attribute_gains_the_sub_attributes_given(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", name={"givenName": "Ann", "familyName": "Lee"})
    result = await added(scim, resource, operation("add", "name", {"middleName": "B", "familyName": "Low"}))
    assert result == ann(name={"givenName": "Ann", "middleName": "B", "familyName": "Low"})


async def test_a_sub_attribute_is_set_by_its_path(scim: ScimClient) -> None:
    resource = await scim.create_user("ann")
    assert await added(scim, resource, operation("add", "name.givenName", "Ann")) == ann(
        name={"givenName": "Ann"}
    )


async def test_values_are_appended(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", emails=[WORK])
    assert await added(scim, resource, operation("add", "emails", [HOME])) == ann(emails=[WORK, HOME])


async def test_one_value_need_not_be_a_list(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", emails=[WORK])
    assert await added(scim, resource, operation("add", "emails", HOME)) == ann(emails=[WORK, HOME])


async def test_a_value_already_there_changes_nothing(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", emails=[WORK], title="Guide", name={"givenName": "Ann"})
    operations = [
        operation("add", "emails", [WORK]),
        operation("add", "title", "Guide"),
        operation("add", value={"name": {"givenName": "Ann"}}),
    ]
    assert accepted(await patch(scim, f"/Users/{resource['id']}", *operations)) == resource


async def test_a_new_primary_clears_the_former(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", emails=[{**WORK, "primary": True}])
    result = await added(scim, resource, operation("add", "emails", [{**HOME, "primary": True}]))
    assert [email.get("primary", False) for email in result["emails"]] == [False, True]


async def test_a_value_path_adds_to_the_value_it_selects(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", emails=[WORK, HOME])
    result = await added(scim, resource, operation("add", 'emails[type eq "work"].display', "Work"))
    assert result == ann(emails=[{**WORK, "display": "Work"}, HOME])


@pytest.mark.parametrize("dialect", ["okta", "entra", "generic"])
async def test_a_value_path_that_selects_nothing_creates_the_value(connect: Connect, dialect: str) -> None:
    scim = await connect(dialect=dialect)
    resource = await scim.create_user("ann", emails=[HOME])
    result = await added(scim, resource, operation("add", 'emails[type eq "work"].value', WORK["value"]))
    assert result == ann(emails=[HOME, WORK])


async def test_sub_attributes_of_a_created_value_come_together(scim: ScimClient) -> None:
    resource = await scim.create_user("ann")
    result = await added(
        scim,
        resource,
        operation("add", 'addresses[type eq "work"].locality', "Berlin"),
        operation("add", 'addresses[type eq "work"].country', "DE"),
    )
    assert result == ann(addresses=[{"type": "work", "locality": "Berlin", "country": "DE"}])


async def test_strict_creates_nothing_by_a_value_path(connect: Connect) -> None:
    strict = await connect(dialect="strict")
    resource = await strict.create_user("ann", emails=[HOME])
    path = f"/Users/{resource['id']}"
    refused(
        await patch(strict, path, operation("add", 'emails[type eq "work"].value', "x@y.example")),
        400,
        "noTarget",
    )
    assert await strict.read(path) == resource


async def test_an_extension_attribute_is_set_by_its_urn(scim: ScimClient) -> None:
    resource = await scim.create_user("ann")
    result = await added(scim, resource, operation("add", f"{ENTERPRISE}:department", "Tours"))
    assert result == ann(**{ENTERPRISE: {"department": "Tours"}})


async def test_an_extension_is_set_without_a_path(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", **{ENTERPRISE: {"division": "Parks"}})
    result = await added(scim, resource, operation("add", value={ENTERPRISE: {"department": "Tours"}}))
    assert result == ann(**{ENTERPRISE: {"division": "Parks", "department": "Tours"}})


async def test_an_extension_is_set_by_its_own_urn(scim: ScimClient) -> None:
    resource = await scim.create_user("ann")
    result = await added(scim, resource, operation("add", ENTERPRISE, {"department": "Tours"}))
    assert result == ann(**{ENTERPRISE: {"department": "Tours"}})


async def test_a_sub_attribute_of_an_extension_is_set_by_its_urn(scim: ScimClient) -> None:
    boss = await scim.create_user("boss")
    resource = await scim.create_user("ann")
    result = await added(scim, resource, operation("add", f"{ENTERPRISE}:manager.value", boss["id"]))
    assert result[ENTERPRISE]["manager"]["value"] == boss["id"]


async def test_the_urn_of_the_core_schema_may_be_spelled_out(scim: ScimClient) -> None:
    resource = await scim.create_user("ann")
    result = await added(scim, resource, operation("add", f"{USER}:name.givenName", "Ann"))
    assert result == ann(name={"givenName": "Ann"})


async def test_paths_are_read_in_any_case(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", emails=[WORK])
    result = await added(
        scim,
        resource,
        operation("add", "NAME.GIVENNAME", "Ann"),
        operation("add", 'EMAILS[TYPE EQ "work"].DISPLAY', "Work"),
        operation("add", f"{ENTERPRISE.upper()}:DEPARTMENT", "Tours"),
    )
    assert result == ann(
        emails=[{**WORK, "display": "Work"}],
        name={"givenName": "Ann"},
        **{ENTERPRISE: {"department": "Tours"}},
    )


async def test_the_password_can_be_set_and_is_not_answered(scim: ScimClient) -> None:
    resource = await scim.create_user("ann")
    assert await added(scim, resource, operation("add", "password", "t1meMa$heen")) == ann()


async def test_an_addition_needs_a_value(connect: Connect) -> None:
    strict = await connect(dialect="strict")
    resource = await strict.create_user("ann", title="Guide")
    path = f"/Users/{resource['id']}"
    refused(await patch(strict, path, operation("add", "title")), 400, "invalidValue", "invalidSyntax")
    assert await strict.read(path) == resource


async def test_the_urn_of_the_core_schema_is_read_as_a_path(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    path = f"/Users/{ann['id']}"
    accepted(
        await patch(scim, path, operation("add", USER, {"title": "Guide", "name": {"givenName": "Ann"}}))
    )
    answer = accepted(await patch(scim, path, operation("add", value={USER: {"nickName": "A"}})))
    assert (answer["title"], answer["name"], answer["nickName"]) == ("Guide", {"givenName": "Ann"}, "A")
