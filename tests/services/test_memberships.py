"""Edits of a membership carried out: a request's operations see each other, ids are the same in any case."""

from typing import Any

import pytest

from tests.conftest import Connect
from tests.support.client import ScimClient


def add(member: str) -> dict[str, Any]:
    return {"op": "add", "path": "members", "value": [{"value": member}]}


def remove(member: str) -> dict[str, Any]:
    return {"op": "remove", "path": f'members[value eq "{member}"]'}


async def members(scim: ScimClient, path: str) -> list[str]:
    return [member["value"] for member in (await scim.read(path)).get("members", [])]


@pytest.mark.parametrize("dialect", ["generic", "strict"])
async def test_who_is_added_and_removed_in_one_request_is_no_member(connect: Connect, dialect: str) -> None:
    scim = await connect(dialect=dialect)
    ann = (await scim.create_user("ann"))["id"]
    path = f"/Groups/{(await scim.create_group('g'))['id']}"
    await scim.patch_ok(path, add(ann), remove(ann))
    assert await members(scim, path) == []


@pytest.mark.parametrize("dialect", ["generic", "strict"])
async def test_who_is_removed_and_added_in_one_request_is_a_member(connect: Connect, dialect: str) -> None:
    scim = await connect(dialect=dialect)
    ann = (await scim.create_user("ann"))["id"]
    path = f"/Groups/{(await scim.create_group('g', [ann]))['id']}"
    await scim.patch_ok(path, remove(ann), add(ann))
    assert await members(scim, path) == [ann]


async def test_an_id_in_other_case_is_the_same_member(scim: ScimClient) -> None:
    ann = (await scim.create_user("ann"))["id"]
    path = f"/Groups/{(await scim.create_group('g'))['id']}"
    await scim.patch_ok(path, add(ann.upper()), add(ann))
    assert await members(scim, path) == [ann]
    await scim.patch_ok(path, remove(ann.upper()))
    assert await members(scim, path) == []


async def test_who_is_added_in_one_case_and_removed_in_another_is_no_member(scim: ScimClient) -> None:
    ann = (await scim.create_user("ann"))["id"]
    path = f"/Groups/{(await scim.create_group('g'))['id']}"
    await scim.patch_ok(path, add(ann.upper()), remove(ann))
    assert await members(scim, path) == []


async def test_one_unknown_member_among_many_leaves_all_as_it_was(scim: ScimClient) -> None:
    ann = (await scim.create_user("ann"))["id"]
    path = f"/Groups/{(await scim.create_group('g'))['id']}"
    response = await scim.patch(
        path, {"op": "replace", "path": "displayName", "value": "h"}, add(ann), add("nobody")
    )
    assert (response.status_code, "nobody" in response.json()["detail"]) == (400, True)
    assert ((await scim.read(path))["displayName"], await members(scim, path)) == ("g", [])


async def test_unknown_members_are_passed_over_where_the_client_says_so(connect: Connect) -> None:
    scim = await connect(switches={"skip_unknown_members": True})
    ann = (await scim.create_user("ann"))["id"]
    path = f"/Groups/{(await scim.create_group('g', ['nobody', ann]))['id']}"
    assert await members(scim, path) == [ann]
