"""Creating users: who may, what a new user is assigned, how it begins, what is written down and told."""

from typing import Any

import pytest

from scim_server.lifecycle.passwords import password
from scim_server.lifecycle.urns import (
    APPROVAL_LIMIT,
    CLEARANCE,
    CONNECTOR,
    DEPARTMENT,
    ENTERPRISE,
    LIFECYCLE,
    LOCATION,
    MAPPING,
    ROLE,
    SPECIAL_PERMISSION,
)
from scim_server.security.principals import BUNDLES
from scim_server.store.database import Database
from tests.protocol.messages import Connect, accepted, group, refused, user
from tests.support.catalogue import (
    create_department,
    create_entitlement,
    create_location,
    create_role,
    load_catalogue,
)
from tests.support.client import ScimClient
from tests.support.people import departments, events, hire, locations, names, news, person, roles, told
from tests.support.time import Clock

CREATORS = {"root", "system-admin", "hr-manager", "it-support"}


@pytest.mark.proves("CRE-01", "CRE-04", "CRE-05")
@pytest.mark.parametrize("bundle", sorted(BUNDLES))
async def test_root_administrators_hr_and_it_support_create_users(connect: Connect, bundle: str) -> None:
    client = await connect(profile="admin", permissions=list(BUNDLES[bundle]))
    response = await client.post("/Users", person())
    if bundle in CREATORS:
        accepted(response, 201)
    else:
        assert refused(response, 403)["detail"].startswith("Access denied: ")


@pytest.mark.proves("CRE-01")
async def test_permission_is_asked_before_the_body_is_judged(connect: Connect) -> None:
    client = await connect(permissions=["user:view"])
    refused(await client.post("/Users", {"schemas": [], "nonsense": 1}), 403)
    client.token = None
    assert (await client.post("/Users", user("ann"))).status_code == 401


@pytest.mark.proves("CRE-02")
async def test_departments_and_locations_that_are_not_there_are_named_to_people(admin: ScimClient) -> None:
    await create_department(admin, "SALES")
    body = person(**departments("SALES", "MOON"), **locations("Mars"))
    detail = refused(await admin.post("/Users", body), 400, "invalidValue")["detail"]
    assert detail == "Department MOON does not exist; Location Mars does not exist"


@pytest.mark.proves("CRE-02", "DEP-04")
@pytest.mark.parametrize("text", ["id", "code", "name"])
async def test_departments_are_named_by_id_code_or_name(admin: ScimClient, text: str) -> None:
    own = await create_department(admin, "SALES", displayName="Sales and Service")
    spelled = {"id": own, "code": "sales", "name": "SALES AND service"}[text]
    ann = await hire(admin, **departments(spelled))
    assert [row["value"] for row in ann[DEPARTMENT]["departments"]] == [own]


@pytest.mark.proves("CRE-03", "ROL-01")
async def test_only_root_makes_administrators(admin: ScimClient, connect: Connect) -> None:
    await create_role(admin, "root", assignableBy=["root"])
    await create_role(admin, "admin", display="Administrator", assignableBy=["root"])
    await create_role(admin, "recruiter")
    may = list(BUNDLES["system-admin"])
    answers = []
    for holder in ("root", "admin"):
        own = await hire(admin, holder, **roles(holder))
        client = await connect(profile="admin", permissions=may, user=own["id"])
        answers.append(await client.post("/Users", person(f"by{holder}", **roles("admin"))))
        accepted(await client.post("/Users", person(f"other{holder}", **roles("recruiter"))), 201)
    accepted(answers[0], 201)
    assert refused(answers[1], 403)["detail"] == "Insufficient authority to grant Administrator"


@pytest.mark.proves("CRE-03")
async def test_an_inactive_root_makes_no_administrators(admin: ScimClient, connect: Connect) -> None:
    await create_role(admin, "root", assignableBy=["root"])
    own = await hire(admin, "boss", **roles("root"), active=False)
    client = await connect(profile="admin", permissions=list(BUNDLES["system-admin"]), user=own["id"])
    body = refused(await client.post("/Users", person("bob", **roles("root"))), 403)
    assert body["detail"] == "Insufficient authority to grant root"


@pytest.mark.proves("CRE-18", "CRE-22", "CRE-23", "CRE-32")
async def test_people_make_no_active_user_without_role_department_and_supervisor(
    admin: ScimClient, database: Database
) -> None:
    await load_catalogue(database, policies={"activation": {"manager": True}})
    await create_role(admin, "recruiter")
    await create_department(admin, "SALES")
    wanted = {LIFECYCLE: {"status": "active"}}
    detail = refused(await admin.post("/Users", person(**wanted)), 400, "invalidValue")["detail"]
    assert detail.split("; ") == [
        "Please select a role for this user",
        "Please select a department for this user",
        "Please select a supervisor for this user",
    ]
    boss = await hire(admin, "boss")
    complete = {
        **roles("recruiter"),
        **departments("SALES"),
        ENTERPRISE: {"manager": {"value": boss["id"]}},
        **wanted,
    }
    assert (await hire(admin, "ann", **complete))["active"] is True


@pytest.mark.proves("CRE-32")
@pytest.mark.parametrize(
    ("profile", "stated", "status"),
    [
        ("admin", {}, "pending"),
        ("import", {}, "pending"),
        ("idp", {}, "active"),
        ("idp", {"active": True}, "active"),
        ("idp", {"active": False}, "inactive"),
        ("hris", {}, "active"),
        ("admin", {"active": False}, "inactive"),
        ("admin", {LIFECYCLE: {"status": "pending"}}, "pending"),
        ("idp", {CONNECTOR: {"accountStatus": "pending"}}, "pending"),
    ],
)
async def test_a_new_user_begins_as_the_profile_and_the_request_say(
    admin: ScimClient, connect: Connect, profile: str, stated: dict[str, Any], status: str
) -> None:
    await create_role(admin, "recruiter")
    client = await connect(profile=profile)
    created = await hire(client, userName="ann", **stated)
    read = await admin.read(f"/Users/{created['id']}", attributes=f"{LIFECYCLE},active")
    assert read[LIFECYCLE]["effectiveStatus"] == status
    assert read["active"] is (status == "active")
    assert created["active"] is read["active"]


@pytest.mark.proves("CRE-18")
async def test_what_a_connectors_user_lacks_is_shown_as_readiness(
    scim: ScimClient, admin: ScimClient
) -> None:
    await create_role(admin, "recruiter")
    await create_department(admin, "SALES")
    ann = await scim.create_user("ann", active=True)
    assert ann["active"] is True
    read = await scim.read(f"/Users/{ann['id']}", attributes=f"{LIFECYCLE}:readiness")
    assert read[LIFECYCLE]["readiness"] == {"ready": False, "missing": ["role", "department"]}
    assert told((await events(admin, ann["id"]))[0])[-2:] == [
        ("R-READY", "recorded", "Please select a role for this user"),
        ("R-READY", "recorded", "Please select a department for this user"),
    ]


@pytest.mark.proves("CRE-19", "ROL-18")
@pytest.mark.parametrize("role", ["former", "never"])
async def test_a_role_that_is_off_or_unknown_is_not_available(admin: ScimClient, role: str) -> None:
    await create_role(admin, "recruiter")
    await create_role(admin, "former", supported=False)
    detail = refused(await admin.post("/Users", person(**roles(role))), 400, "invalidValue")["detail"]
    assert detail == "Selected role is not available"


@pytest.mark.proves("CRE-19", "ROL-18")
async def test_a_connector_may_send_a_role_that_is_off(scim: ScimClient, admin: ScimClient) -> None:
    await create_role(admin, "former", supported=False)
    ann = await hire(scim, userName="ann", roles=[{"value": "former"}])
    assert told((await events(admin, ann["id"]))[0]) == [
        ("R-ROLE-ACTIVE", "recorded", "Selected role is not available")
    ]


@pytest.mark.proves("CRE-21", "CRE-24", "CRE-26", "LOC-03")
async def test_departments_with_a_head_and_locations_are_given_at_once(admin: ScimClient) -> None:
    for code in ("SALES", "LAW"):
        await create_department(admin, code)
    for code in ("BERLIN", "PARIS"):
        await create_location(admin, code, type="inventory")
    assigned = {
        DEPARTMENT: {"departments": [{"code": "LAW"}, {"code": "SALES", "headOfDepartment": True}]},
        LOCATION: {"locations": [{"code": "PARIS"}, {"code": "BERLIN"}], "dataScope": "region"},
    }
    ann = await hire(admin, **assigned)
    rows = ann[DEPARTMENT]["departments"]
    assert sorted((row["display"], row.get("headOfDepartment", False), row["primary"]) for row in rows) == [
        ("Law", False, True),
        ("Sales", True, False),
    ]
    assert sorted(names(ann[LOCATION]["locations"])) == ["Berlin", "Paris"]
    assert [row["type"] for row in ann[LOCATION]["locations"]] == ["inventory", "inventory"]
    assert ann[LOCATION]["dataScope"] == "region"


@pytest.mark.proves("CRE-26")
async def test_the_data_scope_is_one_of_four(admin: ScimClient) -> None:
    refused(await admin.post("/Users", person(**{LOCATION: {"dataScope": "world"}})), 400, "invalidValue")
    ann = await hire(admin, **{CONNECTOR: {"dataScope": "team"}})
    assert [ann[CONNECTOR]["dataScope"], ann[LOCATION]["dataScope"]] == ["team", "team"]


@pytest.mark.proves("CRE-27", "CRE-28", "CRE-29")
async def test_limit_clearance_validity_and_special_permissions_are_given_at_creation(
    admin: ScimClient, clock: Clock
) -> None:
    await create_entitlement(admin, "maintenance", display="System Maintenance Access")
    ends = clock.text(days=30)
    given = {
        APPROVAL_LIMIT: {"approvalLimits": [{"type": "invoice", "amount": 5000.5, "currency": "EUR"}]},
        CLEARANCE: {"level": "secret"},
        LIFECYCLE: {"validTo": ends},
        SPECIAL_PERMISSION: {"specialPermissions": [{"value": "maintenance", "validTo": clock.text(days=2)}]},
    }
    ann = await hire(admin, **given)
    assert ann[APPROVAL_LIMIT]["approvalLimits"] == [{"type": "invoice", "amount": 5000.5, "currency": "EUR"}]
    assert ann[CLEARANCE] == {"level": "secret", "effectiveLevel": "secret"}
    assert ann[LIFECYCLE]["validTo"] == ends
    assert names(ann[SPECIAL_PERMISSION]["specialPermissions"]) == ["System Maintenance Access"]


@pytest.mark.proves("CRE-31", "CRE-35")
async def test_the_answer_has_a_new_id_and_the_address(admin: ScimClient) -> None:
    response = await admin.post("/Users", {**person(), "id": "mine"})
    created = accepted(response, 201)
    assert created["id"] != "mine"
    assert response.headers["location"] == created["meta"]["location"]
    assert created["meta"]["location"].endswith(f"/Users/{created['id']}")
    assert (await admin.read(f"/Users/{created['id']}"))["userName"] == "ann@example.com"


@pytest.mark.proves("CRE-34")
async def test_a_creation_is_audited_with_who_and_when(
    admin: ScimClient, connect: Connect, clock: Clock
) -> None:
    boss = await hire(admin, "boss")
    client = await connect(profile="admin", user=boss["id"])
    clock.advance(hours=1)
    ann = await hire(client)
    (event,) = await events(admin, ann["id"])
    assert event["action"] == "user.create"
    assert event["outcome"] == "success"
    assert event["actor"]["value"] == boss["id"]
    assert event["actor"]["type"] == "admin"
    assert event["resource"] == {"value": ann["id"], "type": "User"}
    assert event["at"].startswith(clock.text()[:19])
    assert {"path": "userName", "to": "ann@example.com"} in event["changes"]


@pytest.mark.proves("CRE-37", "ROL-13")
async def test_a_role_that_needs_two_factors_makes_the_user_need_them(admin: ScimClient) -> None:
    await create_role(admin, "finance", display="Finance", requiresMfa=True)
    ann = await hire(admin, **roles("finance"))
    read = await admin.read(f"/Users/{ann['id']}", attributes=f"{LIFECYCLE}:credentials")
    assert read[LIFECYCLE]["credentials"] == {"mfaRequired": True}
    assert told((await events(admin, ann["id"]))[0]) == [
        ("R-MFA", "corrected", "Two-factor authentication is required for Finance")
    ]


@pytest.mark.proves("CRE-36")
async def test_a_new_person_is_sent_a_welcome_and_a_connectors_user_is_not(
    admin: ScimClient, scim: ScimClient, database: Database
) -> None:
    ann = await hire(admin)
    bob = await hire(scim, "bob", userName="bob")
    assert await news(database, ann["id"]) == [
        ("user.created", {"userName": "ann@example.com"}),
        ("invitation.requested", {"email": "ann@example.com"}),
    ]
    assert await news(database, bob["id"]) == [("user.created", {"userName": "bob"})]


@pytest.mark.proves("CRE-36")
async def test_nobody_is_welcomed_to_an_account_that_is_made_inactive(
    admin: ScimClient, database: Database
) -> None:
    ann = await hire(admin, active=False)
    assert await news(database, ann["id"]) == [("user.created", {"userName": "ann@example.com"})]


@pytest.mark.proves("CRE-25")
async def test_a_role_that_needs_a_pod_is_not_given_without_one(admin: ScimClient) -> None:
    await create_role(admin, "recruiter", requiresTeam=True)
    detail = refused(await admin.post("/Users", person(**roles("recruiter"))), 400, "invalidValue")["detail"]
    assert detail == "Pod assignment is required for this role"
    ann = await hire(admin, **roles("recruiter"), **{CONNECTOR: {"teamCode": "Alpha"}})
    assert ann[CONNECTOR]["teamCode"] == "Alpha"


@pytest.mark.proves("CRE-25")
async def test_a_pod_has_to_be_one_of_the_groups_that_are_pods(admin: ScimClient) -> None:
    groups = {}
    for name in ("Alpha", "Beta"):
        body = {**group(name), MAPPING: {"kind": "team"}}
        groups[name] = accepted(await admin.post("/Groups", body), 201)["id"]
    await admin.delete(f"/Groups/{groups['Beta']}")
    said = {
        team: refused(await admin.post("/Users", person(**{CONNECTOR: {"teamCode": team}})), 400)["detail"]
        for team in ("Gamma", "Beta")
    }
    assert said == {"Gamma": "Selected pod is not available", "Beta": "Selected pod no longer exists"}
    assert (await hire(admin, **{CONNECTOR: {"teamCode": "alpha"}}))[CONNECTOR]["teamCode"] == "alpha"


@pytest.mark.proves("CRE-25")
async def test_a_connector_may_name_a_pod_that_is_not_there(scim: ScimClient, admin: ScimClient) -> None:
    accepted(await admin.post("/Groups", {**group("Alpha"), MAPPING: {"kind": "team"}}), 201)
    ann = await hire(scim, userName="ann", **{CONNECTOR: {"teamCode": "Gamma"}})
    assert ann[CONNECTOR]["teamCode"] == "Gamma"
    assert told((await events(admin, ann["id"]))[0]) == [
        ("R-TEAM-KNOWN", "recorded", "Selected pod is not available")
    ]


@pytest.mark.proves("CRE-43", "CRE-36")
async def test_a_temporary_password_meets_the_rules_and_has_to_be_changed(admin: ScimClient) -> None:
    ann = await hire(admin)
    body = {"user": {"value": ann["id"]}, "action": "setTemporaryPassword"}
    action = accepted(await admin.post("/AccountActions", body), 201)
    assert password(action["temporaryPassword"], "seed") == []
    read = await admin.read(f"/Users/{ann['id']}", attributes=f"{LIFECYCLE}:credentials")
    credentials = read[LIFECYCLE]["credentials"]
    assert [credentials["temporary"], credentials["mustChange"]] == [True, True]


@pytest.mark.proves("CRE-44", "CRE-45")
async def test_a_user_is_entered_by_one_person_and_submitted_by_another(
    admin: ScimClient, connect: Connect
) -> None:
    await create_role(admin, "recruiter")
    hr = await connect(profile="admin", permissions=["user:view", "user:create"])
    entered = await hire(hr, **{LIFECYCLE: {"status": "pending"}})
    supervisor = await connect(
        profile="admin", permissions=["user:view", "user:lifecycle", "user:assign_role"]
    )
    body = {"user": {"value": entered["id"]}, "action": "activate"}
    refused(await hr.post("/AccountActions", body), 403)
    detail = refused(await supervisor.post("/AccountActions", body), 400, "invalidValue")["detail"]
    assert detail == "Please select a role for this user"
    assigner = await connect(profile="admin", permissions=["user:view", "user:update", "user:assign_role"])
    await assigner.patch_ok(
        f"/Users/{entered['id']}",
        {"op": "add", "path": f"{ROLE}:roleAssignments", "value": [{"value": "recruiter"}]},
    )
    accepted(await supervisor.post("/AccountActions", body), 201)
    assert (await admin.read(f"/Users/{entered['id']}"))["active"] is True


@pytest.mark.proves("CRE-45")
async def test_a_dry_run_of_a_creation_shows_the_verdicts_and_makes_nothing(admin: ScimClient) -> None:
    answer = accepted(await admin.post("/Users?dryRun=true", person()))
    assert answer["resource"]["userName"] == "ann@example.com"
    assert (await admin.read("/Users"))["totalResults"] == 0
