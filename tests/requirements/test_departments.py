"""Departments of users: who assigns them, heads, inactive ones, duplicates, history, the flat forms."""

from typing import Any

import pytest
from starlette.applications import Starlette

from scim_server.lifecycle.urns import APPROVAL_LIMIT, CONNECTOR, DEPARTMENT, ENTERPRISE
from scim_server.security.principals import BUNDLES
from scim_server.services.hooks import catalogue
from scim_server.store.database import Database
from tests.protocol.messages import Connect, accepted, refused
from tests.store.statements import counted
from tests.support.catalogue import create_department, load_catalogue
from tests.support.client import ScimClient
from tests.support.people import (
    add,
    assigned,
    departments,
    events,
    hire,
    last_event,
    names,
    news,
    person,
    remove,
    replace,
    told,
)
from tests.support.time import Clock

PATH = f"{DEPARTMENT}:departments"


@pytest.fixture
async def sales(admin: ScimClient) -> str:
    """Give the department SALES."""
    return await create_department(admin, "SALES")


@pytest.fixture
async def law(admin: ScimClient) -> str:
    """Give the department LAW."""
    return await create_department(admin, "LAW")


@pytest.mark.proves("DEP-01")
@pytest.mark.parametrize(
    ("bundle", "may"),
    [("system-admin", True), ("hr-manager", True), ("department-manager", False), ("auditor", False)],
)
async def test_administrators_and_hr_assign_departments(
    admin: ScimClient, connect: Connect, sales: str, bundle: str, *, may: bool
) -> None:
    ann = await hire(admin)
    client = await connect(profile="admin", permissions=list(BUNDLES[bundle]))
    response = await client.patch(f"/Users/{ann['id']}", add(PATH, [{"value": sales}]))
    assert response.status_code == (200 if may else 403), response.text
    assert len(await assigned(admin, ann["id"], PATH)) == may


@pytest.mark.proves("DEP-02")
async def test_a_user_is_in_many_departments_one_of_them_primary(
    admin: ScimClient, sales: str, law: str
) -> None:
    ann = await hire(admin, **departments("SALES"))
    changed = accepted(await admin.patch(f"/Users/{ann['id']}", add(PATH, [{"code": "law"}])))
    primary = {row["value"]: row["primary"] for row in changed[DEPARTMENT]["departments"]}
    assert primary == {sales: True, law: False}
    assert changed[ENTERPRISE]["department"] == "Sales"


@pytest.mark.proves("DEP-02")
async def test_the_organisation_may_allow_one_department_only(
    admin: ScimClient, database: Database, sales: str, law: str
) -> None:
    await load_catalogue(database, policies={"departments_maximum": 1})
    body = refused(await admin.post("/Users", person(**departments(sales, law))), 400, "invalidValue")
    assert body["detail"] == "A user can be in 1 departments at most"


@pytest.mark.proves("DEP-03")
async def test_the_head_of_a_department_is_shown_with_user_and_department(
    admin: ScimClient, sales: str, law: str
) -> None:
    rows = [{"value": sales}, {"value": law, "headOfDepartment": True}]
    ann = await hire(admin, **{DEPARTMENT: {"departments": rows}})
    found = await admin.find("/Users", f'{PATH}[headOfDepartment eq true and code eq "LAW"]')
    assert [user["id"] for user in found] == [ann["id"]]
    assert await admin.find("/Users", f'{PATH}[headOfDepartment eq true and code eq "SALES"]') == []
    shown = await admin.read(f"/Departments/{law}", attributes="heads,memberCount")
    assert [head["value"] for head in shown["heads"]] == [ann["id"]]
    assert shown["memberCount"] == 1


@pytest.mark.proves("DEP-03")
async def test_heads_of_many_departments_take_the_statements_of_one(
    admin: ScimClient, application: Starlette
) -> None:
    made: dict[str, str] = {}
    for name in ("ann", "bob", "cyd", "dan", "eve", "fay"):
        department = await create_department(admin, name.upper())
        rows = [{"value": department, "headOfDepartment": True}]
        made[department] = (await hire(admin, name, **{DEPARTMENT: {"departments": rows}}))["id"]
    statements = []
    for count in (1, 6):
        with counted(application.state.server.database) as cost:
            found = (await admin.read("/Departments", attributes="heads", count=count))["Resources"]
        statements.append(len(cost.statements))
        assert all([head["value"] for head in one["heads"]] == [made[one["id"]]] for one in found)
    assert statements[0] == statements[1] > 0


async def test_what_very_many_have_is_not_deleted_in_one_request(
    admin: ScimClient, sales: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "MOST_HOLDERS", 1)
    people = [await hire(admin, name, **departments("SALES")) for name in ("ann", "bob")]
    body = refused(await admin.delete(f"/Departments/{sales}"), 409)
    assert body["detail"].startswith(f"2 users have Department {sales} or one below; 1 at most can lose it")
    accepted(await admin.patch(f"/Users/{people[0]['id']}", replace(PATH, [])))
    assert (await admin.delete(f"/Departments/{sales}")).status_code == 204


@pytest.mark.proves("DEP-04")
async def test_an_inactive_department_is_not_assigned(admin: ScimClient, sales: str) -> None:
    ann = await hire(admin)
    await admin.patch_ok(f"/Departments/{sales}", replace("active", False))
    created = refused(await admin.post("/Users", person("bob", **departments("SALES"))), 400, "invalidValue")
    assert created["detail"] == "Selected department is inactive"
    changed = refused(await admin.patch(f"/Users/{ann['id']}", add(PATH, [{"value": sales}])), 400)
    assert changed["detail"] == "Cannot assign to inactive department"


@pytest.mark.proves("DEP-04")
async def test_who_is_in_a_department_stays_when_it_becomes_inactive(
    admin: ScimClient, scim: ScimClient, sales: str
) -> None:
    ann = await hire(admin, **departments("SALES"))
    await admin.patch_ok(f"/Departments/{sales}", replace("active", False))
    changed = accepted(await admin.patch(f"/Users/{ann['id']}", replace("title", "Partner")))
    assert names(changed[DEPARTMENT]["departments"]) == ["Sales"]
    bob = await hire(scim, "bob", userName="bob", **{CONNECTOR: {"departmentCode": "SALES"}})
    assert told((await events(admin, bob["id"]))[0]) == [
        ("R-DEPT-ACTIVE", "recorded", "Selected department is inactive")
    ]


@pytest.mark.proves("DEP-05")
@pytest.mark.parametrize(
    ("profile", "status"), [("admin", 409), ("import", 200), ("idp", 200), ("hris", 200)]
)
async def test_a_user_is_in_a_department_once(
    admin: ScimClient, connect: Connect, sales: str, profile: str, status: int
) -> None:
    ann = await hire(admin, **departments("SALES"))
    client = await connect(profile=profile)
    response = await client.patch(f"/Users/{ann['id']}", add(PATH, [{"code": "sales"}]))
    assert response.status_code == status, response.text
    if status == 409:
        assert response.json()["detail"] == "User already assigned to this department"
    assert [row["value"] for row in await assigned(admin, ann["id"], PATH)] == [sales]


@pytest.mark.proves("DEP-06")
async def test_a_membership_keeps_when_and_by_whom_it_was_made(
    admin: ScimClient, connect: Connect, clock: Clock, sales: str
) -> None:
    boss = await hire(admin, "boss")
    ann = await hire(admin)
    client = await connect(profile="admin", user=boss["id"])
    made = clock.text()
    await client.patch_ok(f"/Users/{ann['id']}", add(PATH, [{"value": sales}]))
    clock.advance(days=3)
    await admin.patch_ok(f"/Users/{ann['id']}", replace(f'{PATH}[value eq "{sales}"].headOfDepartment', True))
    (row,) = await assigned(admin, ann["id"], PATH)
    assert [row["assignedAt"], row["assignedBy"], row["source"]] == [made, boss["id"], "admin"]
    assert row["headOfDepartment"] is True


@pytest.mark.proves("DEP-06")
async def test_nobody_writes_the_stamps_of_a_membership(admin: ScimClient, clock: Clock, sales: str) -> None:
    forged = {"value": sales, "source": "hris", "assignedAt": "2001-01-01T00:00:00Z", "assignedBy": "me"}
    ann = await hire(admin, **{DEPARTMENT: {"departments": [forged]}})
    (row,) = ann[DEPARTMENT]["departments"]
    assert [row["source"], row["assignedAt"]] == ["admin", clock.text()]
    assert row["assignedBy"] != "me"


@pytest.mark.proves("DEP-07")
async def test_leaving_a_department_stays_in_the_history(
    admin: ScimClient, database: Database, sales: str, law: str
) -> None:
    ann = await hire(admin, **departments("SALES", "LAW"))
    await admin.patch_ok(f"/Users/{ann['id']}", remove(f'{PATH}[value eq "{sales}"]'))
    assert [row["value"] for row in await assigned(admin, ann["id"], PATH)] == [law]
    event = await last_event(admin, ann["id"])
    (change,) = [one for one in event["changes"] if one["path"] == PATH]
    assert sales in change["from"]
    assert sales not in change["to"]
    moved = [facts for name, facts in await news(database, ann["id"]) if name == "user.moved"]
    assert moved == [{"from": [sales, law], "to": [law]}]


@pytest.mark.proves("DEP-07")
async def test_a_department_that_is_deleted_is_nobodys_department(admin: ScimClient, sales: str) -> None:
    ann = await hire(admin, **departments("SALES"))
    assert (await admin.delete(f"/Departments/{sales}")).status_code == 204
    read = await admin.read(f"/Users/{ann['id']}")
    assert DEPARTMENT not in read
    assert "department" not in read[ENTERPRISE]


@pytest.mark.proves("DEP-09")
async def test_the_head_of_a_department_may_approve(
    admin: ScimClient, database: Database, sales: str
) -> None:
    head = {"type": "purchaseOrder", "amount": "5000", "currency": "EUR"}
    await load_catalogue(database, policies={"limits": {"head_of_department": [head]}})
    ann = await hire(admin, **{DEPARTMENT: {"departments": [{"value": sales, "headOfDepartment": True}]}})
    shown = {"type": "purchaseOrder", "amount": 5000, "currency": "EUR", "source": "department"}
    assert ann[APPROVAL_LIMIT]["effectiveApprovalLimits"] == [shown]
    path = f'{PATH}[value eq "{sales}"].headOfDepartment'
    changed = accepted(await admin.patch(f"/Users/{ann['id']}", replace(path, False)))
    assert APPROVAL_LIMIT not in changed


@pytest.mark.proves("DEP-10")
async def test_the_enterprise_department_follows_the_primary_department(
    admin: ScimClient, sales: str
) -> None:
    people = await create_department(admin, "HR", displayName="People")
    ann = await hire(admin, **departments(sales, people))
    path = f'{PATH}[value eq "{people}"].primary'
    changed = accepted(await admin.patch(f"/Users/{ann['id']}", replace(path, True)))
    assert changed[ENTERPRISE]["department"] == "People"
    await admin.patch_ok(f"/Departments/{people}", replace("displayName", "Human Resources"))
    assert (await admin.read(f"/Users/{ann['id']}"))[ENTERPRISE]["department"] == "Human Resources"
    found = await admin.find("/Users", f'{ENTERPRISE}:department eq "Human Resources"')
    assert [user["id"] for user in found] == [ann["id"]]
    assert await admin.find("/Users", f'{ENTERPRISE}:department eq "People"') == []


@pytest.mark.proves("DEP-10")
@pytest.mark.parametrize("profile", ["idp", "hris", "admin"])
async def test_the_primary_department_follows_the_enterprise_department(
    admin: ScimClient, connect: Connect, sales: str, law: str, profile: str
) -> None:
    client = await connect(profile=profile)
    ann = await hire(client, userName="ann", **{ENTERPRISE: {"department": "Sales"}})
    assert [row["value"] for row in await assigned(admin, ann["id"], PATH)] == [sales]
    await client.patch_ok(f"/Users/{ann['id']}", replace(f"{ENTERPRISE}:department", "LAW"))
    rows = await assigned(admin, ann["id"], PATH)
    assert [(row["value"], row["primary"]) for row in rows] == [(law, True)]
    read = await admin.read(f"/Users/{ann['id']}")
    assert read[ENTERPRISE]["department"] == "LAW", "it reads back as it was sent"


@pytest.mark.proves("DEP-10")
async def test_the_name_of_a_department_is_free_text_where_there_are_none(scim: ScimClient) -> None:
    ann = await scim.create_user("ann", **{ENTERPRISE: {"department": "D" * 100}})
    assert ann[ENTERPRISE]["department"] == "D" * 100
    assert DEPARTMENT not in ann


@pytest.mark.proves("DEP-11", "VIE-02")
async def test_a_department_manager_sees_the_own_department_only(
    admin: ScimClient, connect: Connect, sales: str, law: str
) -> None:
    ann = await hire(admin, "ann", **departments(sales))
    bob = await hire(admin, "bob", **departments(law))
    manager = await connect(
        profile="admin",
        permissions=list(BUNDLES["department-manager"]),
        row_scope=f'{DEPARTMENT}:departments[code eq "SALES"]',
    )
    hr = await connect(profile="admin", permissions=list(BUNDLES["hr-manager"]))
    seen = {name: await client.read("/Users") for name, client in (("manager", manager), ("hr", hr))}
    assert [user["id"] for user in seen["manager"]["Resources"]] == [ann["id"]]
    assert {user["id"] for user in seen["hr"]["Resources"]} == {ann["id"], bob["id"]}
    refused(await manager.get(f"/Users/{bob['id']}"), 404)


@pytest.mark.proves("DEP-12")
@pytest.mark.parametrize("flat", [False, True])
async def test_a_user_has_a_business_unit_in_both_forms(admin: ScimClient, *, flat: bool) -> None:
    stated: dict[str, Any] = (
        {CONNECTOR: {"businessUnit": "Retail"}} if flat else {ENTERPRISE: {"division": "Retail"}}
    )
    ann = await hire(admin, **stated)
    assert ann[ENTERPRISE]["division"] == "Retail"
    found = await admin.find("/Users", f'{ENTERPRISE}:division eq "retail"')
    assert [user["id"] for user in found] == [ann["id"]]
    changed = accepted(await admin.patch(f"/Users/{ann['id']}", replace(f"{ENTERPRISE}:division", "Food")))
    assert changed[ENTERPRISE]["division"] == "Food"
    assert changed[CONNECTOR].get("businessUnit") == ("Food" if flat else None)


@pytest.mark.proves("DEP-01")
@pytest.mark.parametrize("profile", ["admin", "hris", "idp"])
@pytest.mark.parametrize("form", ["departments", "department"])
async def test_the_flat_head_of_department_leaves_the_departments_alone(
    connect: Connect, admin: ScimClient, sales: str, profile: str, form: str
) -> None:
    client = await connect(profile=profile)
    stated = departments("SALES") if form == "departments" else {ENTERPRISE: {"department": "Sales"}}
    ann = await hire(client, userName="ann", **stated)
    for head in (True, False, True):
        await client.patch_ok(f"/Users/{ann['id']}", replace(f"{CONNECTOR}:headOfDepartment", head))
        (row,) = await assigned(admin, ann["id"], PATH)
        assert (row["value"], row.get("headOfDepartment", False)) == (sales, head)
    shown = await admin.read(f"/Users/{ann['id']}")
    assert shown[ENTERPRISE]["department"] == "Sales"


@pytest.mark.proves("DEP-01")
async def test_the_flat_head_of_department_goes_with_the_code_it_is_said_with(
    scim: ScimClient, admin: ScimClient, sales: str, law: str
) -> None:
    stated = {"departmentCode": "SALES", "headOfDepartment": True}
    ann = await hire(scim, userName="ann", **{CONNECTOR: stated})
    await scim.patch_ok(f"/Users/{ann['id']}", replace(f"{CONNECTOR}:departmentCode", "LAW"))
    await scim.patch_ok(f"/Users/{ann['id']}", remove(f"{CONNECTOR}:departmentCode"))
    assert await assigned(admin, ann["id"], PATH) == []
    assert {sales, law} == {row["id"] for row in await admin.find("/Departments", "code pr")}
