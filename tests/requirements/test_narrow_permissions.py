"""Permissions for one part of users, or for one type of resources and one verb."""

import pytest

from scim_server.security.principals import NARROW_PARTS
from tests.conftest import Connect
from tests.requirements.test_permissions import NEEDS, WHY, ids
from tests.support.client import PATCH_SCHEMA, ScimClient

__all__ = ["ids"]


@pytest.mark.proves("ACT-01")
@pytest.mark.parametrize("part", [name.removesuffix(":update") for name in NARROW_PARTS])
async def test_a_permission_for_one_part_of_users_is_good_for_no_other(
    part: str, ids: dict[str, str], connect: Connect
) -> None:
    of_parts = {
        "user.employment": {"manager", "department", "location", "dates"},
        "user.roles": {"roles", "role assignments", "flat role"},
        "user.limits": {"limits", "flat limit"},
        "user.clearance": {"clearance"},
        "user.permissions": {"special permissions"},
    }
    client = await connect(profile="admin", permissions=["user:view", f"{part}:update"])
    done = set()
    for path, (_, value) in NEEDS.items():
        change = {"op": "replace", "value": {**value(ids), **WHY}}
        response = await client.patch(f"/Users/{ids['ann']}?dryRun=true", change)
        done |= {path} if response.status_code == 200 else set()
        assert response.status_code in {200, 403}
    assert done == of_parts[part]


@pytest.mark.proves("ACT-01")
async def test_a_permission_for_one_type_and_verb_is_good_for_no_other(
    ids: dict[str, str], connect: Connect
) -> None:
    client = await connect(profile="admin", permissions=["department:view"])
    assert (await client.get(f"/Departments/{ids['department']}")).status_code == 200
    for method, path in (("GET", "/Users"), ("GET", "/Locations"), ("POST", "/Departments")):
        refused = await client.request(method, path, json={} if method == "POST" else None)
        assert refused.status_code == 403
    found = await client.read("/")
    assert {one["meta"]["resourceType"] for one in found["Resources"]} == {"Department"}


@pytest.mark.proves("ACT-01")
async def test_who_reads_groups_alone_learns_no_names_of_users(
    ids: dict[str, str], admin: ScimClient, connect: Connect
) -> None:
    group = (await admin.create_group("Staff", [ids["ann"]]))["id"]
    client = await connect(profile="admin", permissions=["group:view"])
    for seen in (await client.read(f"/Groups/{group}"), (await client.read("/Groups"))["Resources"][0]):
        assert [(one["value"], "display" in one) for one in seen["members"]] == [(ids["ann"], False)]
    for asked in ('members.display sw "A"', 'members[display sw "A"]'):
        refused = await client.get("/Groups", filter=asked)
        assert (refused.status_code, refused.json()["scimType"]) == (400, "invalidFilter")
    remove = {"schemas": [PATCH_SCHEMA], "Operations": [{"op": "remove", "path": 'members[display sw "A"]'}]}
    writer = await connect(profile="admin", permissions=["group:view", "group:update"])
    refused = await writer.patch(f"/Groups/{group}", remove)
    assert (refused.status_code, refused.json()["scimType"]) == (400, "invalidFilter")
    assert len(await client.find("/Groups", f'members.value eq "{ids["ann"]}"')) == 1
    shown = await admin.read(f"/Groups/{group}", attributes="members.display")
    assert "display" in shown["members"][0], shown
