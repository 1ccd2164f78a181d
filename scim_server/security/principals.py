"""The client behind a request and what it may do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scim_server.scim.errors import Forbidden
from scim_server.scim.policy import Policy
from scim_server.security.tenants import NOTHING_SET, TenantSettings

VIEW, CREATE, UPDATE, DELETE = "user:view", "user:create", "user:update", "user:delete"
ASSIGN_ROLE, BULK_UPDATE, EXPORT = "user:assign_role", "user:bulk_update", "user:export"
LIFECYCLE, UNLOCK = "user:lifecycle", "user:unlock"
CONFIGURE_FINANCE, MANAGE_PERMISSIONS = "financial:configure", "permission:manage"
MANAGE_SECURITY, MANAGE_TOKENS, READ_AUDIT = "security:manage", "token:manage", "audit:read"
WRITE_OBLIGATIONS, REPORT_LOGINS = "obligation:write", "login:report"
PERMISSIONS = (
    VIEW,
    CREATE,
    UPDATE,
    DELETE,
    ASSIGN_ROLE,
    BULK_UPDATE,
    EXPORT,
    LIFECYCLE,
    UNLOCK,
    CONFIGURE_FINANCE,
    MANAGE_PERMISSIONS,
    MANAGE_SECURITY,
    MANAGE_TOKENS,
    READ_AUDIT,
    WRITE_OBLIGATIONS,
    REPORT_LOGINS,
)
_SYNCHRONISING = (VIEW, CREATE, UPDATE, DELETE, ASSIGN_ROLE, BULK_UPDATE)
DEFAULT_PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    "idp": _SYNCHRONISING,
    "hris": (*_SYNCHRONISING, LIFECYCLE),
    "admin": tuple(name for name in PERMISSIONS if name != MANAGE_SECURITY),
    "import": (VIEW, CREATE, UPDATE, ASSIGN_ROLE, BULK_UPDATE, LIFECYCLE),
    "app": (VIEW, WRITE_OBLIGATIONS, REPORT_LOGINS),
}
PROFILES = tuple(DEFAULT_PERMISSIONS)
BUNDLES: Mapping[str, tuple[str, ...]] = {
    "root": PERMISSIONS,
    "system-admin": (*(name for name in PERMISSIONS if name.startswith("user:")), MANAGE_TOKENS),
    "hr-manager": (VIEW, CREATE, UPDATE, EXPORT, LIFECYCLE),
    "department-manager": (VIEW,),
    "operations-manager": (VIEW, UPDATE),
    "financial-controller": (VIEW, CONFIGURE_FINANCE),
    "it-support": (VIEW, CREATE, UNLOCK),
    "security-officer": (VIEW, LIFECYCLE, UNLOCK, MANAGE_SECURITY, READ_AUDIT),
    "auditor": (VIEW, READ_AUDIT),
}
"""Permissions by what people are, for `client create --bundle`."""

READING, CREATING, CHANGING, REMOVING = "read", "create", "change", "delete"
_COMMON = {READING: VIEW, CREATING: CREATE, CHANGING: UPDATE, REMOVING: DELETE}


def _writing(permission: str, reading: str = VIEW) -> Mapping[str, str]:
    return {READING: reading, CREATING: permission, CHANGING: permission, REMOVING: permission}


_OF_TYPES: Mapping[str, Mapping[str, str]] = {
    "Role": _writing(MANAGE_PERMISSIONS),
    "Entitlement": _writing(MANAGE_PERMISSIONS),
    "ScheduledChange": _writing(LIFECYCLE),
    "Obligation": _writing(WRITE_OBLIGATIONS),
    "LoginReport": _writing(REPORT_LOGINS),
    "AccountAction": {READING: VIEW, CREATING: VIEW},
    "ApiToken": _writing(MANAGE_TOKENS, MANAGE_TOKENS),
    "AuditEvent": {READING: READ_AUDIT},
}
"""What working with a type needs; an account action asks further, for what it does."""


CHANGING_USERS = (UPDATE, ASSIGN_ROLE, LIFECYCLE, UNLOCK, CONFIGURE_FINANCE, MANAGE_PERMISSIONS)
"""Permissions of which each allows to change some part of a user; which part is the life cycle's to say."""


def permission_for(type_name: str, work: str) -> str:
    """Return the permission that reading, creating, changing or removing resources of a type needs."""
    return _OF_TYPES.get(type_name, _COMMON)[work]


_OF_SCOPES: Mapping[str, frozenset[str]] = {
    "users:read": frozenset({VIEW}),
    "users:write": frozenset({VIEW, CREATE, UPDATE}),
    "full": frozenset({VIEW, CREATE, UPDATE, DELETE}),
}


SCOPES = (
    *_OF_SCOPES,
    *(f"{what}:{work}" for what in ("jobs", "candidates", "submissions") for work in ("read", "write")),
    "reports:read",
)
"""What an API token can be good for (S4 §15); what is not about users is read by the applications."""


def permissions_of(scopes: Iterable[str]) -> frozenset[str]:
    """Return the permissions that the scopes of an API token lend; other scopes are the applications'."""
    return frozenset[str]().union(*(_OF_SCOPES.get(scope, frozenset()) for scope in scopes))


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated client: its tenant, profile, dialect with policy, permissions and bound user.

    `row_scope` is a filter on users outside of which the client sees and changes none; `lent` are the
    permissions that come from the scopes of an API token and not from the client;
    `catalogue_version` and `settle_at` are the tenant's as of the authentication; `token_digest` names the
    token that was shown; `settings` are what is set for the tenant alone.
    """

    tenant_id: int
    tenant: str
    client_id: str
    client: str
    profile: str
    dialect: str
    policy: Policy
    permissions: frozenset[str]
    user_id: str | None = None
    row_scope: str | None = None
    lent: frozenset[str] = frozenset()
    catalogue_version: int | None = None
    settle_at: int | None = None
    token_digest: str = ""
    settings: TenantSettings = NOTHING_SET

    def require(self, permission: str) -> None:
        """Raise Forbidden unless the client has the permission."""
        if permission not in self.permissions:
            raise Forbidden(f"Access denied: the client {self.client} has no permission {permission}.")
