"""Roles: many a user, exactly one primary, permissions as a union, conflicts and protected roles."""

from collections.abc import Iterable

from scim_server.lifecycle.assignments import (
    PROMOTED,
    ROLES,
    Wanted,
    adopt,
    assigned_entries,
    inactive_entries,
    moments,
    rows,
    valid_entries,
    waiting,
)
from scim_server.lifecycle.catalogue import Catalogue, Entry
from scim_server.lifecycle.change import Actor, Change, Rule, RuleContext, Verdict, modes, only_new
from scim_server.lifecycle.derivations import FlatForm, shown_rows
from scim_server.lifecycle.documents import Document, get, put
from scim_server.lifecycle.extension import Derivation, Extension, Mirror
from scim_server.lifecycle.messages import message
from scim_server.lifecycle.state import set_fact
from scim_server.lifecycle.urns import CONNECTOR, DEPARTMENT, LIFECYCLE, ROLE

_FORM = FlatForm(ROLES, "primaryRole", "roleCodes")
_FLAT = (_FORM.one, _FORM.many)
_TEAM_STATES = {"unknown": "R-TEAM.active", "gone": "R-TEAM.known"}


def _derive(document: Document, now: int, catalogue: Catalogue) -> None:
    """Show status, the core roles of the moment, the union of permissions, and whether MFA is needed."""
    shown_rows(document, ROLES, catalogue, now, lambda _entry: {})
    valid = valid_entries(document, ROLES, catalogue, now)
    entries = [entry for _, entry in valid]
    _derive_core(document, valid, catalogue)
    _FORM.derive(document, entries, catalogue)
    permissions = sorted({permission for entry in entries for permission in entry.names("permissions")})
    put(document, ROLE, "effectivePermissions", permissions)
    requires_mfa = any(entry.fact("requiresMfa") for entry in entries)
    if requires_mfa or (get(document, LIFECYCLE, "credentials") or {}).get("mfaRequired"):
        set_fact(document, "credentials", mfaRequired=requires_mfa)
    if document.get(CONNECTOR):
        put(document, CONNECTOR, "mfaRequired", requires_mfa or None)


def _derive_core(document: Document, valid: list[tuple[Document, Entry]], catalogue: Catalogue) -> None:
    """Leave of the core `roles`, as they were sent, those that are valid or unknown, and add the missing."""
    remaining = {entry.id: (row, entry) for row, entry in valid}
    waits = {row["value"] for row in waiting(document, ROLES)}
    shown = []
    for role in document.get("roles", ()):
        entry = _called(role, catalogue)
        if entry is None:
            if _text(role) in waits or not _text(role):
                shown.append(role)
        elif entry.id in remaining:
            row, _ = remaining.pop(entry.id)
            shown.append(_with_primary(role, row))
    for row, entry in remaining.values():
        primary = {"primary": True} if row.get("primary") is True else {}
        shown.append({"value": entry.value, "display": entry.display, **primary})
    put(document, None, "roles", shown)


def _with_primary(role: Document, row: Document) -> Document:
    """Return a core role with `primary` as it is; one that became primary unasked stays as it was sent."""
    is_primary = row.get("primary") is True
    if bool(role.get("primary")) is is_primary or (is_primary and row.get(PROMOTED)):
        return role
    return {**role, "primary": is_primary}


def _text(role: Document) -> str:
    return str(role.get("value") or role.get("display") or "")


def _called(role: Document, catalogue: Catalogue) -> Entry | None:
    for name in ("value", "display"):
        text = role.get(name)
        entry = catalogue.roles.find(text) if isinstance(text, str) and text else None
        if entry is not None:
            return entry
    return None


def _write_core(document: Document, actor: Actor, catalogue: Catalogue) -> None:
    """Make the assignments that the core `roles` ask for; scheduled ones stay."""
    wanted = []
    for role in document.get("roles", ()):
        entry = _called(role, catalogue)
        text = entry.id if entry else _text(role)
        if text:
            wanted.append(Wanted(text, primary=role.get("primary") or None))
    scheduled = [row for row in rows(document, ROLES) if row.get("status") == "scheduled"]
    wanted += [Wanted(row["value"]) for row in scheduled]
    adopt(document, ROLES, wanted, actor, catalogue)


def _agrees_core(document: Document, catalogue: Catalogue) -> bool:
    assigned = {row["value"] for row in rows(document, ROLES)}
    entries = [entry for role in document.get("roles", ()) if (entry := _called(role, catalogue))]
    return all(entry.id in assigned for entry in entries)


def _entries(document: Document, context: RuleContext) -> list[Entry]:
    return [entry for _, entry in assigned_entries(document, ROLES, context.catalogue)]


def _active(document: Document, _change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-ROLE-ACTIVE: only supported roles are assigned (S4 §13, §19)."""
    for entry in inactive_entries(document, ROLES, context.catalogue):
        yield Verdict(message("R-ROLE-ACTIVE"), ROLES.path, entry.id)


def _maximum(document: Document, _change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-ROLE-MAX: not more roles than the organisation allows (X-09)."""
    most = context.policies.roles_maximum
    if most is not None and len(rows(document, ROLES)) > most:
        yield Verdict(message("R-ROLE-MAX", most=most), ROLES.path)


def _departments(document: Document, _change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-ROLE-DEPT: a role that names departments is for people of these (S3 Issue 2)."""
    own = {text.lower() for text in get(document, DEPARTMENT, "effectiveDepartments") or ()}
    for entry in _entries(document, context):
        wanted = {text.lower() for text in entry.names("departments")}
        if wanted and not wanted & own:
            yield Verdict(message("R-ROLE-DEPT", role=entry.display), ROLES.path, entry.id)


def _team(document: Document, _change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-TEAM: some roles need a team (S4 §13)."""
    needing = [entry for entry in _entries(document, context) if entry.fact("requiresTeam")]
    if needing and not get(document, CONNECTOR, "teamCode"):
        yield Verdict(message("R-TEAM"), f"{CONNECTOR}:teamCode", needing[0].id)


def _known_team(_change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-TEAM-KNOWN: where groups are teams, a user's team is one of them (S4 §13, §19)."""
    key = _TEAM_STATES.get(context.lookups.team_state)
    if key is not None:
        yield Verdict(message(key), f"{CONNECTOR}:teamCode")


def _mfa(document: Document, _change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-MFA: a role that needs two-factor authentication makes the user need it (S4 USER-007)."""
    enrolled = (get(document, LIFECYCLE, "credentials") or {}).get("mfaEnrolled")
    for entry in _entries(document, context):
        if entry.fact("requiresMfa") and not enrolled:
            yield Verdict(message("R-MFA", name=entry.display), ROLES.path, entry.id)


def _conflicts(document: Document, change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-SOD: no roles of both sides of a separation-of-duties policy (S2 UC-007 AF2, S1 §3)."""
    held = {name.lower() for entry in _entries(document, context) for name in (entry.value, entry.display)}
    for policy in context.policies.sod:
        left = held & {name.lower() for name in policy.left}
        right = held & {name.lower() for name in policy.right}
        if left and right:
            mode = policy.mode if change.actor.is_human else None
            yield Verdict(message("R-SOD"), ROLES.path, policy.name, mode)


def _fresh(change: Change, context: RuleContext) -> list[Entry]:
    before = {row["value"] for row in rows(change.old, ROLES)}
    return [entry for entry in _entries(change.new, context) if entry.id not in before]


def _authority(change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-ROLE-AUTH: protected roles are granted by those they name only, and nobody grants to himself."""
    actor = change.actor
    if actor.profile == "system":
        return
    for entry in _fresh(change, context):
        assignable = {name.lower() for name in entry.names("assignableBy")}
        holds = {name.lower() for name in actor.roles}
        if assignable and not (assignable & holds) and not actor.may("permission:manage"):
            yield Verdict(message("R-ROLE-AUTH", name=entry.display), ROLES.path, entry.id)
        elif actor.user_id == change.id and actor.user_id is not None:
            yield Verdict(message("R-SELF.escalate", what=entry.display), ROLES.path, entry.id)


def _many_grants(change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-BURST-GRANT: mass grants of roles by one client are stopped before they happen."""
    done = context.lookups.recent.get("role_grants", 0)
    if done >= context.policies.burst.role_grants and _fresh(change, context):
        yield Verdict(message("R-BURST", what="role grants"), ROLES.path)


def _last(change: Change, _context: RuleContext) -> Iterable[Verdict]:
    """R-LAST-ROLE: the only role stays (S2 UC-007 AF3)."""
    if not change.is_deletion and rows(change.old, ROLES) and not rows(change.new, ROLES):
        yield Verdict(message("R-LAST-ROLE"), ROLES.path)


extension = Extension(
    "roles",
    rules=(
        Rule(
            "R-ROLE-ACTIVE",
            only_new(_active),
            modes("record", "record", "enforce", "enforce"),
            requirements=("CRE-19", "ROL-18"),
        ),
        Rule(
            "R-ROLE-MAX",
            only_new(_maximum),
            modes("record", "record", "enforce", "enforce"),
            requirements=("ROL-03",),
        ),
        Rule(
            "R-ROLE-DEPT",
            only_new(_departments),
            modes("record", "record", "record", "record"),
            requirements=("ROL-22",),
        ),
        Rule(
            "R-TEAM",
            only_new(_team),
            modes("record", "record", "enforce", "enforce"),
            requirements=("CRE-25",),
        ),
        Rule(
            "R-TEAM-KNOWN",
            _known_team,
            modes("record", "record", "enforce", "enforce"),
            requirements=("CRE-25",),
        ),
        Rule(
            "R-MFA",
            only_new(_mfa),
            modes("correct", "correct", "correct", "correct"),
            requirements=("ROL-13", "CRE-37"),
        ),
        Rule(
            "R-SOD",
            only_new(_conflicts),
            modes("record", "record", "enforce", "warn"),
            error="conflict",
            requirements=("ROL-08", "ROL-09"),
        ),
        Rule(
            "R-ROLE-AUTH",
            _authority,
            modes("enforce", "enforce", "enforce", "enforce"),
            error="forbidden",
            requirements=("CRE-03", "CRE-04", "ROL-01"),
        ),
        Rule(
            "R-BURST-GRANT",
            _many_grants,
            modes("enforce", "enforce", "enforce", "off"),
            error="tooManyRequests",
        ),
        Rule("R-LAST-ROLE", _last, modes("record", "record", "record", "enforce"), requirements=("ROL-10",)),
    ),
    derivations=(
        Derivation(
            _derive,
            attributes=(
                "roles",
                f"{ROLE.lower()}:effectivepermissions",
                f"{LIFECYCLE.lower()}:credentials",
                *(f"{CONNECTOR.lower()}:{name.lower()}" for name in (*_FLAT, "mfaRequired")),
            ),
            moments=lambda document: moments(document, ROLES),
        ),
    ),
    mirrors=(
        Mirror("core roles", ((None, "roles"),), ((ROLE, "roleAssignments"),), _write_core, _agrees_core),
        Mirror(
            "connector roles",
            tuple((CONNECTOR, name) for name in _FLAT),
            ((ROLE, "roleAssignments"),),
            _FORM.write,
            _FORM.agrees,
        ),
    ),
)
