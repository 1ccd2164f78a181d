"""Who may do what, as a table of its own: every route with what it asks for and what it answers to whom.

It is written from docs/permissions.md and not from the code: a route that the application has and this table
has not is a failure, and so is one that asks for something else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.requirements.accounts import PERSON
from tests.support.client import PATCH_SCHEMA, USER_SCHEMA

Body = Callable[["Stage"], Any]
OWN, INSIDE, OUTSIDE, OTHER = "own tenant", "in the scope", "out of the scope", "other tenant"
PLACES = (OWN, INSIDE, OUTSIDE, OTHER)
SCOPE = 'userName sw "in-"'
"""The users whom a confined client sees and changes."""


@dataclass(slots=True)
class Stage:
    """What a request is about: the id of its target, and of the user that the target is about.

    `side` is `in` for what is within SCOPE and `out` for the rest; `numbers` makes what has to be unique.
    """

    side: str
    user: str
    target: str = ""
    numbers: "count[int]" = field(default_factory=count)

    @property
    def name(self) -> str:
        """A name that nothing has yet, on this side of the scope."""
        return f"{self.side}-{next(self.numbers)}"


@dataclass(frozen=True, slots=True)
class Row:
    """One method of one route: the sets of permissions of which each opens it, and the answers by place."""

    needs: tuple[frozenset[str], ...]
    answers: Mapping[str, int]
    body: Body | None = None
    is_public: bool = False
    is_of_user: bool = False


PARTS = frozenset(
    {
        "user:update",
        "user:assign_role",
        "user:lifecycle",
        "user:unlock",
        "financial:configure",
        "permission:manage",
        *(f"user.{part}:update" for part in ("employment", "roles", "limits", "clearance", "permissions")),
    }
)
"""Permissions for a part of a user: whether one is enough shows once the user is found."""


def _any_of(*permissions: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset({permission}) for permission in permissions)


def _all_of(*permissions: str) -> tuple[frozenset[str], ...]:
    return (frozenset(permissions),)


def _answers(own: int, inside: int, outside: int, other: int) -> Mapping[str, int]:
    return dict(zip(PLACES, (own, inside, outside, other), strict=True))


def _patch(path: str, value: Callable[[Stage], Any]) -> Body:
    return lambda stage: {
        "schemas": [PATCH_SCHEMA],
        "Operations": [{"op": "replace", "path": path, "value": value(stage)}],
    }


def _person(stage: Stage) -> dict[str, Any]:
    name = stage.name
    return {
        "schemas": [USER_SCHEMA],
        "userName": name,
        **PERSON,
        "emails": [{"value": f"{name}@example.com"}],
        "active": False,
    }


def _called(stage: Stage) -> str:
    return stage.name


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of resources: the permissions of its verbs, its bodies, and whether it is about users."""

    path: str
    name: str
    view: str
    write: Mapping[str, str]
    create: Body | None = None
    change: Body | None = None
    is_about_users: bool = False
    also: frozenset[str] = frozenset()
    patched: int = 200

    @property
    def singular(self) -> str:
        """The name of the type in permissions."""
        return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in self.name).strip(
            "_"
        )


def _writing(permission: str, *verbs: str) -> Mapping[str, str]:
    return dict.fromkeys(verbs or ("create", "update", "delete"), permission)


_COMMON = {"create": "user:create", "update": "user:update", "delete": "user:delete"}
_LATER = "2099-01-01T00:00:00Z"
KINDS = (
    Kind("/Users", "User", "user:view", _COMMON, _person, _patch("title", _called)),
    Kind(
        "/Groups",
        "Group",
        "user:view",
        _COMMON,
        lambda stage: {"displayName": stage.name},
        _patch("displayName", _called),
        patched=204,
    ),
    Kind(
        "/Roles",
        "Role",
        "user:view",
        _writing("permission:manage"),
        lambda stage: {"display": "Role", "value": stage.name, "supported": True},
        _patch("display", _called),
    ),
    Kind(
        "/Entitlements",
        "Entitlement",
        "user:view",
        _writing("permission:manage"),
        lambda stage: {"display": "Entitlement", "value": stage.name, "supported": True},
        _patch("display", _called),
    ),
    Kind(
        "/Departments",
        "Department",
        "user:view",
        _COMMON,
        lambda stage: {"displayName": "Department", "code": stage.name, "active": True},
        _patch("displayName", _called),
    ),
    Kind(
        "/Locations",
        "Location",
        "user:view",
        _COMMON,
        lambda stage: {"displayName": "Location", "code": stage.name, "type": "office", "active": True},
        _patch("displayName", _called),
    ),
    Kind(
        "/ScheduledChanges",
        "ScheduledChange",
        "user:view",
        _writing("user:lifecycle"),
        lambda stage: {
            "user": {"value": stage.user},
            "kind": "deactivate",
            "effectiveAt": _LATER,
            "reason": "other",
        },
        _patch("effectiveAt", lambda stage: f"{2030 + next(stage.numbers) % 60}-01-01T00:00:00Z"),
        is_about_users=True,
    ),
    Kind(
        "/Obligations",
        "Obligation",
        "user:view",
        _writing("obligation:write"),
        lambda stage: {
            "user": {"value": stage.user},
            "kind": "workflow",
            "source": "app",
            "reference": stage.name,
        },
        _patch("display", _called),
        is_about_users=True,
    ),
    Kind(
        "/AccountActions",
        "AccountAction",
        "user:view",
        _writing("user:view", "create"),
        lambda stage: {"user": {"value": stage.user}, "action": "revokeSessions", "reason": "other"},
        is_about_users=True,
        also=frozenset({"user:lifecycle"}),
    ),
    Kind(
        "/LoginReports",
        "LoginReport",
        "user:view",
        _writing("login:report", "create"),
        lambda stage: {"user": {"value": stage.user}, "outcome": "success"},
        is_about_users=True,
    ),
    Kind(
        "/ApiTokens",
        "ApiToken",
        "token:manage",
        _writing("token:manage"),
        lambda stage: {
            "displayName": stage.name,
            "owner": {"value": stage.user},
            "scopes": ["jobs:read"],
        },
        _patch("displayName", _called),
        is_about_users=True,
    ),
    Kind("/AuditEvents", "AuditEvent", "audit:read", {}, is_about_users=True),
)
"""Every type of resources that has endpoints."""


def _search(_stage: Stage) -> Any:
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "count": 1_000}


def _of_kind(kind: Kind) -> Mapping[tuple[str, str], Row]:
    def needs(verb: str, general: str) -> tuple[frozenset[str], ...]:
        return _any_of(general, f"{kind.singular}:{verb}")

    reading = needs("view", kind.view)
    one, many = f"{kind.path}/{{id:resource}}", kind.path
    is_user, about = kind.name == "User", kind.is_about_users
    of_one = _answers(200, 200, 404 if about or is_user else 200, 404)
    if kind.name == "AuditEvent":
        of_one = _answers(200, 403, 403, 404)
    of_many = _answers(200, 403, 403, 200) if about else _answers(200, 200, 200, 200)
    rows = {
        ("GET", one): Row(reading, of_one),
        ("GET", many): Row(reading, of_many),
        ("POST", f"{kind.path}/.search"): Row(reading, of_many, _search),
    }
    if "create" in kind.write:
        shared = _answers(201, 403, 403, 201)
        made = _answers(201, 201, 400, 400) if about else _answers(201, 201, 403, 201) if is_user else shared
        opened = needs("create", kind.write["create"])
        rows["POST", many] = Row(tuple(each | kind.also for each in opened), made, kind.create)
    for method, verb, done in (
        ("PUT", "update", 200),
        ("PATCH", "update", kind.patched),
        ("DELETE", "delete", 204),
    ):
        if verb not in kind.write or (method == "PUT" and kind.name == "ApiToken"):
            continue
        shared = _answers(done, 403, 403, 404)
        changed = _answers(done, done, 404, 404) if about or is_user else shared
        body = kind.change if method == "PATCH" else None
        parts = is_user and verb == "update"
        rows[method, one] = Row(needs(verb, kind.write[verb]), changed, body, is_of_user=parts)
    return rows


_OWN_USER = _answers(200, 200, 404, 404)
_DISCOVERED = _answers(200, 200, 200, 200)
_EVERY_VIEW = _any_of(*(name for kind in KINDS for name in (kind.view, f"{kind.singular}:view")))
_LISTED = _any_of("user:view", "token:manage", *(f"{kind.singular}:view" for kind in KINDS))
ROWS: Mapping[tuple[str, str], Row] = {
    **{key: row for kind in KINDS for key, row in _of_kind(kind).items()},
    ("GET", "/Me"): Row(_any_of("user:view"), _OWN_USER),
    ("PUT", "/Me"): Row(_any_of("user:update"), _OWN_USER, is_of_user=True),
    ("PATCH", "/Me"): Row(_any_of("user:update"), _OWN_USER, _patch("title", _called), is_of_user=True),
    ("DELETE", "/Me"): Row(_any_of("user:delete"), _answers(403, 403, 404, 404)),
    ("POST", "/Me"): Row((frozenset(),), _answers(501, 501, 501, 501)),
    ("POST", "/Bulk"): Row(
        (frozenset(),),
        _DISCOVERED,
        lambda _stage: {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [],
        },
    ),
    **{
        ("GET", f"/audit/{path}"): Row(_any_of("audit:verify"), _answers(own, 403, 403, own))
        for path, own in (("verify", 200), ("checkpoint", 404), ("proof/{id}", 404), ("consistency", 400))
    },
    **{
        ("GET", path): Row((frozenset(),), _DISCOVERED)
        for path in ("/ResourceTypes", "/ResourceTypes/{name}", "/Schemas", "/Schemas/{urn}")
    },
    ("GET", "/ServiceProviderConfig"): Row((frozenset(),), _DISCOVERED, is_public=True),
}
"""Every route below the SCIM base but the lists over all types, which have rules of their own."""
OVER_ALL = frozenset({("GET", ""), ("POST", "/.search")})
"""The lists over every type: they show what the client may list, and are refused where that is nothing."""
OUTSIDE_OF_SCIM: Mapping[tuple[str, str], str] = {
    ("GET", "/healthz"): "says that the process answers",
    ("GET", "/readyz"): "says that the store answers",
    **{
        key: reason
        for prefix in ("", "/t/{tenant}")
        for key, reason in {
            ("POST", f"{prefix}/oauth/token"): "asks for a secret or an assertion itself",
            ("GET", "/oauth/jwks"): "shows public keys",
            ("GET", f"{prefix}/.well-known/oauth-authorization-server"): "says where the endpoints are",
            ("GET", f"/.well-known/oauth-authorization-server{prefix}"): "says where the endpoints are",
            ("GET", f"/.well-known/oauth-protected-resource{prefix}/scim/v2"): "says where tokens are got",
        }.items()
    },
}
"""Routes that no permission is about, with the reason."""
