"""The view of users, and what holds for every view for reports."""

from typing import Any

import pytest
import sqlalchemy as sa

from scim_server.scim.resources import timestamp
from scim_server.store import clients, resources
from scim_server.store.database import Database
from scim_server.store.views import views
from tests.store.reports import HOUR, MADE, SECOND, Reports

OF_THE_INDEX = {"folded_value_gone", "phase_value"}
"""Views of SQLite that are nobody's reports."""
URN = "urn:ietf:params:scim:schemas:extension:"
ENTERPRISE = f"{URN}enterprise:2.0:User"
CONNECTOR = f"{URN}connector:2.0:User"
LIFECYCLE = f"{URN}lifecycle:2.0:User"
LOCATION = f"{URN}location:2.0:User"
MAPPING = f"{URN}mapping:2.0:Group"
MANAGER = "enterprise:2.0:User:manager"
DEPARTMENTS = "department:2.0:User:departments"
LOCATIONS = "location:2.0:User:locations"

NOBODY: dict[str, Any] = {"userName": "nobody"}


@pytest.fixture
async def reports(database: Database) -> Reports:
    tenant = await database.write(lambda writer: clients.ensure_tenant(writer, "acme", 1))
    return Reports(database, tenant)


@pytest.mark.proves("DBS-02")
async def test_a_profile_shows_every_fact_of_a_user(reports: Reports) -> None:
    manager = await reports.put({"userName": "mike"})
    sales = await reports.put({"displayName": "Sales"}, "Department")
    paris = await reports.put({"displayName": "Paris"}, "Location")
    document = {
        "userName": "Sarah",
        "active": True,
        "name": {"givenName": "Sarah", "familyName": "Patel"},
        "emails": [
            {"value": "home@example.com", "type": "home"},
            {"value": "S@Example.com", "primary": True},
        ],
        "phoneNumbers": [{"value": "+1", "primary": True}, {"value": "+2", "type": "work"}],
        "photos": [{"value": "https://example.com/1.png"}],
        "title": "Recruiter",
        "timezone": "America/New_York",
        ENTERPRISE: {"employeeNumber": "EMP-2024-1089", "costCenter": "C1", "department": "Mirror"},
        CONNECTOR: {
            "hireDate": "2023-11-20",
            "terminationDate": "2026-12-31T18:00:00Z",
            "commissionPlan": "gold",
            "licenseType": "full",
            "ssoIdentifier": "sso|1",
            "hrisId": "H1",
            "teamCode": "alpha",
            "locationCode": "NYC",
        },
        LOCATION: {"dataScope": "team"},
        LIFECYCLE: {
            "effectiveStatus": "locked",
            "lockout": {"locked": True, "lockedAt": "2026-11-01T10:00:00Z", "failedAttempts": 5},
            "login": {"lastLoginAt": "2026-10-31T09:42:00.5Z"},
            "credentials": {"mfaEnrolled": True, "passwordSetAt": "2026-10-01T00:00:00+02:00"},
        },
    }
    user = await reports.put(document, version=3)
    await reports.refer(user, MANAGER, {manager: {}})
    await reports.refer(user, DEPARTMENTS, {sales: {"primary": True}})
    await reports.refer(user, LOCATIONS, {paris: {}})
    await reports.happened(user, "creator", "userName")
    await reports.happened(user, "editor", "title")
    assert await reports.user(user) == {
        "id": user,
        "auth_user_id": None,
        "user_name": "Sarah",
        "email": "S@Example.com",
        "first_name": "Sarah",
        "last_name": "Patel",
        "employee_id": "EMP-2024-1089",
        "phone": "+2",
        "photo_url": "https://example.com/1.png",
        "cost_center": "C1",
        "hire_date": "2023-11-20",
        "termination_date": "2026-12-31",
        "commission_plan_id": "gold",
        "license_type": "full",
        "sso_identifier": "sso|1",
        "external_system_id": "H1",
        "organization_id": reports.tenant,
        "organization": "acme",
        "pod_id": "alpha",
        "manager_id": manager,
        "department": "Sales",
        "job_title": "Recruiter",
        "location": "Paris",
        "timezone": "America/New_York",
        "status": "locked",
        "data_scope": "team",
        "mfa_enabled": True,
        "last_login_at": "2026-10-31T09:42:00.500000Z",
        "failed_login_count": 5,
        "locked_at": "2026-11-01T10:00:00.000000Z",
        "password_changed_at": "2026-09-30T22:00:00.000000Z",
        "created_at": timestamp(MADE),
        "updated_at": timestamp(MADE),
        "created_by": "creator",
        "updated_by": "editor",
        "created_by_id": "creator",
        "updated_by_id": "editor",
        "deleted_at": None,
        "deleted_by_id": None,
        "doc_version": 3,
    }


async def test_a_profile_of_a_bare_user_is_empty_but_for_what_every_user_has(reports: Reports) -> None:
    row = await reports.user(await reports.put(NOBODY))
    filled = {name: value for name, value in row.items() if value is not None}
    assert filled == {
        "id": row["id"],
        "user_name": "nobody",
        "organization_id": reports.tenant,
        "organization": "acme",
        "status": "active",
        "mfa_enabled": False,
        "failed_login_count": 0,
        "created_at": timestamp(MADE),
        "updated_at": timestamp(MADE),
        "doc_version": 1,
    }


async def test_what_connectors_say_stands_in_where_nothing_else_does(reports: Reports) -> None:
    flat = {"employeeId": "E1", "locationCode": "NYC", "dataScope": "own"}
    user = await reports.put({**NOBODY, CONNECTOR: flat, ENTERPRISE: {"department": "Mirror"}})
    row = await reports.user(user)
    shown = [row[name] for name in ("employee_id", "location", "data_scope", "department")]
    assert shown == ["E1", "NYC", "own", "Mirror"]


async def test_the_pod_is_the_team_group_where_no_team_is_named(reports: Reports) -> None:
    user = await reports.put(NOBODY)
    plain = await reports.put({"displayName": "All"}, "Group")
    team = await reports.put({"displayName": "Alpha", MAPPING: {"kind": "team"}}, "Group")
    await reports.refer(plain, "members", {user: {}})
    await reports.refer(team, "members", {user: {}})
    assert (await reports.user(user))["pod_id"] == team


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-02-30", "2026-13-01", "2026-1-1", "20261201", "0000-00-00"]
)
async def test_what_is_no_date_fails_no_query(reports: Reports, text: str) -> None:
    user = await reports.put({**NOBODY, CONNECTOR: {"hireDate": text}})
    assert (await reports.user(user))["hire_date"] is None


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({}, "active"),
        ({"active": True}, "active"),
        ({"active": False}, "inactive"),
        ({"active": False, LIFECYCLE: {"effectiveStatus": "suspended"}}, "suspended"),
        ({"active": True, LIFECYCLE: {"effectiveStatus": "locked"}}, "locked"),
    ],
)
async def test_the_status_is_the_effective_one(
    reports: Reports, document: dict[str, Any], status: str
) -> None:
    assert (await reports.user(await reports.put({**NOBODY, **document})))["status"] == status


async def test_the_status_changes_with_time_and_without_a_worker(reports: Reports) -> None:
    def standing(status: str, **lockout: Any) -> dict[str, Any]:
        return {"active": status != "expired", LIFECYCLE: {"effectiveStatus": status, "lockout": lockout}}

    locked = standing("locked", lockedAt="2026-11-01T10:00:00Z", failedAttempts=5)
    past, next_one, future = reports.now - 2 * HOUR, reports.now - HOUR, reports.now + HOUR
    phases = [(past, standing("expired")), (next_one, standing("suspended")), (future, standing("expired"))]
    before = await reports.put({**NOBODY, **locked}, phases=[(future, standing("expired"))])
    during = await reports.put({**NOBODY, **locked}, phases=phases)
    names = ("status", "failed_login_count", "locked_at", "updated_at", "doc_version")
    shown = [[(await reports.user(user))[name] for name in names] for user in (before, during)]
    assert shown == [
        ["locked", 5, "2026-11-01T10:00:00.000000Z", timestamp(MADE), 1],
        ["suspended", 0, None, timestamp(next_one), 3],
    ]


async def test_an_assignment_that_ended_names_no_department_or_location(reports: Reports) -> None:
    user = await reports.put(NOBODY)
    old, new = [await reports.put({"displayName": name}, "Department") for name in ("Old", "New")]
    ended, later = timestamp(reports.now - SECOND), timestamp(reports.now + HOUR)
    await reports.refer(user, DEPARTMENTS, {old: {"primary": True, "validTo": ended}, new: {}})
    assert (await reports.user(user))["department"] == "New"
    await reports.refer(user, DEPARTMENTS, {new: {"validFrom": later}})
    assert (await reports.user(user))["department"] is None


@pytest.mark.proves("DBS-01")
async def test_a_deleted_user_stays_with_when_and_by_whom(reports: Reports) -> None:
    user = await reports.put({**NOBODY, "active": True})
    await reports.happened(user, "creator", "userName")
    gone = MADE + HOUR
    await reports.database.write(
        lambda writer: resources.mark_deleted(writer, reports.tenant, user, gone, "remover")
    )
    row = await reports.user(user)
    names = (
        "status",
        "deleted_at",
        "deleted_by_id",
        "created_by_id",
        "updated_at",
        "updated_by_id",
        "doc_version",
    )
    assert [row[name] for name in names] == [
        "deleted",
        timestamp(gone),
        "remover",
        "creator",
        timestamp(gone),
        "remover",
        2,
    ]


async def test_looking_failing_and_clients_are_not_who_updated_a_user(reports: Reports) -> None:
    user = await reports.put(NOBODY)
    await reports.happened(user, "refused", "title", outcome="refused")
    await reports.happened(user, "creator")
    assert (await reports.user(user))["updated_by"] == "creator"
    await reports.happened(user, "editor", "title")
    await reports.happened(user, "reader")
    row = await reports.user(user)
    assert (row["created_by"], row["updated_by"]) == ("creator", "editor")
    await reports.happened(user, None, "title")
    assert (await reports.user(user))["updated_by"] is None


async def test_a_row_names_the_organisation_it_belongs_to(reports: Reports) -> None:
    tenant = await reports.database.write(lambda writer: clients.ensure_tenant(writer, "other", 1))
    other = Reports(reports.database, tenant)
    users = {await reports.put(NOBODY): "acme", await other.put(NOBODY): "other"}
    assert {row["id"]: row["organization"] for row in await reports.rows("user_profiles")} == users


@pytest.mark.parametrize("view", sorted(views("sqlite")))
async def test_a_view_can_only_be_read(reports: Reports, view: str) -> None:
    with pytest.raises(sa.exc.DBAPIError, match=r"cannot (delete from|modify)"):
        await reports.write(sa.text(f"DELETE FROM {view}"))


async def test_both_databases_have_the_same_views_with_the_same_columns(reports: Reports) -> None:
    def names(connection: sa.Connection) -> list[str]:
        return sa.inspect(connection).get_view_names()

    async with reports.database.engine.connect() as connection:
        found = {
            name: list((await connection.exec_driver_sql(f"SELECT * FROM {name}")).keys())
            for name in set(await connection.run_sync(names)) - OF_THE_INDEX
        }
    assert found == {name: list(view.columns) for name, view in views("sqlite").items()}
    assert found == {name: list(view.columns) for name, view in views("postgresql").items()}
