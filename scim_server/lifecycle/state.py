"""The facts of the status machine as they stand in a user's document."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from scim_server.lifecycle.dates import moment_of, text_of
from scim_server.lifecycle.documents import Document, get, put
from scim_server.lifecycle.status import ACTIVE, INACTIVE, Facts, Hold, Lock, Planned
from scim_server.lifecycle.urns import LIFECYCLE
from scim_server.scim.values import fold_date_time

FACTS = "~facts"
"""The member of the document that keeps the facts; it is never shown."""
UNASSIGNED = "~unassigned"
"""Set where a client removed `active`."""


def moment(text: Any) -> int | None:
    """Return a dateTime text as microseconds, None for no text."""
    if not isinstance(text, str):
        return None
    return moment_of(fold_date_time(text)[:26] + "Z", zone="UTC", end_of_day=False)


def facts_of(document: Document) -> Facts:
    """Return the facts of a user; a document without any is as `active` says."""
    kept = document.get(FACTS)
    starts = moment(get(document, LIFECYCLE, "validFrom"))
    ends = moment(get(document, LIFECYCLE, "validTo"))
    if kept is None:
        status = INACTIVE if document.get("active") is False else ACTIVE
        return Facts(status, valid_from=starts, valid_to=ends)
    lock = kept.get("lock")
    return Facts(
        kept.get("status", ACTIVE),
        tuple(Hold(**hold) for hold in kept.get("holds", ())),
        starts,
        ends,
        Lock(**lock) if lock else None,
        tuple(Planned(**plan) for plan in kept.get("planned", ())),
    )


def keep_facts(document: Document, facts: Facts) -> None:
    """Write the facts into a document in place; validity stays where clients write it."""
    kept: dict[str, Any] = {"status": facts.status}
    if facts.holds:
        kept["holds"] = [
            _fields(hold, ("source", "kind", "reason", "since", "until")) for hold in facts.holds
        ]
    if facts.lock is not None:
        kept["lock"] = _fields(facts.lock, ("since", "until"))
    if facts.planned:
        kept["planned"] = [_fields(plan, ("id", "kind", "at", "source", "reason")) for plan in facts.planned]
    document[FACTS] = kept


def shown_hold(hold: Hold) -> Mapping[str, Any]:
    """Return a hold as the lifecycle extension shows it."""
    shown: dict[str, Any] = {
        "value": hold.id,
        "source": hold.source,
        "kind": hold.kind,
        "reason": hold.reason,
        "since": text_of(hold.since),
        "liftableBy": hold.liftable_by,
    }
    if hold.until is not None:
        shown["until"] = text_of(hold.until)
    return shown


def set_fact(document: Document, complex_name: str, **values: Any) -> None:
    """Set sub-attributes of a complex lifecycle attribute in place; None removes one."""
    current = dict(get(document, LIFECYCLE, complex_name) or {})
    for name, value in values.items():
        if value is None:
            current.pop(name, None)
        else:
            current[name] = value
    put(document, LIFECYCLE, complex_name, current)


def unlocked(document: Document, facts: Facts) -> Facts:
    """Return the facts without the lock; what failed is counted from nothing again, in place."""
    set_fact(document, "lockout", failedAttempts=0, reason=None)
    return replace(facts, lock=None)


def _fields(item: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(item, name)) is not None}
