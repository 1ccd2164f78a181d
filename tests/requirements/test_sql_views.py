"""What reports read in the database is what SCIM answers at the same moment."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scim_server.store import clients
from scim_server.store.database import Database
from tests.conftest import Connect
from tests.requirements.accounts import (
    CONNECTOR,
    ENTERPRISE,
    LIFECYCLE,
    acted,
    fail,
    hire,
    lifecycle_of,
    make,
    set_active,
    status_of,
)
from tests.store.reports import Reports
from tests.support.catalogue import create_department, create_location, create_role
from tests.support.client import ScimClient

URN = "urn:ietf:params:scim:schemas:extension:"
DEPARTMENT, LOCATION, ROLE = (f"{URN}{name}:2.0:User" for name in ("department", "location", "role"))
TIMED = [
    pytest.param({}, "active", id="active"),
    pytest.param({"validFrom": timedelta(days=9)}, "scheduled", id="to begin"),
    pytest.param({"validTo": timedelta(days=-9)}, "expired", id="over"),
    pytest.param({"validTo": timedelta(milliseconds=5)}, "expired", id="ended a moment ago"),
    pytest.param({"validFrom": timedelta(milliseconds=5)}, "active", id="begun a moment ago"),
]


@pytest.fixture
async def reports(database: Database) -> Reports:
    """Give the views of the organisation's store."""
    tenant = await database.write(lambda writer: clients.ensure_tenant(writer, "default", 1))
    return Reports(database, tenant)


def moments(spans: dict[str, timedelta]) -> dict[str, Any]:
    """Return a lifecycle extension whose validity is so far from now."""
    now = datetime.now(UTC)
    return {LIFECYCLE: {name: (now + span).isoformat() for name, span in spans.items()}} if spans else {}


@pytest.mark.proves("DBS-01", "DBS-02", "DBS-05")
async def test_a_profile_says_what_scim_says(admin: ScimClient, connect: Connect, reports: Reports) -> None:
    boss = await hire(admin, "boss")
    own = await connect(profile="admin", user=boss)
    flat = {
        "hireDate": "2020-01-01",
        "terminationDate": "2099-12-31",
        "commissionPlan": "gold",
        "licenseType": "limited",
        "ssoIdentifier": "sso|1",
        "hrisId": "H-1",
        "dataScope": "team",
    }
    user = await hire(
        own,
        title="Recruiter",
        **{CONNECTOR: flat, ENTERPRISE: {"manager": {"value": boss}, "costCenter": "C1"}},
    )
    await fail(admin, user)
    seen, state = await admin.read(f"/Users/{user}"), await lifecycle_of(admin, user)
    row = await reports.user(user)
    expected = {
        "id": user,
        "user_name": seen["userName"],
        "email": seen["emails"][0]["value"],
        "first_name": seen["name"]["givenName"],
        "last_name": seen["name"]["familyName"],
        "employee_id": seen[ENTERPRISE]["employeeNumber"],
        "cost_center": "C1",
        "hire_date": "2020-01-01",
        "termination_date": "2099-12-31",
        "commission_plan_id": seen[CONNECTOR]["commissionPlan"],
        "license_type": seen[CONNECTOR]["licenseType"],
        "sso_identifier": "sso|1",
        "external_system_id": "H-1",
        "organization": "default",
        "manager_id": boss,
        "job_title": "Recruiter",
        "timezone": seen["timezone"],
        "status": state["effectiveStatus"],
        "data_scope": "team",
        "failed_login_count": state["lockout"]["failedAttempts"],
        "created_by": boss,
        "deleted_at": None,
        "doc_version": int(seen["meta"]["version"].strip('W/"')),
    }
    assert {name: row[name] for name in expected} == expected
    assert row["status"] == "locked"


@pytest.mark.proves("DBS-05")
@pytest.mark.parametrize("licence", ["full", "limited", "read_only"])
async def test_a_user_has_a_licence_and_a_commission_plan(licence: str, scim: ScimClient) -> None:
    user = await make(scim, **{CONNECTOR: {"licenseType": licence.upper(), "commissionPlan": "gold"}})
    seen = await scim.read(f"/Users/{user}")
    assert seen[CONNECTOR] == {"licenseType": licence, "commissionPlan": "gold"}
    found = await scim.find("/Users", f'{CONNECTOR}:licenseType eq "{licence}"')
    assert [one["id"] for one in found] == [user]


@pytest.mark.proves("DBS-05")
async def test_a_licence_that_nobody_sells_is_refused(scim: ScimClient) -> None:
    body = {"userName": "ann", CONNECTOR: {"licenseType": "golden"}}
    assert (await scim.post("/Users", body)).status_code == 400


@pytest.mark.proves("DBS-02")
@pytest.mark.parametrize(("validity", "status"), TIMED)
async def test_the_status_is_right_at_the_moment_of_the_query(
    validity: dict[str, timedelta], status: str, scim: ScimClient, reports: Reports
) -> None:
    user = await make(scim, **moments(validity))
    row = await reports.user(user)
    assert (row["status"], await status_of(scim, user)) == (status, status)


@pytest.mark.proves("DBS-02")
@pytest.mark.parametrize("end", ["deactivate", "suspend", "pending", "connector"])
async def test_a_change_of_status_is_in_the_view_at_once(
    end: str, admin: ScimClient, scim: ScimClient, reports: Reports
) -> None:
    user = await hire(admin, **({LIFECYCLE: {"status": "pending"}} if end == "pending" else {}))
    if end == "connector":
        await set_active(scim, user, active=False)
    elif end != "pending":
        await acted(admin, user, end, reason="other")
    assert (await reports.user(user))["status"] == await status_of(admin, user) != "active"


@pytest.mark.proves("DBS-01", "DBS-04")
async def test_a_deleted_user_stays_in_the_view_without_assignments_and_tokens(
    admin: ScimClient, connect: Connect, reports: Reports
) -> None:
    boss = await hire(admin, "boss")
    own = await connect(profile="admin", user=boss)
    role, department = await create_role(admin, "recruiter"), await create_department(admin, "SALES")
    user = await hire(
        admin,
        **{
            ROLE: {"roleAssignments": [{"value": role}]},
            DEPARTMENT: {"departments": [{"value": department}]},
        },
    )
    token = {"displayName": "Import", "owner": {"value": user}, "scopes": ["users:read"]}
    assert (await admin.post("/ApiTokens", token)).status_code == 201
    assert len(await reports.rows("user_roles")) == len(await reports.rows("department_user")) == 1
    assert (await own.delete(f"/Users/{user}")).status_code == 204
    row = await reports.user(user)
    assert (row["status"], row["deleted_by_id"], row["deleted_at"] is None) == ("deleted", boss, False)
    assert (await reports.rows("user_roles"), await reports.rows("department_user")) == ([], [])
    assert [one["revoked_at"] is None for one in await reports.rows("api_tokens")] == [False]


@pytest.mark.proves("DBS-01", "DBS-02")
async def test_assignments_in_the_views_are_those_of_scim(admin: ScimClient, reports: Reports) -> None:
    role = await create_role(admin, "recruiter")
    sales, law = await create_department(admin, "SALES"), await create_department(admin, "LAW")
    place = await create_location(admin, "NYC")
    later = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    user = await hire(
        admin,
        **{
            ROLE: {"roleAssignments": [{"value": role}]},
            DEPARTMENT: {
                "departments": [
                    {"value": sales, "headOfDepartment": True},
                    {"value": law, "validFrom": later},
                ]
            },
            LOCATION: {"locations": [{"value": place}]},
        },
    )
    seen = await admin.read(f"/Users/{user}")
    departments = {
        (one["value"], one["primary"], one["status"], one.get("headOfDepartment", False), one["source"])
        for one in seen[DEPARTMENT]["departments"]
    }
    rows = await reports.rows("department_user")
    assert {
        (row["department_id"], row["is_primary"], row["status"], row["is_hod"], row["source"]) for row in rows
    } == departments
    assert {row["status"] for row in rows} == {"active", "scheduled"}
    for view, name, urn, attribute in (
        ("user_roles", "role_id", ROLE, "roleAssignments"),
        ("user_location", "location_id", LOCATION, "locations"),
    ):
        assert [(row["user_id"], row[name], row["is_primary"]) for row in await reports.rows(view)] == [
            (user, one["value"], one["primary"]) for one in seen[urn][attribute]
        ]


@pytest.mark.proves("DBS-03")
async def test_every_row_names_its_organisation(admin: ScimClient, reports: Reports) -> None:
    await hire(admin)
    assert [row["organization"] for row in await reports.rows("user_profiles")] == ["default"]
