"""Rules on the status: reasons, readiness, oneself, the last administrator, floods."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from scim_server.lifecycle.change import Actor, Change, Lookups, Obligation, RuleContext
from scim_server.lifecycle.documents import Document
from scim_server.lifecycle.engine import Draft
from scim_server.lifecycle.judgement import judge
from scim_server.lifecycle.state import keep_facts
from scim_server.lifecycle.status import Facts, Hold
from tests.lifecycle.samples import (
    ADMIN,
    ANN,
    DAY,
    ENGINE,
    ENTRIES,
    HRIS,
    IDP,
    IMPORT,
    NOW,
    ORGANISATION,
    READY,
    activity,
    catalogue,
    changed,
    later,
    lifecycle,
    ruled,
    said,
    stored,
)

OWN = replace(ADMIN, user_id="u1")


def looked_up(change: Change, rule: str, lookups: Lookups, **policies: Any) -> list[tuple[str, str]]:
    """Return what a rule says of a change with these lookups."""
    context = RuleContext(catalogue(*ENTRIES, **policies), NOW, lookups)
    return said(judge(ENGINE.rules, change, context), rule)


def deletion(actor: Actor = ADMIN) -> Change:
    """Return the deletion of a ready user."""
    return Change("User", "u1", actor, ENGINE.view(stored(READY), ORGANISATION, NOW), None)


def deactivation(actor: Actor = ADMIN, **context: Any) -> Draft:
    """Return the deactivation of a ready user."""
    return changed(stored(READY), activity(active=False), actor, states_active=True, **context)


def held(source: str) -> Document:
    """Return a stored user whom a source holds."""
    document = stored(READY)
    keep_facts(document, Facts(holds=(Hold(source, "deprovisioned", "other", NOW - DAY),)))
    return document


@pytest.mark.parametrize("wanted", ["inactive", "suspended"])
@pytest.mark.proves("STA-04")
def test_whoever_takes_access_away_says_why(wanted: str) -> None:
    draft = changed(stored(READY), lifecycle(status=wanted))
    assert said(ruled(draft.change), "R-REASON") == [("refused", "Deactivation reason is required")]
    draft = changed(stored(READY), lifecycle(status=wanted), reason="other")
    assert said(ruled(draft.change), "R-REASON") == []


@pytest.mark.parametrize("actor", [IDP, HRIS])
def test_connectors_need_not_say_why(actor: Actor) -> None:
    assert ruled(deactivation(actor).change).error() is None


def test_an_import_says_why() -> None:
    assert said(ruled(deactivation(IMPORT).change), "R-REASON")[0][0] == "refused"


def test_whoever_lifts_a_hold_says_why() -> None:
    draft = changed(held("admin"), lifecycle(status="active"))
    assert said(ruled(draft.change), "R-REASON") == [("refused", "Reactivation reason is required")]


def test_activating_who_was_pending_needs_no_reason() -> None:
    kept = stored(READY)
    keep_facts(kept, Facts("pending"))
    assert said(ruled(changed(kept, lifecycle(status="active")).change), "R-REASON") == []


@pytest.mark.parametrize(
    ("source", "actor", "found"),
    [
        ("hris", ADMIN, [("refused", "The account is held by hris, which alone can lift that")]),
        ("hris", IDP, [("corrected", "The account is held by hris, which alone can lift that")]),
        ("idp", ADMIN, []),
        ("idp", IDP, []),
    ],
)
@pytest.mark.proves("STA-21")
def test_a_hold_of_others_is_not_lifted(source: str, actor: Actor, found: list[tuple[str, str]]) -> None:
    draft = changed(held(source), activity(active=True), actor, states_active=True, reason="returned")
    assert said(ruled(draft.change), "R-HOLD") == found


@pytest.mark.parametrize(
    ("actor", "effect"), [(IDP, "recorded"), (HRIS, "recorded"), (IMPORT, "refused"), (ADMIN, "refused")]
)
@pytest.mark.proves("STA-16", "STA-18")
def test_who_becomes_active_is_ready(actor: Actor, effect: str) -> None:
    kept = stored(ANN)
    draft = changed(kept, activity(active=True), actor, states_active=True, reason="returned")
    assert said(ruled(draft.change), "R-READY") == [
        (effect, "Please select a role for this user"),
        (effect, "Please select a department for this user"),
    ]


def test_who_is_active_may_stay_so_without_being_ready() -> None:
    draft = changed(stored(ANN, IDP), lambda document: document.update(nickName="A"))
    assert said(ruled(draft.change), "R-READY") == []


@pytest.mark.proves("DEL-09")
def test_nobody_deletes_himself() -> None:
    assert said(ruled(deletion(OWN)), "R-SELF") == [("refused", "You cannot delete your own account")]
    assert said(ruled(deletion(replace(ADMIN, user_id="u2"))), "R-SELF") == []


@pytest.mark.parametrize(
    "work",
    [activity(active=False), lifecycle(status="suspended"), lifecycle(validTo=later(0))],
    ids=["active", "status", "validTo"],
)
def test_nobody_shuts_himself_out(work: Callable[[Document], None]) -> None:
    draft = changed(stored(READY), work, OWN, states_active=True, reason="other")
    assert said(ruled(draft.change), "R-SELF") == [("refused", "You cannot deactivate your own account")]


@pytest.mark.parametrize(
    ("actor", "effect"), [(ADMIN, "refused"), (IMPORT, "refused"), (IDP, "deferred"), (HRIS, "deferred")]
)
def test_the_last_administrator_stays_where_people_ask(actor: Actor, effect: str) -> None:
    message = "The last administrator cannot be deactivated or deleted"
    lookups = Lookups(is_last_administrator=True)
    assert looked_up(deletion(actor), "R-LASTADMIN", lookups) == [(effect, message)]
    assert looked_up(deletion(actor), "R-LASTADMIN", Lookups()) == []


@pytest.mark.proves("ROL-17")
@pytest.mark.parametrize(("actor", "effect"), [(ADMIN, "refused"), (IDP, "deferred")])
def test_the_only_holder_of_a_role_stays_where_people_ask(actor: Actor, effect: str) -> None:
    lookups = Lookups(sole_roles=frozenset({"Payroll", "Keys"}))
    assert looked_up(deactivation(actor).change, "R-SOLE", lookups) == [
        (effect, "Keys is held by nobody else; assign it to somebody first"),
        (effect, "Payroll is held by nobody else; assign it to somebody first"),
    ]


@pytest.mark.parametrize(
    ("actor", "effect"), [(ADMIN, "refused"), (IMPORT, "refused"), (IDP, "deferred"), (HRIS, "deferred")]
)
@pytest.mark.proves("DEL-02")
def test_open_obligations_keep_a_user_from_being_deleted_by_people(actor: Actor, effect: str) -> None:
    lookups = Lookups(obligations=(Obligation("o1", "approval", "PR 7", frozenset({"delete"})),))
    message = "Cannot delete user with active transactions. Deactivate instead."
    assert looked_up(deletion(actor), "R-OBLIG", lookups) == [(effect, message)]


def test_obligations_that_block_nothing_stand_in_nobodys_way() -> None:
    lookups = Lookups(obligations=(Obligation("o1", "note", "x", frozenset()),))
    assert looked_up(deletion(), "R-OBLIG", lookups) == []


def test_obligations_do_not_stand_in_the_way_of_deactivation() -> None:
    lookups = Lookups(obligations=(Obligation("o1", "approval", "PR 7", frozenset({"delete"})),))
    assert looked_up(deactivation().change, "R-OBLIG", lookups) == []


TOO_MANY = "Too many {} in a short time; an administrator was told. Try again later."


@pytest.mark.parametrize(("actor", "effect"), [(IDP, "refused"), (HRIS, "refused"), (IMPORT, "refused")])
@pytest.mark.parametrize(("recent", "is_much"), [(2, False), (3, True), (4, True)])
def test_mass_deletion_is_stopped(actor: Actor, effect: str, recent: int, *, is_much: bool) -> None:
    found = looked_up(
        deletion(actor), "R-BURST-DELETE", Lookups(recent={"deletions": recent}), burst={"deletions": 3}
    )
    assert found == ([(effect, TOO_MANY.format("deletions"))] if is_much else [])


def test_mass_deletion_is_answered_with_try_later() -> None:
    context = RuleContext(catalogue(*ENTRIES, burst={"deletions": 1}), NOW, Lookups(recent={"deletions": 1}))
    error = judge(ENGINE.rules, deletion(IDP), context).error()
    assert error is not None
    assert error.status == 429


def test_after_mass_deletion_everything_else_goes_on() -> None:
    lookups, burst = (
        Lookups(recent={"deletions": 9, "deactivations": 9}),
        {"deletions": 3, "deactivations": 3},
    )
    change = changed(stored(READY), lambda document: document.update(nickName="A"), IDP).change
    found = [looked_up(change, f"R-BURST-{what}", lookups, burst=burst) for what in ("DELETE", "DEACTIVATE")]
    assert found == [[], []]


@pytest.mark.parametrize("actor", [IDP, HRIS, IMPORT])
def test_mass_deactivation_happens_with_an_alarm(actor: Actor) -> None:
    found = looked_up(
        deactivation(actor, reason="other").change,
        "R-BURST-DEACTIVATE",
        Lookups(recent={"deactivations": 3}),
        burst={"deactivations": 3},
    )
    assert found == [("deferred", TOO_MANY.format("deactivations"))]
