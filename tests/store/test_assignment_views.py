"""The views of assignments and of tokens."""

import pytest
import sqlalchemy as sa

from scim_server.scim.resources import timestamp
from scim_server.store import clients
from scim_server.store.database import Database
from scim_server.store.tables import token
from tests.store.reports import HOUR, MADE, SECOND, Reports

DEPARTMENTS = "department:2.0:User:departments"
LOCATIONS = "location:2.0:User:locations"
ROLES = "role:2.0:User:roleAssignments"


@pytest.fixture
async def reports(database: Database) -> Reports:
    tenant = await database.write(lambda writer: clients.ensure_tenant(writer, "acme", 1))
    return Reports(database, tenant)


@pytest.mark.proves("DBS-01")
async def test_assignments_of_departments_are_rows_until_they_end(reports: Reports) -> None:
    stamps = {"source": "admin", "assignedAt": "2026-01-01T00:00:00Z", "assignedBy": "boss"}
    later, ended = timestamp(reports.now + HOUR), timestamp(reports.now - SECOND)
    head = {"primary": True, "headOfDepartment": True, **stamps}
    await reports.refer("u", DEPARTMENTS, {"a": head, "b": {"validFrom": later}, "c": {"validTo": ended}})
    common = {"user_id": "u", "organization_id": reports.tenant, "organization": "acme", "valid_to": None}
    first = {
        **common,
        "department_id": "a",
        "is_hod": True,
        "is_primary": True,
        "created_at": "2026-01-01T00:00:00.000000Z",
        "created_by_id": "boss",
        "status": "active",
        "valid_from": None,
        "source": "admin",
    }
    second = {
        **common,
        "department_id": "b",
        "is_hod": False,
        "is_primary": False,
        "created_at": timestamp(MADE),
        "created_by_id": None,
        "status": "scheduled",
        "valid_from": later,
        "source": None,
    }
    found = sorted(await reports.rows("department_user"), key=lambda row: str(row["department_id"]))
    assert found == [first, second]


@pytest.mark.proves("DBS-01")
async def test_assignments_of_locations_are_rows(reports: Reports) -> None:
    until = timestamp(reports.now + HOUR)
    await reports.refer("u", LOCATIONS, {"l": {"primary": True, "validTo": until, "assignedBy": "boss"}})
    assert await reports.rows("user_location") == [
        {
            "user_id": "u",
            "location_id": "l",
            "is_primary": True,
            "created_at": timestamp(MADE),
            "created_by_id": "boss",
            "status": "active",
            "valid_from": None,
            "valid_to": until,
            "source": None,
            "organization_id": reports.tenant,
            "organization": "acme",
        }
    ]


async def test_assignments_of_roles_are_rows(reports: Reports) -> None:
    await reports.refer("u", ROLES, {"r": {"assignedBy": "boss", "source": "idp"}})
    assert await reports.rows("user_roles") == [
        {
            "user_id": "u",
            "id": "u:r",
            "role_id": "r",
            "is_primary": False,
            "assigned_at": timestamp(MADE),
            "assigned_by": "boss",
            "status": "active",
            "valid_from": None,
            "valid_to": None,
            "source": "idp",
            "organization_id": reports.tenant,
            "organization": "acme",
        }
    ]


@pytest.mark.proves("DBS-07")
async def test_tokens_of_users_are_rows_and_those_of_clients_are_not(reports: Reports) -> None:
    client = {"id": "c", "name": "c", "profile": "idp", "dialect": "generic", "permissions": "[]"}
    columns = {"tenant_id": reports.tenant, "switches": "{}", "created": 1, **client}
    await reports.write(sa.insert(token.metadata.tables["client"]).values(**columns))
    plain = {"tenant_id": reports.tenant, "client_id": "c", "prefix": "itm_live_aBcD", "created": MADE}
    await reports.write(token.insert().values(digest="d1", **plain))
    owned = {
        "id": "t",
        "name": "Script",
        "owner_id": "u",
        "scopes": '["jobs:read","reports:read"]',
        "expires": MADE + HOUR,
        "revoked": MADE + SECOND,
        "revoked_by": "boss",
        "last_used": MADE + 1,
    }
    await reports.write(token.insert().values(digest="d2", **plain, **owned))
    scopes = ["jobs:read", "reports:read"]
    assert await reports.rows("api_tokens") == [
        {
            "id": "t",
            "user_id": "u",
            "name": "Script",
            "token_hash": "d2",
            "token_prefix": "itm_live_a",
            "scopes": scopes if reports.database.dialect == "postgresql" else owned["scopes"],
            "expires_at": timestamp(MADE + HOUR),
            "revoked_at": timestamp(MADE + SECOND),
            "revoked_by": "boss",
            "last_used_at": timestamp(MADE + 1),
            "created_at": timestamp(MADE),
            "organization_id": reports.tenant,
            "organization": "acme",
        }
    ]
