"""The worker: what time has brought about is on record and told, and clients see no difference."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from scim_server.services import housekeeping, user_changes
from scim_server.services.lifecycle import Lifecycle
from scim_server.store.database import Database
from tests.support.catalogue import create_role
from tests.support.client import ScimClient
from tests.support.time import Clock, clock

__all__ = ["clock"]

EXTENSION = "urn:ietf:params:scim:schemas:extension:"
LIFECYCLE = f"{EXTENSION}lifecycle:2.0:User"
ROLE = f"{EXTENSION}role:2.0:User"
Work = Callable[[], Awaitable[dict[str, int]]]


@pytest.fixture
def work(database: Database) -> Work:
    """Give a function that runs one round."""
    lifecycle = Lifecycle.of()
    return lambda: housekeeping.run_once(database, lifecycle)


async def seen(client: ScimClient, path: str) -> tuple[object, object]:
    """Return a resource and its entity tag."""
    response = await client.get(path, attributes=f"userName,active,{LIFECYCLE}:effectiveStatus,meta")
    return response.json(), response.headers["etag"]


async def test_an_expiry_is_written_down_and_nobody_sees_a_difference(
    scim: ScimClient, admin: ScimClient, clock: Clock, work: Work
) -> None:
    user = await scim.create_user("ann", **{LIFECYCLE: {"validTo": clock.text(days=1)}})
    path = f"/Users/{user['id']}"
    clock.advance(days=2)
    before = await seen(scim, path)
    assert (await work())["users"] == 1
    assert await seen(scim, path) == before
    assert (await work())["users"] == 0
    (event,) = await admin.find("/AuditEvents", f'resource.value eq "{user["id"]}" and action eq "user.end"')
    assert event["actor"] == {"type": "system", "client": "system"}


async def test_an_assignment_that_ended_is_removed_from_the_store(
    scim: ScimClient, admin: ScimClient, clock: Clock, work: Work
) -> None:
    role = await create_role(admin, "viewer")
    assigned = [{"value": role, "validTo": clock.text(days=1)}]
    user = await scim.create_user("ann", **{ROLE: {"roleAssignments": assigned}})
    clock.advance(days=2)
    assert (await work())["ended_assignments"] == 1
    assert ROLE not in await scim.read(f"/Users/{user['id']}")


async def test_a_scheduled_change_that_took_effect_is_marked_applied(
    admin: ScimClient, scim: ScimClient, clock: Clock, work: Work
) -> None:
    user = await scim.create_user("ann")
    planned = await admin.post(
        "/ScheduledChanges",
        {
            "user": {"value": user["id"]},
            "kind": "deactivate",
            "effectiveAt": clock.text(hours=1),
            "reason": "contractEnded",
        },
    )
    assert planned.status_code == 201, planned.text
    clock.advance(hours=2)
    await work()
    stored = await admin.find("/ScheduledChanges", 'status eq "applied"')
    assert [one["id"] for one in stored] == [planned.json()["id"]]
    assert (await scim.read(f"/Users/{user['id']}"))["active"] is False


async def test_many_holders_of_a_changed_role_follow_by_and_by_and_are_read_right_at_once(
    admin: ScimClient, scim: ScimClient, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_changes, "RECALCULATED_AT_ONCE", 2)
    role = await create_role(admin, "viewer", permissions=["old"])
    users = [await scim.create_user(f"user{number}", roles=[{"value": "viewer"}]) for number in range(5)]
    governance = "urn:scim-server:schemas:extension:2.0:Role:permissions"
    await admin.patch_ok(f"/Roles/{role}", {"op": "replace", "path": governance, "value": ["new"]})
    for user in users:
        read = await scim.read(f"/Users/{user['id']}", attributes=f"{ROLE}:effectivePermissions")
        assert read[ROLE]["effectivePermissions"] == ["new"]
    found = f'{ROLE}:effectivePermissions eq "new"'
    assert len(await scim.find("/Users", found)) == 2
    assert (await work())["recalculated"] == 3
    assert len(await scim.find("/Users", found)) == 5
    assert (await work())["recalculated"] == 0


async def test_of_two_workers_at_once_one_writes_it_down(
    scim: ScimClient, admin: ScimClient, clock: Clock, work: Work
) -> None:
    user = await scim.create_user("ann", **{LIFECYCLE: {"validTo": clock.text(days=1)}})
    clock.advance(days=2)
    await asyncio.gather(work(), work())
    events = await admin.find("/AuditEvents", f'resource.value eq "{user["id"]}" and action eq "user.end"')
    assert len(events) == 1
