"""Failed logins lock an account, and three ways take the lock off."""

import asyncio
from typing import Any

import pytest

from tests.conftest import Connect
from tests.requirements.accounts import (
    LIFECYCLE,
    acted,
    events,
    fail,
    hire,
    last_event,
    make,
    part,
    problem,
    report,
    set_active,
    status_of,
)
from tests.requirements.records import told
from tests.support.catalogue import load_catalogue
from tests.support.client import ScimClient
from tests.support.time import Clock


@pytest.fixture
async def app(connect: Connect) -> ScimClient:
    """Give the login system, with the permissions that applications have."""
    return await connect(profile="app")


@pytest.mark.proves("LCK-01", "LCK-05")
async def test_the_fifth_failed_login_locks_the_account(
    scim: ScimClient, app: ScimClient, clock: Clock
) -> None:
    user = await make(scim)
    await fail(app, user, 4)
    assert await status_of(scim, user) == "active"
    clock.advance(seconds=5)
    await fail(app, user, 1)
    assert await part(scim, user, "lockout") == {
        "locked": True,
        "lockedAt": clock.text(),
        "until": clock.text(minutes=30),
        "reason": "5 failed login attempts",
        "failedAttempts": 5,
    }
    assert await part(scim, user, "login") == {"lastFailedAt": clock.text(), "failedLast30Days": 5}
    assert await status_of(scim, user) == "locked"
    assert (await scim.read(f"/Users/{user}"))["active"] is True


@pytest.mark.proves("LCK-01")
async def test_a_successful_login_starts_the_count_again(scim: ScimClient, app: ScimClient) -> None:
    user = await make(scim)
    await fail(app, user, 4)
    await report(app, user, "success")
    await fail(app, user, 4)
    assert await status_of(scim, user) == "active"


@pytest.mark.proves("LCK-01")
@pytest.mark.parametrize("threshold", [1, 3])
async def test_how_many_failures_lock_is_the_organisations(
    threshold: int, scim: ScimClient, app: ScimClient, database: Any
) -> None:
    await load_catalogue(database, policies={"lockout": {"threshold": threshold}})
    user = await make(scim)
    await fail(app, user, threshold - 1)
    assert await status_of(scim, user) == "active"
    await fail(app, user, 1)
    assert await status_of(scim, user) == "locked"


@pytest.mark.proves("LCK-02")
async def test_the_attempts_can_be_read_with_time_and_address(
    admin: ScimClient, scim: ScimClient, app: ScimClient, clock: Clock
) -> None:
    user = await make(scim)
    attempts = [("10.0.0.1", "wrong password"), ("10.0.0.2", "wrong code")]
    expected = []
    for address, reason in attempts:
        clock.advance(minutes=1)
        await report(app, user, ipAddress=address, reason=reason)
        expected.append((clock.text(), address, reason))
    found = await admin.find("/LoginReports", f'user.value eq "{user}" and outcome eq "failure"')
    assert [(one["at"], one["ipAddress"], one["reason"]) for one in found] == expected


@pytest.mark.proves("LCK-01", "LCK-02")
async def test_a_lock_is_on_record_and_told(
    scim: ScimClient, app: ScimClient, admin: ScimClient, database: Any
) -> None:
    user = await make(scim)
    await fail(app, user)
    assert await told(database, "user.lock") == [("user.locked", {"id": user, "type": "User"})]
    assert len(await events(admin, f'resource.value eq "{user}" and action eq "user.lock"')) == 1


@pytest.mark.proves("LCK-04")
async def test_a_lock_ends_by_itself_after_half_an_hour(
    scim: ScimClient, app: ScimClient, clock: Clock
) -> None:
    user = await make(scim)
    await fail(app, user)
    ends = clock.text(minutes=30)
    locked = (await scim.get(f"/Users/{user}")).headers["etag"]
    clock.before(ends)
    assert await status_of(scim, user) == "locked"
    clock.at(ends)
    assert await status_of(scim, user) == "active"
    assert await part(scim, user, "lockout") == {"locked": False, "failedAttempts": 0}
    assert (await scim.get(f"/Users/{user}")).headers["etag"] != locked
    locked_ones = f'{LIFECYCLE}:effectiveStatus eq "locked"'
    assert await scim.find("/Users", locked_ones) == []


@pytest.mark.proves("LCK-01")
async def test_after_a_lock_has_ended_it_takes_as_many_failures_again(
    scim: ScimClient, app: ScimClient, clock: Clock
) -> None:
    user = await make(scim)
    await fail(app, user)
    clock.advance(minutes=30)
    await fail(app, user, 4)
    assert await status_of(scim, user) == "active"
    await fail(app, user, 1)
    assert await status_of(scim, user) == "locked"


@pytest.mark.proves("LCK-01")
async def test_the_third_lock_in_a_row_does_not_end_by_itself(
    scim: ScimClient, app: ScimClient, clock: Clock
) -> None:
    user = await make(scim)
    for _ in range(3):
        clock.advance(minutes=31)
        await fail(app, user)
    assert "until" not in await part(scim, user, "lockout")
    clock.advance(days=365)
    assert await status_of(scim, user) == "locked"


@pytest.mark.proves("LCK-04", "STA-22")
async def test_unlocking_with_a_reset_link_asks_the_login_system_for_one(
    admin: ScimClient, app: ScimClient, database: Any
) -> None:
    user = await hire(admin)
    await fail(app, user)
    await acted(admin, user, "unlock", sendResetLink=True)
    assert await status_of(admin, user) == "active"
    assert [name for name, _ in await told(database, "user.unlock")] == [
        "password.reset.requested",
        "user.unlocked",
    ]


@pytest.mark.proves("LCK-04", "STA-22")
async def test_unlocking_only_sends_nothing(admin: ScimClient, app: ScimClient, database: Any) -> None:
    user = await hire(admin)
    await fail(app, user)
    await acted(admin, user, "unlock")
    assert await part(admin, user, "lockout") == {"locked": False, "failedAttempts": 0}
    assert [name for name, _ in await told(database, "user.unlock")] == ["user.unlocked"]


@pytest.mark.proves("LCK-04", "STA-22")
async def test_a_lock_that_is_kept_does_not_end_by_itself(
    admin: ScimClient, app: ScimClient, clock: Clock
) -> None:
    user = await hire(admin)
    await fail(app, user)
    await acted(admin, user, "keepLocked")
    clock.advance(days=365)
    assert await status_of(admin, user) == "locked"


@pytest.mark.proves("LCK-04")
async def test_an_account_that_is_not_locked_cannot_be_kept_locked(admin: ScimClient) -> None:
    user = await hire(admin)
    body = {"user": {"value": user}, "action": "keepLocked"}
    assert problem(await admin.post("/AccountActions", body)) == (400, "The account is not locked.")


@pytest.mark.proves("LCK-04")
async def test_a_new_password_takes_the_lock_off(scim: ScimClient, app: ScimClient, clock: Clock) -> None:
    user = await make(scim)
    await fail(app, user)
    await report(app, user, "passwordChanged")
    assert await status_of(scim, user) == "active"
    assert (await part(scim, user, "credentials"))["passwordSetAt"] == clock.text()


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_password_that_a_client_sets_takes_the_lock_off(
    method: str, admin: ScimClient, app: ScimClient, connect: Connect, database: Any
) -> None:
    user = await hire(admin)
    await fail(app, user)
    client = await connect(profile="idp")
    body = {
        "PUT": {**await admin.read(f"/Users/{user}"), "password": "N3w&Secret"},
        "PATCH": {"Operations": [{"op": "replace", "path": "password", "value": "N3w&Secret"}]},
    }[method]
    assert (await client.request(method, f"/Users/{user}", json=body)).status_code == 200
    assert await status_of(admin, user) == "active"
    assert await part(admin, user, "lockout") == {"locked": False, "failedAttempts": 0}
    assert [name for name, _ in await told(database, "user.unlock")] == ["password.changed", "user.unlocked"]


async def test_a_password_that_is_refused_leaves_the_lock_on(
    admin: ScimClient, app: ScimClient, connect: Connect
) -> None:
    user = await hire(admin)
    await fail(app, user)
    change = {"op": "replace", "path": "password", "value": "N3w&Secret"}
    client = await connect(profile="admin", permissions=["user:view", "user:lifecycle"])
    assert (await client.patch(f"/Users/{user}", change)).status_code == 403
    assert (await admin.patch(f"/Users/{user}", {**change, "value": "short"})).status_code == 400
    assert await status_of(admin, user) == "locked"


async def test_a_new_password_counts_failures_from_nothing(admin: ScimClient, app: ScimClient) -> None:
    user = await hire(admin)
    await fail(app, user, 4)
    await admin.patch_ok(f"/Users/{user}", {"op": "replace", "path": "password", "value": "N3w&Secret"})
    await fail(app, user, 4)
    assert await status_of(admin, user) == "active"


@pytest.mark.proves("LCK-04", "STA-22")
async def test_the_lock_is_taken_off_by_patch_by_who_may_unlock(
    admin: ScimClient, app: ScimClient, connect: Connect
) -> None:
    user = await hire(admin)
    await fail(app, user)
    off = {"op": "replace", "path": f"{LIFECYCLE}:lockout.locked", "value": False}
    others = await connect(profile="admin", permissions=["user:view", "user:update"])
    refused = await others.patch(f"/Users/{user}", off)
    assert problem(refused) == (403, "The client client-3 has no permission user:unlock.")
    support = await connect(profile="admin", permissions=["user:view", "user:update", "user:unlock"])
    assert (await support.patch(f"/Users/{user}", off)).status_code == 200
    assert await status_of(admin, user) == "active"
    assert (await last_event(admin, user))["action"] == "user.unlock"


@pytest.mark.proves("LCK-01")
async def test_nobody_locks_an_account_by_hand(admin: ScimClient) -> None:
    user = await hire(admin)
    on = {"op": "replace", "path": f"{LIFECYCLE}:lockout.locked", "value": True}
    assert problem(await admin.patch(f"/Users/{user}", on)) == (
        400,
        "lockout.locked can only be set to false",
    )


@pytest.mark.proves("LCK-01")
async def test_failures_of_a_deactivated_user_let_nobody_in(
    scim: ScimClient, app: ScimClient, clock: Clock
) -> None:
    user = await make(scim)
    await set_active(scim, user, active=False)
    await fail(app, user)
    assert await status_of(scim, user) == "inactive"
    await set_active(scim, user, active=True)
    assert await status_of(scim, user) == "locked"
    clock.advance(minutes=30)
    assert await status_of(scim, user) == "active"


@pytest.mark.proves("LCK-01", "LCK-04")
async def test_a_fifth_failure_and_an_unlock_at_once_leave_one_of_both_orders(
    admin: ScimClient, app: ScimClient
) -> None:
    user = await hire(admin)
    await fail(app, user, 4)
    failure = {"user": {"value": user}, "outcome": "failure"}
    unlock = {"user": {"value": user}, "action": "unlock"}
    answers = await asyncio.gather(app.post("/LoginReports", failure), admin.post("/AccountActions", unlock))
    assert [answer.status_code for answer in answers] == [201, 201]
    lockout = await part(admin, user, "lockout")
    assert (lockout["locked"], lockout["failedAttempts"]) in {(False, 0), (False, 1)}
    assert await status_of(admin, user) == "active"


@pytest.mark.proves("LCK-05")
async def test_logins_and_changes_of_password_are_kept(
    scim: ScimClient, app: ScimClient, clock: Clock
) -> None:
    user = await make(scim)
    await report(app, user, "success")
    await report(app, user, "success", at="2026-03-01T08:00:00Z")
    await report(app, user, "mfaEnrolled")
    await report(app, user, "passwordChanged")
    seen = await scim.read(f"/Users/{user}", attributes=LIFECYCLE)
    assert (seen[LIFECYCLE]["login"], seen[LIFECYCLE]["credentials"]) == (
        {"lastLoginAt": clock.text(), "loginCount": 2},
        {
            "mfaEnrolled": True,
            "mfaEnrolledAt": clock.text(),
            "passwordSetAt": clock.text(),
            "temporary": False,
            "mustChange": False,
        },
    )


@pytest.mark.proves("LCK-01", "ACT-01")
async def test_only_who_may_report_logins_does(scim: ScimClient, connect: Connect) -> None:
    user = await make(scim)
    idp = await connect(profile="idp")
    body = {"user": {"value": user}, "outcome": "failure"}
    assert (await idp.post("/LoginReports", body)).status_code == 403


@pytest.mark.proves("LCK-01", "STA-22")
async def test_an_accepted_invitation_activates_a_pending_user(admin: ScimClient, app: ScimClient) -> None:
    user = await hire(admin, **{LIFECYCLE: {"status": "pending"}})
    await report(app, user, "invitationAccepted")
    assert await status_of(admin, user) == "active"
