"""The manager of a user in every form Entra and the Microsoft validator send it."""

from typing import Any

import pytest

from tests.clients.exchanges import (
    ENTERPRISE,
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
from tests.support.client import ScimClient

MANAGER = f"{ENTERPRISE}:manager"
SHAPES: dict[str, Any] = {
    "string": "BOSS",
    "object": {"value": "BOSS"},
    "object-with-nulls": {"value": "BOSS", "$ref": None, "displayName": None},
    "object-with-display-name": {"value": "BOSS", "displayName": "Grace Boss"},
    "list-of-object": [{"value": "BOSS"}],
}
EMPTY_SHAPES: dict[str, Any] = {
    "empty-string": "",
    "object-with-empty-string": {"value": ""},
    "null": None,
    "object-with-null": {"value": None},
}


def _with(shape: Any, boss: str) -> Any:
    """Return the shape naming the manager's id."""
    if isinstance(shape, str):
        return shape.replace("BOSS", boss)
    if isinstance(shape, list):
        return [_with(element, boss) for element in shape]
    if isinstance(shape, dict):
        return {name: _with(value, boss) for name, value in shape.items()}
    return shape


async def _managed(client: ScimClient, **more: Any) -> tuple[str, str]:
    """Return the manager's id and the path of a user managed by it."""
    boss = identifier(await new_user(client, "grace.boss@corp.example"))
    extension = {"manager": {"value": boss}, **more}
    return boss, await new_user(client, **{ENTERPRISE: extension})


def _manager(document: Document) -> Any:
    return document.get(ENTERPRISE, {}).get("manager", {}).get("value")


@pytest.mark.parametrize("op", ["Add", "Replace"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
async def test_a_patch_sets_the_manager_in_any_shape(connect: Connect, op: str, shape: Any) -> None:
    client = await connect(dialect="entra")
    boss = identifier(await new_user(client, "grace.boss@corp.example"))
    user = await new_user(client)
    await patched(client, user, {"op": op, "path": MANAGER, "value": _with(shape, boss)})
    after = await read(client, user)
    assert _manager(after) == boss
    assert ENTERPRISE in after["schemas"]


@pytest.mark.parametrize("op", ["add", "replace"])
@pytest.mark.parametrize(
    "value",
    [
        {MANAGER: "BOSS"},
        {MANAGER: {"value": "BOSS"}},
        {ENTERPRISE: {"manager": "BOSS"}},
        {f"{MANAGER}.value": "BOSS"},
    ],
    ids=["urn-key", "urn-key-object", "extension-object", "urn-key-of-sub-attribute"],
)
async def test_a_path_less_patch_sets_the_manager(connect: Connect, op: str, value: Any) -> None:
    client = await connect(dialect="entra")
    boss = identifier(await new_user(client, "grace.boss@corp.example"))
    user = await new_user(client, **{ENTERPRISE: {"department": "Field"}})
    await patched(client, user, {"op": op, "value": _with(value, boss)})
    after = await read(client, user)
    assert _manager(after) == boss
    assert after[ENTERPRISE]["department"] == "Field"


async def test_a_patch_of_the_manager_value_replaces_the_manager(connect: Connect) -> None:
    client = await connect(dialect="entra")
    _, user = await _managed(client)
    await patched(client, user, {"op": "Replace", "path": f"{MANAGER}.value", "value": "XYRAND"})
    assert _manager(await read(client, user)) == "XYRAND"


@pytest.mark.parametrize("shape", EMPTY_SHAPES.values(), ids=EMPTY_SHAPES)
async def test_an_empty_manager_in_a_patch_removes_it(connect: Connect, shape: Any) -> None:
    client = await connect(dialect="entra")
    _, user = await _managed(client)
    await patched(client, user, {"op": "Replace", "path": MANAGER, "value": shape})
    after = await read(client, user)
    assert ENTERPRISE not in after
    assert after["schemas"] == [USER]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "Remove", "path": MANAGER},
        {"op": "Remove", "path": MANAGER, "value": ""},
        {"op": "Remove", "path": f"{MANAGER}.value"},
        {"op": "Replace", "path": f"{MANAGER}.value", "value": ""},
        {"op": "Replace", "path": f"{MANAGER}.value", "value": None},
        {"op": "Replace", "value": {MANAGER: ""}},
        {"op": "Replace", "value": {ENTERPRISE: {"manager": None}}},
    ],
    ids=[
        "remove",
        "remove-with-value",
        "remove-value",
        "empty-value",
        "null-value",
        "path-less",
        "extension-null",
    ],
)
async def test_every_form_of_removal_removes_the_manager_and_keeps_the_rest(
    connect: Connect, operation: Document
) -> None:
    client = await connect(dialect="entra")
    _, user = await _managed(client, department="Field")
    await patched(client, user, operation)
    assert (await read(client, user))[ENTERPRISE] == {"department": "Field"}


async def test_removing_an_absent_manager_succeeds_and_changes_nothing(connect: Connect) -> None:
    client = await connect(dialect="entra")
    user = await new_user(client)
    before = await read(client, user)
    await patched(client, user, {"op": "Remove", "path": MANAGER})
    assert await read(client, user) == before


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_body_names_the_manager_in_any_shape(connect: Connect, method: str, shape: Any) -> None:
    client = await connect(dialect="entra")
    boss = identifier(await new_user(client, "grace.boss@corp.example"))
    path = "/Users" if method == "POST" else await new_user(client, "ann@corp.example")
    body = {
        "schemas": [USER, ENTERPRISE],
        "userName": "ann@corp.example",
        ENTERPRISE: {"manager": _with(shape, boss)},
    }
    answer = await call(client, method, path, body)
    assert answer.status_code in (200, 201)
    assert _manager(answer.json()) == boss


@pytest.mark.parametrize("shape", EMPTY_SHAPES.values(), ids=EMPTY_SHAPES)
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_an_empty_manager_in_a_body_is_no_manager(connect: Connect, method: str, shape: Any) -> None:
    client = await connect(dialect="entra")
    path = "/Users"
    if method == "PUT":
        _, path = await _managed(client)
    body = {"schemas": [USER, ENTERPRISE], "userName": "bo@corp.example", ENTERPRISE: {"manager": shape}}
    answer = await call(client, method, path, body)
    assert answer.status_code in (200, 201)
    assert _manager(answer.json()) is None


@pytest.mark.parametrize("shape", ["BOSS", [{"value": "BOSS"}]], ids=["string", "list-of-object"])
async def test_the_strict_dialect_takes_only_an_object_as_manager(connect: Connect, shape: Any) -> None:
    client = await connect(dialect="strict")
    boss, user = await _managed(client)
    operation = {"op": "replace", "path": MANAGER, "value": _with(shape, boss)}
    await require_refused(client, user, operation, scim_types=("invalidValue", "invalidSyntax"))
    body = {"schemas": [USER, ENTERPRISE], "userName": "ann", ENTERPRISE: {"manager": _with(shape, boss)}}
    assert (await call(client, "POST", "/Users", body)).status_code == 400
    await patched(client, user, {"op": "replace", "path": MANAGER, "value": {"value": "XYRAND"}})
    assert _manager(await read(client, user)) == "XYRAND"
