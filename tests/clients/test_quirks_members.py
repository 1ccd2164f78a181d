"""Group membership in the forms clients send: every removal and addition touches only whom it names."""

from typing import Any

import pytest

from tests.clients.exchanges import (
    EVERY_DIALECT,
    FRIENDLY,
    GROUP,
    Connect,
    Document,
    call,
    identifier,
    members,
    new_group,
    new_user,
    patch,
    patched,
    read,
    require_refused,
)
from tests.support.client import ScimClient


async def _group_of_three(client: ScimClient) -> tuple[str, list[str], str]:
    """Return a group, its three members and a user outside it."""
    users = [await new_user(client, f"member{number}@corp.example") for number in range(4)]
    return await new_group(client, "Design Guild", *users[:3]), users[:3], users[3]


def _by_filter(user: str, **more: Any) -> Document:
    return {"op": "remove", "path": f'members[value eq "{identifier(user)}"]', **more}


def _by_value(*users: str) -> Document:
    return {"op": "remove", "path": "members", "value": [{"value": identifier(user)} for user in users]}


@pytest.mark.parametrize("dialect", FRIENDLY)
async def test_a_removal_by_value_list_removes_only_the_listed(connect: Connect, dialect: str) -> None:
    client = await connect(dialect=dialect)
    group, inside, _ = await _group_of_three(client)
    await patched(client, group, _by_value(inside[0], inside[1]))
    assert await members(client, group) == {inside[2]}


@pytest.mark.parametrize("dialect", EVERY_DIALECT)
async def test_a_removal_by_filter_removes_only_the_matching(connect: Connect, dialect: str) -> None:
    client = await connect(dialect=dialect)
    group, inside, _ = await _group_of_three(client)
    await patched(client, group, _by_filter(inside[1]))
    assert await members(client, group) == {inside[0], inside[2]}


async def test_the_strict_dialect_refuses_a_removal_by_value_list(connect: Connect) -> None:
    client = await connect(dialect="strict")
    group, inside, _ = await _group_of_three(client)
    await require_refused(client, group, _by_value(inside[0]))


@pytest.mark.parametrize("dialect", FRIENDLY)
@pytest.mark.parametrize("form", ["value", "filter"])
async def test_removing_an_absent_member_changes_nothing(connect: Connect, dialect: str, form: str) -> None:
    client = await connect(dialect=dialect)
    group, _, outside = await _group_of_three(client)
    before = await read(client, group)
    await patched(client, group, _by_value(outside) if form == "value" else _by_filter(outside))
    assert await read(client, group) == before


@pytest.mark.parametrize("form", ["value", "filter"])
async def test_removing_an_unknown_member_changes_nothing(connect: Connect, form: str) -> None:
    client = await connect(dialect="entra")
    group, _, _ = await _group_of_three(client)
    unknown = "/Users/01890000-0000-7000-8000-000000000000"
    before = await read(client, group)
    await patched(client, group, _by_value(unknown) if form == "value" else _by_filter(unknown))
    assert await read(client, group) == before


async def test_the_strict_dialect_refuses_to_remove_an_absent_member(connect: Connect) -> None:
    client = await connect(dialect="strict")
    group, _, outside = await _group_of_three(client)
    await require_refused(client, group, _by_filter(outside), scim_types=("noTarget",))


@pytest.mark.parametrize("dialect", EVERY_DIALECT)
async def test_adding_a_present_member_changes_nothing(connect: Connect, dialect: str) -> None:
    client = await connect(dialect=dialect)
    group, inside, _ = await _group_of_three(client)
    before = await read(client, group)
    value = [{"value": identifier(inside[0])}]
    await patched(client, group, {"op": "add", "path": "members", "value": value})
    assert await read(client, group) == before


async def test_a_member_named_twice_in_one_operation_is_one_member(connect: Connect) -> None:
    client = await connect(dialect="entra")
    group, inside, outside = await _group_of_three(client)
    value = [{"value": identifier(outside)}, {"value": identifier(outside)}]
    await patched(client, group, {"op": "Add", "path": "members", "value": value})
    assert await members(client, group) == {*inside, outside}


@pytest.mark.parametrize(
    "more",
    [{"display": None}, {"$ref": None}, {"type": "User"}, {"displayName": "Mika", "email": "m@corp.example"}],
    ids=["null-display", "null-ref", "type", "unknown-keys"],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_a_member_needs_no_more_and_no_less_than_its_value(
    connect: Connect, method: str, more: Document
) -> None:
    client = await connect(dialect="generic")
    user = await new_user(client)
    group = "/Groups" if method == "POST" else await new_group(client, "Field Ops")
    member = {"value": identifier(user), **more}
    if method == "PATCH":
        answer = await patch(client, group, {"op": "add", "path": "members", "value": [member]})
    else:
        body = {"schemas": [GROUP], "displayName": "Field Ops", "members": [member]}
        answer = await call(client, method, group, body)
        group = f"/Groups/{answer.json()['id']}"
    assert answer.is_success
    assert await members(client, group) == {user}


async def test_the_strict_dialect_refuses_unknown_keys_of_a_member(connect: Connect) -> None:
    client = await connect(dialect="strict")
    group, _, outside = await _group_of_three(client)
    value = [{"value": identifier(outside), "email": "m@corp.example"}]
    await require_refused(client, group, {"op": "add", "path": "members", "value": value})


async def test_a_single_member_object_is_taken_as_a_list_of_one(connect: Connect) -> None:
    client = await connect(dialect="generic")
    group, inside, outside = await _group_of_three(client)
    await patched(client, group, {"op": "add", "path": "members", "value": {"value": identifier(outside)}})
    await patched(
        client, group, {"op": "remove", "path": "members", "value": {"value": identifier(inside[0])}}
    )
    assert await members(client, group) == {inside[1], inside[2], outside}


@pytest.mark.parametrize("dialect", FRIENDLY)
@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "members"},
        {"op": "replace", "path": "members", "value": []},
        {"op": "replace", "path": "members", "value": None},
        {"op": "replace", "value": {"members": []}},
        {"op": "replace", "value": {"members": None}},
    ],
    ids=["remove", "replace-empty", "replace-null", "path-less-empty", "path-less-null"],
)
async def test_a_group_is_emptied_on_request(connect: Connect, dialect: str, operation: Document) -> None:
    client = await connect(dialect=dialect)
    group, inside, _ = await _group_of_three(client)
    await patched(client, group, operation)
    assert await members(client, group) == set()
    assert "groups" not in await read(client, inside[0])


@pytest.mark.parametrize("value", [[], None], ids=["empty", "null"])
async def test_adding_nobody_changes_nothing(connect: Connect, value: Any) -> None:
    client = await connect(dialect="entra")
    group, _, _ = await _group_of_three(client)
    before = await read(client, group)
    await patched(client, group, {"op": "Add", "path": "members", "value": value})
    assert await read(client, group) == before


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("dialect", EVERY_DIALECT)
async def test_an_unknown_member_is_named_and_nothing_is_applied(
    connect: Connect, dialect: str, method: str
) -> None:
    client = await connect(dialect=dialect)
    group, inside, outside = await _group_of_three(client)
    before = await read(client, group)
    unknown = "01890000-0000-7000-8000-000000000000"
    value = [{"value": identifier(outside)}, {"value": unknown}]
    if method == "PATCH":
        rename = {"op": "replace", "path": "displayName", "value": "Renamed"}
        answer = await patch(client, group, rename, {"op": "add", "path": "members", "value": value})
    else:
        body = {"schemas": [GROUP], "displayName": "Renamed", "members": value}
        answer = await call(client, method, "/Groups" if method == "POST" else group, body)
    assert answer.status_code == 400
    assert answer.json()["scimType"] == "invalidValue"
    assert unknown in answer.json()["detail"]
    assert await read(client, group) == before
    assert (await read(client, "/Groups?count=0"))["totalResults"] == 1
    assert await members(client, group) == set(inside)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_a_client_may_have_unknown_members_skipped(connect: Connect, method: str) -> None:
    client = await connect(dialect="entra", switches={"skip_unknown_members": True})
    group, inside, outside = await _group_of_three(client)
    value = [{"value": identifier(outside)}, {"value": "01890000-0000-7000-8000-000000000000"}]
    if method == "PATCH":
        await patched(client, group, {"op": "Add", "path": "members", "value": value})
        assert await members(client, group) == {*inside, outside}
        return
    body = {"schemas": [GROUP], "displayName": "Field Ops", "members": value}
    answer = await call(client, method, "/Groups" if method == "POST" else group, body)
    assert answer.is_success
    assert await members(client, f"/Groups/{answer.json()['id']}") == {outside}
