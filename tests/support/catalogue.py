"""The catalogue and the policies of a tenant, as tests need them."""

from typing import Any

from scim_server.lifecycle.policies import Policies
from scim_server.store import clients
from scim_server.store.clock import now
from scim_server.store.database import Database, Writer
from scim_server.store.policies import write_policy
from tests.support.client import ScimClient

ROLE_GOVERNANCE = "urn:scim-server:schemas:extension:2.0:Role"
ENTITLEMENT_GOVERNANCE = "urn:scim-server:schemas:extension:2.0:Entitlement"
_CORE = ("display", "type", "supported")


async def load_catalogue(
    database: Database, tenant: str = "default", *, policies: dict[str, Any] | None = None
) -> None:
    """Make these the policies of a tenant, which is made where it is not there."""
    document = Policies.model_validate(policies or {}).model_dump(mode="json")

    async def work(writer: Writer) -> None:
        tenant_id = await clients.ensure_tenant(writer, tenant, now())
        await write_policy(writer, tenant_id, document, now())

    await database.write(work)


async def create_role(admin: ScimClient, value: str, **governance: Any) -> str:
    """Create a role and return its id; `supported` and `display` aside, the facts are its governance."""
    core: dict[str, Any] = {name: governance.pop(name) for name in _CORE if name in governance}
    body: dict[str, Any] = {"display": value, "value": value, "supported": True, **core}
    extension = {ROLE_GOVERNANCE: governance} if governance else {}
    return await _created(admin, "/Roles", body | extension)


async def create_entitlement(admin: ScimClient, value: str, **governance: Any) -> str:
    """Create a special permission and return its id; `supported` and `display` aside, the facts govern it."""
    core: dict[str, Any] = {name: governance.pop(name) for name in _CORE if name in governance}
    body: dict[str, Any] = {"display": value, "value": value, "supported": True, **core}
    extension = {ENTITLEMENT_GOVERNANCE: governance} if governance else {}
    return await _created(admin, "/Entitlements", body | extension)


async def create_department(admin: ScimClient, code: str, **attributes: Any) -> str:
    """Create a department and return its id."""
    body = {"displayName": code.capitalize(), "code": code, "active": True, **attributes}
    return await _created(admin, "/Departments", body)


async def create_location(admin: ScimClient, code: str, **attributes: Any) -> str:
    """Create a location and return its id."""
    body = {"displayName": code.capitalize(), "code": code, "type": "office", "active": True, **attributes}
    return await _created(admin, "/Locations", body)


async def _created(admin: ScimClient, path: str, body: dict[str, Any]) -> str:
    response = await admin.post(path, body)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])
