"""What is planned for later happens on time, may be called off, and gives way to newer news."""

import pytest

from scim_server.store.database import Database
from tests.conftest import Connect
from tests.requirements.accounts import (
    LIFECYCLE,
    acted,
    events,
    hire,
    holds_of,
    make,
    part,
    problem,
    set_active,
    status_of,
    wish,
)
from tests.requirements.plans import outcome_of, patch, plan
from tests.requirements.records import told
from tests.support.catalogue import create_department, create_role
from tests.support.client import ScimClient
from tests.support.time import Clock


@pytest.fixture
async def hris(connect: Connect) -> ScimClient:
    """Give the connector of an HR system."""
    return await connect(profile="hris")


@pytest.mark.proves("STA-06")
@pytest.mark.parametrize(
    ("kind", "begins", "becomes"),
    [
        ("deactivate", "active", "inactive"),
        ("suspend", "active", "suspended"),
        ("activate", "inactive", "active"),
    ],
)
async def test_a_change_of_status_takes_effect_at_its_moment(
    kind: str, begins: str, becomes: str, admin: ScimClient, clock: Clock
) -> None:
    user = await hire(admin, active=begins == "active")
    at = clock.text(days=3)
    change = await plan(admin, user, kind, at, reason="other")
    before = (await admin.get(f"/Users/{user}")).headers["etag"]
    clock.before(at)
    assert (await status_of(admin, user), await outcome_of(admin, change)) == (begins, "scheduled")
    clock.at(at)
    assert (await status_of(admin, user), await outcome_of(admin, change)) == (becomes, "applied")
    found = await admin.find("/Users", f"active eq {str(becomes == 'active').lower()}")
    assert [one["id"] for one in found] == [user]
    refused = await admin.request("DELETE", f"/Users/{user}", headers={"if-match": before})
    assert refused.status_code == 412


@pytest.mark.proves("STA-06")
async def test_a_planned_change_is_shown_with_the_user(admin: ScimClient, clock: Clock) -> None:
    user = await hire(admin)
    change = await plan(admin, user, "deactivate", clock.text(days=3), reason="other")
    shown = await part(admin, user, "scheduledChanges")
    assert [(one["value"], one["kind"], one["effectiveAt"]) for one in shown] == [
        (change, "deactivate", clock.text(days=3))
    ]
    clock.advance(days=3)
    assert await part(admin, user, "scheduledChanges") is None


@pytest.mark.proves("STA-06")
@pytest.mark.parametrize("door", ["active", "status", "action"])
async def test_a_deactivation_for_later_is_asked_for_at_every_door(
    door: str, admin: ScimClient, clock: Clock
) -> None:
    user = await hire(admin)
    at = clock.text(days=3)
    why = {"reason": "voluntaryTermination", "effectiveAt": at}
    if door == "action":
        assert (await acted(admin, user, "deactivate", **why))["status"] == "scheduled"
    else:
        response = await (
            wish(admin, user, "inactive", **why)
            if door == "status"
            else set_active(admin, user, active=False, **why)
        )
        assert (response.status_code, response.json()["active"]) == (200, True)
    clock.before(at)
    assert await status_of(admin, user) == "active"
    clock.at(at)
    assert (await status_of(admin, user), await holds_of(admin, user)) == ("inactive", {"admin-termination"})


@pytest.mark.proves("STA-04", "STA-06")
async def test_a_deactivation_for_later_needs_a_reason_too(admin: ScimClient, clock: Clock) -> None:
    user = await hire(admin)
    response = await wish(admin, user, "inactive", effectiveAt=clock.text(days=3))
    assert problem(response) == (400, "Deactivation reason is required")
    body = {"user": {"value": user}, "kind": "deactivate", "effectiveAt": clock.text(days=3)}
    assert problem(await admin.post("/ScheduledChanges", body)) == (400, "Deactivation reason is required")


@pytest.mark.proves("STA-06")
async def test_a_planned_patch_changes_the_user_before_anybody_can_read_it(
    admin: ScimClient, clock: Clock
) -> None:
    user = await hire(admin)
    at = clock.text(days=3)
    change = await plan(admin, user, "patch", at, patch=patch(title="Boss"))
    clock.before(at)
    assert "title" not in await admin.read(f"/Users/{user}")
    clock.at(at)
    assert [one["id"] for one in await admin.find("/Users", 'title eq "Boss"')] == [user]
    assert (await admin.read(f"/Users/{user}"))["title"] == "Boss"
    assert await outcome_of(admin, change) == "applied"


@pytest.mark.proves("STA-06")
async def test_a_write_after_its_moment_finds_a_planned_patch_carried_out(
    admin: ScimClient, clock: Clock
) -> None:
    user = await hire(admin)
    await plan(admin, user, "patch", clock.text(days=3), patch=patch(title="Boss"))
    clock.advance(days=3)
    changed = await admin.patch(f"/Users/{user}", {"op": "add", "path": "nickName", "value": "Annie"})
    assert (changed.json()["title"], changed.json()["nickName"]) == ("Boss", "Annie")


@pytest.mark.proves("STA-06")
async def test_a_planned_deletion_happens_on_time(admin: ScimClient, clock: Clock) -> None:
    user = await hire(admin)
    change = await plan(admin, user, "delete", clock.text(days=3))
    clock.advance(days=3)
    assert (await admin.get(f"/Users/{user}")).status_code == 404
    assert await outcome_of(admin, change) == "applied"


@pytest.mark.proves("STA-06")
async def test_a_planned_patch_that_the_rules_refuse_fails_with_an_alarm(
    admin: ScimClient, database: Database, clock: Clock
) -> None:
    await hire(admin, "bob")
    user = await hire(admin)
    change = await plan(admin, user, "patch", clock.text(days=3), patch=patch(userName="bob"))
    clock.advance(days=3)
    assert (await admin.read(f"/Users/{user}"))["userName"] == "ann"
    failed = await admin.read(f"/ScheduledChanges/{change}")
    assert (failed["status"], failed["error"]) == ("failed", "Another User has this userName.")
    assert [name for name, _ in await told(database, "scheduledChange.fail")] == ["alarm"]


@pytest.mark.proves("STA-06", "STA-16")
async def test_an_activation_of_somebody_who_is_not_ready_fails(admin: ScimClient, clock: Clock) -> None:
    user = await hire(admin, active=False)
    change = await plan(admin, user, "activate", clock.text(days=3), reason="returned")
    await create_role(admin, "recruiter")
    await create_department(admin, "SALES")
    clock.advance(days=3)
    assert (await status_of(admin, user), await outcome_of(admin, change)) == ("inactive", "failed")


@pytest.mark.proves("STA-06")
@pytest.mark.parametrize("kind", ["deactivate", "patch"])
async def test_a_change_that_is_called_off_does_not_happen(
    kind: str, admin: ScimClient, clock: Clock
) -> None:
    user = await hire(admin)
    facts = {"patch": patch(title="Boss")} if kind == "patch" else {"reason": "other"}
    change = await plan(admin, user, kind, clock.text(days=3), **facts)
    assert (await admin.delete(f"/ScheduledChanges/{change}")).status_code == 204
    assert await part(admin, user, "scheduledChanges") is None
    clock.advance(days=3)
    seen = await admin.read(f"/Users/{user}")
    assert (seen["active"], "title" in seen) == (True, False)


@pytest.mark.proves("STA-06")
async def test_a_change_may_be_put_off(admin: ScimClient, clock: Clock) -> None:
    user = await hire(admin)
    change = await plan(admin, user, "deactivate", clock.text(days=3), reason="other")
    later = {"op": "replace", "path": "effectiveAt", "value": clock.text(days=9)}
    await admin.patch_ok(f"/ScheduledChanges/{change}", later)
    clock.advance(days=8)
    assert await status_of(admin, user) == "active"
    clock.advance(days=1)
    assert await status_of(admin, user) == "inactive"


@pytest.mark.proves("STA-06")
async def test_what_has_happened_can_no_longer_be_changed(admin: ScimClient, clock: Clock) -> None:
    user = await hire(admin)
    change = await plan(admin, user, "deactivate", clock.text(days=3), reason="other")
    clock.advance(days=3)
    later = {"op": "replace", "path": "effectiveAt", "value": clock.text(days=9)}
    said = "The scheduled change is applied and cannot be changed."
    assert problem(await admin.patch(f"/ScheduledChanges/{change}", later)) == (400, said)
    assert await status_of(admin, user) == "inactive"


@pytest.mark.proves("STA-06", "STA-25")
async def test_newer_news_of_the_same_event_takes_the_place_of_the_older(
    scim: ScimClient, hris: ScimClient, clock: Clock
) -> None:
    user = await make(scim)
    facts = {"reason": "hrisTerminated", "sourceEventId": "HR-1"}
    first = await plan(hris, user, "deactivate", clock.text(days=3), **facts)
    second = await plan(hris, user, "deactivate", clock.text(days=9), **facts)
    assert [await outcome_of(hris, change) for change in (first, second)] == ["superseded", "scheduled"]
    clock.advance(days=4)
    assert await status_of(scim, user) == "active"
    clock.advance(days=5)
    assert (await status_of(scim, user), await outcome_of(hris, first)) == ("inactive", "superseded")


@pytest.mark.proves("STA-24", "STA-25")
@pytest.mark.parametrize("days", [2, 4])
async def test_a_termination_that_is_rescinded_leaves_the_user_in(
    days: int, scim: ScimClient, hris: ScimClient, clock: Clock
) -> None:
    user = await make(scim)
    ends = clock.text(days=3)
    change = await plan(hris, user, "deactivate", ends, reason="hrisTerminated", sourceEventId="HR-1")
    clock.advance(days=days)
    if days < 3:
        assert (await hris.delete(f"/ScheduledChanges/{change}")).status_code == 204
    else:
        assert await holds_of(scim, user) == {"hris-termination"}
        assert (await set_active(hris, user, active=True)).json()["active"] is True
    clock.advance(days=30)
    assert (await status_of(scim, user), await holds_of(scim, user)) == ("active", set())


@pytest.mark.proves("STA-06")
async def test_what_a_plan_did_is_kept_when_the_user_is_changed_later(
    admin: ScimClient, scim: ScimClient, clock: Clock
) -> None:
    user = await hire(admin)
    change = await plan(admin, user, "deactivate", clock.text(days=3), reason="contractEnded")
    clock.advance(days=5)
    await scim.patch_ok(f"/Users/{user}", {"op": "add", "path": "title", "value": "Boss"})
    assert await part(admin, user, "holds") == [
        {
            "value": "admin-termination",
            "source": "admin",
            "kind": "termination",
            "reason": "contractEnded",
            "since": clock.text(days=-2),
            "liftableBy": ["admin"],
        }
    ]
    assert await outcome_of(admin, change) == "applied"


@pytest.mark.proves("STA-06")
@pytest.mark.parametrize("text", [None, "no JSON", '{"Operations": [{"op": "jump"}]}'])
async def test_a_planned_patch_has_to_be_one(text: str | None, admin: ScimClient, clock: Clock) -> None:
    user = await hire(admin)
    body = {"user": {"value": user}, "kind": "patch", "effectiveAt": clock.text(days=1)}
    response = await admin.post("/ScheduledChanges", body | ({} if text is None else {"patch": text}))
    assert problem(response) == (400, "patch must be a PATCH message as JSON text.")


@pytest.mark.proves("STA-06", "ACT-01")
async def test_nobody_plans_what_he_may_not_do(admin: ScimClient, connect: Connect, clock: Clock) -> None:
    user = await hire(admin)
    client = await connect(profile="admin", permissions=["user:view", "user:lifecycle"])
    body = {"user": {"value": user}, "effectiveAt": clock.text(days=1)}
    said = "Access denied: the client client-2 has no permission"
    assert problem(await client.post("/ScheduledChanges", {**body, "kind": "delete"})) == (
        403,
        f"{said} user:delete.",
    )
    planned = {**body, "kind": "patch", "patch": patch(title="Boss")}
    assert problem(await client.post("/ScheduledChanges", planned)) == (403, f"{said} user:update.")


@pytest.mark.proves("STA-06", "ACT-01")
async def test_a_planned_patch_may_do_no_more_than_who_planned_it(
    admin: ScimClient, connect: Connect, clock: Clock
) -> None:
    user = await hire(admin)
    client = await connect(profile="admin", permissions=["user:view", "user:update", "user:lifecycle"])
    urn = "urn:ietf:params:scim:schemas:extension:clearance:2.0:User"
    change = await plan(client, user, "patch", clock.text(days=1), patch=patch(**{f"{urn}:level": "secret"}))
    clock.advance(days=1)
    assert urn not in await admin.read(f"/Users/{user}")
    failed = await admin.read(f"/ScheduledChanges/{change}")
    assert (failed["status"], failed["error"]) == (
        "failed",
        "The client client-2 has no permission permission:manage.",
    )


@pytest.mark.proves("AUD-01", "STA-06")
async def test_planning_is_on_record_with_who_and_why(admin: ScimClient, clock: Clock) -> None:
    user = await hire(admin)
    await plan(admin, user, "deactivate", clock.text(days=3), reason="other")
    found = await events(admin, f'resource.value eq "{user}" and action eq "user.schedule"')
    assert [event["actor"] for event in found] == [{"type": "admin", "client": "client-1"}]
    assert (await admin.read(f"/Users/{user}", attributes=f"{LIFECYCLE}:holds")).get(LIFECYCLE) is None


async def planned_role(admin: ScimClient, connect: Connect, at: str) -> tuple[str, str, ScimClient]:
    """Plan a role for a user; returns both ids, and a client that may plan and may not assign roles."""
    await create_role(admin, "boss")
    user = await hire(admin)
    change = await plan(admin, user, "patch", at, patch=patch(roles=[{"value": "boss"}]))
    client = await connect(profile="admin", permissions=["user:view", "user:update", "user:lifecycle"])
    return user, change, client


@pytest.mark.proves("ACT-01", "STA-06")
async def test_who_moves_what_is_planned_is_not_lent_the_permissions_of_the_planner(
    admin: ScimClient, connect: Connect, clock: Clock
) -> None:
    user, change, client = await planned_role(admin, connect, clock.text(days=9))
    soon = {"op": "replace", "path": "effectiveAt", "value": clock.text(days=1)}
    await client.patch_ok(f"/ScheduledChanges/{change}", soon)
    clock.advance(days=1)
    assert "roles" not in await admin.read(f"/Users/{user}")
    assert await outcome_of(admin, change) == "failed"


@pytest.mark.proves("ACT-01", "STA-06")
async def test_who_notes_something_at_what_is_planned_does_not_plan_it(
    admin: ScimClient, connect: Connect, clock: Clock
) -> None:
    at = clock.text(days=9)
    _, change, client = await planned_role(admin, connect, at)
    await client.patch_ok(f"/ScheduledChanges/{change}", {"op": "add", "path": "note", "value": "Wait."})
    clock.at(at)
    assert await outcome_of(admin, change) == "applied"
