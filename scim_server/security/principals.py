"""The client behind a request and what it may do."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from scim_server.scim.errors import Forbidden
from scim_server.scim.policy import Policy
from scim_server.security.tenants import NOTHING_SET, TenantSettings

VIEW, CREATE, UPDATE, DELETE = "user:view", "user:create", "user:update", "user:delete"
ASSIGN_ROLE, BULK_UPDATE, EXPORT = "user:assign_role", "user:bulk_update", "user:export"
LIFECYCLE, UNLOCK = "user:lifecycle", "user:unlock"
CONFIGURE_FINANCE, MANAGE_PERMISSIONS = "financial:configure", "permission:manage"
MANAGE_SECURITY, MANAGE_TOKENS, READ_AUDIT = "security:manage", "token:manage", "audit:read"
WRITE_OBLIGATIONS, REPORT_LOGINS, VERIFY_AUDIT = "obligation:write", "login:report", "audit:verify"
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
    VERIFY_AUDIT,
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
    "security-officer": (VIEW, LIFECYCLE, UNLOCK, MANAGE_SECURITY, READ_AUDIT, VERIFY_AUDIT),
    "auditor": (VIEW, READ_AUDIT, VERIFY_AUDIT),
}
"""Permissions by what people are, for `client create --bundle`."""

API_TOKENS = "api-tokens"
"""The client for which tokens of users call; that of a confined issuer has the issuer's name besides."""
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


_OF_PARTS: Mapping[str, str] = {
    "user.employment:update": UPDATE,
    "user.roles:update": ASSIGN_ROLE,
    "user.limits:update": CONFIGURE_FINANCE,
    "user.clearance:update": MANAGE_PERMISSIONS,
    "user.permissions:update": MANAGE_PERMISSIONS,
}
NARROW_PARTS = tuple(_OF_PARTS)
"""Permissions for one part of a user alone, named as the life cycle names the parts."""
CHANGING_USERS = (
    UPDATE,
    ASSIGN_ROLE,
    LIFECYCLE,
    UNLOCK,
    CONFIGURE_FINANCE,
    MANAGE_PERMISSIONS,
    *NARROW_PARTS,
)
"""Permissions of which each allows to change some part of a user; which part is the life cycle's to say."""
_VERBS = {READING: "view", CREATING: "create", CHANGING: "update", REMOVING: "delete"}
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")
_NARROW = re.compile(rf"[a-z][a-z0-9_]{{0,99}}:(?:{'|'.join(_VERBS.values())})", re.ASCII)


def permission_for(type_name: str, work: str) -> str:
    """Return the permission that reading, creating, changing or removing resources of a type needs."""
    return _OF_TYPES.get(type_name, _COMMON)[work]


@cache
def narrow_permission_for(type_name: str, work: str) -> str:
    """Return the permission for this work on this type alone: `department:update`, `api_token:view`."""
    return f"{_CAPITAL.sub('_', type_name).lower()}:{_VERBS[work]}"


def is_permission(name: str) -> bool:
    """Tell whether a name can be a permission: a general one, one for a part of users or for one type."""
    return name in PERMISSIONS or name in NARROW_PARTS or _NARROW.fullmatch(name) is not None


def within(names: Iterable[str], held: Collection[str]) -> frozenset[str]:
    """Return those of some permissions that are held, by name or by the general one that includes them."""
    return frozenset(name for name in names if name in held or _general(name) in held)


def _general(name: str) -> str | None:
    """Return the permission that includes a narrow one, None for a name that is no narrow one."""
    if name in _OF_PARTS:
        return _OF_PARTS[name]
    kind, _, verb = name.partition(":")
    work = next((work for work, known in _VERBS.items() if known == verb), None)
    if work is None or _NARROW.fullmatch(name) is None:
        return None
    camel = "".join(word.capitalize() for word in kind.split("_"))
    return _OF_TYPES.get(camel, _COMMON).get(work)


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
    permissions that come from the scopes of an API token and not from the client; `narrowed` are those that
    an access token is good for at most, None where it is good for all of the client's;
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
    narrowed: frozenset[str] | None = None
    catalogue_version: int | None = None
    settle_at: int | None = None
    token_digest: str = ""
    settings: TenantSettings = NOTHING_SET

    def may(self, type_name: str, work: str) -> bool:
        """Tell whether the client may do some work on resources of a type, by a general or a narrow name."""
        return (
            permission_for(type_name, work) in self.permissions
            or narrow_permission_for(type_name, work) in self.permissions
        )

    def require_for(self, type_name: str, work: str) -> None:
        """Raise Forbidden unless the client may do some work on resources of a type."""
        if not self.may(type_name, work):
            self.require(permission_for(type_name, work))

    def require(self, permission: str) -> None:
        """Raise Forbidden unless the client has the permission."""
        if permission not in self.permissions:
            raise Forbidden(f"Access denied: the client {self.client} has no permission {permission}.")
