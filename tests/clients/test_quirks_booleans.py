"""Booleans that arrive as strings become booleans, wherever Entra puts them."""

from typing import Any

import pytest

from tests.clients.exchanges import (
    FRIENDLY,
    USER,
    Connect,
    Document,
    call,
    new_user,
    patched,
    read,
    require_refused,
)
from tests.clients.script import equality

SPELLINGS = {"False": False, "True": True, "false": False, "true": True, "FALSE": False, "TRUE": True}


@pytest.mark.parametrize("path_less", [True, False], ids=["path-less", "path"])
@pytest.mark.parametrize("dialect", FRIENDLY)
async def test_a_patch_takes_active_as_a_string(connect: Connect, dialect: str, path_less: bool) -> None:
    client = await connect(dialect=dialect)
    user = await new_user(client)
    for spelling, meant in SPELLINGS.items():
        operation: Document = {"op": "replace", "path": "active", "value": spelling}
        if path_less:
            operation = {"op": "replace", "value": {"active": spelling}}
        await patched(client, user, operation)
        assert (await read(client, user))["active"] is meant, spelling


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_body_takes_active_and_primary_as_strings(connect: Connect, method: str) -> None:
    client = await connect(dialect="entra")
    path = "/Users" if method == "POST" else await new_user(client)
    roles = [{"value": "auditor", "primary": "True"}, {"value": "viewer", "primary": "False"}]
    body = {"schemas": [USER], "userName": "bo@corp.example", "active": "False", "roles": roles}
    answer = await call(client, method, path, body)
    assert answer.is_success
    assert answer.json()["active"] is False
    assert [role["primary"] for role in answer.json()["roles"]] == [True, False]


async def test_a_patch_takes_the_primary_of_a_role_as_a_string(connect: Connect) -> None:
    client = await connect(dialect="entra")
    user = await new_user(client)
    value = [{"value": "auditor", "primary": "True"}, {"value": "viewer", "primary": "False"}]
    await patched(client, user, {"op": "Add", "path": "roles", "value": value})
    assert [role["primary"] for role in (await read(client, user))["roles"]] == [True, False]
    await patched(
        client, user, {"op": "Replace", "path": 'roles[value eq "auditor"].primary', "value": "False"}
    )
    assert [role["primary"] for role in (await read(client, user))["roles"]] == [False, False]


@pytest.mark.parametrize("literal", ["True", "true", "TRUE"])
async def test_a_removal_by_quoted_boolean_removes_the_primary_role_only(
    connect: Connect, literal: str
) -> None:
    client = await connect(dialect="entra")
    roles = [{"value": "auditor", "primary": True}, {"value": "viewer", "primary": False}]
    user = await new_user(client, roles=roles)
    await patched(client, user, {"op": "Remove", "path": f'roles[primary eq "{literal}"]'})
    assert (await read(client, user))["roles"] == [roles[1]]


@pytest.mark.parametrize("dialect", FRIENDLY)
async def test_a_search_compares_a_quoted_boolean_with_a_boolean(connect: Connect, dialect: str) -> None:
    client = await connect(dialect=dialect)
    await new_user(client, "on@corp.example", roles=[{"value": "auditor", "primary": True}])
    await new_user(client, "off@corp.example", active=False, roles=[{"value": "auditor", "primary": False}])
    for attribute, value, expected in (
        ("active", "True", "on@corp.example"),
        ("active", "false", "off@corp.example"),
        ("roles.primary", "True", "on@corp.example"),
        ("roles.primary", "False", "off@corp.example"),
    ):
        found = await read(client, equality("/Users", attribute, value))
        assert [user["userName"] for user in found["Resources"]] == [expected], (attribute, value)


@pytest.mark.parametrize("value", ["yes", "1", 1, 0, ["true", "false"], {"value": True}], ids=repr)
async def test_what_is_neither_true_nor_false_is_refused(connect: Connect, value: Any) -> None:
    client = await connect(dialect="okta")
    user = await new_user(client)
    operation = {"op": "replace", "path": "active", "value": value}
    await require_refused(client, user, operation, scim_types=("invalidValue", "invalidSyntax"))


async def test_the_strict_dialect_refuses_a_string_for_a_boolean(connect: Connect) -> None:
    client = await connect(dialect="strict")
    user = await new_user(client)
    operation = {"op": "replace", "path": "active", "value": "False"}
    await require_refused(client, user, operation, scim_types=("invalidValue",))
    body = {"schemas": [USER], "userName": "ann@corp.example", "active": "False"}
    assert (await call(client, "POST", "/Users", body)).status_code == 400
    searched = await call(client, "GET", equality("/Users", "active", "True"))
    assert searched.status_code == 400
    assert searched.json()["scimType"] == "invalidFilter"
