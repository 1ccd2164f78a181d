"""Whoever does what in whatever order: the status is what the document of the life cycle says.

The model below was written from that document alone; it knows nothing of the tables of the product.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from scim_server.lifecycle.dates import text_of
from scim_server.lifecycle.documents import Document, get
from scim_server.lifecycle.engine import Draft
from scim_server.lifecycle.state import facts_of, keep_facts
from scim_server.lifecycle.status import Lock, Planned
from scim_server.lifecycle.urns import LIFECYCLE
from tests.lifecycle.samples import (
    ADMIN,
    ENGINE,
    HOUR,
    HRIS,
    IDP,
    IMPORT,
    NOW,
    ORGANISATION,
    READY,
    SECURITY,
    activity,
    changed,
    created,
    lifecycle,
    nothing,
    ruled,
)

ACTORS = {"idp": IDP, "hris": HRIS, "import": IMPORT, "admin": ADMIN, "security": SECURITY}
PEOPLE = {"admin", "security"}
CONNECTORS = {"idp", "hris"}


@dataclass
class Model:
    """A user as the document describes it; holds are ends by source and kind, times are hours."""

    base: str = "active"
    holds: dict[tuple[str, str], int | None] = field(default_factory=dict)
    starts: int | None = None
    ends: int | None = None
    lock: tuple[int, int | None] | None = None
    plans: list[tuple[int, str, str, str]] = field(default_factory=list)
    now: int = 0

    def holding(self) -> set[tuple[str, str]]:
        """Name the holds that have not ended."""
        return {name for name, until in self.holds.items() if until is None or self.now < until}

    def administrative(self) -> str:
        """Return the status without validity and lock."""
        kinds = {kind for _, kind in self.holding()}
        return "suspended" if "suspension" in kinds else "inactive" if kinds else self.base

    def is_locked(self) -> bool:
        """Tell whether the lock has not ended."""
        return self.lock is not None and (self.lock[1] is None or self.now < self.lock[1])

    def effective(self) -> str:
        """Return the first of the list that applies."""
        status = self.administrative()
        applies = {
            "suspended": status == "suspended",
            "inactive": status == "inactive",
            "expired": self.ends is not None and self.ends <= self.now,
            "pending": status == "pending",
            "scheduled": self.starts is not None and self.starts > self.now,
            "locked": self.is_locked(),
        }
        return next((name for name, is_so in applies.items() if is_so), "active")

    def pass_time(self, hours: int) -> None:
        """Carry out the plans on the way, each at its hour."""
        end = self.now + hours
        for plan in sorted(self.plans):
            at, _, kind, source = plan
            if at <= end:
                self.now = at
                self.plans.remove(plan)
                if kind == "activate":
                    self.lift({source}, "active")
                else:
                    self.holds[source, "suspension" if kind == "suspend" else "deprovisioned"] = None
        self.now = end

    def lift(self, sources: Iterable[str], base: str) -> None:
        """Take away the holds of these sources; administrators also take those of providers and systems."""
        acting = set(sources)
        lifted = acting | ({"idp", "import", "app", "system"} if "admin" in acting else set())
        kept = {name for name in self.holding() if name[0] not in lifted}
        self.holds = {name: until for name, until in self.holds.items() if name in kept}
        self.base = base

    def wish(self, who: str, wanted: str, kind: str, until: int | None, sources: list[str]) -> bool:
        """Do what somebody wants; False where it is refused."""
        before, own = self.effective(), (sources[0], "suspension" if wanted == "suspended" else kind)
        if wanted in {"active", "pending"}:
            return self._let_in(who, wanted, before, sources)
        if wanted == "suspended" and before == "pending":
            return who in CONNECTORS
        if wanted == "inactive" and before == "pending" and who == "import":
            return False
        if wanted == "inactive" and before == "suspended" and who in PEOPLE:
            return own in self.holding() and self.holds[own] == until
        self.holds[own] = until
        return True

    def _let_in(self, who: str, wanted: str, before: str, sources: list[str]) -> bool:
        if wanted == "pending":
            if before != "inactive":
                return (before in {"pending", "expired"} and self.base == "pending") or who in CONNECTORS
            if who not in {"admin", "security", "hris"}:
                return who in CONNECTORS
        elif before not in {"pending", "inactive", "suspended"}:
            return self.base == "active" or who in CONNECTORS
        trial = replace(self, holds=dict(self.holds))
        trial.lift(sources, wanted)
        is_reinstated = before == "suspended" and trial.administrative() != "suspended"
        if trial.holding() and who not in CONNECTORS and not is_reinstated:
            return False
        self.base, self.holds = trial.base, trial.holds
        return True


HOURS = st.integers(1, 60)
OFFSETS = st.none() | st.integers(-5, 60)
KINDS = {"other": "deprovisioned", "leaveOfAbsence": "leave", "voluntaryTermination": "termination"}


class Lives(RuleBasedStateMachine):
    """One user, the product and the model, step by step."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.stored: Document = {}
        self.count = 0

    @property
    def now(self) -> int:
        """The moment in microseconds."""
        return NOW + self.model.now * HOUR

    @initialize(who=st.sampled_from(["idp", "hris", "import", "admin"]), active=st.none() | st.booleans())
    def begin(self, who: str, *, active: bool | None) -> None:
        """Create the user."""
        document = dict(READY) if active is None else {**READY, "active": active}
        self.stored = created(document, ACTORS[who]).after
        if active is False:
            self.model.holds[who, "deprovisioned"] = None
        elif active is None and who == "import":
            self.model.base = "pending"

    @rule(who=st.sampled_from(["idp", "hris", "import"]), active=st.booleans())
    def synchronise(self, who: str, *, active: bool) -> None:
        """Let a system say whether the user is active."""
        draft = self._changed(activity(active), who, states_active=True)
        is_active = self.model.effective() in {"active", "locked"}
        if active != is_active or (not active and who in CONNECTORS):
            kind = "termination" if who == "hris" else "deprovisioned"
            self._agree(
                draft, is_done=self.model.wish(who, "active" if active else "inactive", kind, None, [who])
            )

    @rule(
        who=st.sampled_from(["admin", "security"]),
        wanted=st.sampled_from(["active", "inactive", "suspended", "pending"]),
        reason=st.sampled_from([*KINDS, "securityIncident"]),
        until=st.none() | HOURS,
    )
    def decide(self, who: str, wanted: str, reason: str, until: int | None) -> None:
        """Let a person want another status."""
        kind, ends = KINDS.get(reason, "deprovisioned"), None if until is None else self.model.now + until
        sources = ["admin", "security"] if who == "security" else ["admin"]
        if who == "security" and (wanted, reason) == ("suspended", "securityIncident"):
            sources.reverse()
        text = None if ends is None else text_of(NOW + ends * HOUR)
        draft = self._changed(nothing, who, wants=wanted, reason=reason, until=text)
        self._agree(draft, is_done=self.model.wish(who, wanted, kind, ends, sources))

    @rule(who=st.sampled_from(["idp", "hris"]), wanted=st.sampled_from(["suspended", "pending"]))
    def wish_otherwise(self, who: str, wanted: str) -> None:
        """Let a connector want a status that `active` has no word for."""
        draft = self._changed(nothing, who, wants=wanted)
        self._agree(draft, is_done=self.model.wish(who, wanted, "deprovisioned", None, [who]))

    @rule(hours=st.none() | HOURS)
    def fail_to_log_in(self, hours: int | None) -> None:
        """Lock the user as the login system does."""
        until = None if hours is None else self.model.now + hours
        self.model.lock = (self.model.now, until)
        facts = facts_of(self._seen())
        self._keep_facts(Lock(self.now, None if until is None else NOW + until * HOUR), facts.planned)

    @rule(who=st.sampled_from(list(ACTORS)))
    def unlock(self, who: str) -> None:
        """Take the lock off."""
        draft = self._changed(lifecycle(lockout={"locked": False}), who)
        is_permitted = who in PEOPLE
        if not self.model.is_locked():
            self.stored = draft.after if draft.judgement.error() is None else self.stored
            return
        if is_permitted:
            self.model.lock = None
        self._agree(draft, is_done=is_permitted or who in CONNECTORS)

    @rule(starts=OFFSETS, ends=OFFSETS)
    def limit(self, starts: int | None, ends: int | None) -> None:
        """Let a person say from when until when the user is valid."""
        span = [None if offset is None else self.model.now + offset for offset in (starts, ends)]
        texts = [None if hour is None else text_of(NOW + hour * HOUR) for hour in span]

        def work(document: Document) -> None:
            content = {**document[LIFECYCLE], "validFrom": texts[0], "validTo": texts[1]}
            document[LIFECYCLE] = {name: value for name, value in content.items() if value is not None}

        draft = self._changed(work, "admin")
        is_good = starts is None or ends is None or starts < ends
        if is_good:
            self.model.starts, self.model.ends = span
        self._agree(draft, is_done=is_good)

    @rule(
        kind=st.sampled_from(["activate", "deactivate", "suspend"]),
        hours=HOURS,
        source=st.sampled_from(["admin", "hris", "idp"]),
    )
    def plan(self, kind: str, hours: int, source: str) -> None:
        """Plan a change of status."""
        self.count += 1
        at, name = self.model.now + hours, f"{self.count:04}"
        self.model.plans.append((at, name, kind, source))
        facts = facts_of(self._seen())
        self._keep_facts(facts.lock, (*facts.planned, Planned(name, kind, NOW + at * HOUR, source)))

    @rule(hours=HOURS)
    def wait(self, hours: int) -> None:
        """Let time pass."""
        self.model.pass_time(hours)

    @invariant()
    def agree(self) -> None:
        """Compare product and model."""
        if not self.stored:
            return
        seen = self._seen()
        found = {hold["value"] for hold in get(seen, LIFECYCLE, "holds") or ()}
        status = self.model.effective()
        assert (get(seen, LIFECYCLE, "effectiveStatus"), seen["active"], found) == (
            status,
            status in {"active", "locked"},
            {f"{source}-{kind}" for source, kind in self.model.holding()},
        )

    def _seen(self) -> Document:
        return ENGINE.view(self.stored, ORGANISATION, self.now)

    def _changed(
        self,
        work: Callable[[Document], None],
        who: str,
        *,
        states_active: bool = False,
        wants: str | None = None,
        reason: str = "other",
        until: str | None = None,
    ) -> Draft:
        return changed(
            self.stored,
            work,
            ACTORS[who],
            now=self.now,
            states_active=states_active,
            wants=wants,
            reason=None if who in CONNECTORS else reason,
            until=until,
        )

    def _agree(self, draft: Draft, *, is_done: bool) -> None:
        error = draft.judgement.error() or ruled(draft.change, ORGANISATION, self.now).error()
        assert (error is None) == is_done
        if error is None:
            self.stored = draft.after

    def _keep_facts(self, lock: Lock | None, planned: tuple[Planned, ...]) -> None:
        kept = self._seen()
        keep_facts(kept, replace(facts_of(kept), lock=lock, planned=planned))
        self.stored = ENGINE.view(kept, ORGANISATION, self.now)


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
