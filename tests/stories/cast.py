"""Who plays a part in the stories, and the few sentences they speak."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self

from scim_server.security.principals import BUNDLES
from tests.support.client import ScimClient
from tests.support.time import Clock

EXTENSION = "urn:ietf:params:scim:schemas:extension:"
ENTERPRISE = f"{EXTENSION}enterprise:2.0:User"
CONNECTOR = f"{EXTENSION}connector:2.0:User"
LIFECYCLE = f"{EXTENSION}lifecycle:2.0:User"
DEPARTMENT = f"{EXTENSION}department:2.0:User"
ROLE = f"{EXTENSION}role:2.0:User"
LIMIT = f"{EXTENSION}approvalLimit:2.0:User"
PERMISSION = f"{EXTENSION}specialPermission:2.0:User"
MAPPING = f"{EXTENSION}mapping:2.0:Group"

Connect = Callable[..., Awaitable[ScimClient]]
Json = dict[str, Any]


@dataclass(frozen=True)
class Cast:
    """The HR system, the identity provider, people at their desks, the login system and the auditor."""

    clock: Clock
    hris: ScimClient
    okta: ScimClient
    admin: ScimClient
    finance: ScimClient
    security: ScimClient
    support: ScimClient
    app: ScimClient
    auditor: ScimClient

    @classmethod
    async def gather(cls, connect: Connect, clock: Clock) -> Self:
        """Give everybody a client of their own."""

        async def person(bundle: str) -> ScimClient:
            return await connect(profile="admin", permissions=list(BUNDLES[bundle]))

        return cls(
            clock=clock,
            hris=await connect(profile="hris"),
            okta=await connect(profile="idp", dialect="okta"),
            admin=await connect(profile="admin"),
            finance=await person("financial-controller"),
            security=await person("security-officer"),
            support=await person("it-support"),
            app=await connect(profile="app"),
            auditor=await person("auditor"),
        )

    async def user(self, id: str, *attributes: str) -> Json:
        """Return a user as an administrator sees it, or some attributes of it."""
        return await self.admin.read(
            f"/Users/{id}", **({"attributes": ",".join(attributes)} if attributes else {})
        )

    async def status(self, id: str) -> str:
        """Return the effective status of a user."""
        found = await self.user(id, f"{LIFECYCLE}:effectiveStatus")
        return str(found[LIFECYCLE]["effectiveStatus"])

    async def active(self) -> set[str]:
        """Return the user names that a filter on `active` finds."""
        return {user["userName"] for user in await self.admin.find("/Users", "active eq true", count=100)}

    async def events(self, id: str) -> list[str]:
        """Return what the auditor finds on a user, the oldest first."""
        on_it = f'resource.value eq "{id}" and action ne "user.view"'
        found = await self.auditor.find("/AuditEvents", on_it, count=100)
        return [event["action"] for event in found]

    async def entry(self, type_name: str, value: str) -> str:
        """Return the id of a role, department, location or entitlement."""
        name = "value" if type_name in {"Roles", "Entitlements"} else "code"
        (found,) = await self.admin.find(f"/{type_name}", f'{name} eq "{value}"')
        return str(found["id"])


async def done(client: ScimClient, path: str, *operations: Json, reason: Json | None = None) -> Json:
    """Send a PATCH that has to succeed, with its changeContext, and return the resource."""
    sent = list(operations)
    if reason is not None:
        sent.append({"op": "replace", "path": f"{LIFECYCLE}:changeContext", "value": reason})
    response = await client.patch(path, sent)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def employee(cast: Cast, given: str, role: str, department: str = "ENG") -> str:
    """Let an administrator create somebody who is ready, and return the id."""
    address = f"{given.lower()}@example.com"
    body = {
        "name": {"givenName": given, "familyName": "Example"},
        "emails": [{"value": address, "type": "work", "primary": True}],
        "roles": [{"value": role, "primary": True}],
        CONNECTOR: {"departmentCode": department},
    }
    response = await cast.admin.post("/Users", body)
    assert response.status_code == 201, response.text
    assert response.json()["active"] is True
    return str(response.json()["id"])


async def refused(client: ScimClient, path: str, *operations: Json) -> tuple[int, str]:
    """Send a PATCH that has to fail and return status and detail."""
    response = await client.patch(path, list(operations))
    assert response.status_code >= 400, response.text
    return response.status_code, response.json()["detail"]


def replace(path: str, value: Any) -> Json:
    """Return a replace operation."""
    return {"op": "replace", "path": path, "value": value}


def add(path: str, value: Any) -> Json:
    """Return an add operation."""
    return {"op": "add", "path": path, "value": value}
