"""Rules on roles: conflicts, two factors, the job, the only holder, the last administrator, defaults."""

import httpx2
import pytest

from scim_server.lifecycle.urns import CONNECTOR, LIFECYCLE, ROLE
from scim_server.store.database import Database
from tests.protocol.messages import Connect, accepted, refused
from tests.support.catalogue import create_department, create_role, load_catalogue
from tests.support.client import ScimClient
from tests.support.people import (
    add,
    assigned,
    because,
    departments,
    events,
    hire,
    last_event,
    names,
    news,
    person,
    remove,
    replace,
    roles,
    told,
)

PATH = f"{ROLE}:roleAssignments"
CONFLICT = "Selected roles have conflicting permissions"


async def separate(database: Database, mode: str) -> None:
    """Make a policy that nobody is auditor and finance manager."""
    policy = {"name": "audit-finance", "left": ["auditor"], "right": ["finance-manager"], "mode": mode}
    await load_catalogue(database, policies={"sod": [policy]})


@pytest.fixture
async def auditor(admin: ScimClient) -> str:
    """Give the role auditor."""
    return await create_role(admin, "auditor")


@pytest.fixture
async def finance(admin: ScimClient) -> str:
    """Give the role finance-manager."""
    return await create_role(admin, "finance-manager")


@pytest.mark.proves("ROL-08", "ROL-09")
async def test_conflicting_roles_are_a_warning_that_a_justification_overrides(
    admin: ScimClient, database: Database, auditor: str, finance: str
) -> None:
    await separate(database, "warn")
    ann = await hire(admin, **roles(auditor))
    grant, path = add(PATH, [{"value": finance}]), f"/Users/{ann['id']}"
    assert refused(await admin.patch(path, grant), 409)["detail"] == CONFLICT
    unjustified = because(overrides=["R-SOD"])
    assert refused(await admin.patch(path, grant, unjustified), 409)["detail"] == CONFLICT
    accepted(await admin.patch(path, grant, because(overrides=["R-SOD"], justification="Interim until May")))
    assert ("R-SOD", "overridden", CONFLICT) in told(await last_event(admin, ann["id"]))
    assert sorted(names(await assigned(admin, ann["id"], PATH))) == ["auditor", "finance-manager"]


@pytest.mark.proves("ROL-08")
async def test_a_warning_is_overridden_by_the_name_of_its_policy_too(
    admin: ScimClient, database: Database, auditor: str, finance: str
) -> None:
    await separate(database, "warn")
    context = {"overrides": ["audit-finance"], "justification": "Interim until May"}
    ann = await hire(admin, **roles(auditor, finance), **{LIFECYCLE: {"changeContext": context}})
    assert len(ann["roles"]) == 2


@pytest.mark.proves("ROL-09")
async def test_enforced_separation_takes_no_override(
    admin: ScimClient, database: Database, auditor: str, finance: str
) -> None:
    await separate(database, "enforce")
    ann = await hire(admin, **roles(auditor))
    override = because(overrides=["R-SOD", "audit-finance"], justification="Interim until May")
    response = await admin.patch(f"/Users/{ann['id']}", add(PATH, [{"value": finance}]), override)
    assert refused(response, 409)["detail"] == CONFLICT


@pytest.mark.proves("ROL-09")
@pytest.mark.parametrize("mode", ["warn", "enforce"])
async def test_a_conflict_that_a_connector_makes_is_recorded_and_raises_an_alarm(
    admin: ScimClient, scim: ScimClient, database: Database, auditor: str, finance: str, mode: str
) -> None:
    await separate(database, mode)
    ann = await hire(scim, userName="ann", roles=[{"value": auditor}, {"value": finance}])
    assert ("R-SOD", "recorded", CONFLICT) in told((await events(admin, ann["id"]))[0])
    alarms = [facts for name, facts in await news(database, ann["id"]) if name == "alarm"]
    assert alarms == [{"rule": "R-SOD", "message": CONFLICT}]


@pytest.mark.proves("ROL-09")
async def test_a_conflict_from_before_the_policy_blocks_no_other_change(
    admin: ScimClient, database: Database, auditor: str, finance: str
) -> None:
    ann = await hire(admin, **roles(auditor, finance))
    await separate(database, "enforce")
    assert (
        accepted(await admin.patch(f"/Users/{ann['id']}", replace("title", "Partner")))["title"] == "Partner"
    )


@pytest.mark.proves("ROL-13")
async def test_ceo_and_admin_take_two_factors_from_their_assignment_on(admin: ScimClient) -> None:
    await create_role(admin, "staff")
    ceo = await create_role(admin, "ceo", display="CEO", requiresMfa=True)
    ann = await hire(admin, **roles("staff"))
    credentials = f"{LIFECYCLE}:credentials"
    assert LIFECYCLE not in await admin.read(f"/Users/{ann['id']}", attributes=credentials)
    await admin.patch_ok(f"/Users/{ann['id']}", add(PATH, [{"value": ceo}]))
    read = await admin.read(f"/Users/{ann['id']}", attributes=credentials)
    assert read[LIFECYCLE]["credentials"] == {"mfaRequired": True}
    found = await admin.find("/Users", f"{LIFECYCLE}:credentials.mfaRequired eq true")
    assert [user["id"] for user in found] == [ann["id"]]
    await admin.patch_ok(f"/Users/{ann['id']}", remove(f'{PATH}[value eq "{ceo}"]'))
    read = await admin.read(f"/Users/{ann['id']}", attributes=credentials)
    assert read[LIFECYCLE]["credentials"] == {"mfaRequired": False}


@pytest.mark.proves("ROL-13")
async def test_the_organisation_may_refuse_such_a_role_until_the_user_has_enrolled(
    admin: ScimClient, database: Database
) -> None:
    await load_catalogue(database, policies={"rules": {"R-MFA": {"admin": "enforce"}}})
    await create_role(admin, "ceo", display="CEO", requiresMfa=True)
    ann = await hire(admin)
    grant = add(PATH, [{"value": "ceo"}])
    body = refused(await admin.patch(f"/Users/{ann['id']}", grant), 400, "invalidValue")
    assert body["detail"] == "Two-factor authentication is required for CEO"
    report = {"user": {"value": ann["id"]}, "outcome": "mfaEnrolled"}
    accepted(await admin.post("/LoginReports", report), 201)
    accepted(await admin.patch(f"/Users/{ann['id']}", grant))


@pytest.mark.proves("ROL-16", "UPD-10")
async def test_a_new_department_brings_its_roles(admin: ScimClient, database: Database) -> None:
    seller, clerk = await create_role(admin, "seller"), await create_role(admin, "clerk")
    await create_department(admin, "SALES", defaultRoles=[{"value": seller, "primary": True}])
    await create_department(admin, "BACKOFFICE", defaultRoles=[{"value": clerk}])
    ann = await hire(admin, **departments("SALES"))
    assert names(ann[ROLE]["roleAssignments"]) == ["seller"]
    assert ann["active"] is True
    sources = [row["source"] for row in ann[ROLE]["roleAssignments"]]
    assert sources == ["system"]
    path = "urn:ietf:params:scim:schemas:extension:department:2.0:User:departments"
    moved = accepted(await admin.patch(f"/Users/{ann['id']}", replace(path, [{"code": "BACKOFFICE"}])))
    assert names(moved[ROLE]["roleAssignments"]) == ["clerk"]
    assert [name for name, _ in await news(database, ann["id"])][-2:] == ["user.roles.changed", "user.moved"]


@pytest.mark.proves("ROL-16")
async def test_who_only_edits_departments_chooses_no_roles_for_their_members(
    admin: ScimClient, connect: Connect
) -> None:
    seller = await create_role(admin, "seller")
    boss = await create_role(admin, "boss", assignableBy=["root"])
    sales = await create_department(admin, "SALES")
    editor = await connect(profile="admin", permissions=["user:view", "user:update"])
    assigner = await connect(profile="admin", permissions=["user:view", "user:update", "user:assign_role"])
    choose = {role: add("defaultRoles", [{"value": role}]) for role in (seller, boss)}
    refused(await editor.patch(f"/Departments/{sales}", choose[seller]), 403)
    accepted(await assigner.patch(f"/Departments/{sales}", choose[seller]))
    refused(await assigner.patch(f"/Departments/{sales}", choose[boss]), 403)
    accepted(await admin.patch(f"/Departments/{sales}", choose[boss]))


@pytest.mark.proves("ROL-16")
async def test_a_default_role_that_was_assigned_by_hand_stays_after_the_department(admin: ScimClient) -> None:
    seller = await create_role(admin, "seller")
    sales = await create_department(admin, "SALES", defaultRoles=[{"value": seller}])
    ann = await hire(admin, **roles("seller"), **departments("SALES"))
    path = "urn:ietf:params:scim:schemas:extension:department:2.0:User:departments"
    left = accepted(await admin.patch(f"/Users/{ann['id']}", remove(f'{path}[value eq "{sales}"]')))
    assert [(row["display"], row["source"]) for row in left[ROLE]["roleAssignments"]] == [("seller", "admin")]


@pytest.mark.proves("ROL-17")
@pytest.mark.parametrize("way", ["deactivate", "remove", "delete"])
async def test_the_only_holder_of_a_role_keeps_it(admin: ScimClient, way: str) -> None:
    await create_role(admin, "staff")
    signer = await create_role(admin, "signer", display="Signer", minimumAssignees=1)
    ann = await hire(admin, "ann", **roles("signer", "staff"))

    async def attempt() -> httpx2.Response:
        path = f"/Users/{ann['id']}"
        if way == "delete":
            return await admin.delete(path)
        if way == "deactivate":
            return await admin.patch(path, replace("active", False), because(reason="other"))
        return await admin.patch(path, remove(f'{PATH}[value eq "{signer}"]'))

    body = refused(await attempt(), 409)
    assert body["detail"] == "Signer is held by nobody else; assign it to somebody first"
    await hire(admin, "bob", **roles("signer"))
    assert (await attempt()).status_code in (200, 204)


@pytest.mark.proves("ROL-17")
async def test_an_identity_provider_may_deactivate_the_only_holder_and_an_alarm_is_raised(
    admin: ScimClient, scim: ScimClient, database: Database
) -> None:
    await create_role(admin, "signer", display="Signer", minimumAssignees=1)
    ann = await hire(admin, **roles("signer"))
    assert accepted(await scim.patch(f"/Users/{ann['id']}", replace("active", False)))["active"] is False
    message = "Signer is held by nobody else; assign it to somebody first"
    assert ("R-SOLE", "deferred", message) in told(await last_event(admin, ann["id"]))
    assert ("alarm", {"rule": "R-SOLE", "message": message}) in await news(database, ann["id"])


@pytest.mark.proves("DEL-09", "ROL-17")
@pytest.mark.parametrize("way", ["deactivate", "remove", "delete"])
async def test_the_last_administrator_stays(admin: ScimClient, way: str) -> None:
    await create_role(admin, "staff")
    role = await create_role(admin, "admin")
    ann = await hire(admin, "ann", **roles("admin", "staff"))
    await hire(admin, "bob", **roles("admin"), active=False)
    path = f"/Users/{ann['id']}"
    if way == "delete":
        response = await admin.delete(path)
    elif way == "deactivate":
        response = await admin.patch(path, replace("active", False), because(reason="other"))
    else:
        response = await admin.patch(path, remove(f'{PATH}[value eq "{role}"]'))
    detail = refused(response, 409)["detail"]
    assert detail == "The last administrator cannot be deactivated or deleted"


@pytest.mark.proves("ROL-19")
async def test_users_of_the_identity_provider_get_the_default_role_department_and_pod(
    admin: ScimClient, scim: ScimClient, database: Database
) -> None:
    await create_role(admin, "recruiter")
    await create_department(admin, "SALES")
    defaults = {"role": "recruiter", "department": "SALES", "team": "Alpha"}
    await load_catalogue(database, policies={"connector_defaults": defaults})
    ann = await scim.create_user("ann")
    assert names(ann[ROLE]["roleAssignments"]) == ["recruiter"]
    assert ann[CONNECTOR]["teamCode"] == "Alpha"
    read = await admin.read(f"/Users/{ann['id']}", attributes=f"{LIFECYCLE}:readiness")
    assert read[LIFECYCLE]["readiness"] == {"ready": True}
    await create_role(admin, "boss")
    bob = await scim.create_user("bob", roles=[{"value": "boss"}])
    assert names(bob[ROLE]["roleAssignments"]) == ["boss"]


@pytest.mark.proves("ROL-22")
async def test_a_role_for_other_departments_is_noted(admin: ScimClient) -> None:
    await create_department(admin, "SALES")
    await create_department(admin, "LAW")
    await create_role(admin, "counsel", display="Counsel", departments=["LAW"])
    ann = await hire(admin, **roles("counsel"), **departments("SALES"))
    message = "Role Counsel is not meant for the user's departments"
    assert told((await events(admin, ann["id"]))[0]) == [("R-ROLE-DEPT", "recorded", message)]
    bob = await hire(admin, "bob", **roles("counsel"), **departments("LAW"))
    assert told((await events(admin, bob["id"]))[0]) == []


@pytest.mark.proves("ROL-22")
async def test_the_organisation_may_refuse_a_role_for_other_departments(
    admin: ScimClient, database: Database
) -> None:
    await load_catalogue(database, policies={"rules": {"R-ROLE-DEPT": {"admin": "enforce"}}})
    await create_department(admin, "LAW")
    below = {"code": "PATENTS", "displayName": "Patents", "active": True, "parent": {"value": "LAW"}}
    accepted(await admin.post("/Departments", below), 201)
    await create_department(admin, "SALES")
    await create_role(admin, "counsel", departments=["LAW"])
    body = person(**roles("counsel"), **departments("SALES"))
    refused(await admin.post("/Users", body), 400, "invalidValue")
    await hire(admin, **roles("counsel"), **departments("PATENTS"))


@pytest.mark.proves("ROL-01")
async def test_nobody_grants_a_role_to_himself(admin: ScimClient, connect: Connect) -> None:
    await create_role(admin, "finance", display="Finance")
    ann = await hire(admin)
    own = await connect(profile="admin", user=ann["id"])
    body = refused(await own.patch(f"/Users/{ann['id']}", add(PATH, [{"value": "finance"}])), 403)
    assert body["detail"] == "You cannot grant Finance to yourself"


@pytest.mark.proves("ROL-01", "ROL-16")
async def test_nobody_gives_himself_a_role_by_way_of_his_department(
    admin: ScimClient, connect: Connect
) -> None:
    seller, boss = await create_role(admin, "seller"), await create_role(admin, "boss")
    whole = await create_department(admin, "WHOLE")
    sales = await create_department(admin, "SALES", parent={"value": whole}, defaultRoles=[{"value": seller}])
    ann = await hire(admin, **departments("SALES"))
    own = await connect(profile="admin", user=ann["id"])
    for change in (add("defaultRoles", [{"value": boss}]), replace("defaultRoles", [{"value": "boss"}])):
        body = refused(await own.patch(f"/Departments/{sales}", change), 403)
        assert body["detail"] == "You cannot grant a role to yourself"
    assert names((await admin.read(f"/Users/{ann['id']}"))[ROLE]["roleAssignments"]) == ["seller"]
    accepted(await own.patch(f"/Departments/{whole}", add("defaultRoles", [{"value": boss}])))
    accepted(await own.patch(f"/Departments/{sales}", replace("defaultRoles", [])))
    accepted(await admin.patch(f"/Departments/{sales}", add("defaultRoles", [{"value": boss}])))


@pytest.mark.proves("ROL-01", "ROL-16")
async def test_nobody_makes_the_department_that_he_waits_for_with_roles(
    admin: ScimClient, scim: ScimClient, connect: Connect
) -> None:
    boss = await create_role(admin, "boss")
    ann = await scim.create_user("ann", **departments("SALES"))
    own = await connect(profile="admin", user=ann["id"])
    body = {"displayName": "Sales", "code": "SALES", "active": True}
    refused(await own.post("/Departments", {**body, "defaultRoles": [{"value": boss}]}), 403)
    bringing = await create_department(admin, "ZED", defaultRoles=[{"value": boss}])
    for name in ("code", "displayName"):
        answer = await own.patch(f"/Departments/{bringing}", replace(name, "SALES"))
        assert refused(answer, 403)["detail"] == "You cannot grant a role to yourself"
    accepted(await own.post("/Departments", body), 201)


@pytest.mark.proves("ROL-01")
@pytest.mark.parametrize("how", ["made", "renamed"])
async def test_nobody_makes_the_role_that_he_waits_for(
    how: str, admin: ScimClient, scim: ScimClient, connect: Connect
) -> None:
    ann = await scim.create_user("ann", **roles("boss"))
    bob = await scim.create_user("bob", **roles("boss"))
    own = await connect(profile="admin", user=ann["id"])
    body = {"value": "boss", "display": "Boss", "supported": True}
    if how == "made":
        answer = await own.post("/Roles", body)
    else:
        other = await create_role(admin, "other")
        answer = await own.patch(f"/Roles/{other}", replace("value", "boss"))
    assert refused(answer, 403)["detail"].startswith("You cannot grant ")
    assert await admin.find("/Roles", 'value eq "boss"') == []
    await create_role(admin, "boss")
    for user in (ann, bob):
        held = await admin.read(f"/Users/{user['id']}")
        assert names(held[ROLE]["roleAssignments"]) == ["boss"]
