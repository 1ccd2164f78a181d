"""The sample's catalogue holds what the organisation's documents name, and loads into an empty store."""

from pathlib import Path

import pytest

from scim_server.lifecycle.urns import ENTITLEMENT_GOVERNANCE, LIFECYCLE, ROLE_GOVERNANCE
from scim_server.schema_files import load_registry
from scim_server.services.catalogue_files import Catalogues, read_file
from scim_server.services.lifecycle import Lifecycle
from scim_server.store.database import Database
from tests.protocol.messages import refused
from tests.support.client import ScimClient
from tests.support.people import departments, hire, person, roles

SAMPLE = Path(__file__).parents[2] / "samples" / "catalogue.toml"
ROLES = {
    "Technical Recruiter",
    "Bench Sales Recruiter",
    "TA Specialist",
    "Pod Manager",
    "Regional Director",
    "HR Manager",
    "Finance",
    "COO",
    "CEO",
    "Admin",
    "Client Portal User",
}
PERMISSIONS = {
    "Emergency Access Override",
    "Cross-Department Access",
    "Recipe Confidential Access",
    "Financial Override Authority",
    "System Maintenance Access",
}


@pytest.fixture(autouse=True)
async def sample(database: Database) -> None:
    """Load the sample's catalogue."""
    await Catalogues(database, Lifecycle(load_registry())).load("default", read_file(SAMPLE))


@pytest.mark.proves("ROL-14")
async def test_the_roles_to_begin_with_are_there_and_one_is_for_outsiders(admin: ScimClient) -> None:
    found = await admin.find("/Roles", "supported eq true", count=100)
    assert {role["display"] for role in found} >= ROLES
    outsiders = await admin.find("/Roles", f"{ROLE_GOVERNANCE}:external eq true")
    assert [role["display"] for role in outsiders] == ["Client Portal User"]


@pytest.mark.proves("ROL-13", "ROL-14")
async def test_ceo_and_admin_need_two_factors(admin: ScimClient) -> None:
    found = await admin.find("/Roles", f"{ROLE_GOVERNANCE}:requiresMfa eq true", count=100)
    assert {role["display"] for role in found} >= {"CEO", "Admin"}
    ann = await hire(admin, **roles("CEO"), **departments("Management"))
    read = await admin.read(f"/Users/{ann['id']}", attributes=f"{LIFECYCLE}:credentials")
    assert read[LIFECYCLE]["credentials"] == {"mfaRequired": True}


@pytest.mark.proves("PRM-02")
async def test_the_special_permissions_to_begin_with_are_there(admin: ScimClient) -> None:
    found = await admin.find("/Entitlements", "supported eq true", count=100)
    assert {entitlement["display"] for entitlement in found} >= PERMISSIONS
    sensitive = await admin.find("/Entitlements", f"{ENTITLEMENT_GOVERNANCE}:sensitive eq true")
    assert "Emergency Access Override" in {entitlement["display"] for entitlement in sensitive}


@pytest.mark.proves("ROL-08", "ROL-09")
async def test_auditor_and_finance_manager_conflict(admin: ScimClient) -> None:
    body = person(**roles("auditor", "finance-manager"), **departments("Finance"))
    detail = refused(await admin.post("/Users", body), 409)["detail"]
    assert detail == "Selected roles have conflicting permissions"
