"""Viewing users: who may, what is shown, what is logged, and every way of searching."""

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
    SPECIAL_PERMISSION,
)
from scim_server.security.principals import BUNDLES
from scim_server.store.database import Database
from tests.protocol.messages import UNKNOWN_ID, Connect, refused
from tests.support.catalogue import (
    create_department,
    create_entitlement,
    create_location,
    create_role,
    load_catalogue,
)
from tests.support.client import ScimClient
from tests.support.people import departments, hire, names, person, replace, roles
from tests.support.time import Clock


@pytest.mark.proves("VIE-01", "VIE-07")
@pytest.mark.parametrize("bundle", sorted(BUNDLES))
async def test_every_bundle_of_permissions_views_users(
    admin: ScimClient, connect: Connect, bundle: str
) -> None:
    ann = await hire(admin)
    client = await connect(profile="admin", permissions=list(BUNDLES[bundle]))
    assert (await client.read(f"/Users/{ann['id']}"))["id"] == ann["id"]
    assert (await client.read("/Users"))["totalResults"] == 1


@pytest.mark.proves("VIE-01", "VIE-07")
async def test_viewing_without_the_permission_is_denied(admin: ScimClient, connect: Connect) -> None:
    ann = await hire(admin)
    client = await connect(profile="app", permissions=["login:report"])
    for path in (f"/Users/{ann['id']}", "/Users", f"/Users/{UNKNOWN_ID}"):
        assert refused(await client.get(path), 403)["detail"].startswith("Access denied: ")


@pytest.mark.proves("VIE-06")
async def test_a_user_that_is_not_there_is_not_found(admin: ScimClient) -> None:
    for name in (UNKNOWN_ID, "nobody"):
        assert refused(await admin.get(f"/Users/{name}"), 404)["detail"].startswith("User not found")


@pytest.mark.proves("VIE-03", "VIE-04", "VIE-05")
async def test_a_user_shows_everything_there_is_to_know(admin: ScimClient, clock: Clock) -> None:
    await create_department(admin, "SALES")
    await create_location(admin, "BERLIN")
    limits = [{"type": "general", "amount": 100, "currency": "EUR"}]
    await create_role(
        admin, "seller", permissions=["offers:write"], defaultApprovalLimits=limits, requiresMfa=True
    )
    await create_entitlement(admin, "maintenance")
    stated: dict[str, Any] = {
        DEPARTMENT: {"departments": [{"code": "SALES", "headOfDepartment": True}]},
        LOCATION: {"locations": [{"code": "BERLIN"}]},
        **roles("seller"),
        SPECIAL_PERMISSION: {"specialPermissions": [{"value": "maintenance"}]},
        CLEARANCE: {"level": "internal"},
    }
    ann = await hire(admin, **stated)
    for outcome in ("failure", "success"):
        clock.advance(hours=1)
        report = {"user": {"value": ann["id"]}, "outcome": outcome}
        assert (await admin.post("/LoginReports", report)).status_code == 201
    read = await admin.read(f"/Users/{ann['id']}")
    assert read[DEPARTMENT]["departments"][0]["headOfDepartment"] is True
    assert names(read[LOCATION]["locations"]) == ["Berlin"]
    assert names(read[ROLE]["roleAssignments"]) == ["seller"]
    assert read[APPROVAL_LIMIT]["effectiveApprovalLimits"] == [{**limits[0], "source": "role"}]
    assert names(read[SPECIAL_PERMISSION]["specialPermissions"]) == ["maintenance"]
    assert read[CONNECTOR] == {"startDate": "2026-03-02", "mfaRequired": True}
    assert read["meta"]["created"].startswith("2026-03-02T12:00:00")
    more = await admin.read(f"/Users/{ann['id']}", attributes=f"{LIFECYCLE},{ROLE}:effectivePermissions")
    assert more[ROLE] == {"effectivePermissions": ["offers:write"]}
    state = more[LIFECYCLE]
    assert [state["effectiveStatus"], state["login"]["lastLoginAt"]] == ["active", clock.text()]
    assert [state["login"]["loginCount"], state["login"]["failedLast30Days"]] == [1, 1]
    assert state["credentials"]["mfaRequired"] is True
    activity = await admin.find("/AuditEvents", f'resource.value eq "{ann["id"]}"')
    assert [event["action"] for event in activity][:3] == ["user.create", "login.failure", "login.success"]


@pytest.mark.proves("VIE-04")
async def test_failed_logins_of_thirty_days_are_counted_and_fall_by_themselves(
    admin: ScimClient, clock: Clock
) -> None:
    ann = await hire(admin)
    report = {"user": {"value": ann["id"]}, "outcome": "failure"}
    for days in (0, 10, 0):
        clock.advance(days=days)
        assert (await admin.post("/LoginReports", report)).status_code == 201
    seen = []
    for moment in ("2026-04-01T23:59:59+00:00", "2026-04-02T00:00:00+00:00", "2026-04-12T00:00:00+00:00"):
        clock.at(moment)
        read = await admin.read(f"/Users/{ann['id']}", attributes=f"{LIFECYCLE}:login")
        found = await admin.find("/Users", f"{LIFECYCLE}:login.failedLast30Days ge 2")
        seen.append((read[LIFECYCLE]["login"]["failedLast30Days"], len(found)))
    assert seen == [(3, 1), (2, 1), (0, 0)]


@pytest.mark.proves("VIE-08")
@pytest.mark.parametrize(("mode", "logged"), [("off", [0, 0]), ("sensitive", [0, 1]), ("all", [1, 2])])
async def test_that_a_person_viewed_a_user_is_logged_as_the_policy_says(
    admin: ScimClient, connect: Connect, database: Database, mode: str, logged: list[int]
) -> None:
    await load_catalogue(database, policies={"audit_reads": mode})
    boss, ann = await hire(admin, "boss"), await hire(admin)
    client = await connect(profile="admin", user=boss["id"])
    seen = []
    for parameters in ({}, {"attributes": LIFECYCLE}):
        await client.read(f"/Users/{ann['id']}", **parameters)
        views = await admin.find("/AuditEvents", f'resource.value eq "{ann["id"]}" and action eq "user.view"')
        assert {view["actor"]["value"] for view in views} <= {boss["id"]}
        seen.append(len(views))
    assert seen == logged


@pytest.mark.proves("VIE-09", "VIE-13")
async def test_a_list_shows_a_page_of_the_columns_asked_for_and_how_many_there_are(admin: ScimClient) -> None:
    await create_role(admin, "seller", display="Seller")
    people = [await hire(admin, name, **roles("seller")) for name in ("ann", "bob", "cleo")]
    columns = "name,emails,roles,active"
    answer = await admin.read("/Users", attributes=columns, count=2, sortBy="userName")
    assert [answer["totalResults"], answer["itemsPerPage"], answer["startIndex"]] == [3, 2, 1]
    first = {name: value for name, value in answer["Resources"][0].items() if name != "schemas"}
    assert first == {
        "id": people[0]["id"],
        "name": {"givenName": "Ann", "familyName": "Lee"},
        "emails": [{"value": "ann@example.com"}],
        "roles": people[0]["roles"],
        "active": True,
    }


@pytest.fixture
async def staff(admin: ScimClient) -> None:
    """Make four people of two departments, with roles, clearances, statuses and business units."""
    await create_department(admin, "SALES", displayName="Sales and Service")
    await create_department(admin, "LAW", displayName="Legal")
    await create_role(admin, "seller", display="Seller")
    await create_role(admin, "counsel", display="Counsel", clearanceLevel="secret")
    await hire(
        admin, "ann", **departments("SALES"), **roles("seller"), **{ENTERPRISE: {"division": "Retail"}}
    )
    head = {DEPARTMENT: {"departments": [{"code": "SALES", "headOfDepartment": True}, {"code": "LAW"}]}}
    await hire(admin, "bob", **head, **roles("seller", "counsel"), **{ENTERPRISE: {"division": "Retail"}})
    await hire(admin, "cleo", **departments("LAW"), **roles("counsel"), active=False)
    await hire(admin, "dora", **{ENTERPRISE: {"division": "Food"}})


async def found(client: ScimClient, filter: str) -> str:
    """Return the first letters of the people that a filter finds."""
    users = await client.find("/Users", filter)
    return "".join(sorted(user["userName"][0] for user in users))


SEARCHES = [
    pytest.param('name.givenName co "LE"', "c", id="first name"),
    pytest.param('emails.value co "dora@"', "d", id="e-mail"),
    pytest.param(f'{DEPARTMENT}:departments.display co "service"', "ab", id="name of a department"),
    pytest.param(
        f'name.givenName co "leg" or emails.value co "leg" or {DEPARTMENT}:departments.display co "leg"',
        "bc",
        id="search term",
    ),
]
FILTERS = [
    pytest.param(f'{ENTERPRISE}:division eq "retail"', "ab", id="business unit"),
    pytest.param(f'{DEPARTMENT}:departments[code eq "LAW" or code eq "SALES"]', "abc", id="departments"),
    pytest.param('roles.value eq "counsel"', "bc", id="role"),
    pytest.param(f'{ROLE}:roleAssignments.display eq "Seller"', "ab", id="role by name"),
    pytest.param(f'{LIFECYCLE}:effectiveStatus eq "inactive"', "c", id="status"),
    pytest.param(
        f'{LIFECYCLE}:effectiveStatus eq "inactive" or {LIFECYCLE}:effectiveStatus eq "pending"',
        "cd",
        id="statuses",
    ),
    pytest.param(f"{DEPARTMENT}:departments[headOfDepartment eq true]", "b", id="head of department"),
    pytest.param(f'{CLEARANCE}:effectiveLevel eq "secret"', "bc", id="clearance"),
    pytest.param(
        f'{ENTERPRISE}:division eq "Retail" and roles.value eq "counsel" and active eq true', "b", id="AND"
    ),
]
BUILT = [
    pytest.param('userName sw "a"', "a", id="starts with"),
    pytest.param('userName ew "example.com"', "abcd", id="ends with"),
    pytest.param(f"{ENTERPRISE}:division pr", "abd", id="is there"),
    pytest.param(f"not ({ENTERPRISE}:division pr)", "c", id="is not there"),
    pytest.param('userName gt "bz"', "cd", id="greater than"),
    pytest.param('userName le "bob@example.com"', "ab", id="at most"),
    pytest.param('roles.value ne "seller" and active eq true', "", id="not equal"),
    pytest.param(
        f'(userName sw "a" or userName sw "b") and {CLEARANCE}:effectiveLevel ne "secret"', "a", id="nested"
    ),
    pytest.param('meta.created gt "2020-01-01T00:00:00Z" and not (active eq true)', "cd", id="date"),
]


@pytest.mark.usefixtures("staff")
@pytest.mark.proves("VIE-10")
@pytest.mark.parametrize(("filter", "people"), SEARCHES)
async def test_people_are_found_by_names_email_and_department(
    admin: ScimClient, filter: str, people: str
) -> None:
    assert await found(admin, filter) == people


@pytest.mark.usefixtures("staff")
@pytest.mark.proves("VIE-11")
@pytest.mark.parametrize(("filter", "people"), FILTERS)
async def test_people_are_filtered_by_what_they_are(admin: ScimClient, filter: str, people: str) -> None:
    assert await found(admin, filter) == people


@pytest.mark.usefixtures("staff")
@pytest.mark.proves("VIE-12")
@pytest.mark.parametrize(("filter", "people"), BUILT)
async def test_filters_are_built_of_fields_operators_and_values(
    admin: ScimClient, filter: str, people: str
) -> None:
    assert await found(admin, filter) == people


@pytest.mark.proves("VIE-02")
async def test_a_manager_changes_nobody_outside_of_the_own_department(
    admin: ScimClient, connect: Connect
) -> None:
    await create_department(admin, "SALES")
    await create_department(admin, "LAW")
    ann, bob = (
        await hire(admin, "ann", **departments("SALES")),
        await hire(admin, "bob", **departments("LAW")),
    )
    own = await connect(
        profile="admin",
        permissions=["user:view", "user:create", "user:update"],
        row_scope=f'{DEPARTMENT}:effectiveDepartments eq "SALES"',
    )
    refused(await own.patch(f"/Users/{bob['id']}", replace("title", "Partner")), 404)
    await own.patch_ok(f"/Users/{ann['id']}", replace("title", "Partner"))
    moved = replace(f"{DEPARTMENT}:departments", [{"code": "LAW"}])
    refused(await own.patch(f"/Users/{ann['id']}", moved), 403)
    refused(await own.post("/Users", person("cleo", **departments("LAW"))), 403)
    assert (await own.read("/Users"))["totalResults"] == 1
