"""Several sources may keep a user out at once; each lifts its own hold and no other."""

import pytest

from scim_server.security.principals import DEFAULT_PERMISSIONS, PERMISSIONS
from scim_server.store.database import Database
from tests.conftest import Connect
from tests.requirements.accounts import (
    LIFECYCLE,
    act,
    acted,
    events,
    hire,
    holds_of,
    last_event,
    make,
    part,
    problem,
    set_active,
    status_of,
    wish,
)
from tests.requirements.records import told
from tests.support.catalogue import create_department, create_entitlement, create_role, load_catalogue
from tests.support.client import ScimClient
from tests.support.time import Clock

ALL_HOLDS = {"hris-leave", "idp-deprovisioned", "security-suspension"}


async def on_leave_deprovisioned_and_suspended(
    admin: ScimClient, idp: ScimClient, hris: ScimClient, clock: Clock
) -> str:
    """Create a user whom the HR system, the identity provider and security all keep out."""
    user = await make(idp)
    leave = {"reason": "leaveOfAbsence", "until": clock.text(days=30)}
    assert (await set_active(hris, user, active=False, **leave)).status_code == 200
    assert (await set_active(idp, user, active=False)).status_code == 200
    await acted(admin, user, "suspend", reason="securityIncident")
    assert await holds_of(admin, user) == ALL_HOLDS
    return user


@pytest.fixture
async def idp(connect: Connect) -> ScimClient:
    """Give the connector of an identity provider with the permissions that such have."""
    return await connect(profile="idp")


@pytest.fixture
async def hris(connect: Connect) -> ScimClient:
    """Give the connector of an HR system."""
    return await connect(profile="hris")


@pytest.fixture
async def people(connect: Connect) -> ScimClient:
    """Give an administrator who is not of security."""
    return await connect(profile="admin")


@pytest.mark.proves("STA-21")
async def test_active_true_of_the_identity_provider_lifts_its_own_hold_only(
    admin: ScimClient, idp: ScimClient, hris: ScimClient, clock: Clock
) -> None:
    user = await on_leave_deprovisioned_and_suspended(admin, idp, hris, clock)
    response = await set_active(idp, user, active=True)
    assert (response.status_code, response.json()["active"]) == (200, False)
    assert await holds_of(admin, user) == {"hris-leave", "security-suspension"}
    event = await last_event(admin, user)
    assert (event["outcome"], event["actor"]["type"]) == ("noop", "idp")
    assert event["rules"] == [
        {
            "value": "R-HOLD",
            "effect": "corrected",
            "message": "The account is held by hris, security, which alone can lift that",
        }
    ]
    assert (await part(admin, user, "statusReason"))["code"] == "securityIncident"


@pytest.mark.proves("STA-21")
async def test_saying_it_again_changes_nothing_and_is_on_record(
    admin: ScimClient, idp: ScimClient, hris: ScimClient, clock: Clock
) -> None:
    user = await on_leave_deprovisioned_and_suspended(admin, idp, hris, clock)
    first = await set_active(idp, user, active=True)
    again = await set_active(idp, user, active=True)
    assert (again.status_code, again.headers["etag"]) == (200, first.headers["etag"])
    assert (await last_event(admin, user))["outcome"] == "noop"


@pytest.mark.proves("STA-21")
async def test_an_organisation_may_have_a_blocked_reactivation_refused(
    admin: ScimClient, idp: ScimClient, hris: ScimClient, clock: Clock, database: Database
) -> None:
    await load_catalogue(database, policies={"on_blocked_reactivation": "reject"})
    user = await on_leave_deprovisioned_and_suspended(admin, idp, hris, clock)
    assert problem(await set_active(idp, user, active=True)) == (
        403,
        "The account is held by hris, security, which alone can lift that",
    )
    assert await holds_of(admin, user) == ALL_HOLDS


@pytest.mark.proves("STA-24")
async def test_a_leave_of_absence_ends_by_itself_on_its_day(
    idp: ScimClient, hris: ScimClient, clock: Clock
) -> None:
    user = await make(idp)
    ends = clock.text(days=30)
    await set_active(hris, user, active=False, reason="leaveOfAbsence", until=ends)
    clock.before(ends)
    assert (await idp.read(f"/Users/{user}"))["active"] is False
    assert await idp.find("/Users", "active eq true") == []
    clock.at(ends)
    assert (await idp.read(f"/Users/{user}"))["active"] is True
    assert [one["id"] for one in await idp.find("/Users", "active eq true")] == [user]


@pytest.mark.proves("STA-24")
async def test_the_end_of_a_leave_lets_nobody_in_whom_others_hold(
    admin: ScimClient, idp: ScimClient, hris: ScimClient, clock: Clock
) -> None:
    user = await on_leave_deprovisioned_and_suspended(admin, idp, hris, clock)
    clock.advance(days=30)
    assert (await holds_of(admin, user), await status_of(admin, user)) == (
        {"idp-deprovisioned", "security-suspension"},
        "suspended",
    )


@pytest.mark.proves("STA-24")
async def test_the_hr_system_may_end_a_leave_early(idp: ScimClient, hris: ScimClient, clock: Clock) -> None:
    user = await make(idp)
    await set_active(hris, user, active=False, reason="leaveOfAbsence", until=clock.text(days=30))
    clock.advance(days=3)
    assert (await set_active(hris, user, active=True)).json()["active"] is True
    clock.advance(days=60)
    assert (await idp.read(f"/Users/{user}"))["active"] is True


@pytest.mark.proves("STA-21", "STA-22")
async def test_whom_security_reinstates_is_inactive_while_others_hold(
    admin: ScimClient, idp: ScimClient, hris: ScimClient, clock: Clock
) -> None:
    user = await on_leave_deprovisioned_and_suspended(admin, idp, hris, clock)
    await acted(admin, user, "reinstate", reason="returned")
    assert (await holds_of(admin, user), await status_of(admin, user)) == ({"hris-leave"}, "inactive")


@pytest.mark.proves("STA-21")
@pytest.mark.parametrize("holder", ["hris", "security"])
async def test_people_are_refused_to_lift_what_is_not_theirs(
    holder: str, admin: ScimClient, people: ScimClient, hris: ScimClient
) -> None:
    user = await hire(admin)
    if holder == "hris":
        await set_active(hris, user, active=False)
    else:
        await acted(admin, user, "suspend", reason="securityIncident")
    said = f"The account is held by {holder}, which alone can lift that"
    assert problem(await act(people, user, "reactivate", reason="returned")) == (403, said)
    assert problem(await set_active(people, user, active=True, reason="returned")) == (403, said)


@pytest.mark.proves("STA-16")
@pytest.mark.parametrize("holder", ["idp", "import", "admin"])
async def test_people_lift_what_connectors_and_people_hold(
    holder: str, admin: ScimClient, people: ScimClient, connect: Connect
) -> None:
    user = await hire(admin)
    client = people if holder == "admin" else await connect(profile=holder)
    await set_active(client, user, active=False, reason="other")
    assert await holds_of(admin, user) == {f"{holder}-deprovisioned"}
    await acted(people, user, "reactivate", reason="correction")
    assert await status_of(admin, user) == "active"


@pytest.mark.proves("STA-04", "STA-21")
async def test_a_hold_is_added_to_those_of_others_and_says_who_may_lift_it(
    admin: ScimClient, idp: ScimClient, hris: ScimClient, clock: Clock
) -> None:
    user = await on_leave_deprovisioned_and_suspended(admin, idp, hris, clock)
    shown = await part(idp, user, "holds")
    liftable = {hold["value"]: hold["liftableBy"] for hold in shown}
    assert liftable == {
        "hris-leave": ["hris"],
        "idp-deprovisioned": ["idp", "admin"],
        "security-suspension": ["security"],
    }
    ends = {hold["value"]: hold.get("until") for hold in shown}
    assert ends == {"hris-leave": clock.text(days=30), "idp-deprovisioned": None, "security-suspension": None}


@pytest.mark.proves("STA-09", "STA-16")
async def test_a_reactivated_user_has_back_what_it_had_but_special_permissions(
    admin: ScimClient,
) -> None:
    role = await create_role(admin, "recruiter")
    export = await create_entitlement(admin, "export")
    department = await admin.post("/Departments", {"displayName": "Sales", "code": "SALES", "active": True})
    urn = "urn:ietf:params:scim:schemas:extension:"
    user = await hire(
        admin,
        **{
            f"{urn}role:2.0:User": {"roleAssignments": [{"value": role}]},
            f"{urn}department:2.0:User": {"departments": [{"value": department.json()["id"]}]},
            f"{urn}specialPermission:2.0:User": {"specialPermissions": [{"value": export}]},
        },
    )
    await acted(admin, user, "deactivate", reason="other")
    await acted(admin, user, "reactivate", reason="rehired")
    seen = await admin.read(f"/Users/{user}")
    assert [row["value"] for row in seen[f"{urn}role:2.0:User"]["roleAssignments"]] == [role]
    assert [row["display"] for row in seen[f"{urn}department:2.0:User"]["departments"]] == ["Sales"]
    assert f"{urn}specialPermission:2.0:User" not in seen


@pytest.mark.proves("STA-16", "STA-18")
@pytest.mark.parametrize("profile", ["admin", "import"])
async def test_nobody_becomes_active_without_a_role_and_a_department(
    profile: str, admin: ScimClient, connect: Connect
) -> None:
    user = await hire(admin, **{LIFECYCLE: {"status": "pending"}})
    await create_role(admin, "recruiter")
    await create_department(admin, "SALES")
    client = await connect(profile=profile, permissions=list(DEFAULT_PERMISSIONS["admin"]))
    assert problem(await wish(client, user, "active", reason="returned")) == (
        400,
        "Please select a role for this user; Please select a department for this user",
    )
    assert await part(admin, user, "readiness") == {"ready": False, "missing": ["role", "department"]}


@pytest.mark.proves("STA-18")
@pytest.mark.parametrize("profile", ["idp", "hris"])
async def test_a_connector_activates_whom_it_says_and_what_is_missing_is_on_record(
    profile: str, admin: ScimClient, connect: Connect
) -> None:
    await create_role(admin, "recruiter")
    await create_department(admin, "SALES")
    client = await connect(profile=profile, permissions=list(PERMISSIONS))
    user = await make(client, active=False)
    assert (await set_active(client, user, active=True)).json()["active"] is True
    rules = [(rule["value"], rule["effect"]) for rule in (await last_event(admin, user))["rules"]]
    assert rules == [("R-READY", "recorded"), ("R-READY", "recorded")]
    found = await admin.find("/Users", f"{LIFECYCLE}:readiness.ready eq false")
    assert [one["id"] for one in found] == [user]
    assert len(await events(admin, f'resource.value eq "{user}" and rules.value eq "R-READY"')) == 1


async def owe(client: ScimClient, user: str, **facts: str | list[str]) -> str:
    """Open an obligation of a user and return its id."""
    body = {"user": {"value": user}, "kind": "pendingApproval", "source": "purchasing", "reference": "7"}
    response = await client.post("/Obligations", {**body, "display": "Order 7", **facts})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


@pytest.mark.proves("STA-17")
async def test_critical_open_actions_stand_in_the_way_until_they_are_settled(admin: ScimClient) -> None:
    user = await hire(admin)
    critical = await owe(admin, user, blocks=["deactivate", "delete"])
    said = "Cannot deactivate user with critical pending actions: Order 7"
    assert problem(await act(admin, user, "deactivate", reason="other")) == (409, said)
    assert problem(await set_active(admin, user, active=False, reason="other")) == (409, said)
    settled = {"op": "replace", "path": "status", "value": "settled"}
    await admin.patch_ok(f"/Obligations/{critical}", settled)
    await acted(admin, user, "deactivate", reason="other")
    assert await status_of(admin, user) == "inactive"


@pytest.mark.proves("STA-17")
async def test_other_open_actions_do_not(admin: ScimClient) -> None:
    user = await hire(admin)
    await owe(admin, user)
    await acted(admin, user, "deactivate", reason="other")
    assert await status_of(admin, user) == "inactive"


@pytest.mark.proves("STA-17")
async def test_the_only_holder_of_a_role_that_needs_one_is_deactivated_when_another_has_it(
    admin: ScimClient,
) -> None:
    urn = "urn:ietf:params:scim:schemas:extension:"
    role = await create_role(admin, "keeper", display="Keeper", minimumAssignees=1)
    department = await create_department(admin, "SALES")
    held = {
        f"{urn}role:2.0:User": {"roleAssignments": [{"value": role}]},
        f"{urn}department:2.0:User": {"departments": [{"value": department}]},
    }
    user = await hire(admin, **held)
    said = "Keeper is held by nobody else; assign it to somebody first"
    assert problem(await act(admin, user, "deactivate", reason="other")) == (409, said)
    await hire(admin, "bob", **held)
    await acted(admin, user, "deactivate", reason="other")
    assert await status_of(admin, user) == "inactive"


@pytest.mark.proves("STA-17", "STA-21")
async def test_nothing_open_stands_in_the_way_of_a_suspension(admin: ScimClient) -> None:
    urn = "urn:ietf:params:scim:schemas:extension:"
    role = await create_role(admin, "keeper", minimumAssignees=1)
    user = await hire(
        admin,
        **{
            f"{urn}role:2.0:User": {"roleAssignments": [{"value": role}]},
        },
    )
    await owe(admin, user, blocks=["deactivate"])
    await acted(admin, user, "suspend", reason="securityIncident")
    assert await status_of(admin, user) == "suspended"


@pytest.mark.proves("STA-17", "STA-10")
@pytest.mark.parametrize("profile", ["idp", "hris"])
async def test_a_connector_takes_access_away_and_what_is_open_raises_an_alarm(
    profile: str, admin: ScimClient, connect: Connect, database: Database
) -> None:
    user = await hire(admin)
    await owe(admin, user, blocks=["deactivate"])
    client = await connect(profile=profile)
    assert (await set_active(client, user, active=False)).json()["active"] is False
    alarms = [facts for name, facts in await told(database, "user.deactivate") if name == "alarm"]
    said = "Cannot deactivate user with critical pending actions: Order 7"
    assert [(facts["rule"], facts["message"]) for facts in alarms] == [("R-OBLIG", said)]
    assert len(await part(admin, user, "obligations")) == 1


@pytest.mark.proves("STA-10", "STA-11")
async def test_what_is_open_is_handed_to_whom_the_administrator_names(
    admin: ScimClient, database: Database
) -> None:
    user, heir = await hire(admin), await hire(admin, "bob")
    open_one = await owe(admin, user)
    await acted(admin, user, "deactivate", reason="other", transferTo="bob")
    found = await admin.read(f"/Obligations/{open_one}")
    assert (found["status"], found["transferredTo"]["value"]) == ("transferred", heir)
    names = [name for name, _ in await told(database, "user.deactivate")]
    assert "user.obligations.transfer" in names
