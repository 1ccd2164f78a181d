"""Somebody remains who can administer, by whatever door the last one is to go."""

from typing import Any

import httpx2
import pytest

from scim_server.lifecycle.urns import LIFECYCLE, ROLE
from tests.conftest import Connect
from tests.requirements.accounts import act, acted, hire, last_event, problem, set_active, status_of
from tests.support.catalogue import create_role
from tests.support.client import ScimClient
from tests.support.people import told
from tests.support.time import Clock

LAST = (409, "The last administrator cannot be deactivated or deleted")
ROLES: dict[str, Any] = {"roles": [{"value": "staff", "primary": True}, {"value": "admin"}]}


async def administrator(admin: ScimClient) -> str:
    """Create the roles and the first who administers, and return the id of that user."""
    await create_role(admin, "staff")
    await create_role(admin, "admin")
    return await hire(admin, "ann", **ROLES)


async def plan(client: ScimClient, user: str, kind: str, at: str) -> httpx2.Response:
    """Ask for a scheduled change."""
    body = {"user": {"value": user}, "kind": kind, "effectiveAt": at, "reason": "other"}
    return await client.post("/ScheduledChanges", body)


async def ended(client: ScimClient, door: str, user: str, at: str) -> httpx2.Response:
    """Ask for the end of access at a later moment, by one of the doors."""
    if door in {"deactivate", "suspend"}:
        return await plan(client, user, door, at)
    if door == "active":
        return await set_active(client, user, active=False, reason="other", effectiveAt=at)
    return await act(client, user, door.removeprefix("action "), reason="other", effectiveAt=at)


@pytest.mark.proves("DEL-09", "STA-06")
@pytest.mark.parametrize("door", ["deactivate", "suspend", "active", "action deactivate", "action suspend"])
async def test_the_last_administrator_is_not_planned_away(admin: ScimClient, clock: Clock, door: str) -> None:
    ann = await administrator(admin)
    assert problem(await ended(admin, door, ann, clock.text(days=3))) == LAST
    assert await admin.find("/ScheduledChanges", 'status eq "scheduled"') == []
    clock.advance(days=4)
    assert await status_of(admin, ann) == "active"
    await hire(admin, "bob", **ROLES)
    assert (await ended(admin, door, ann, clock.text(days=3))).status_code in {200, 201}


@pytest.mark.proves("DEL-09")
@pytest.mark.parametrize("days", [2, 3, 5])
async def test_of_two_administrators_one_at_most_is_planned_away(
    admin: ScimClient, clock: Clock, days: int
) -> None:
    ann = await administrator(admin)
    bob = await hire(admin, "bob", **ROLES)
    planned = await plan(admin, ann, "deactivate", clock.text(days=3))
    assert planned.status_code == 201
    assert problem(await plan(admin, bob, "suspend", clock.text(days=days))) == LAST
    assert problem(await act(admin, bob, "deactivate", reason="other")) == LAST
    await admin.delete(f"/ScheduledChanges/{planned.json()['id']}")
    await acted(admin, bob, "deactivate", reason="other")


@pytest.mark.proves("DEL-09")
@pytest.mark.parametrize("door", ["deactivate", "suspend", "active", "action deactivate"])
async def test_nobody_plans_the_end_of_his_own_access(
    admin: ScimClient, connect: Connect, clock: Clock, door: str
) -> None:
    ann = await administrator(admin)
    await hire(admin, "bob", **ROLES)
    own = await connect(profile="admin", user=ann)
    response = await ended(own, door, ann, clock.text(days=3))
    assert problem(response) == (403, "You cannot deactivate your own account")


@pytest.mark.proves("STA-17")
async def test_a_connector_plans_the_last_administrator_away_and_that_is_noted(
    admin: ScimClient, connect: Connect, clock: Clock
) -> None:
    ann = await administrator(admin)
    hris = await connect(profile="hris")
    assert (await plan(hris, ann, "deactivate", clock.text(days=3))).status_code == 201
    assert ("R-LASTADMIN", "deferred", LAST[1]) in told(await last_event(admin, ann))


@pytest.mark.proves("DEL-09")
@pytest.mark.parametrize("days", [0, 3])
@pytest.mark.parametrize("whose", ["user", "assignment"])
async def test_the_validity_of_the_last_administrator_does_not_end(
    admin: ScimClient, clock: Clock, whose: str, days: int
) -> None:
    await create_role(admin, "staff")
    role = await create_role(admin, "admin")
    ann = await hire(admin, "ann", **ROLES)
    path = f"{LIFECYCLE}:validTo"
    if whose == "assignment":
        path = f'{ROLE}:roleAssignments[value eq "{role}"].validTo'

    async def end(days: int) -> httpx2.Response:
        operation = {"op": "replace", "path": path, "value": clock.text(days=days)}
        return await admin.patch(f"/Users/{ann}", operation)

    assert problem(await end(days)) == LAST
    await hire(admin, "bob", **ROLES)
    assert (await end(5)).status_code == 200
    assert (await end(9)).status_code == 200


@pytest.mark.proves("DEL-09")
@pytest.mark.parametrize("way", ["delete", "rename"])
async def test_the_role_of_the_last_administrator_stays(admin: ScimClient, way: str) -> None:
    await create_role(admin, "staff")
    role = await create_role(admin, "admin")

    async def attempt() -> httpx2.Response:
        if way == "delete":
            return await admin.delete(f"/Roles/{role}")
        operation = {"op": "replace", "path": "value", "value": "keeper"}
        return await admin.patch(f"/Roles/{role}", operation)

    ann = await hire(admin, "ann", **ROLES)
    assert problem(await attempt()) == LAST
    bob = await hire(admin, "bob", active=False, **ROLES)
    assert problem(await attempt()) == LAST
    assert await status_of(admin, ann) == "active"
    assert await status_of(admin, bob) == "inactive"
