"""Clearance: set by hand, derived from the highest role, or the higher of both."""

from collections.abc import Iterable

from scim_server.lifecycle.assignments import ROLES, is_valid, valid_entries
from scim_server.lifecycle.catalogue import Catalogue
from scim_server.lifecycle.change import Change, Rule, RuleContext, Verdict, modes
from scim_server.lifecycle.documents import Document, get, put
from scim_server.lifecycle.extension import Derivation, Extension
from scim_server.lifecycle.messages import message
from scim_server.lifecycle.mirrors import copied
from scim_server.lifecycle.policies import LEVELS
from scim_server.lifecycle.state import moment
from scim_server.lifecycle.urns import CLEARANCE, CONNECTOR


def _derive(document: Document, now: int, catalogue: Catalogue) -> None:
    """Set derivedLevel and effectiveLevel (S2 UC-007 MF13, X-10)."""
    put(document, CLEARANCE, "derivedLevel", _derived(document, now, catalogue))
    put(document, CLEARANCE, "effectiveLevel", effective_level(document, now, catalogue))
    if get(document, CONNECTOR, "clearanceLevel") is not None:
        put(document, CONNECTOR, "clearanceLevel", _manual(document, now))


def effective_level(document: Document, now: int, catalogue: Catalogue) -> str | None:
    """Return the level that counts at a moment, as the policy chooses it (X-10)."""
    manual, derived = _manual(document, now), _derived(document, now, catalogue)
    choices = {"derived": [derived], "manual": [manual], "max": [manual, derived]}
    return _highest(choices[catalogue.policies.clearance])


def _derived(document: Document, now: int, catalogue: Catalogue) -> str | None:
    entries = valid_entries(document, ROLES, catalogue, now)
    return _highest(entry.fact("clearanceLevel") for _, entry in entries)


def _manual(document: Document, now: int) -> str | None:
    content = document.get(CLEARANCE, {})
    return content.get("level") if is_valid(content, now) else None


def _highest(levels: Iterable[str | None]) -> str | None:
    known = [level for level in levels if level in LEVELS]
    return max(known, key=LEVELS.index, default=None)


def _moments(document: Document) -> Iterable[int]:
    ends = moment(get(document, CLEARANCE, "validTo"))
    return () if ends is None else (ends,)


def _derived_only(change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-CLEAR: where clearance follows from the roles, nobody sets it by hand (X-10)."""
    by_hand = change.differs(CLEARANCE, "level") and get(change.new, CLEARANCE, "level") is not None
    if context.policies.clearance == "derived" and by_hand:
        yield Verdict(message("R-CLEAR"), f"{CLEARANCE}:level")


def _own(change: Change, _context: RuleContext) -> Iterable[Verdict]:
    """R-SELF: nobody changes his own clearance."""
    by_hand = any(change.differs(CLEARANCE, name) for name in ("level", "validTo"))
    if change.actor.user_id == change.id and by_hand:
        yield Verdict(message("R-SELF.escalate", what="a clearance"), f"{CLEARANCE}:level")


extension = Extension(
    "clearance",
    rules=(
        Rule(
            "R-CLEAR",
            _derived_only,
            modes("record", "record", "enforce", "enforce"),
            requirements=("CLR-02",),
        ),
        Rule("R-CLEAR-SELF", _own, modes("record", "record", "enforce", "enforce"), error="forbidden"),
    ),
    derivations=(
        Derivation(
            _derive,
            attributes=(
                f"{CLEARANCE.lower()}:derivedlevel",
                f"{CLEARANCE.lower()}:effectivelevel",
                f"{CONNECTOR.lower()}:clearancelevel",
            ),
            moments=_moments,
        ),
    ),
    mirrors=(copied("clearance", "clearanceLevel", (CLEARANCE, "level")),),
)
