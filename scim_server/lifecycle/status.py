"""The status machine: five facts, one effective status for every moment.

The facts are the administrative status, the holds of each source, the validity, the lock and the scheduled
changes; `effective` computes from them. A hold is lifted by its own source only, except that an
administrator also lifts those of administrators, identity providers and dormancy, and that security alone
lifts its own.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

PENDING, ACTIVE, INACTIVE, SUSPENDED = "pending", "active", "inactive", "suspended"
SCHEDULED, EXPIRED, LOCKED = "scheduled", "expired", "locked"
SECURITY, ADMIN, SYSTEM = "security", "admin", "system"
SIGNED_IN = frozenset({ACTIVE, LOCKED})
"""The effective statuses for which SCIM says `active`: a lock concerns signing in, not the account."""

_KIND_OF_REASON = {
    "leaveOfAbsence": "leave",
    "voluntaryTermination": "termination",
    "involuntaryTermination": "termination",
    "contractEnded": "termination",
    "hrisTerminated": "termination",
    "dormant": "dormancy",
}
SUSPENSION = "suspension"
_LIFTED_BY_ADMIN = frozenset({"admin", "idp", "import", "app", "system"})


@dataclass(frozen=True, slots=True)
class Hold:
    """One source's reason to keep a user out; times in microseconds, `until` None until it is lifted."""

    source: str
    kind: str
    reason: str
    since: int
    until: int | None = None

    @property
    def id(self) -> str:
        """The name of the hold: a source has at most one of a kind."""
        return f"{self.source}-{self.kind}"

    def holds_at(self, moment: int) -> bool:
        """Tell whether it holds at a moment."""
        return self.since <= moment and (self.until is None or moment < self.until)

    def is_liftable_by(self, sources: Iterable[str]) -> bool:
        """Tell whether one who acts for these sources may lift it."""
        acting = set(sources)
        if self.source in acting:
            return True
        return ADMIN in acting and (self.source in _LIFTED_BY_ADMIN or self.kind == "dormancy")

    @property
    def liftable_by(self) -> list[str]:
        """The sources that may lift it."""
        admin = [ADMIN] if self.is_liftable_by([ADMIN]) and self.source != ADMIN else []
        return [self.source, *admin]


@dataclass(frozen=True, slots=True)
class Lock:
    """The lock after failed logins; `until` None until somebody unlocks it."""

    since: int
    until: int | None = None

    def locks_at(self, moment: int) -> bool:
        """Tell whether it locks at a moment."""
        return self.since <= moment and (self.until is None or moment < self.until)


@dataclass(frozen=True, slots=True)
class Planned:
    """A scheduled change of status: activate, deactivate or suspend at a moment, for a source."""

    id: str
    kind: str
    at: int
    source: str
    reason: str = "other"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the effective status follows from; `status` is pending, active or inactive."""

    status: str = ACTIVE
    holds: tuple[Hold, ...] = ()
    valid_from: int | None = None
    valid_to: int | None = None
    lock: Lock | None = None
    planned: tuple[Planned, ...] = ()

    def moments(self) -> set[int]:
        """Return the moments at which the effective status may change by itself."""
        found = {self.valid_from, self.valid_to, *(hold.until for hold in self.holds)}
        found |= {plan.at for plan in self.planned}
        if self.lock is not None:
            found.add(self.lock.until)
        return {moment for moment in found if moment is not None}


def kind_of(reason: str) -> str:
    """Return the kind of hold that a reason makes."""
    return _KIND_OF_REASON.get(reason, "deprovisioned")


def facts_at(facts: Facts, moment: int, ready: Callable[[int], bool] = lambda _moment: True) -> Facts:
    """Return the facts with the scheduled changes up to a moment carried out.

    `ready` tells whether the user is ready at the moment for which a change was planned. A scheduled
    activation of a user who was not does nothing; a deactivation always works.
    """
    for plan in sorted(facts.planned, key=lambda plan: (plan.at, plan.id)):
        if plan.at > moment:
            break
        if plan.kind == "activate":
            facts = lifted(facts, [plan.source], plan.at) if ready(plan.at) else facts
        else:
            kind = SUSPENSION if plan.kind == "suspend" else kind_of(plan.reason)
            facts = held(facts, Hold(plan.source, kind, plan.reason, plan.at))
    return facts


def effective(facts: Facts, moment: int) -> str:
    """Return the effective status at a moment; scheduled changes are not looked at, see facts_at."""
    shown = administrative(facts, moment)
    if shown in {SUSPENDED, INACTIVE}:
        return shown
    if facts.valid_to is not None and facts.valid_to <= moment:
        return EXPIRED
    if shown == PENDING:
        return PENDING
    if facts.valid_from is not None and facts.valid_from > moment:
        return SCHEDULED
    return LOCKED if facts.lock is not None and facts.lock.locks_at(moment) else ACTIVE


def administrative(facts: Facts, moment: int) -> str:
    """Return pending, active, inactive or suspended: the status without validity and lock."""
    kinds = {hold.kind for hold in facts.holds if hold.holds_at(moment)}
    if SUSPENSION in kinds:
        return SUSPENDED
    return INACTIVE if kinds or facts.status == INACTIVE else facts.status


def held(facts: Facts, hold: Hold) -> Facts:
    """Return the facts with a hold; the same hold again keeps its beginning."""
    others = tuple(own for own in facts.holds if own.id != hold.id)
    known = next((own for own in facts.holds if own.id == hold.id and own.holds_at(hold.since)), None)
    if known is not None:
        hold = replace(hold, since=known.since)
    return replace(facts, holds=(*others, hold))


def lifted(facts: Facts, sources: Iterable[str], moment: int) -> Facts:
    """Return the facts without the holds that these sources may lift, and active where they were not yet."""
    acting = tuple(sources)
    kept = tuple(hold for hold in facts.holds if hold.holds_at(moment) and not hold.is_liftable_by(acting))
    return replace(facts, status=ACTIVE, holds=kept)


_EVERYBODY = frozenset({"admin", "security", "idp", "hris", "import", "app", "system"})

TRANSITIONS: Mapping[tuple[str, str], tuple[str, frozenset[str]]] = {
    (PENDING, ACTIVE): ("activate", _EVERYBODY),
    (PENDING, INACTIVE): ("cancel", frozenset({"admin", "security", "hris", "idp", "system"})),
    (SCHEDULED, INACTIVE): ("cancel", _EVERYBODY),
    (SCHEDULED, SUSPENDED): ("suspend", _EVERYBODY),
    (ACTIVE, INACTIVE): ("deactivate", _EVERYBODY),
    (ACTIVE, SUSPENDED): ("suspend", _EVERYBODY),
    (LOCKED, INACTIVE): ("deactivate", _EVERYBODY),
    (LOCKED, SUSPENDED): ("suspend", _EVERYBODY),
    (EXPIRED, INACTIVE): ("deactivate", _EVERYBODY),
    (EXPIRED, SUSPENDED): ("suspend", _EVERYBODY),
    (INACTIVE, ACTIVE): ("reactivate", _EVERYBODY),
    (INACTIVE, SUSPENDED): ("suspend", _EVERYBODY),
    (INACTIVE, PENDING): ("reonboard", frozenset({"admin", "security", "hris", "system"})),
    (SUSPENDED, ACTIVE): ("reinstate", _EVERYBODY),
}
"""Effective and wished status: the trigger and the sources that may pull it; nothing else is allowed."""
ENDING = frozenset({"deactivate", "suspend", "cancel"})
"""The triggers that end the access of a user who had it or was to have it."""

HOLDS_ON_TOP = frozenset({INACTIVE, SUSPENDED})
"""Who takes access away leaves a hold even where others hold the user already."""
_CONNECTORS = frozenset({"idp", "hris", "import", "app", "system"})


@dataclass(frozen=True, slots=True)
class Wish:
    """A status somebody wants: by which sources they act, with which reason, until when a hold lasts."""

    status: str
    sources: tuple[str, ...]
    reason: str = "other"
    until: int | None = None

    @property
    def source(self) -> str:
        """The source that a hold is recorded for."""
        return self.sources[0]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a wish makes of the facts: the trigger, None where nothing is to be done or allowed.

    `blocked_by` are holds that stay although the wish was to be active; `is_allowed` is False for a
    transition that the table does not have.
    """

    facts: Facts
    trigger: str | None = None
    blocked_by: tuple[Hold, ...] = ()
    is_allowed: bool = True


def decide(facts: Facts, wish: Wish, moment: int) -> Decision:
    """Return what becomes of a wish at a moment (the table of docs/lifecycle.md)."""
    now = effective(facts, moment)
    trigger, sources = TRANSITIONS.get((now, wish.status), (None, frozenset()))
    if wish.status in HOLDS_ON_TOP and administrative(facts, moment) in HOLDS_ON_TOP and trigger is None:
        return _on_top(facts, wish, moment)
    if trigger is None or not sources & set(wish.sources):
        is_same = wish.status in {now, administrative(facts, moment)}
        return Decision(facts, is_allowed=is_same)
    if wish.status == ACTIVE:
        after = lifted(facts, wish.sources, moment)
        return Decision(after, trigger, tuple(hold for hold in after.holds if hold.holds_at(moment)))
    if wish.status == PENDING:
        after = replace(lifted(facts, wish.sources, moment), status=PENDING)
        return Decision(after, trigger, tuple(hold for hold in after.holds if hold.holds_at(moment)))
    return Decision(held(facts, hold_of(wish, moment)), trigger)


def _on_top(facts: Facts, wish: Wish, moment: int) -> Decision:
    """Add a hold beside those of others: inactive on inactive or suspended, suspended on suspended."""
    hold = hold_of(wish, moment)
    if any((own.id, own.until) == (hold.id, hold.until) and own.holds_at(moment) for own in facts.holds):
        return Decision(facts)
    if wish.source not in _CONNECTORS and administrative(facts, moment) != wish.status:
        return Decision(facts, is_allowed=False)
    return Decision(held(facts, hold), "hold")


def hold_of(wish: Wish, moment: int) -> Hold:
    """Return the hold that a wish to be inactive or suspended makes."""
    kind = SUSPENSION if wish.status == SUSPENDED else kind_of(wish.reason)
    return Hold(wish.source, kind, wish.reason, moment, wish.until)
