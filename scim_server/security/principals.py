"""The client behind a request and what it may do."""

from dataclasses import dataclass

from scim_server.scim.errors import Forbidden
from scim_server.scim.policy import Policy

PROFILES = ("idp", "hris", "admin", "import", "app")
VIEW, CREATE, UPDATE, DELETE = "user:view", "user:create", "user:update", "user:delete"
PERMISSIONS = (VIEW, CREATE, UPDATE, DELETE)
DEFAULT_PERMISSIONS = {
    "idp": PERMISSIONS,
    "hris": PERMISSIONS,
    "admin": PERMISSIONS,
    "import": PERMISSIONS,
    "app": (VIEW,),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated client: its tenant, profile, dialect with policy, permissions and bound user."""

    tenant_id: int
    tenant: str
    client_id: str
    client: str
    profile: str
    dialect: str
    policy: Policy
    permissions: frozenset[str]
    user_id: str | None = None

    def require(self, permission: str) -> None:
        """Raise Forbidden unless the client has the permission."""
        if permission not in self.permissions:
            raise Forbidden(f"The client {self.client} has no permission {permission}.")
