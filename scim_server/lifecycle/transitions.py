"""From what a request says of the status to facts: wishes found, decided, and written down."""

from dataclasses import replace
from typing import Any

from scim_server.lifecycle.assignments import PERMISSIONS, keep, rows
from scim_server.lifecycle.catalogue import Catalogue
from scim_server.lifecycle.change import Actor, Transition
from scim_server.lifecycle.dates import text_of
from scim_server.lifecycle.documents import Document, get, put
from scim_server.lifecycle.requests import Request
from scim_server.lifecycle.standing import current_facts, missing
from scim_server.lifecycle.state import UNASSIGNED, facts_of, keep_facts, moment, set_fact, unlocked
from scim_server.lifecycle.status import (
    ACTIVE,
    ENDING,
    INACTIVE,
    PENDING,
    SUSPENDED,
    Decision,
    Facts,
    Wish,
    decide,
    effective,
    held,
    hold_of,
)
from scim_server.lifecycle.urns import CONNECTOR, LIFECYCLE

KEPT = (
    "statusReason",
    "login",
    "credentials",
    "dormancy",
    "invitation",
    "sessionsRevokedAt",
    "tokensRevokedAt",
)
"""Attributes of the lifecycle extension that only the server writes."""
SECURITY_PERMISSION = "security:manage"
NEW = "new"
_DEFAULT_REASONS = {"idp": "idpDeprovisioned", "hris": "hrisTerminated"}


def settle_status(
    request: Request, before: Document, after: Document, catalogue: Catalogue, now: int
) -> Transition | None:
    """Write the facts that a request leads to into `after` in place; returns the transition it asks for."""
    stored = request.stored or {}
    for name in KEPT:
        put(after, LIFECYCLE, name, get(stored, LIFECYCLE, name))
    if request.password is not None:
        set_fact(after, "credentials", passwordSetAt=text_of(now), temporary=False, mustChange=False)
    if request.before is None:
        return _create(request, after, catalogue, now)
    _note_removal(request, before, after)
    facts = _with_validity(current_facts(stored, catalogue, now), after)
    facts = _settle_lock(request, before, after, facts)
    wanted = _wanted(request, before, after)
    transition = None
    if wanted is not None:
        transition = _decided(request, wanted, facts, after, now)
        facts = transition.decision.facts
    _plans_kept(facts, stored, after, now)
    return transition


def _note_removal(request: Request, before: Document, after: Document) -> None:
    """Remember in place that a client took `active` away: it is not shown until somebody states it again."""
    if "active" in before and "active" not in after:
        after[UNASSIGNED] = True
    elif request.states_active:
        after.pop(UNASSIGNED, None)


def _with_validity(facts: Facts, after: Document) -> Facts:
    return replace(
        facts,
        valid_from=moment(get(after, LIFECYCLE, "validFrom")),
        valid_to=moment(get(after, LIFECYCLE, "validTo")),
    )


def _plans_kept(facts: Facts, stored: Document, after: Document, now: int) -> None:
    """Keep the plans that are not due; those that are have become facts."""
    planned = tuple(plan for plan in facts_of(stored).planned if plan.at > now)
    keep_facts(after, replace(facts, planned=planned))


def _create(request: Request, after: Document, catalogue: Catalogue, now: int) -> Transition | None:
    """Decide how a new user begins (the first rows of the table of transitions)."""
    actor, wanted = request.actor, _wanted(request, {}, after)
    facts = _with_validity(Facts(), after)
    if wanted is None:
        waits = (actor.is_human and missing(after, catalogue, now)) or actor.profile == "import"
        wanted = PENDING if waits else ACTIVE
    if wanted == PENDING:
        facts = replace(facts, status=PENDING)
    elif wanted in {INACTIVE, SUSPENDED}:
        wish = _wish(request, INACTIVE, now)
        facts = held(facts, hold_of(replace(wish, reason=request.context.get("reason", "other")), now))
    keep_facts(after, facts)
    return Transition(NEW, wanted, Decision(facts, "create", is_allowed=wanted != SUSPENDED))


def _wanted(request: Request, before: Document, after: Document) -> str | None:
    """Return the status that the request asks for in any of its forms, None where it asks for none."""
    if request.wants is not None:
        return request.wants
    for urn, name in ((LIFECYCLE, "status"), (CONNECTOR, "accountStatus")):
        value = get(after, urn, name)
        if value is not None and value != get(before, urn, name):
            return str(value)
    active = after.get("active")
    if request.before is None:
        return None if not request.states_active else ACTIVE if active else INACTIVE
    if active is None or (active == before.get("active") and not _adds_hold(request, active)):
        return None
    return ACTIVE if active else INACTIVE


def _adds_hold(request: Request, active: Any) -> bool:
    """Tell whether a connector says once more that a user is not to be active."""
    return active is False and request.states_active and request.actor.is_connector


def _wish(request: Request, status: str, now: int) -> Wish:
    actor, context = request.actor, request.context
    reason = context.get("reason") or _reason(actor, status)
    until = moment(context.get("until"))
    return Wish(status, sources_of(actor, reason, status), reason, until if until and until > now else None)


def _reason(actor: Actor, status: str) -> str:
    if status in {ACTIVE, PENDING}:
        return "returned"
    return _DEFAULT_REASONS.get(actor.profile, "other")


def sources_of(actor: Actor, reason: str = "other", status: str = ACTIVE) -> tuple[str, ...]:
    """Return the sources for which a client acts, the one that a hold is recorded for first.

    Who may manage security acts for security too; what it suspends for an incident is security's.
    """
    if not actor.may(SECURITY_PERMISSION) or actor.profile == "system":
        return (actor.source,)
    if status == SUSPENDED and reason == "securityIncident":
        return ("security", actor.source)
    return (actor.source, "security")


def _decided(request: Request, wanted: str, facts: Facts, after: Document, now: int) -> Transition:
    wish = _wish(request, wanted, now)
    before = effective(facts, now)
    decision = decide(facts, wish, now)
    gone = tuple(hold for hold in facts.holds if hold.holds_at(now) and hold not in decision.facts.holds)
    if decision.trigger is not None and not decision.blocked_by:
        _write_down(request, wish, decision.trigger, after, now)
    return Transition(before, wanted, decision, gone)


def _write_down(request: Request, wish: Wish, trigger: str, after: Document, now: int) -> None:
    """Note reason and revocations in place; special permissions do not come back with a reactivation."""
    reason = {
        "code": wish.reason,
        "note": request.context.get("note"),
        "setBy": request.actor.author,
        "setAt": text_of(now),
        "source": wish.source,
    }
    put(after, LIFECYCLE, "statusReason", {name: value for name, value in reason.items() if value})
    if trigger in ENDING:
        put(after, LIFECYCLE, "sessionsRevokedAt", text_of(now))
        put(after, LIFECYCLE, "tokensRevokedAt", text_of(now))
    if trigger == "reactivate":
        former = {row["value"] for row in rows(request.stored or {}, PERMISSIONS)}
        keep(after, PERMISSIONS, [row for row in rows(after, PERMISSIONS) if row["value"] not in former])


def _settle_lock(request: Request, before: Document, after: Document, facts: Facts) -> Facts:
    """Take the lock off where the client asks for it and may, or sets a password; the rest is the server's.

    Who may not set passwords has been refused before.
    """
    asked = (get(after, LIFECYCLE, "lockout") or {}).get("locked")
    was = (get(before, LIFECYCLE, "lockout") or {}).get("locked", False)
    kept = get(request.stored or {}, LIFECYCLE, "lockout")
    put(after, LIFECYCLE, "lockout", kept)
    is_asked = asked is False and was and request.actor.may("user:unlock")
    if not is_asked and (request.password is None or not (kept or facts.lock)):
        return facts
    return unlocked(after, facts)
