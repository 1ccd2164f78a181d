"""Rules on the status: transitions, reasons, readiness, holds of others, oneself, the last administrator."""

from collections.abc import Iterable

from scim_server.lifecycle.change import Change, Rule, RuleContext, Transition, Verdict, modes
from scim_server.lifecycle.documents import get
from scim_server.lifecycle.messages import message
from scim_server.lifecycle.policies import Mode
from scim_server.lifecycle.status import ACTIVE, ENDING, PENDING, SUSPENDED, SUSPENSION
from scim_server.lifecycle.urns import LIFECYCLE

STATUS = f"{LIFECYCLE}:status"


def _allowed(change: Change, _context: RuleContext) -> Iterable[Verdict]:
    """R-TRANS: only the transitions of the table (S2 UC-010 AF1)."""
    transition = change.transition
    if transition is not None and not transition.decision.is_allowed:
        facts = {"before": transition.before, "after": transition.wanted}
        yield Verdict(message("R-TRANS", **facts), STATUS)


def _held(change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-HOLD: a hold is lifted by its own source (S4 §4; complaint of lost suspensions)."""
    transition = change.transition
    if transition is None or transition.wanted not in {ACTIVE, PENDING}:
        return
    if transition.decision.blocked_by:
        sources = ", ".join(sorted({hold.source for hold in transition.decision.blocked_by}))
        rejected = change.actor.is_connector and context.policies.on_blocked_reactivation == "reject"
        mode: Mode | None = "enforce" if rejected else "correct" if _is_reinstated(transition) else None
        yield Verdict(message("R-HOLD", sources=sources), STATUS, sources, mode)


def _is_reinstated(transition: Transition) -> bool:
    """Tell whether every suspension is gone: what else holds the user keeps it inactive, and rightly."""
    kept = {hold.kind for hold in transition.decision.blocked_by}
    return transition.decision.trigger == "reinstate" and SUSPENSION not in kept


def _reason(change: Change, _context: RuleContext) -> Iterable[Verdict]:
    """R-REASON: who takes access away says why (S3 §2, S4 Step 4), and who lifts a hold of others, too."""
    transition = change.transition
    if transition is None or change.context.get("reason") or change.is_creation:
        return
    if transition.decision.trigger in {*ENDING, "hold"}:
        yield Verdict(message("R-REASON"), f"{LIFECYCLE}:changeContext.reason")
    elif transition.decision.trigger in {"reactivate", "reinstate"} and transition.lifted:
        yield Verdict(message("R-REASON.reactivate"), f"{LIFECYCLE}:changeContext.reason")


def _ready(change: Change, _context: RuleContext) -> Iterable[Verdict]:
    """R-READY: a user has role and department before it becomes active (S2 UC-010 MF9, AF2; S3 §3)."""
    if change.is_activation:
        for name in (get(change.new, LIFECYCLE, "readiness") or {}).get("missing", ()):
            yield Verdict(message(f"R-READY.{name}"), STATUS, name)


def _oneself(change: Change, _context: RuleContext) -> Iterable[Verdict]:
    """R-SELF: nobody deletes or deactivates himself (S4 USER-006)."""
    if change.actor.user_id is None or change.actor.user_id != change.id:
        return
    if change.is_deletion:
        yield Verdict(message("R-SELF.delete"))
    elif change.is_deactivation:
        yield Verdict(message("R-SELF.deactivate"))


def _last_administrator(_change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-LASTADMIN: somebody remains who can administer.

    Who is going to be deactivated or suspended by plan does not count as one who remains.
    """
    if context.lookups.is_last_administrator:
        yield Verdict(message("R-LASTADMIN"))


def _is_suspension(change: Change) -> bool:
    """Tell whether the user is suspended, which nothing that is unsettled stands in the way of."""
    return change.transition is not None and change.transition.wanted == SUSPENDED


def _sole_holder(change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-SOLE: a role with a least number of holders keeps them (S3 Issue 3)."""
    if _is_suspension(change):
        return
    for name in sorted(context.lookups.sole_roles):
        yield Verdict(message("R-SOLE", name=name), key=name)


def _obligations(change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-OBLIG: nobody goes while what blocks it is open (S2 UC-004 AF1, S3 Issue 3)."""
    found = context.lookups.obligations
    if change.is_deletion and any("delete" in one.blocks for one in found):
        yield Verdict(message("R-OBLIG"))
    elif change.is_deactivation and not change.is_deletion and not _is_suspension(change):
        names = sorted(one.display or one.kind for one in found if "deactivate" in one.blocks)
        if names:
            yield Verdict(message("R-OBLIG.deactivate", names=", ".join(names)))


def _many_deactivations(change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-BURST-DEACTIVATE: mass deactivation happens, since access must go, and raises an alarm."""
    done = context.lookups.recent.get("deactivations", 0)
    is_one = change.is_deactivation and not change.is_deletion
    if is_one and done >= context.policies.burst.deactivations:
        yield Verdict(message("R-BURST", what="deactivations"))


def _many_deletions(change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-BURST-DELETE: mass deletion is stopped before it happens."""
    done = context.lookups.recent.get("deletions", 0)
    if change.is_deletion and done >= context.policies.burst.deletions:
        yield Verdict(message("R-BURST", what="deletions"))


FORESEEN = frozenset({"R-SELF", "R-LASTADMIN"})
"""The rules that are asked when the end of access is planned, since nobody is there to ask at its moment."""

STATUS_RULES = (
    Rule("R-TRANS", _allowed, modes("correct", "correct", "enforce", "enforce"), requirements=("STA-19",)),
    Rule(
        "R-HOLD",
        _held,
        modes("correct", "correct", "enforce", "enforce"),
        error="forbidden",
        requirements=("STA-21",),
    ),
    Rule("R-REASON", _reason, modes("off", "off", "enforce", "enforce"), requirements=("STA-04",)),
    Rule(
        "R-READY",
        _ready,
        modes("record", "record", "enforce", "enforce"),
        requirements=("CRE-18", "CRE-22", "CRE-23", "STA-16", "STA-18"),
    ),
    Rule(
        "R-SELF",
        _oneself,
        modes("off", "off", "enforce", "enforce"),
        error="forbidden",
        requirements=("DEL-09",),
    ),
    Rule(
        "R-LASTADMIN",
        _last_administrator,
        modes("defer", "defer", "enforce", "enforce"),
        error="conflict",
        requirements=("DEL-09",),
    ),
    Rule(
        "R-SOLE",
        _sole_holder,
        modes("defer", "defer", "enforce", "enforce"),
        error="conflict",
        requirements=("ROL-17", "STA-17"),
    ),
    Rule(
        "R-OBLIG",
        _obligations,
        modes("defer", "defer", "enforce", "enforce"),
        error="conflict",
        requirements=("DEL-02", "STA-17"),
    ),
    Rule("R-BURST-DEACTIVATE", _many_deactivations, modes("defer", "defer", "defer", "off")),
    Rule(
        "R-BURST-DELETE",
        _many_deletions,
        modes("enforce", "enforce", "enforce", "off"),
        error="tooManyRequests",
    ),
)
