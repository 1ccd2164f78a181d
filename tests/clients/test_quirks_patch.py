"""The PATCH dialects of Entra, Okta, SailPoint, authentik and JumpCloud on one user."""

from typing import Any

import pytest

from tests.clients.exchanges import (
    ENTERPRISE,
    EVERY_DIALECT,
    FRIENDLY,
    PATCH_OP,
    USER,
    Connect,
    Document,
    call,
    identifier,
    new_user,
    patched,
    read,
    require_refused,
)

WORK = {"type": "work", "value": "bo@corp.example", "primary": True}


@pytest.mark.parametrize("dialect", FRIENDLY)
async def test_the_case_of_an_operation_name_does_not_matter(connect: Connect, dialect: str) -> None:
    client = await connect(dialect=dialect)
    user = await new_user(client)
    for op in ("add", "Add", "ADD", "replace", "Replace", "REPLACE"):
        await patched(client, user, {"op": op, "path": "title", "value": f"Set by {op}"})
        assert (await read(client, user))["title"] == f"Set by {op}"
    for op in ("Remove", "REMOVE"):
        await patched(
            client, user, {"op": "add", "path": "title", "value": "Clerk"}, {"op": op, "path": "title"}
        )
        assert "title" not in await read(client, user)


@pytest.mark.parametrize("op", ["Replace", "ADD", "Remove"])
async def test_the_strict_dialect_takes_operation_names_in_lower_case_only(connect: Connect, op: str) -> None:
    client = await connect(dialect="strict")
    user = await new_user(client, title="Clerk")
    operation = {"op": op, "path": "title", "value": "Surveyor"}
    await require_refused(client, user, operation, scim_types=("invalidSyntax", "invalidValue"))


@pytest.mark.parametrize("dialect", EVERY_DIALECT)
async def test_operations_with_and_without_path_share_a_request(connect: Connect, dialect: str) -> None:
    client = await connect(dialect=dialect)
    user = await new_user(client, title="Clerk", nickName="Bobby")
    await patched(
        client,
        user,
        {"op": "replace", "value": {"title": "Surveyor", "name": {"givenName": "Bo"}}},
        {"op": "add", "path": "name.familyName", "value": "Hall"},
        {"op": "remove", "path": "nickName"},
        {"op": "replace", "value": {"displayName": "Bo Hall"}},
    )
    after = await read(client, user)
    assert after["name"] == {"givenName": "Bo", "familyName": "Hall"}
    assert (after["title"], after["displayName"]) == ("Surveyor", "Bo Hall")
    assert "nickName" not in after


@pytest.mark.parametrize("op", ["add", "replace"])
@pytest.mark.parametrize("dialect", FRIENDLY)
async def test_keys_of_a_path_less_value_are_attribute_paths(connect: Connect, dialect: str, op: str) -> None:
    client = await connect(dialect=dialect)
    user = await new_user(client, name={"familyName": "Hall"}, **{ENTERPRISE: {"costCenter": "CC1"}})
    value = {
        "name.givenName": "Bo",
        f"{USER}:title": "Clerk",
        f"{ENTERPRISE}:employeeNumber": "E-11",
        f"{ENTERPRISE}:manager.value": "XYRAND",
        ENTERPRISE: {"department": "Field"},
    }
    await patched(client, user, {"op": op, "value": value})
    after = await read(client, user)
    assert after["name"] == {"familyName": "Hall", "givenName": "Bo"}
    assert after["title"] == "Clerk"
    extension = after[ENTERPRISE]
    assert extension.pop("manager")["value"] == "XYRAND"
    assert extension == {"costCenter": "CC1", "employeeNumber": "E-11", "department": "Field"}


@pytest.mark.parametrize("value", [{"name.givenName": "Bo"}, {f"{ENTERPRISE}:department": "Field"}])
async def test_the_strict_dialect_refuses_paths_as_keys(connect: Connect, value: Document) -> None:
    client = await connect(dialect="strict")
    user = await new_user(client)
    await require_refused(client, user, {"op": "replace", "value": value})


@pytest.mark.parametrize("op", ["Add", "Replace"])
@pytest.mark.parametrize("dialect", FRIENDLY)
async def test_sub_attributes_of_a_missing_element_make_one_element(
    connect: Connect, dialect: str, op: str
) -> None:
    client = await connect(dialect=dialect)
    user = await new_user(client, emails=[WORK])
    sub_attributes = {"streetAddress": "7 Dock Rd", "locality": "Cork", "country": "IE", "primary": True}
    await patched(
        client,
        user,
        *(
            {"op": op, "path": f'addresses[type eq "work"].{name}', "value": value}
            for name, value in sub_attributes.items()
        ),
        {"op": op, "path": 'emails[type eq "other"].value', "value": "bo@other.example"},
        {"op": op, "path": 'emails[type eq "other"].display', "value": "Bo elsewhere"},
    )
    after = await read(client, user)
    assert after["addresses"] == [{"type": "work", **sub_attributes}]
    other = {"type": "other", "value": "bo@other.example", "display": "Bo elsewhere"}
    assert after["emails"] == [WORK, other]


async def test_a_created_element_that_becomes_primary_takes_it_from_the_others(connect: Connect) -> None:
    client = await connect(dialect="entra")
    user = await new_user(client, emails=[WORK])
    await patched(
        client,
        user,
        {"op": "Add", "path": 'emails[type eq "home"].value', "value": "bo@home.example"},
        {"op": "Add", "path": 'emails[type eq "home"].primary', "value": "True"},
    )
    emails = (await read(client, user))["emails"]
    assert [email["value"] for email in emails if email.get("primary")] == ["bo@home.example"]
    assert len(emails) == 2


@pytest.mark.parametrize(
    "comparison", ['type ne "work"', 'type sw "mob"', 'value gt "9"', 'not (type eq "work")']
)
@pytest.mark.parametrize("op", ["add", "replace"])
async def test_only_an_equality_creates_a_missing_element(connect: Connect, op: str, comparison: str) -> None:
    client = await connect(dialect="entra")
    user = await new_user(client, phoneNumbers=[{"type": "work", "value": "1"}])
    operation = {"op": op, "path": f"phoneNumbers[{comparison}].value", "value": "2"}
    await require_refused(client, user, operation, scim_types=("noTarget",))


async def test_the_strict_dialect_does_not_create_a_missing_element(connect: Connect) -> None:
    client = await connect(dialect="strict")
    user = await new_user(client, phoneNumbers=[{"type": "work", "value": "1"}])
    operation = {"op": "replace", "path": 'phoneNumbers[type eq "mobile"].value', "value": "2"}
    await require_refused(client, user, operation, scim_types=("noTarget",))


@pytest.mark.parametrize("dialect", FRIENDLY)
async def test_removing_what_is_not_there_changes_nothing(connect: Connect, dialect: str) -> None:
    client = await connect(dialect=dialect)
    user = await new_user(client, emails=[WORK])
    before = await read(client, user)
    absent = ("title", 'emails[type eq "home"]', 'emails[type eq "home"].display', "name.middleName")
    for path in absent:
        await patched(client, user, {"op": "remove", "path": path})
        assert await read(client, user) == before, path


async def test_the_strict_dialect_has_no_target_where_no_element_matches(connect: Connect) -> None:
    client = await connect(dialect="strict")
    user = await new_user(client, emails=[WORK])
    await require_refused(
        client, user, {"op": "remove", "path": 'emails[type eq "home"]'}, scim_types=("noTarget",)
    )


@pytest.mark.parametrize("op", ["add", "replace"])
@pytest.mark.parametrize("dialect", FRIENDLY)
async def test_id_schemas_and_meta_in_a_patch_value_are_ignored(
    connect: Connect, dialect: str, op: str
) -> None:
    client = await connect(dialect=dialect)
    user = await new_user(client)
    before = await read(client, user)
    value = {**before, "displayName": "Bo Hall", "schemas": [USER, ENTERPRISE], "groups": []}
    await patched(client, user, {"op": op, "value": value})
    after = await read(client, user)
    assert after.pop("displayName") == "Bo Hall"
    assert after.pop("meta")["created"] == before.pop("meta")["created"]
    assert after == before


@pytest.mark.parametrize("dialect", EVERY_DIALECT)
@pytest.mark.parametrize("path_less", [True, False], ids=["path-less", "path"])
async def test_another_id_in_a_patch_is_refused(connect: Connect, dialect: str, path_less: bool) -> None:
    client = await connect(dialect=dialect)
    other = identifier(await new_user(client, "ann@corp.example"))
    user = await new_user(client)
    operation: Document = {"op": "replace", "path": "id", "value": other}
    if path_less:
        operation = {"op": "replace", "value": {"id": other, "displayName": "Renamed"}}
    await require_refused(client, user, operation, scim_types=("mutability", "invalidValue"))


async def test_the_strict_dialect_refuses_read_only_attributes_in_a_patch(connect: Connect) -> None:
    client = await connect(dialect="strict")
    user = await new_user(client)
    value = {"meta": {"resourceType": "Group"}, "displayName": "Renamed"}
    await require_refused(client, user, {"op": "replace", "value": value}, scim_types=("mutability",))


@pytest.mark.parametrize("empty", [None, ""], ids=["null", "empty-string"])
@pytest.mark.parametrize("dialect", FRIENDLY)
async def test_null_and_empty_string_clear_an_attribute_by_patch(
    connect: Connect, dialect: str, empty: Any
) -> None:
    client = await connect(dialect=dialect)
    user = await new_user(client, title="Clerk", name={"givenName": "Bo", "familyName": "Hall"})
    await patched(
        client,
        user,
        {"op": "Replace", "path": "title", "value": empty},
        {"op": "Replace", "path": "name.givenName", "value": empty},
    )
    after = await read(client, user)
    assert not after.get("title")
    assert not after["name"].get("givenName")
    assert after["name"]["familyName"] == "Hall"


@pytest.mark.parametrize("empty", [None, ""], ids=["null", "empty-string"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_null_and_empty_string_in_a_body_are_no_value(
    connect: Connect, method: str, empty: Any
) -> None:
    client = await connect(dialect="entra")
    path = "/Users" if method == "POST" else await new_user(client, title="Clerk", nickName="Bobby")
    body = {
        "schemas": [USER, ENTERPRISE],
        "userName": "bo@corp.example",
        "title": empty,
        "name": {"givenName": empty, "familyName": "Hall"},
        "emails": None,
        ENTERPRISE: {"department": empty, "costCenter": "CC1"},
    }
    answer = await call(client, method, path, body)
    assert answer.is_success
    after = answer.json()
    assert not after.get("title")
    assert not after["name"].get("givenName")
    assert "emails" not in after
    assert not after[ENTERPRISE].get("department")
    assert after[ENTERPRISE]["costCenter"] == "CC1"


@pytest.mark.parametrize("dialect", FRIENDLY)
@pytest.mark.parametrize(
    "schemas", [{}, {"schemas": []}, {"schemas": [USER]}], ids=["none", "empty", "other"]
)
async def test_a_patch_message_needs_no_schemas(connect: Connect, dialect: str, schemas: Document) -> None:
    client = await connect(dialect=dialect)
    user = await new_user(client)
    operation = {"op": "replace", "value": {"active": False}}
    answer = await call(client, "PATCH", user, {**schemas, "Operations": [operation]})
    assert answer.status_code in (200, 204)
    assert (await read(client, user))["active"] is False


@pytest.mark.parametrize("message", [{}, {"schemas": [USER]}], ids=["none", "other"])
async def test_the_strict_dialect_wants_the_schema_of_a_patch_message(
    connect: Connect, message: Document
) -> None:
    client = await connect(dialect="strict")
    user = await new_user(client)
    operation = {"op": "replace", "value": {"active": False}}
    answer = await call(client, "PATCH", user, {**message, "Operations": [operation]})
    assert answer.status_code == 400
    assert (await read(client, user))["active"] is True


async def test_the_strict_dialect_refuses_a_patch_without_operations(connect: Connect) -> None:
    client = await connect(dialect="strict")
    user = await new_user(client)
    answer = await call(client, "PATCH", user, {"schemas": [PATCH_OP], "Operations": []})
    assert answer.status_code == 400


async def test_roles_as_json_text_become_one_role_each(connect: Connect) -> None:
    client = await connect(dialect="entra")
    user = await new_user(client)
    text = '{"id":"18d1","value":"%s","displayName":"%s"}'
    value = [{"value": text % ("auditor", "Auditor")}, {"value": text % ("viewer", "Viewer")}]
    await patched(client, user, {"op": "Add", "path": "roles", "value": value})
    roles = [role["value"] for role in (await read(client, user))["roles"]]
    assert roles in (["auditor", "viewer"], [element["value"] for element in value])
