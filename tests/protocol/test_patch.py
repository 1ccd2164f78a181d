"""PATCH as a whole (RFC 7644 §3.5.2): the message, its order, its atomicity and its errors."""

from typing import Any

import pytest

from tests.protocol.messages import (
    ENTERPRISE,
    PATCH_OP,
    UNKNOWN_ID,
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

EMAILS = [{"value": "ann@example.com", "type": "work"}, {"value": "ann@home.example", "type": "home"}]
TITLE = operation("replace", "title", "Driver")


async def refused_without_change(
    scim: ScimClient, operations: Any, *scim_types: str, status: int = 400
) -> Json:
    """Send a good operation and then the bad ones: the error says why and nothing is applied."""
    resource = await scim.create_user("ann", title="Guide", emails=EMAILS)
    path = f"/Users/{resource['id']}"
    body = refused(await patch(scim, path, TITLE, *operations), status, *scim_types)
    assert await scim.read(path) == resource
    return body


async def test_a_user_is_answered_whole_with_its_new_version(scim: ScimClient) -> None:
    resource = await scim.create_user("ann")
    response = await patch(scim, f"/Users/{resource['id']}", TITLE)
    body = accepted(response)
    assert sent(body) == {"schemas": [USER], "userName": "ann", "title": "Driver", "active": True}
    assert response.headers["etag"] == body["meta"]["version"] != resource["meta"]["version"]
    assert body["meta"]["lastModified"] > resource["meta"]["lastModified"]


async def test_a_group_is_answered_without_a_body(scim: ScimClient) -> None:
    group = await scim.create_group("Guides")
    response = await patch(scim, f"/Groups/{group['id']}", operation("replace", "displayName", "Drivers"))
    assert (response.status_code, response.content) == (204, b"")


async def test_a_group_is_answered_with_a_body_when_attributes_are_asked_for(scim: ScimClient) -> None:
    group = await scim.create_group("Guides")
    response = await patch(
        scim, f"/Groups/{group['id']}?attributes=displayName", operation("replace", "displayName", "Drivers")
    )
    assert accepted(response) == {"schemas": group["schemas"], "id": group["id"], "displayName": "Drivers"}


async def test_operations_see_the_earlier_ones(scim: ScimClient) -> None:
    resource = await scim.create_user("ann")
    response = await patch(
        scim,
        f"/Users/{resource['id']}",
        operation("add", "emails", [{"value": "old@example.com", "type": "work"}]),
        operation("replace", 'emails[type eq "work"].value', "new@example.com"),
        operation("add", 'emails[value eq "new@example.com"].display', "New"),
        operation("add", "title", "Guide"),
        operation("remove", "title"),
    )
    assert sent(accepted(response)) == {
        "schemas": [USER],
        "userName": "ann",
        "active": True,
        "emails": [{"value": "new@example.com", "type": "work", "display": "New"}],
    }


async def test_operations_that_cancel_out_change_nothing(scim: ScimClient) -> None:
    resource = await scim.create_user("ann")
    operations = [operation("add", "title", "Guide"), operation("remove", "title")]
    assert accepted(await patch(scim, f"/Users/{resource['id']}", *operations)) == resource


async def test_a_value_that_is_already_so_moves_neither_version_nor_time(scim: ScimClient) -> None:
    resource = await scim.create_user("ann", title="Driver")
    assert accepted(await patch(scim, f"/Users/{resource['id']}", TITLE)) == resource


@pytest.mark.parametrize("dialect", ["generic", "strict"])
@pytest.mark.parametrize(
    "path",
    ["shoeSize", "name.shoe", "urn:example:nothing:shoe", f"{ENTERPRISE}:shoe", 'shoes[type eq "left"]'],
)
async def test_an_unknown_attribute_is_an_invalid_path(connect: Connect, dialect: str, path: str) -> None:
    scim = await connect(dialect=dialect)
    await refused_without_change(scim, [operation("add", path, "x")], "invalidPath")


@pytest.mark.parametrize(
    "path",
    [
        "emails[",
        "emails[]",
        "emails]type",
        ".",
        "name..givenName",
        "emails[type eq]",
        "name.givenName.x",
        "a b",
    ],
)
async def test_a_path_that_cannot_be_read_is_an_invalid_path(scim: ScimClient, path: str) -> None:
    await refused_without_change(scim, [operation("add", path, "x")], "invalidPath", "invalidFilter")


@pytest.mark.parametrize(
    "path", ["emails[primary gt true].value", 'emails[shoe eq "left"].value', 'emails[type xx "work"].value']
)
async def test_a_filter_that_cannot_apply_is_an_invalid_filter(scim: ScimClient, path: str) -> None:
    await refused_without_change(scim, [operation("replace", path, "x")], "invalidFilter", "invalidPath")


async def test_a_filter_on_a_single_value_is_refused(scim: ScimClient) -> None:
    operations = [operation("replace", 'title[value eq "Guide"]', "x")]
    await refused_without_change(scim, operations, "invalidPath", "invalidFilter")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("active", "perhaps"),
        ("active", 1),
        ("title", 5),
        ("title", {"a": "b"}),
        ("name", "Ann"),
        ("name.givenName", ["Ann"]),
        ('emails[type eq "work"].primary', "perhaps"),
        (None, {"active": "perhaps"}),
        (None, {"name": "Ann"}),
    ],
)
async def test_a_value_of_the_wrong_type_is_an_invalid_value(
    scim: ScimClient, path: str | None, value: Any
) -> None:
    await refused_without_change(scim, [operation("replace", path, value)], "invalidValue", "invalidSyntax")


async def test_a_required_attribute_cannot_be_emptied(scim: ScimClient) -> None:
    await refused_without_change(scim, [operation("replace", "userName", "")], "invalidValue", "mutability")


@pytest.mark.parametrize("value", ["Ann", 5, ["a"], True])
async def test_an_operation_without_a_path_needs_an_object(scim: ScimClient, value: Any) -> None:
    await refused_without_change(
        scim, [operation("replace", None, value)], "invalidValue", "invalidSyntax", "noTarget"
    )


@pytest.mark.parametrize(
    "message",
    [
        {"path": "title", "value": "x"},
        {"op": "move", "path": "title", "value": "x"},
        {"op": None, "path": "title", "value": "x"},
        {"op": "replace", "path": 5, "value": "x"},
        "replace",
        None,
        [],
    ],
)
async def test_an_operation_that_is_none_is_an_invalid_syntax(scim: ScimClient, message: Any) -> None:
    await refused_without_change(scim, [message], "invalidSyntax", "invalidPath")


@pytest.mark.parametrize(
    "message",
    [
        {"schemas": [PATCH_OP]},
        {"schemas": [PATCH_OP], "Operations": None},
        {"schemas": [PATCH_OP], "Operations": {}},
        {"schemas": [PATCH_OP], "Operations": "replace"},
        [],
    ],
)
async def test_a_message_without_operations_is_an_invalid_syntax(scim: ScimClient, message: Any) -> None:
    resource = await scim.create_user("ann")
    path = f"/Users/{resource['id']}"
    refused(await scim.request("PATCH", path, json=message), 400, "invalidSyntax", "invalidValue")
    assert await scim.read(path) == resource


async def test_no_operations_change_nothing(scim: ScimClient) -> None:
    resource = await scim.create_user("ann")
    answer = await scim.request(
        "PATCH", f"/Users/{resource['id']}", json={"schemas": [PATCH_OP], "Operations": []}
    )
    assert accepted(answer) == resource


async def test_strict_insists_on_at_least_one_operation(connect: Connect) -> None:
    strict = await connect(dialect="strict")
    resource = await strict.create_user("ann")
    answer = await strict.request(
        "PATCH", f"/Users/{resource['id']}", json={"schemas": [PATCH_OP], "Operations": []}
    )
    refused(answer, 400, "invalidSyntax")


async def test_strict_insists_on_the_schema_of_the_message(connect: Connect) -> None:
    strict = await connect(dialect="strict")
    resource = await strict.create_user("ann")
    response = await strict.request("PATCH", f"/Users/{resource['id']}", json={"Operations": [TITLE]})
    refused(response, 400, "invalidSyntax", "invalidValue")


@pytest.mark.parametrize(
    "target",
    [
        operation("replace", "id", "mine"),
        operation("replace", "meta.created", "1999-01-01T00:00:00Z"),
        operation("add", "groups", [{"value": "g"}]),
        operation("remove", "groups"),
        operation("remove", "id"),
        operation("replace", "meta", {"version": "x"}),
    ],
)
async def test_strict_refuses_to_change_what_is_read_only(connect: Connect, target: Json) -> None:
    await refused_without_change(await connect(dialect="strict"), [target], "mutability")


@pytest.mark.parametrize("dialect", ["okta", "entra", "generic"])
async def test_read_only_attributes_inside_a_value_are_ignored(connect: Connect, dialect: str) -> None:
    scim = await connect(dialect=dialect)
    resource = await scim.create_user("ann")
    value = {
        "id": resource["id"],
        "schemas": [USER],
        "meta": {"version": "x"},
        "groups": [],
        "title": "Guide",
    }
    body = accepted(await patch(scim, f"/Users/{resource['id']}", operation("replace", value=value)))
    assert sent(body) == {**sent(resource), "title": "Guide"}
    assert body["id"] == resource["id"]


async def test_strict_refuses_to_change_the_value_of_a_member(connect: Connect) -> None:
    strict = await connect(dialect="strict")
    ann, bob = await strict.create_user("ann"), await strict.create_user("bob")
    group = await strict.create_group("Guides", members=(ann["id"],))
    path = f"/Groups/{group['id']}"
    target = operation("replace", f'members[value eq "{ann["id"]}"].value', bob["id"])
    refused(await patch(strict, path, target), 400, "mutability")
    assert await strict.read(path) == group


@pytest.mark.parametrize("op", ["Replace", "REPLACE"])
async def test_an_operator_is_read_in_any_case(scim: ScimClient, op: str) -> None:
    resource = await scim.create_user("ann")
    body = accepted(await patch(scim, f"/Users/{resource['id']}", operation(op, "title", "Driver")))
    assert body["title"] == "Driver"


async def test_a_name_of_another_user_is_refused(scim: ScimClient) -> None:
    await scim.create_user("bob")
    await refused_without_change(scim, [operation("replace", "userName", "BOB")], "uniqueness", status=409)


async def test_the_name_of_another_group_is_refused(scim: ScimClient) -> None:
    await scim.create_group("Guides")
    drivers = await scim.create_group("Drivers")
    path = f"/Groups/{drivers['id']}"
    refused(await patch(scim, path, operation("replace", "displayName", "guides")), 409, "uniqueness")
    assert await scim.read(path) == drivers


async def test_an_unknown_resource_is_not_found(scim: ScimClient) -> None:
    refused(await patch(scim, f"/Users/{UNKNOWN_ID}", TITLE), 404)


async def test_members_of_a_failed_patch_are_not_added(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    group = await scim.create_group("Guides")
    path = f"/Groups/{group['id']}"
    operations = [operation("add", "members", [{"value": ann["id"]}]), operation("replace", "shoe", "left")]
    refused(await patch(scim, path, *operations), 400, "invalidPath")
    assert await scim.read(path) == group
    assert await scim.read(f"/Users/{ann['id']}") == ann


async def test_unknown_attributes_inside_a_value_are_ignored(scim: ScimClient) -> None:
    resource = await scim.create_user("ann")
    value = {"shoeSize": 43, "title": "Guide"}
    body = accepted(await patch(scim, f"/Users/{resource['id']}", operation("replace", value=value)))
    assert sent(body) == {**sent(resource), "title": "Guide"}


async def test_strict_refuses_unknown_attributes_inside_a_value(connect: Connect) -> None:
    strict = await connect(dialect="strict")
    operations = [operation("replace", value={"shoeSize": 43})]
    await refused_without_change(strict, operations, "invalidSyntax", "invalidPath")
