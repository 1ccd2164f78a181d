"""The status machine makes the transitions of its table and no others."""

import itertools

import pytest

from scim_server.lifecycle.status import (
    ACTIVE,
    EXPIRED,
    INACTIVE,
    LOCKED,
    PENDING,
    SCHEDULED,
    SUSPENDED,
    Decision,
    Facts,
    Hold,
    Lock,
    Planned,
    Wish,
    administrative,
    decide,
    effective,
    facts_at,
    held,
    kind_of,
    lifted,
)
from tests.lifecycle.samples import DAY, HOUR, NOW

STATES = {
    PENDING: Facts(PENDING),
    ACTIVE: Facts(),
    INACTIVE: Facts(holds=(Hold("idp", "deprovisioned", "idpDeprovisioned", NOW - DAY),)),
    SUSPENDED: Facts(holds=(Hold("admin", "suspension", "other", NOW - DAY),)),
    SCHEDULED: Facts(valid_from=NOW + DAY),
    EXPIRED: Facts(valid_to=NOW),
    LOCKED: Facts(lock=Lock(NOW - HOUR)),
}
SOURCES = ("admin", "security", "idp", "hris", "import", "app", "system")
WISHES = (ACTIVE, PENDING, INACTIVE, SUSPENDED)
ALLOWED = [
    (PENDING, ACTIVE, "activate", SOURCES),
    (PENDING, INACTIVE, "cancel", ("admin", "security", "hris", "idp", "system")),
    (SCHEDULED, INACTIVE, "cancel", SOURCES),
    (SCHEDULED, SUSPENDED, "suspend", SOURCES),
    (ACTIVE, INACTIVE, "deactivate", SOURCES),
    (ACTIVE, SUSPENDED, "suspend", SOURCES),
    (LOCKED, INACTIVE, "deactivate", SOURCES),
    (LOCKED, SUSPENDED, "suspend", SOURCES),
    (EXPIRED, INACTIVE, "deactivate", SOURCES),
    (EXPIRED, SUSPENDED, "suspend", SOURCES),
    (INACTIVE, ACTIVE, "reactivate", SOURCES),
    (INACTIVE, SUSPENDED, "suspend", SOURCES),
    (INACTIVE, PENDING, "reonboard", ("admin", "security", "hris", "system")),
    (SUSPENDED, ACTIVE, "reinstate", SOURCES),
]
SAME = {
    (PENDING, PENDING),
    (ACTIVE, ACTIVE),
    (SCHEDULED, ACTIVE),
    (EXPIRED, ACTIVE),
    (LOCKED, ACTIVE),
    (INACTIVE, INACTIVE),
    (SUSPENDED, SUSPENDED),
    (SUSPENDED, INACTIVE),
}
LISTED = {(before, after) for before, after, _, _ in ALLOWED} | SAME


@pytest.mark.parametrize("state", STATES)
def test_the_facts_make_the_effective_status(state: str) -> None:
    assert effective(STATES[state], NOW) == state


@pytest.mark.parametrize(
    ("before", "after", "trigger", "source"),
    [(before, after, trigger, one) for before, after, trigger, sources in ALLOWED for one in sources],
)
def test_a_transition_of_the_table_is_made(before: str, after: str, trigger: str, source: str) -> None:
    decision = decide(STATES[before], Wish(after, (source,)), NOW)
    assert (decision.trigger, decision.is_allowed) == (trigger, True)


@pytest.mark.parametrize(
    ("before", "after"), [pair for pair in itertools.product(STATES, WISHES) if pair not in LISTED]
)
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.proves("STA-19")
def test_a_transition_that_the_table_does_not_have_is_refused(before: str, after: str, source: str) -> None:
    facts = STATES[before]
    assert decide(facts, Wish(after, (source,)), NOW) == Decision(facts, is_allowed=False)


@pytest.mark.parametrize("source", ["idp", "import", "app"])
def test_only_people_and_personnel_systems_onboard_again(source: str) -> None:
    assert decide(STATES[INACTIVE], Wish(PENDING, (source,)), NOW).is_allowed is False


@pytest.mark.parametrize("state", [ACTIVE, LOCKED, SCHEDULED, EXPIRED, PENDING])
def test_a_wish_for_what_is_already_so_changes_nothing(state: str) -> None:
    facts = STATES[state]
    wanted = PENDING if state == PENDING else ACTIVE
    assert decide(facts, Wish(wanted, ("admin",)), NOW) == Decision(facts)


@pytest.mark.parametrize("before", [ACTIVE, LOCKED, SCHEDULED, EXPIRED, PENDING])
def test_a_deactivation_leaves_a_hold_of_its_source(before: str) -> None:
    wish = Wish(INACTIVE, ("hris",), "voluntaryTermination", NOW + DAY)
    facts = decide(STATES[before], wish, NOW).facts
    assert facts.holds == (Hold("hris", "termination", "voluntaryTermination", NOW, NOW + DAY),)
    assert effective(facts, NOW) == INACTIVE


@pytest.mark.parametrize("before", [ACTIVE, LOCKED, SCHEDULED, EXPIRED])
def test_a_suspension_leaves_a_hold_of_that_kind(before: str) -> None:
    facts = decide(STATES[before], Wish(SUSPENDED, ("security",), "securityIncident"), NOW).facts
    assert facts.holds == (Hold("security", "suspension", "securityIncident", NOW),)
    assert effective(facts, NOW) == SUSPENDED


@pytest.mark.parametrize(
    ("holder", "kind", "lifter", "is_lifted"),
    [
        (holder, "deprovisioned", lifter, holder == lifter or (lifter == "admin" and holder not in own))
        for own in [("security", "hris")]
        for holder, lifter in itertools.product(SOURCES, SOURCES)
    ]
    + [("hris", "dormancy", "admin", True), ("security", "suspension", "admin", False)],
)
def test_a_hold_is_lifted_by_its_source_and_some_by_administrators(
    holder: str, kind: str, lifter: str, *, is_lifted: bool
) -> None:
    hold = Hold(holder, kind, "other", NOW)
    decision = decide(Facts(holds=(hold,)), Wish(ACTIVE, (lifter,)), NOW)
    assert decision.blocked_by == (() if is_lifted else (hold,))
    assert effective(decision.facts, NOW) == (
        ACTIVE if is_lifted else SUSPENDED if kind == "suspension" else INACTIVE
    )


@pytest.mark.parametrize(
    ("source", "kind", "names"),
    [
        ("security", "suspension", ["security"]),
        ("hris", "termination", ["hris"]),
        ("hris", "dormancy", ["hris", "admin"]),
        ("idp", "deprovisioned", ["idp", "admin"]),
        ("admin", "deprovisioned", ["admin"]),
    ],
)
def test_a_hold_says_who_may_lift_it(source: str, kind: str, names: list[str]) -> None:
    assert Hold(source, kind, "other", NOW).liftable_by == names


def test_who_acts_for_security_too_lifts_both_kinds_of_hold() -> None:
    facts = Facts(holds=(Hold("security", "suspension", "x", NOW), Hold("admin", "leave", "x", NOW)))
    assert decide(facts, Wish(ACTIVE, ("admin", "security")), NOW).facts == Facts()


def test_the_holds_of_others_keep_a_user_out_when_one_is_lifted() -> None:
    own, other = Hold("idp", "deprovisioned", "x", NOW), Hold("hris", "leave", "x", NOW)
    decision = decide(Facts(holds=(own, other)), Wish(ACTIVE, ("idp",)), NOW)
    assert decision == Decision(Facts(holds=(other,)), "reactivate", (other,))


def test_a_deactivation_of_an_inactive_user_adds_a_hold_of_its_own_source() -> None:
    decision = decide(STATES[INACTIVE], Wish(INACTIVE, ("hris",), "hrisTerminated"), NOW)
    assert [hold.id for hold in decision.facts.holds] == ["idp-deprovisioned", "hris-termination"]
    assert decision.trigger == "hold"


def test_the_same_hold_once_more_changes_nothing() -> None:
    facts = STATES[INACTIVE]
    assert decide(facts, Wish(INACTIVE, ("idp",), "idpDeprovisioned"), NOW) == Decision(facts)


def test_the_same_hold_with_another_end_keeps_its_beginning() -> None:
    facts = Facts(holds=(Hold("hris", "leave", "leaveOfAbsence", NOW - DAY, NOW + DAY),))
    decision = decide(facts, Wish(INACTIVE, ("hris",), "leaveOfAbsence", NOW + 9 * DAY), NOW)
    assert decision.facts.holds == (Hold("hris", "leave", "leaveOfAbsence", NOW - DAY, NOW + 9 * DAY),)


@pytest.mark.parametrize("source", ["idp", "hris", "import", "app", "system"])
def test_a_connector_deactivates_under_a_suspension(source: str) -> None:
    decision = decide(STATES[SUSPENDED], Wish(INACTIVE, (source,)), NOW)
    assert (decision.trigger, effective(decision.facts, NOW)) == ("hold", SUSPENDED)


@pytest.mark.parametrize("source", ["admin", "security"])
def test_people_do_not_take_a_suspension_for_less(source: str) -> None:
    assert decide(STATES[SUSPENDED], Wish(INACTIVE, (source,)), NOW).is_allowed is False


def test_a_suspended_user_who_is_reinstated_stays_inactive_under_other_holds() -> None:
    facts = held(STATES[SUSPENDED], Hold("hris", "termination", "x", NOW))
    assert effective(decide(facts, Wish(ACTIVE, ("admin",)), NOW).facts, NOW) == INACTIVE


@pytest.mark.proves("STA-24")
def test_a_hold_ends_when_its_time_is_over() -> None:
    facts = Facts(holds=(Hold("hris", "leave", "leaveOfAbsence", NOW, NOW + DAY),))
    assert [effective(facts, NOW + DAY - 1), effective(facts, NOW + DAY)] == [INACTIVE, ACTIVE]


def test_a_hold_that_has_ended_blocks_nobody() -> None:
    facts = Facts(INACTIVE, holds=(Hold("hris", "leave", "x", NOW - DAY, NOW),))
    assert decide(facts, Wish(ACTIVE, ("idp",)), NOW) == Decision(Facts(), "reactivate")


def test_validity_begins_and_ends_to_the_microsecond() -> None:
    facts = Facts(valid_from=NOW, valid_to=NOW + DAY)
    seen = [effective(facts, moment) for moment in (NOW - 1, NOW, NOW + DAY - 1, NOW + DAY)]
    assert seen == [SCHEDULED, ACTIVE, ACTIVE, EXPIRED]


def test_a_lock_ends_when_its_time_is_over() -> None:
    facts = Facts(lock=Lock(NOW, NOW + HOUR))
    seen = [effective(facts, moment) for moment in (NOW - 1, NOW, NOW + HOUR - 1, NOW + HOUR)]
    assert seen == [ACTIVE, LOCKED, LOCKED, ACTIVE]


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        (
            Facts(PENDING, (Hold("a", "leave", "x", 0), Hold("b", "suspension", "x", 0)), valid_to=NOW),
            SUSPENDED,
        ),
        (Facts(PENDING, (Hold("a", "leave", "x", 0),), valid_to=NOW), INACTIVE),
        (Facts(INACTIVE, valid_to=NOW), INACTIVE),
        (Facts(PENDING, valid_to=NOW), EXPIRED),
        (Facts(PENDING, valid_from=NOW + 1), PENDING),
        (Facts(valid_from=NOW + 1, lock=Lock(0)), SCHEDULED),
    ],
)
def test_the_gravest_fact_decides(facts: Facts, status: str) -> None:
    assert effective(facts, NOW) == status


def test_validity_and_locks_are_no_administrative_status() -> None:
    facts = Facts(valid_from=NOW + 2, valid_to=NOW - 2, lock=Lock(0))
    assert administrative(facts, NOW) == ACTIVE


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("leaveOfAbsence", "leave"),
        ("voluntaryTermination", "termination"),
        ("involuntaryTermination", "termination"),
        ("contractEnded", "termination"),
        ("hrisTerminated", "termination"),
        ("dormant", "dormancy"),
        ("idpDeprovisioned", "deprovisioned"),
        ("other", "deprovisioned"),
    ],
)
def test_the_reason_makes_the_kind_of_hold(reason: str, kind: str) -> None:
    assert kind_of(reason) == kind


@pytest.mark.parametrize(
    ("kind", "state", "status"),
    [
        ("deactivate", ACTIVE, INACTIVE),
        ("deactivate", PENDING, INACTIVE),
        ("suspend", ACTIVE, SUSPENDED),
        ("activate", PENDING, ACTIVE),
        ("activate", SUSPENDED, ACTIVE),
        ("activate", INACTIVE, ACTIVE),
    ],
)
@pytest.mark.proves("STA-06")
def test_a_planned_change_happens_at_its_moment(kind: str, state: str, status: str) -> None:
    facts = Facts(STATES[state].status, STATES[state].holds, planned=(Planned("1", kind, NOW, "admin"),))
    assert effective(facts_at(facts, NOW - 1), NOW - 1) == state
    assert effective(facts_at(facts, NOW), NOW) == status


def test_planned_changes_happen_in_the_order_of_their_moments() -> None:
    plans = (Planned("1", "activate", NOW + 2, "admin"), Planned("2", "deactivate", NOW + 1, "admin"))
    seen = [effective(facts_at(Facts(planned=plans), NOW + step), NOW + step) for step in range(3)]
    assert seen == [ACTIVE, INACTIVE, ACTIVE]


def test_a_planned_activation_asks_for_readiness_at_its_own_moment() -> None:
    facts = Facts(PENDING, planned=(Planned("1", "activate", NOW, "admin"),))
    became = facts_at(facts, NOW + DAY, lambda moment: moment == NOW)
    failed = facts_at(facts, NOW + DAY, lambda moment: moment != NOW)
    assert (became.status, failed.status) == (ACTIVE, PENDING)


def test_a_planned_deactivation_asks_for_nothing() -> None:
    facts = Facts(planned=(Planned("1", "deactivate", NOW, "hris"),))
    assert effective(facts_at(facts, NOW, lambda _: False), NOW) == INACTIVE


def test_a_planned_activation_lifts_no_hold_of_others() -> None:
    hold = Hold("security", "suspension", "x", 0)
    facts = Facts(holds=(hold,), planned=(Planned("1", "activate", NOW, "admin"),))
    assert facts_at(facts, NOW).holds == (hold,)


def test_lifting_forgets_the_holds_that_have_ended() -> None:
    facts = Facts(holds=(Hold("hris", "leave", "x", 0, NOW),))
    assert lifted(facts, ["app"], NOW) == Facts()


def test_the_moments_are_all_at_which_something_may_happen_by_itself() -> None:
    facts = Facts(
        holds=(Hold("a", "leave", "x", 1, 2), Hold("b", "leave", "x", 3)),
        valid_from=4,
        valid_to=5,
        lock=Lock(6, 7),
        planned=(Planned("1", "activate", 8, "a"),),
    )
    assert facts.moments() == {2, 4, 5, 7, 8}


def test_facts_without_an_end_have_no_moments() -> None:
    assert Facts(lock=Lock(1)).moments() == set()
