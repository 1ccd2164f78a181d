"""Rules on what a user points at: targets are there, once, managers in no circle, ends after beginnings."""

from collections.abc import Iterable

from scim_server.lifecycle.assignments import KINDS, LOCATIONS, rows
from scim_server.lifecycle.change import Change, Rule, RuleContext, Verdict, modes, only_new
from scim_server.lifecycle.documents import Document, get
from scim_server.lifecycle.messages import message
from scim_server.lifecycle.policies import Mode
from scim_server.lifecycle.state import moment
from scim_server.lifecycle.urns import APPROVAL_LIMIT, ENTERPRISE, LIFECYCLE

_NOUNS = {kind.path: kind.noun for kind in KINDS}
MANAGER = f"{ENTERPRISE}:manager"
_NOUNS[MANAGER] = "manager"


def _known(change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-REF: what is referred to is there (S2 UC-001 Pre); for connectors it may come later."""
    for path, text in change.unresolved:
        yield Verdict(message(f"R-REF.{_NOUNS[path]}", text=text), path, text)
    if change.id in context.lookups.managers:
        yield Verdict(message("R-REF.cycle"), MANAGER, change.id)


def _twice(change: Change, _context: RuleContext) -> Iterable[Verdict]:
    """R-DUP: an assignment is made once (S2 UC-005 AF1, UC-006 AF1)."""
    for kind in KINDS:
        held = {row["value"] for row in rows(change.old, kind)}
        for path, target in change.additions:
            if path == kind.path and target in held:
                mode: Mode | None = "correct" if kind is LOCATIONS else None
                yield Verdict(message(f"R-DUP.{kind.noun}"), path, target, mode)


def _bounds(document: Document, _change: Change, _context: RuleContext) -> Iterable[Verdict]:
    """R-TIME: what has a beginning and an end ends after it begins (S2 UC-015 MF9)."""
    spans = [("validity", document.get(LIFECYCLE, {}), LIFECYCLE)]
    spans += [(kind.noun, row, kind.path) for kind in KINDS for row in rows(document, kind)]
    limits = get(document, APPROVAL_LIMIT, "approvalLimits") or ()
    spans += [("approval limit", limit, APPROVAL_LIMIT) for limit in limits]
    for what, span, path in spans:
        starts, ends = moment(span.get("validFrom")), moment(span.get("validTo"))
        if starts is not None and ends is not None and starts >= ends:
            yield Verdict(message("R-TIME", what=what), path, f"{span.get('value')} {starts} {ends}")


REFERENCE_RULES = (
    Rule(
        "R-REF",
        _known,
        modes("record", "record", "enforce", "enforce"),
        requirements=("CRE-02", "CRE-19", "ROL-18"),
    ),
    Rule(
        "R-DUP",
        _twice,
        modes("correct", "correct", "correct", "enforce"),
        error="conflict",
        requirements=("DEP-05", "LOC-05"),
    ),
    Rule(
        "R-TIME",
        only_new(_bounds),
        modes("enforce", "enforce", "enforce", "enforce"),
        requirements=("PRM-03",),
    ),
)
