"""Groups and their members (RFC 7643 §4.2), and the groups of a user (RFC 7643 §4.1.2)."""

from typing import Any

import pytest

from tests.protocol.messages import (
    UNKNOWN_ID,
    Connect,
    Json,
    accepted,
    group,
    listed,
    operation,
    patch,
    refused,
    user,
)
from tests.support.client import ScimClient


def add(*ids: str) -> Json:
    return operation("add", "members", [{"value": each} for each in ids])


async def member_ids(scim: ScimClient, created: Json) -> set[str]:
    read = await scim.read(f"/Groups/{created['id']}")
    return {member["value"] for member in read.get("members", [])}


async def memberships(scim: ScimClient, created: Json) -> dict[str, str]:
    """Return the display and the type of each group of the user."""
    read = await scim.read(f"/Users/{created['id']}")
    return {entry["display"]: entry["type"] for entry in read.get("groups", [])}


async def nested(scim: ScimClient, *names: str) -> list[Json]:
    """Create groups of which each one is a member of the next."""
    groups: list[Json] = []
    for name in names:
        groups.append(await scim.create_group(name, members=[each["id"] for each in groups[-1:]]))
    return groups


async def described(scim: ScimClient, created: Json) -> list[Json]:
    """Return the members of a group with their names, which are returned on request only."""
    body = await scim.get(f"/Groups/{created['id']}", attributes="members,members.display")
    members: list[Json] = accepted(body)["members"]
    return members


async def test_the_name_of_a_member_is_returned_on_request_only(scim: ScimClient) -> None:
    ann = await scim.create_user("ann", displayName="Ann Lee")
    created = await scim.create_group("Guides", members=(ann["id"],))
    assert created["members"] == [{"value": ann["id"], "$ref": ann["meta"]["location"], "type": "User"}]


async def test_a_member_is_described_by_the_server(scim: ScimClient) -> None:
    ann = await scim.create_user("ann", displayName="Ann Lee")
    created = await scim.create_group("Guides", members=(ann["id"],))
    assert await described(scim, created) == [
        {"value": ann["id"], "$ref": ann["meta"]["location"], "type": "User", "display": "Ann Lee"}
    ]


async def test_a_nested_group_is_described_by_the_server(scim: ScimClient) -> None:
    inner, outer = await nested(scim, "Inner", "Outer")
    assert await described(scim, outer) == [
        {"value": inner["id"], "$ref": inner["meta"]["location"], "type": "Group", "display": "Inner"}
    ]


async def test_what_a_client_says_about_a_member_is_not_believed(scim: ScimClient) -> None:
    ann = await scim.create_user("ann", displayName="Ann Lee")
    claim = {"value": ann["id"], "display": "Eve", "type": "Group", "$ref": "https://example.com/eve"}
    body = accepted(await scim.post("/Groups", {**group("Guides"), "members": [claim]}), 201)
    assert await described(scim, body) == [
        {"value": ann["id"], "$ref": ann["meta"]["location"], "type": "User", "display": "Ann Lee"}
    ]


async def test_the_display_of_a_member_follows_its_user(scim: ScimClient) -> None:
    ann = await scim.create_user("ann", displayName="Ann Lee")
    created = await scim.create_group("Guides", members=(ann["id"],))
    await scim.patch_ok(f"/Users/{ann['id']}", operation("replace", "displayName", "Ann Low"))
    assert [each["display"] for each in await described(scim, created)] == ["Ann Low"]


async def test_a_member_named_twice_is_one_member(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    created = await scim.create_group("Guides", members=(ann["id"], ann["id"]))
    assert len(created["members"]) == 1


@pytest.mark.parametrize(
    "member", [{}, {"display": "Ann"}, {"value": None}, {"value": 5}, {"value": ""}, "ann", None]
)
async def test_a_member_without_an_id_is_refused(scim: ScimClient, member: Any) -> None:
    refused(
        await scim.post("/Groups", {**group("Guides"), "members": [member]}),
        400,
        "invalidValue",
        "invalidSyntax",
    )
    assert await listed(scim, "/Groups") == []


async def test_a_group_with_an_unknown_member_is_not_created(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    body = refused(await scim.post("/Groups", group("Guides", ann["id"], UNKNOWN_ID)), 400, "invalidValue")
    assert UNKNOWN_ID in body["detail"]
    assert await listed(scim, "/Groups") == []


@pytest.mark.parametrize(
    "change", [add(UNKNOWN_ID), operation("replace", "members", [{"value": UNKNOWN_ID}])]
)
async def test_an_unknown_member_leaves_the_group_as_it_was(scim: ScimClient, change: Json) -> None:
    ann = await scim.create_user("ann")
    created = await scim.create_group("Guides", members=(ann["id"],))
    body = refused(await patch(scim, f"/Groups/{created['id']}", change), 400, "invalidValue")
    assert UNKNOWN_ID in body["detail"]
    assert await scim.read(f"/Groups/{created['id']}") == created


async def test_a_client_may_ask_that_unknown_members_are_skipped(connect: Connect) -> None:
    scim = await connect(switches={"skip_unknown_members": True})
    ann = await scim.create_user("ann")
    created = await scim.create_group("Guides", members=(UNKNOWN_ID, ann["id"]))
    assert await member_ids(scim, created) == {ann["id"]}


async def test_members_are_added_one_after_another(scim: ScimClient) -> None:
    ann, bob = await scim.create_user("ann"), await scim.create_user("bob")
    created = await scim.create_group("Guides", members=(ann["id"],))
    await scim.patch_ok(f"/Groups/{created['id']}", add(bob["id"]))
    assert await member_ids(scim, created) == {ann["id"], bob["id"]}


async def test_members_are_added_without_a_path(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    created = await scim.create_group("Guides")
    value = {"members": [{"value": ann["id"]}]}
    await scim.patch_ok(f"/Groups/{created['id']}", operation("add", value=value))
    assert await member_ids(scim, created) == {ann["id"]}


async def test_a_replacement_states_the_members(scim: ScimClient) -> None:
    ids = [(await scim.create_user(name))["id"] for name in ("ann", "bob", "cid")]
    created = await scim.create_group("Guides", members=ids[:2])
    body = group("Guides", *ids[1:])
    answer = accepted(await scim.request("PUT", f"/Groups/{created['id']}", json=body))
    assert {member["value"] for member in answer["members"]} == set(ids[1:])
    assert await scim.read(f"/Groups/{created['id']}") == answer


async def test_a_replacement_that_does_not_mention_members_keeps_them(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    created = await scim.create_group("Guides", members=(ann["id"],))
    answer = accepted(await scim.request("PUT", f"/Groups/{created['id']}", json=group("Guides")))
    assert answer == created


async def test_a_strict_replacement_without_members_clears_them(connect: Connect) -> None:
    scim = await connect(dialect="strict")
    ann = await scim.create_user("ann")
    created = await scim.create_group("Guides", members=(ann["id"],))
    answer = accepted(await scim.request("PUT", f"/Groups/{created['id']}", json=group("Guides")))
    assert "members" not in answer


async def test_a_replacement_by_what_was_read_changes_nothing(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    created = await scim.create_group("Guides", members=(ann["id"],))
    assert accepted(await scim.request("PUT", f"/Groups/{created['id']}", json=created)) == created


async def test_the_groups_of_a_user_are_described(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    created = await scim.create_group("Guides", members=(ann["id"],))
    assert (await scim.read(f"/Users/{ann['id']}"))["groups"] == [
        {"value": created["id"], "$ref": created["meta"]["location"], "display": "Guides", "type": "direct"}
    ]


async def test_the_groups_of_a_user_are_listed_too(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    await scim.create_group("Guides", members=(ann["id"],))
    assert await listed(scim, "/Users") == [await scim.read(f"/Users/{ann['id']}")]


async def test_groups_reached_through_groups_are_indirect(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    inner, _, _ = await nested(scim, "Inner", "Middle", "Outer")
    await scim.patch_ok(f"/Groups/{inner['id']}", add(ann["id"]))
    assert await memberships(scim, ann) == {"Inner": "direct", "Middle": "indirect", "Outer": "indirect"}


async def test_a_group_that_is_both_direct_and_indirect_is_named_once_as_direct(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    inner, outer = await nested(scim, "Inner", "Outer")
    for each in (inner, outer):
        await scim.patch_ok(f"/Groups/{each['id']}", add(ann["id"]))
    read = await scim.read(f"/Users/{ann['id']}")
    assert len(read["groups"]) == 2
    assert await memberships(scim, ann) == {"Inner": "direct", "Outer": "direct"}


async def test_a_renamed_group_is_renamed_for_its_users(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    created = await scim.create_group("Guides", members=(ann["id"],))
    await scim.patch_ok(f"/Groups/{created['id']}", operation("replace", "displayName", "Drivers"))
    assert await memberships(scim, ann) == {"Drivers": "direct"}


async def test_a_group_cannot_be_its_own_member(scim: ScimClient) -> None:
    created = await scim.create_group("Guides")
    path = f"/Groups/{created['id']}"
    refused(await patch(scim, path, add(created["id"])), 400, "invalidValue")
    refused(await scim.request("PUT", path, json=group("Guides", created["id"])), 400, "invalidValue")
    assert await scim.read(path) == created


async def test_a_circle_of_two_groups_is_refused(scim: ScimClient) -> None:
    inner, outer = await nested(scim, "Inner", "Outer")
    refused(await patch(scim, f"/Groups/{inner['id']}", add(outer["id"])), 400, "invalidValue")
    assert await scim.read(f"/Groups/{inner['id']}") == inner


async def test_a_circle_over_several_groups_is_refused(scim: ScimClient) -> None:
    first, _, _, last = await nested(scim, "One", "Two", "Three", "Four")
    path = f"/Groups/{first['id']}"
    refused(await patch(scim, path, add(last["id"])), 400, "invalidValue")
    refused(await scim.request("PUT", path, json=group("One", last["id"])), 400, "invalidValue")
    refused(
        await patch(scim, path, operation("replace", "members", [{"value": last["id"]}])), 400, "invalidValue"
    )
    assert await scim.read(path) == first


async def test_two_ways_to_the_same_group_are_no_circle(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    bottom = await scim.create_group("Bottom", members=(ann["id"],))
    sides = [await scim.create_group(name, members=(bottom["id"],)) for name in ("Left", "Right")]
    await scim.create_group("Top", members=[side["id"] for side in sides])
    assert await memberships(scim, ann) == {
        "Bottom": "direct",
        "Left": "indirect",
        "Right": "indirect",
        "Top": "indirect",
    }


async def test_a_circle_that_is_broken_in_the_same_patch_is_allowed(scim: ScimClient) -> None:
    inner, outer = await nested(scim, "Inner", "Outer")
    await scim.patch_ok(f"/Groups/{outer['id']}", operation("remove", "members"))
    await scim.patch_ok(f"/Groups/{inner['id']}", add(outer["id"]))
    assert await member_ids(scim, inner) == {outer["id"]}


async def test_a_deleted_user_leaves_no_trace_in_any_group(scim: ScimClient) -> None:
    ann, bob = await scim.create_user("ann"), await scim.create_user("bob")
    both = [await scim.create_group(name, members=(ann["id"], bob["id"])) for name in ("Guides", "Drivers")]
    await scim.delete(f"/Users/{ann['id']}")
    for created in both:
        assert await member_ids(scim, created) == {bob["id"]}
    assert await listed(scim, "/Groups", filter=f'members.value eq "{ann["id"]}"') == []


async def test_the_deletion_of_a_member_moves_the_version_of_its_group(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    created = await scim.create_group("Guides", members=(ann["id"],))
    await scim.delete(f"/Users/{ann['id']}")
    after = (await scim.read(f"/Groups/{created['id']}"))["meta"]
    assert after["version"] != created["meta"]["version"]
    assert after["lastModified"] > created["meta"]["lastModified"]


async def test_a_deleted_group_leaves_no_trace(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    inner, outer = await nested(scim, "Inner", "Outer")
    await scim.patch_ok(f"/Groups/{inner['id']}", add(ann["id"]))
    assert (await scim.delete(f"/Groups/{inner['id']}")).status_code == 204
    assert await member_ids(scim, outer) == set()
    assert await scim.read(f"/Users/{ann['id']}") == ann


async def test_an_inactive_user_stays_a_member(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    created = await scim.create_group("Guides", members=(ann["id"],))
    await scim.patch_ok(f"/Users/{ann['id']}", operation("replace", "active", value=False))
    assert await member_ids(scim, created) == {ann["id"]}


async def test_a_user_cannot_join_a_group_by_its_own_attribute(scim: ScimClient) -> None:
    guides = await scim.create_group("Guides")
    ann = accepted(await scim.post("/Users", user("ann", groups=[{"value": guides["id"]}])), 201)
    assert "groups" not in ann
    assert await member_ids(scim, guides) == set()
