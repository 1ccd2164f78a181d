"""What a user's status looks like at a moment: `active`, effectiveStatus, holds, lock, readiness."""

from collections.abc import Iterable
from dataclasses import replace

from scim_server.lifecycle.assignments import DEPARTMENTS, ROLES, valid_entries
from scim_server.lifecycle.catalogue import Catalogue
from scim_server.lifecycle.dates import text_of
from scim_server.lifecycle.documents import Document, get, primary_email, put
from scim_server.lifecycle.extension import Derivation
from scim_server.lifecycle.state import UNASSIGNED, facts_of, keep_facts, set_fact, shown_hold
from scim_server.lifecycle.status import SIGNED_IN, Facts, administrative, effective, facts_at
from scim_server.lifecycle.urns import CONNECTOR, ENTERPRISE, LIFECYCLE

_LOWER = LIFECYCLE.lower()


def missing(document: Document, catalogue: Catalogue, now: int) -> list[str]:
    """Return what a user lacks to become active: role, department, manager, email (S2 UC-010 MF9).

    An organisation without roles or departments has none to ask for.
    """
    needs = catalogue.policies.activation
    lacks = {
        "role": needs.role
        and len(catalogue.roles) > 0
        and not valid_entries(document, ROLES, catalogue, now),
        "department": needs.department
        and len(catalogue.departments) > 0
        and not valid_entries(document, DEPARTMENTS, catalogue, now),
        "manager": needs.manager and not get(document, ENTERPRISE, "manager"),
        "email": needs.email and primary_email(document) is None,
    }
    return [name for name, is_missing in lacks.items() if is_missing]


def current_facts(document: Document, catalogue: Catalogue, now: int) -> Facts:
    """Return the facts of a user with the scheduled changes of status that are due carried out."""
    return facts_at(facts_of(document), now, lambda moment: not missing(document, catalogue, moment))


def carry_out_plans(document: Document, now: int, catalogue: Catalogue) -> None:
    """Make facts of the scheduled changes that are due, in place, before assignments that ended are gone."""
    planned = facts_of(document).planned
    if any(plan.at <= now for plan in planned):
        facts = current_facts(document, catalogue, now)
        keep_facts(document, replace(facts, planned=tuple(plan for plan in planned if plan.at > now)))


def derive_standing(document: Document, now: int, catalogue: Catalogue) -> None:
    """Set `active` and the computed part of the lifecycle extension in place."""
    lacks = missing(document, catalogue, now)
    facts = facts_of(document)
    status = effective(facts, now)
    document["active"] = status in SIGNED_IN
    if UNASSIGNED in document:
        del document["active"]
    put(document, LIFECYCLE, "status", administrative(facts, now))
    put(document, LIFECYCLE, "effectiveStatus", status)
    holds = [dict(shown_hold(hold)) for hold in facts.holds if hold.holds_at(now)]
    put(document, LIFECYCLE, "holds", holds)
    readiness = {"ready": not lacks, **({"missing": lacks} if lacks else {})}
    put(document, LIFECYCLE, "readiness", readiness)
    if get(document, CONNECTOR, "accountStatus") is not None:
        put(document, CONNECTOR, "accountStatus", administrative(facts, now))
    _derive_lock(document, facts, now)
    _derive_plans(document, facts)


def _derive_lock(document: Document, facts: Facts, now: int) -> None:
    lock = facts.lock
    if lock is not None and lock.locks_at(now):
        until = None if lock.until is None else text_of(lock.until)
        set_fact(document, "lockout", locked=True, lockedAt=text_of(lock.since), until=until)
    elif get(document, LIFECYCLE, "lockout"):
        set_fact(document, "lockout", locked=False, lockedAt=None, until=None, reason=None)
        if lock is not None:
            set_fact(document, "lockout", failedAttempts=0)


def _derive_plans(document: Document, facts: Facts) -> None:
    plans = [{"value": plan.id, "kind": plan.kind, "effectiveAt": text_of(plan.at)} for plan in facts.planned]
    put(document, LIFECYCLE, "scheduledChanges", plans)


def standing_moments(document: Document) -> Iterable[int]:
    """Return the moments at which the status may change by itself."""
    return facts_of(document).moments()


PLANS = Derivation(carry_out_plans)
"""The first of all derivations."""
STANDING = Derivation(
    derive_standing,
    attributes=(
        "active",
        *(
            f"{_LOWER}:{name}"
            for name in ("status", "effectivestatus", "holds", "readiness", "lockout", "scheduledchanges")
        ),
        f"{CONNECTOR.lower()}:accountstatus",
    ),
    moments=standing_moments,
)
