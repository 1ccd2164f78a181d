"""What users point at: named in any way, waited for by connectors, and both forms of one fact."""

from typing import Any

import pytest

from scim_server.lifecycle.urns import (
    APPROVAL_LIMIT,
    CLEARANCE,
    CONNECTOR,
    DEPARTMENT,
    ENTERPRISE,
    LIFECYCLE,
    LOCATION,
    ROLE,
)
from tests.protocol.messages import Connect, accepted, refused
from tests.support.catalogue import create_department, create_location, create_role
from tests.support.client import ScimClient
from tests.support.people import add, assigned, events, hire, last_event, names, person, replace, roles, told

ROLES, DEPARTMENTS = f"{ROLE}:roleAssignments", f"{DEPARTMENT}:departments"


@pytest.mark.proves("CRE-02", "CRE-23")
@pytest.mark.parametrize("profile", ["admin", "hris", "idp"])
@pytest.mark.parametrize("called", ["id", "userName", "email", "number"])
async def test_a_manager_is_named_in_any_way(
    admin: ScimClient, connect: Connect, profile: str, called: str
) -> None:
    boss = await hire(admin, "boss", userName="the.boss", **{ENTERPRISE: {"employeeNumber": "E-1"}})
    text = {"id": boss["id"], "userName": "THE.boss", "email": "Boss@example.com", "number": "e-1"}[called]
    client = await connect(profile=profile)
    ann = await hire(client, userName="ann", **{ENTERPRISE: {"manager": {"value": text}}})
    assert ann[ENTERPRISE]["manager"]["value"] == boss["id"]
    found = await admin.find("/Users", f'{ENTERPRISE}:manager.value eq "{boss["id"]}"')
    assert [user["id"] for user in found] == [ann["id"]]


@pytest.mark.proves("CRE-23")
async def test_people_name_a_manager_who_is_there(admin: ScimClient) -> None:
    body = person(**{ENTERPRISE: {"manager": {"value": "nobody"}}})
    detail = refused(await admin.post("/Users", body), 400, "invalidValue")["detail"]
    assert detail == "Manager nobody does not exist"


@pytest.mark.proves("CRE-23")
async def test_nobody_reports_to_himself_through_others(admin: ScimClient) -> None:
    ann = await hire(admin, "ann")
    bob = await hire(admin, "bob", **{ENTERPRISE: {"manager": {"value": ann["id"]}}})
    for boss in (ann, bob):
        operation = add(f"{ENTERPRISE}:manager", {"value": boss["id"]})
        body = refused(await admin.patch(f"/Users/{ann['id']}", operation), 400, "invalidValue")
        assert body["detail"] == "A user cannot report to itself, directly or through others"


@pytest.mark.proves("CRE-23")
@pytest.mark.parametrize("profile", ["idp", "hris"])
async def test_a_manager_who_comes_later_is_found_then(
    admin: ScimClient, connect: Connect, profile: str
) -> None:
    client = await connect(profile=profile)
    ann = await hire(client, userName="ann", **{ENTERPRISE: {"manager": {"value": "boss@example.com"}}})
    assert told((await events(admin, ann["id"]))[0]) == [
        ("R-REF", "recorded", "Manager boss@example.com does not exist")
    ]
    boss = await hire(client, "boss", userName="boss")
    read = await admin.read(f"/Users/{ann['id']}")
    assert read[ENTERPRISE]["manager"]["value"] == boss["id"]
    assert (await last_event(admin, ann["id"]))["action"] == "user.reference.resolved"


@pytest.mark.proves("CRE-02", "ROL-18")
@pytest.mark.parametrize("form", ["flat", "rich", "core"])
async def test_what_a_connector_names_too_early_is_assigned_when_it_appears(
    admin: ScimClient, scim: ScimClient, form: str
) -> None:
    await create_department(admin, "LAW")
    await create_role(admin, "clerk")
    forms: dict[str, dict[str, Any]] = {
        "flat": {CONNECTOR: {"departmentCodes": "LAW;SALES", "roleCodes": "clerk;seller"}},
        "rich": {
            DEPARTMENT: {"departments": [{"code": "LAW"}, {"code": "SALES"}]},
            ROLE: {"roleAssignments": [{"value": "clerk"}, {"value": "seller"}]},
        },
        "core": {
            "roles": [{"value": "clerk"}, {"value": "seller"}],
            DEPARTMENT: {"departments": [{"code": "LAW"}, {"code": "SALES"}]},
        },
    }
    stated = forms[form]
    ann = await hire(scim, userName="ann", **stated)
    before = [names(await assigned(admin, ann["id"], path)) for path in (DEPARTMENTS, ROLES)]
    await create_department(admin, "SALES")
    await create_role(admin, "seller", display="Seller")
    after = [sorted(names(await assigned(admin, ann["id"], path))) for path in (DEPARTMENTS, ROLES)]
    assert before == [["Law"], ["clerk"]]
    assert after == [["Law", "Sales"], ["Seller", "clerk"]]
    sources = [
        row["source"] for path in (DEPARTMENTS, ROLES) for row in await assigned(admin, ann["id"], path)
    ]
    assert sources == ["idp"] * 4
    read = await scim.read(f"/Users/{ann['id']}")
    assert {name: value for name, value in read.items() if name == CONNECTOR} == (
        {CONNECTOR: stated[CONNECTOR]} if form == "flat" else {}
    )


@pytest.mark.proves("CRE-02")
async def test_what_is_no_longer_wanted_is_not_assigned_when_it_appears(
    admin: ScimClient, scim: ScimClient
) -> None:
    await create_department(admin, "LAW")
    ann = await hire(scim, userName="ann", **{CONNECTOR: {"departmentCodes": "LAW;SALES"}})
    await scim.patch_ok(f"/Users/{ann['id']}", replace(f"{CONNECTOR}:departmentCodes", "LAW"))
    await create_department(admin, "SALES")
    assert names(await assigned(admin, ann["id"], DEPARTMENTS)) == ["Law"]


@pytest.mark.proves("CRE-02", "DEP-10")
async def test_a_department_by_name_is_linked_when_it_appears(admin: ScimClient, scim: ScimClient) -> None:
    ann = await hire(scim, userName="ann", **{ENTERPRISE: {"department": "Sales and Service"}})
    assert DEPARTMENT not in ann
    sales = await create_department(admin, "S1", displayName="Sales and Service")
    read = await scim.read(f"/Users/{ann['id']}")
    assert [row["value"] for row in read[DEPARTMENT]["departments"]] == [sales]
    assert read[ENTERPRISE]["department"] == "Sales and Service"


FLAT: dict[str, Any] = {
    "accountStatus": "active",
    "startDate": "2026-03-02",
    "endDate": "2027-03-01",
    "hireDate": "2026-02-01",
    "employeeId": "E-7",
    "departmentCode": "law",
    "departmentCodes": "law;SALES",
    "headOfDepartment": True,
    "locationCode": "Berlin",
    "locationCodes": "berlin",
    "primaryRole": "Seller",
    "roleCodes": "seller",
    "teamCode": "Alpha",
    "businessUnit": "Retail",
    "dataScope": "team",
    "licenseType": "limited",
    "commissionPlan": "C1",
    "ssoIdentifier": "sso-1",
    "hrisId": "hr-1",
    "bio": "Sells.",
}


@pytest.fixture
async def organisation(admin: ScimClient) -> None:
    """Make what the flat form names."""
    for code in ("LAW", "SALES"):
        await create_department(admin, code)
    await create_location(admin, "BERLIN")
    await create_role(admin, "seller", display="Seller")


@pytest.mark.proves("UPD-02", "CRE-21")
@pytest.mark.usefixtures("organisation")
async def test_the_flat_form_writes_the_same_facts_and_reads_back_as_it_was_sent(scim: ScimClient) -> None:
    ann = await hire(scim, userName="ann", **{CONNECTOR: FLAT})
    read = await scim.read(f"/Users/{ann['id']}")
    assert read[CONNECTOR] == FLAT
    rows = {row["code"]: row for row in read[DEPARTMENT]["departments"]}
    assert {code: (row["primary"], row.get("headOfDepartment", False)) for code, row in rows.items()} == {
        "LAW": (True, True),
        "SALES": (False, False),
    }
    assert names(read[LOCATION]["locations"]) == ["Berlin"]
    assert read[LOCATION]["dataScope"] == "team"
    assert names(read[ROLE]["roleAssignments"]) == ["Seller"]
    assert [read[ENTERPRISE][name] for name in ("employeeNumber", "division", "department")] == [
        "E-7",
        "Retail",
        "Law",
    ]
    assert read[LIFECYCLE]["validTo"] == "2027-03-02T00:00:00Z"


@pytest.mark.proves("UPD-02")
@pytest.mark.usefixtures("organisation")
@pytest.mark.parametrize(
    ("flat", "rich"),
    [
        ({"departmentCode": "LAW"}, {DEPARTMENT: {"departments": [{"code": "SALES"}]}}),
        ({"primaryRole": "seller"}, {ROLE: {"roleAssignments": [{"value": "clerk"}]}}),
        ({"employeeId": "E-1"}, {ENTERPRISE: {"employeeNumber": "E-2"}}),
        ({"businessUnit": "Retail"}, {ENTERPRISE: {"division": "Food"}}),
        ({"startDate": "2026-03-02"}, {LIFECYCLE: {"validFrom": "2026-03-09T00:00:00Z"}}),
        ({"dataScope": "own"}, {LOCATION: {"dataScope": "team"}}),
        ({"clearanceLevel": "secret"}, {CLEARANCE: {"level": "public"}}),
        (
            {"approvalLimitAmount": 5, "approvalLimitCurrency": "USD"},
            {APPROVAL_LIMIT: {"approvalLimits": [{"amount": 6, "currency": "USD"}]}},
        ),
    ],
)
@pytest.mark.parametrize("profile", ["idp", "admin"])
async def test_two_forms_that_disagree_are_refused(
    admin: ScimClient, connect: Connect, profile: str, flat: dict[str, Any], rich: dict[str, Any]
) -> None:
    await create_role(admin, "clerk")
    client = await connect(profile=profile)
    body = person(userName="ann", **{CONNECTOR: flat}, **rich)
    detail = refused(await client.post("/Users", body), 400, "invalidValue")["detail"]
    assert "state different values" in detail


@pytest.mark.proves("UPD-02")
@pytest.mark.usefixtures("organisation")
async def test_two_forms_that_agree_are_taken(scim: ScimClient) -> None:
    both = {CONNECTOR: {"departmentCode": "LAW"}, DEPARTMENT: {"departments": [{"value": "Law"}]}}
    ann = await hire(scim, userName="ann", **both)
    assert names(ann[DEPARTMENT]["departments"]) == ["Law"]


@pytest.mark.proves("UPD-02")
@pytest.mark.usefixtures("organisation")
async def test_the_flat_form_follows_what_people_change_in_the_rich_one(
    admin: ScimClient, scim: ScimClient
) -> None:
    ann = await hire(scim, userName="ann", **{CONNECTOR: {"departmentCode": "LAW"}})
    changed = await admin.patch(f"/Users/{ann['id']}", replace(DEPARTMENTS, [{"value": "Sales"}]))
    assert accepted(changed)[CONNECTOR] == {"departmentCode": "SALES"}
    found = await scim.find("/Users", f'{CONNECTOR}:departmentCode eq "SALES"')
    assert [user["id"] for user in found] == [ann["id"]]


@pytest.mark.proves("ROL-08")
async def test_who_waited_for_a_role_that_is_protected_when_it_comes_does_not_get_it(
    admin: ScimClient, connect: Connect
) -> None:
    idp = await connect(profile="idp")
    ann = await hire(idp, userName="ann", **roles("vault", "desk"))
    await create_role(admin, "vault", assignableBy=["root"], permissions=["admin:full"])
    desk = await create_role(admin, "desk")
    assert [row["value"] for row in await assigned(admin, ann["id"], ROLES)] == [desk]
    assert "user.reference.refused" in [event["action"] for event in await events(admin, ann["id"])]
    assert (await idp.patch(f"/Users/{ann['id']}", replace("title", "Boss"))).status_code == 200


@pytest.mark.proves("CRE-23")
async def test_a_manager_who_was_waited_for_closes_no_circle(admin: ScimClient, connect: Connect) -> None:
    idp = await connect(profile="idp")
    ann = await hire(idp, "ann", userName="ann", **{ENTERPRISE: {"manager": {"value": "bob"}}})
    bob = await hire(admin, "bob", userName="bob", **{ENTERPRISE: {"manager": {"value": ann["id"]}}})
    assert bob[ENTERPRISE]["manager"]["value"] == ann["id"]
    assert "manager" not in (await admin.read(f"/Users/{ann['id']}")).get(ENTERPRISE, {})
