"""Special permissions: who grants them, for a time, justified where sensitive, revoked with a reason."""

from typing import Any

import pytest

from scim_server.lifecycle.urns import SPECIAL_PERMISSION
from scim_server.store.database import Database
from tests.protocol.messages import Connect, accepted, refused
from tests.support.catalogue import create_entitlement
from tests.support.client import ScimClient
from tests.support.people import (
    add,
    assigned,
    because,
    events,
    hire,
    last_event,
    names,
    news,
    remove,
    replace,
    roles,
    said,
    told,
)
from tests.support.time import Clock

PATH = f"{SPECIAL_PERMISSION}:specialPermissions"


@pytest.fixture
async def override(admin: ScimClient) -> str:
    """Give the entitlement override, which is sensitive."""
    return await create_entitlement(
        admin, "override", display="Emergency Access Override", sensitive=True, emergency=True
    )


@pytest.fixture
async def maintenance(admin: ScimClient) -> str:
    """Give the entitlement maintenance."""
    return await create_entitlement(admin, "maintenance", display="System Maintenance Access")


def grant(target: str, **facts: Any) -> dict[str, Any]:
    """Return the operation that grants a special permission."""
    return add(PATH, [{"value": target, **facts}])


@pytest.mark.proves("PRM-01")
async def test_granting_takes_permission_to_manage_permissions(
    admin: ScimClient, connect: Connect, maintenance: str
) -> None:
    ann = await hire(admin)
    updater = await connect(profile="admin", permissions=["user:view", "user:update", "user:assign_role"])
    body = refused(await updater.patch(f"/Users/{ann['id']}", grant(maintenance)), 403)
    assert body["detail"].endswith("has no permission permission:manage.")
    manager = await connect(profile="admin", permissions=["user:view", "user:update", "permission:manage"])
    accepted(await manager.patch(f"/Users/{ann['id']}", grant(maintenance)))


@pytest.mark.proves("PRM-01")
async def test_a_connector_grants_nothing_and_is_not_refused(scim: ScimClient, maintenance: str) -> None:
    ann = await scim.create_user(
        "ann", **{SPECIAL_PERMISSION: {"specialPermissions": [{"value": maintenance}]}}
    )
    assert SPECIAL_PERMISSION not in ann


@pytest.mark.proves("PRM-02")
async def test_special_permissions_are_a_catalogue(admin: ScimClient, override: str) -> None:
    (found,) = await admin.find("/Entitlements", 'display eq "emergency access override"')
    assert found["id"] == override
    ann = await hire(admin)
    context = because(justification="On call")
    await admin.patch_ok(f"/Users/{ann['id']}", grant("emergency ACCESS override"), context)
    (row,) = await assigned(admin, ann["id"], PATH)
    assert [row["value"], row["display"]] == [override, "Emergency Access Override"]
    assert [row["sensitive"], row["emergency"], row["status"]] == [True, True, "active"]


@pytest.mark.proves("PRM-02")
async def test_one_that_is_off_or_unknown_is_not_granted(admin: ScimClient, maintenance: str) -> None:
    ann = await hire(admin)
    await admin.patch_ok(f"/Entitlements/{maintenance}", replace("supported", False))
    details = [
        refused(await admin.patch(f"/Users/{ann['id']}", grant(text)), 400, "invalidValue")["detail"]
        for text in (maintenance, "flying")
    ]
    assert details == [
        "Special permission System Maintenance Access is not available",
        "Special permission flying does not exist",
    ]


@pytest.mark.proves("PRM-03")
@pytest.mark.parametrize("hours", [0, -1])
async def test_a_permission_ends_after_it_begins(
    admin: ScimClient, clock: Clock, maintenance: str, hours: int
) -> None:
    ann = await hire(admin)
    operation = grant(maintenance, validFrom=clock.text(days=1), validTo=clock.text(days=1, hours=hours))
    body = refused(await admin.patch(f"/Users/{ann['id']}", operation), 400, "invalidValue")
    assert body["detail"] == "The end of special permission must be after its beginning"


@pytest.mark.proves("PRM-03", "PRM-06")
async def test_a_permission_for_a_weekend_is_there_then_and_only_then(
    admin: ScimClient, clock: Clock, maintenance: str
) -> None:
    clock.at("2026-03-04T12:00:00+00:00")
    ann = await hire(admin)
    starts, ends = "2026-03-06T18:00:00Z", "2026-03-09T06:00:00Z"
    await admin.patch_ok(f"/Users/{ann['id']}", grant(maintenance, validFrom=starts, validTo=ends))
    seen = []
    for move, moment in (
        (clock.at, "2026-03-04T12:00:00+00:00"),
        (clock.before, "2026-03-06T18:00:00+00:00"),
        (clock.at, "2026-03-06T18:00:00+00:00"),
        (clock.before, "2026-03-09T06:00:00+00:00"),
        (clock.at, "2026-03-09T06:00:00+00:00"),
    ):
        move(moment)
        rows = await assigned(admin, ann["id"], PATH)
        found = await admin.find("/Users", f'{PATH}[value eq "{maintenance}" and status eq "active"]')
        held = await admin.find("/Users", f'{PATH}.value eq "{maintenance}"')
        seen.append(([row["status"] for row in rows], len(found), len(held)))
    assert seen == [
        (["scheduled"], 0, 1),
        (["scheduled"], 0, 1),
        (["active"], 1, 1),
        (["active"], 1, 1),
        ([], 0, 0),
    ]
    shown = await admin.read(f"/Entitlements/{maintenance}", attributes="totalAssignmentsUsed")
    assert shown["totalAssignmentsUsed"] == 0


@pytest.mark.proves("PRM-06")
async def test_the_version_of_a_user_moves_on_at_the_end_of_a_permission(
    admin: ScimClient, clock: Clock, maintenance: str
) -> None:
    ann = await hire(admin)
    await admin.patch_ok(f"/Users/{ann['id']}", grant(maintenance, validTo=clock.text(hours=1)))
    before = await admin.get(f"/Users/{ann['id']}")
    clock.advance(hours=1)
    unmodified = {"If-None-Match": before.headers["etag"]}
    after = await admin.request("GET", f"/Users/{ann['id']}", headers=unmodified)
    assert after.status_code == 200
    assert after.headers["etag"] != before.headers["etag"]
    assert SPECIAL_PERMISSION not in after.json()
    assert after.json()["meta"]["lastModified"].startswith(clock.text()[:19])


@pytest.mark.proves("PRM-04")
async def test_a_sensitive_permission_takes_a_justification(
    admin: ScimClient, database: Database, override: str
) -> None:
    ann = await hire(admin)
    path = f"/Users/{ann['id']}"
    body = refused(await admin.patch(path, grant(override)), 400, "invalidValue")
    assert body["detail"] == "Justification required for this permission"
    changed = accepted(await admin.patch(path, grant(override, justification="On call")))
    assert "justification" not in changed[SPECIAL_PERMISSION]["specialPermissions"][0]
    read = await admin.read(path, attributes=f"{PATH}.justification")
    assert read[SPECIAL_PERMISSION]["specialPermissions"] == [{"justification": "On call"}]
    assert ("security.notified", {"granted": "override"}) in await news(database, ann["id"])


@pytest.mark.proves("PRM-04")
async def test_a_longer_time_is_justified_anew(admin: ScimClient, clock: Clock, override: str) -> None:
    ann = await hire(admin)
    path = f"/Users/{ann['id']}"
    context = because(justification="On call")
    await admin.patch_ok(path, grant(override, validTo=clock.text(days=1)), context)
    longer = replace(f'{PATH}[value eq "{override}"].validTo', clock.text(days=9))
    refused(await admin.patch(path, longer), 400, "invalidValue")
    accepted(await admin.patch(path, longer, context))


@pytest.mark.proves("PRM-05")
async def test_a_permission_is_granted_by_those_whom_it_names(admin: ScimClient, connect: Connect) -> None:
    recipes = await create_entitlement(
        admin, "recipes", display="Recipe Confidential Access", grantableBy=["chef"]
    )
    await admin.post("/Roles", {"value": "chef", "display": "Chef", "supported": True})
    chef, ann = await hire(admin, "chef", **roles("chef")), await hire(admin)
    may = ["user:view", "user:update", "permission:manage"]
    answers = [
        await (await connect(profile="admin", permissions=may, user=holder)).patch(
            f"/Users/{ann['id']}", grant(recipes)
        )
        for holder in (ann["id"], None, chef["id"])
    ]
    message = "Insufficient authority to grant Recipe Confidential Access"
    assert [refused(answer, 403)["detail"] for answer in answers[:2]] == [message, message]
    assert names(accepted(answers[2])[SPECIAL_PERMISSION]["specialPermissions"]) == [
        "Recipe Confidential Access"
    ]


@pytest.mark.proves("PRM-05")
async def test_nobody_grants_a_permission_to_himself(
    admin: ScimClient, connect: Connect, maintenance: str
) -> None:
    ann = await hire(admin)
    own = await connect(profile="admin", user=ann["id"])
    body = refused(await own.patch(f"/Users/{ann['id']}", grant(maintenance)), 403)
    assert body["detail"] == "You cannot grant System Maintenance Access to yourself"


@pytest.mark.proves("PRM-06")
async def test_a_grant_is_recorded_with_who_and_when(
    admin: ScimClient, connect: Connect, clock: Clock, maintenance: str
) -> None:
    boss, ann = await hire(admin, "boss"), await hire(admin)
    client = await connect(profile="admin", user=boss["id"])
    clock.advance(hours=1)
    await client.patch_ok(f"/Users/{ann['id']}", grant(maintenance), because(ticket="OPS-1"))
    (row,) = await assigned(admin, ann["id"], PATH)
    assert [row["grantedAt"], row["grantedBy"], row["source"]] == [clock.text(), boss["id"], "admin"]
    event = await last_event(admin, ann["id"])
    assert event["actor"]["value"] == boss["id"]
    assert maintenance in next(one["to"] for one in event["changes"] if one["path"] == PATH)
    assert await said(admin, ann["id"]) == {"ticket": "OPS-1"}


@pytest.mark.proves("PRM-06")
async def test_a_permission_is_granted_no_longer_than_it_allows(admin: ScimClient, clock: Clock) -> None:
    duty = await create_entitlement(admin, "duty", display="Duty", maximumDuration="P2D")
    ann = await hire(admin)
    path = f"/Users/{ann['id']}"
    for facts in ({}, {"validTo": clock.text(days=2, seconds=1)}):
        body = refused(await admin.patch(path, grant(duty, **facts)), 400, "invalidValue")
        assert body["detail"] == "Duty can be granted for P2D at most"
    accepted(await admin.patch(path, grant(duty, validTo=clock.text(days=2))))


@pytest.mark.proves("PRM-08")
async def test_revoking_holds_at_once_has_a_reason_and_the_user_is_told(
    admin: ScimClient, database: Database, maintenance: str
) -> None:
    ann = await hire(admin)
    await admin.patch_ok(f"/Users/{ann['id']}", grant(maintenance))
    gone = remove(f'{PATH}[value eq "{maintenance}"]')
    await admin.patch_ok(f"/Users/{ann['id']}", gone, because(reason="roleChange", note="Moved to sales"))
    assert await assigned(admin, ann["id"], PATH) == []
    assert await admin.find("/Users", f'{PATH}.value eq "{maintenance}"') == []
    assert await said(admin, ann["id"]) == {"reason": "roleChange", "note": "Moved to sales"}
    assert (await news(database, ann["id"]))[-1] == ("user.notified", {"revoked": maintenance})


@pytest.mark.proves("PRM-06", "PRM-08")
async def test_a_reactivated_user_has_no_special_permission_any_more(
    admin: ScimClient, maintenance: str
) -> None:
    ann = await hire(admin)
    path = f"/Users/{ann['id']}"
    await admin.patch_ok(path, grant(maintenance))
    await admin.patch_ok(path, replace("active", False), because(reason="leaveOfAbsence"))
    await admin.patch_ok(path, replace("active", True), because(reason="returned"))
    assert await assigned(admin, ann["id"], PATH) == []
    assert [told(event) for event in await events(admin, ann["id"])] == [[]] * 4
