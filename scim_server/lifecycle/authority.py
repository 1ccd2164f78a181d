"""Who may write which facts: one group of attributes for each permission, and the order of the sources.

A connector's change of what is not its own is passed over; a person's is refused with 403.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from scim_server.lifecycle import urns
from scim_server.lifecycle.assignments import (
    DEPARTMENTS,
    KINDS,
    LOCATIONS,
    differ,
    keep,
    keep_waiting,
    rows,
    waiting,
)
from scim_server.lifecycle.change import Actor
from scim_server.lifecycle.documents import Document, changed_paths, get, put
from scim_server.lifecycle.judgement import Judgement
from scim_server.lifecycle.policies import Policies

SOURCES = "~sources"
"""The member of the document that keeps which source wrote each group last; it is never shown."""


@dataclass(frozen=True, slots=True)
class Group:
    """Attributes that are one fact for authority: a permission and the paths of every form of the fact."""

    name: str
    permission: str
    paths: tuple[tuple[str | None, str], ...]


def _all(urn: str, *names: str) -> tuple[tuple[str | None, str], ...]:
    return tuple((urn, name) for name in names)


GROUPS = (
    Group(
        "employment",
        "user:update",
        (
            *_all(urns.ENTERPRISE, "department", "manager", "division", "costCenter", "organization"),
            *_all(urns.DEPARTMENT, "departments"),
            *_all(urns.LOCATION, "locations", "dataScope"),
            *_all(urns.LIFECYCLE, "validFrom", "validTo"),
            *_all(urns.CONNECTOR, "startDate", "endDate", "hireDate", "terminationDate", "departmentCode"),
            *_all(urns.CONNECTOR, "departmentCodes", "headOfDepartment", "locationCode", "locationCodes"),
            *_all(urns.CONNECTOR, "businessUnit", "dataScope", "teamCode"),
        ),
    ),
    Group(
        "roles",
        "user:assign_role",
        (
            (None, "roles"),
            *_all(urns.ROLE, "roleAssignments"),
            *_all(urns.CONNECTOR, "primaryRole", "roleCodes"),
        ),
    ),
    Group(
        "limits",
        "financial:configure",
        (
            *_all(urns.APPROVAL_LIMIT, "approvalLimits"),
            *_all(urns.CONNECTOR, "approvalLimitAmount", "approvalLimitCurrency"),
        ),
    ),
    Group(
        "clearance",
        "permission:manage",
        (
            *_all(urns.CLEARANCE, "level", "validTo", "justification"),
            *_all(urns.CONNECTOR, "clearanceLevel"),
        ),
    ),
    Group("permissions", "permission:manage", _all(urns.SPECIAL_PERMISSION, "specialPermissions")),
    Group(
        "status",
        "user:lifecycle",
        (*_all(urns.LIFECYCLE, "status"), *_all(urns.CONNECTOR, "accountStatus", "statusReason")),
    ),
    Group("lockout", "user:unlock", _all(urns.LIFECYCLE, "lockout")),
)
BY_NAME: Mapping[str, Group] = {group.name: group for group in GROUPS}
_ELSEWHERE = {path for group in GROUPS for path in group.paths}
_OWN_MATTERS = frozenset({(None, "active"), (None, "externalId"), (None, "userName"), (None, "groups")})
_RANKS: Mapping[str, tuple[str, ...]] = {
    "profile": ("hris", "idp", "admin", "import", "app"),
    "employment": ("hris", "admin", "import", "idp", "app"),
    "identity": ("idp", "admin", "import", "hris", "app"),
}
_IDENTITY = Group("identity", "user:update", ((None, "userName"),))
_SHARED = (
    (
        DEPARTMENTS,
        (*_all(urns.ENTERPRISE, "department"), *_all(urns.CONNECTOR, "departmentCode", "headOfDepartment")),
        (urns.CONNECTOR, "departmentCodes"),
    ),
    (LOCATIONS, _all(urns.CONNECTOR, "locationCode"), (urns.CONNECTOR, "locationCodes")),
)
"""Kinds of assignments that several sources make, with the flat forms that name one and that name many."""
_RESTRICTED = frozenset({"limits", "clearance", "permissions"})
_OF_CREATION = frozenset({"employment", "status"})
"""Groups that who may create users may state of a new one."""


def groups_changed(before: Document, after: Document) -> list[str]:
    """Return the names of the groups in which two documents differ."""
    return [group.name for group in GROUPS if _differs(before, after, group)]


def settle(
    before: Document,
    after: Document,
    actor: Actor,
    policies: Policies,
    judgement: Judgement,
    *,
    sets_password: bool = False,
) -> None:
    """Refuse, or take back in place, what the actor may not write, and note which source wrote what.

    `before` and `after` are complete documents; on a creation `before` is empty. A password is in neither.
    """
    for group in GROUPS:
        if _differs(before, after, group):
            _settle_group(before, after, group, actor, policies, judgement)
    if _differs(before, after, _IDENTITY):
        _settle_rank(before, after, _IDENTITY, actor, policies, judgement)
    _refuse_active(before, after, actor, judgement)
    _refuse_rest(before, after, actor, judgement, sets_password=sets_password)
    _settle_profile(before, after, actor, policies, judgement)


def _refuse_active(before: Document, after: Document, actor: Actor, judgement: Judgement) -> None:
    """Refuse a change of `active` to people who may not change the status, which it is a form of."""
    if not before or not actor.is_human or actor.may("user:lifecycle"):
        return
    if before.get("active") != after.get("active"):
        message = f"The client {actor.client} has no permission user:lifecycle."
        judgement.add("R-AUTHORITY", "refused", message, "active", "forbidden")


def _refuse_rest(
    before: Document, after: Document, actor: Actor, judgement: Judgement, *, sets_password: bool
) -> None:
    """Refuse a change of anything that has no permission of its own to who may not update users."""
    if not before or actor.profile == "system" or actor.may("user:update"):
        return
    free = {(None, "active")} if actor.is_human or actor.may("user:lifecycle") else set()
    paths = set(changed_paths(before, after)) - _ELSEWHERE - free
    if paths or sets_password:
        message = f"The client {actor.client} has no permission user:update."
        judgement.add("R-AUTHORITY", "refused", message, "profile", "forbidden")


def _settle_group(
    before: Document, after: Document, group: Group, actor: Actor, policies: Policies, judgement: Judgement
) -> None:
    is_new = not before and group.name in _OF_CREATION and actor.may("user:create")
    if not is_new and not _is_permitted(group, actor, policies):
        if actor.is_connector:
            _take_back(before, after, group)
            message = f"{group.name} cannot be written by a client of profile {actor.profile}; left as it was"
            judgement.add("R-AUTHORITY", "corrected", message, group.name)
        else:
            message = f"The client {actor.client} has no permission {group.permission}."
            judgement.add("R-AUTHORITY", "refused", message, group.name, "forbidden")
        return
    if group.name in _RANKS:
        _settle_rank(before, after, group, actor, policies, judgement)


def _is_permitted(group: Group, actor: Actor, policies: Policies) -> bool:
    if actor.profile == "system":
        return True
    if actor.is_connector:
        if group.name in _RESTRICTED:
            return group.name in policies.connector_may_write and actor.may("user:update")
        if group.name == "status":
            return actor.may("user:update") or actor.may("user:lifecycle")
        return group.name != "lockout" and _may_change(group, actor)
    return _may_change(group, actor)


def _may_change(group: Group, actor: Actor) -> bool:
    """Tell whether an actor has the permission of a group, or the one for that group of users alone."""
    return actor.may(group.permission) or actor.may(f"user.{group.name}:update")


def _settle_rank(
    before: Document, after: Document, group: Group, actor: Actor, policies: Policies, judgement: Judgement
) -> None:
    """Let a source of lower rank fill what is empty and never replace what a higher one wrote."""
    if actor.acts_for is not None:
        return
    owner = before.get(SOURCES, {}).get(group.name)
    rank = policies.authority.get(group.name, _RANKS[group.name])
    if owner is not None and actor.is_connector and _is_lower(actor.profile, owner, rank):
        joined = _joined(before, after)
        paths = [path for path in group.paths if path not in joined]
        kept = [path for path in paths if get(before, *path) and differ(before, after, [path])]
        for urn, name in kept:
            put(after, urn, name, get(before, urn, name))
            _wait_as_before(before, after, (urn, name))
        if kept:
            message = f"{group.name} belongs to {owner}; {len(kept)} attributes were left as they were"
            judgement.add("R-AUTHORITY", "corrected", message, group.name)
        return
    _note(after, group.name, actor.profile)


def _joined(before: Document, after: Document) -> set[tuple[str | None, str]]:
    """Return the lists of assignments that sources share, their primary one put back in place.

    Each source adds and drops its own elements; which one is the primary is the higher source's to say. A
    connector that names a single department or location instead says just that.
    """
    found: set[tuple[str | None, str]] = set()
    for kind, single, flat in _SHARED:
        if differ(before, after, single):
            continue
        found |= {(kind.urn, kind.attribute), flat}
        chosen = next((row["value"] for row in rows(before, kind) if row.get("primary") is True), None)
        assigned = rows(after, kind)
        if chosen in {row["value"] for row in assigned}:
            keep(after, kind, [{**row, "primary": row["value"] == chosen} for row in assigned])
    return found


def _settle_profile(
    before: Document, after: Document, actor: Actor, policies: Policies, judgement: Judgement
) -> None:
    """Apply the order of the sources to names, addresses and everything else that no other group has."""
    paths = _profile_paths(before, after)
    if not paths:
        return
    owner = before.get(SOURCES, {}).get("profile")
    if actor.is_human and policies.idp_exclusive and owner == "idp":
        message = "The identity provider alone may change the profile of this user."
        judgement.add("R-AUTHORITY", "refused", message, "profile", "forbidden")
        return
    _settle_rank(before, after, Group("profile", "user:update", paths), actor, policies, judgement)


def _profile_paths(before: Document, after: Document) -> tuple[tuple[str | None, str], ...]:
    named = {None, urns.ENTERPRISE, urns.CONNECTOR}
    changed = [path for path in changed_paths(before, after) if path[0] in named]
    return tuple(sorted((path for path in changed if path not in _ELSEWHERE | _OWN_MATTERS), key=str))


def _is_lower(source: str, owner: str, rank: tuple[str, ...]) -> bool:
    if source == owner or owner not in rank:
        return False
    return source not in rank or rank.index(source) > rank.index(owner)


def _differs(before: Document, after: Document, group: Group) -> bool:
    return differ(before, after, group.paths) or any(
        waiting(before, kind) != waiting(after, kind)
        for kind in KINDS
        if (kind.urn, kind.attribute) in group.paths
    )


def _take_back(before: Document, after: Document, group: Group) -> None:
    for urn, name in group.paths:
        put(after, urn, name, get(before, urn, name))
        _wait_as_before(before, after, (urn, name))


def _wait_as_before(before: Document, after: Document, path: tuple[str | None, str]) -> None:
    """Forget in place the assignments that are to wait for a target which is not there yet."""
    for kind in KINDS:
        if (kind.urn, kind.attribute) == path:
            keep_waiting(after, kind, waiting(before, kind))


def _note(after: Document, name: str, source: str) -> None:
    after[SOURCES] = {**after.get(SOURCES, {}), name: source}
