"""What the world is told of a change: names and facts of the events beside an audit event."""

from collections.abc import Iterable
from typing import Any

from scim_server.lifecycle.assignments import DEPARTMENTS, PERMISSIONS, ROLES, rows
from scim_server.lifecycle.catalogue import Catalogue
from scim_server.lifecycle.change import Change
from scim_server.lifecycle.dates import text_of
from scim_server.lifecycle.documents import get, primary_email
from scim_server.lifecycle.judgement import Judgement
from scim_server.lifecycle.status import ENDING
from scim_server.lifecycle.urns import APPROVAL_LIMIT, ENTERPRISE

News = tuple[str, dict[str, Any]]
_OF_TRIGGERS = {
    "activate": "user.activated",
    "reactivate": "user.activated",
    "reinstate": "user.activated",
    "deactivate": "user.deactivated",
    "cancel": "user.deactivated",
    "suspend": "user.suspended",
    "reonboard": "user.created",
}


def news_of(change: Change, judgement: Judgement, catalogue: Catalogue, now: int) -> list[News]:
    """Return what to tell about a change of a user; requests to other systems are among it."""
    found = [*_of_status(change), *_of_grants(change, catalogue, now), *alarms_of(judgement)]
    if change.password is not None:
        found.append(("password.changed", {}))
    if change.is_unlocking:
        found.append(("user.unlocked", {}))
    if change.is_creation:
        found += _of_creation(change)
    if change.is_deletion:
        found += [("user.deleted", {}), ("sessions.revoked", {})]
    elif not change.is_creation:
        found += _of_move(change)
    return found


def _of_creation(change: Change) -> Iterable[News]:
    yield "user.created", {"userName": change.new.get("userName")}
    is_welcome = change.new.get("active") is not False or change.statuses[1] == "pending"
    if change.actor.is_human and primary_email(change.new) and is_welcome:
        yield "invitation.requested", {"email": primary_email(change.new)}
    manager = get(change.new, ENTERPRISE, "manager")
    if manager:
        yield "manager.notified", {"manager": manager.get("value")}


def _of_status(change: Change) -> Iterable[News]:
    trigger = change.transition.decision.trigger if change.transition else None
    name = _OF_TRIGGERS.get(trigger or "")
    if name is None or (change.transition and change.transition.decision.blocked_by):
        return
    yield name, {"reason": change.context.get("reason")}
    if trigger in ENDING:
        yield "sessions.revoked", {}
        manager = get(change.new, ENTERPRISE, "manager")
        if manager:
            reason = change.context.get("reason")
            yield "manager.notified", {"manager": manager.get("value"), "reason": reason}
        if change.context.get("transferTo"):
            yield "user.obligations.transfer", {"transferTo": change.context["transferTo"]}


def _of_grants(change: Change, catalogue: Catalogue, now: int) -> Iterable[News]:
    if change.is_deletion:
        return
    if {row["value"] for row in rows(change.old, ROLES)} != {row["value"] for row in rows(change.new, ROLES)}:
        yield "user.roles.changed", {"roles": [row["value"] for row in rows(change.new, ROLES)]}
    if change.differs(APPROVAL_LIMIT, "effectiveApprovalLimits"):
        old, new = (get(one, APPROVAL_LIMIT, "effectiveApprovalLimits") for one in (change.old, change.new))
        yield "user.limit.changed", {"effectiveAt": text_of(now), "from": old or [], "to": new or []}
    before, after = ({row["value"] for row in rows(one, PERMISSIONS)} for one in (change.old, change.new))
    for granted in sorted(after - before):
        entry = catalogue.entitlements.get(granted)
        if entry is not None and entry.fact("sensitive"):
            yield "security.notified", {"granted": entry.value}
    for revoked in sorted(before - after):
        yield "user.notified", {"revoked": revoked}


def _of_move(change: Change) -> Iterable[News]:
    departments = ([row["value"] for row in rows(one, DEPARTMENTS)] for one in (change.old, change.new))
    before, after = departments
    if before != after or change.differs(None, "title"):
        yield "user.moved", {"from": before, "to": after}


def alarms_of(judgement: Judgement) -> Iterable[News]:
    """Return the alarms that what the rules found raises."""
    for finding in judgement.findings:
        if finding.effect == "deferred" or finding.rule == "R-SOD":
            yield "alarm", {"rule": finding.rule, "message": finding.message}
