"""What a request says of the status becomes facts, for each kind of client."""

from typing import Any

import pytest

from scim_server.lifecycle.change import SYSTEM, Actor
from scim_server.lifecycle.documents import Document, get
from scim_server.lifecycle.engine import Draft
from scim_server.lifecycle.state import FACTS, facts_of, keep_facts, set_fact
from scim_server.lifecycle.status import Facts, Hold, Lock, Planned
from scim_server.lifecycle.transitions import sources_of
from scim_server.lifecycle.urns import CONNECTOR, LIFECYCLE, SPECIAL_PERMISSION
from tests.lifecycle.samples import (
    ADMIN,
    ANN,
    DAY,
    ENGINE,
    ENTRIES,
    HOUR,
    HRIS,
    IDP,
    IMPORT,
    NOW,
    ORGANISATION,
    READY,
    SECURITY,
    activity,
    catalogue,
    changed,
    created,
    extension,
    granted,
    later,
    lifecycle,
    nothing,
    ruled,
    said,
    stored,
    values,
)


def status(draft: Draft) -> tuple[Any, Any]:
    """Return effective status and active."""
    return get(draft.after, LIFECYCLE, "effectiveStatus"), draft.after.get("active")


def with_facts(facts: Facts) -> Document:
    """Return a stored user with these facts."""
    document = stored(READY)
    keep_facts(document, facts)
    return document


@pytest.mark.parametrize(
    ("actor", "document", "expected"),
    [
        (IDP, {**ANN, "active": True}, ("active", True)),
        (IDP, ANN, ("active", True)),
        (IDP, {**ANN, "active": False}, ("inactive", False)),
        (HRIS, ANN, ("active", True)),
        (HRIS, {**ANN, CONNECTOR: {"startDate": "2026-12-01"}}, ("scheduled", False)),
        (HRIS, {**ANN, CONNECTOR: {"endDate": "2026-11-01"}}, ("expired", False)),
        (ADMIN, ANN, ("pending", False)),
        (ADMIN, READY, ("active", True)),
        (ADMIN, {**READY, LIFECYCLE: {"status": "pending"}}, ("pending", False)),
        (ADMIN, {**ANN, "active": False}, ("inactive", False)),
        (IMPORT, READY, ("pending", False)),
        (IMPORT, {**READY, "active": True}, ("active", True)),
        (SYSTEM, ANN, ("active", True)),
        (IDP, {**ANN, CONNECTOR: {"accountStatus": "pending"}}, ("pending", False)),
    ],
)
@pytest.mark.proves("CRE-32")
def test_a_new_user_begins_as_its_source_says(
    actor: Actor, document: Document, expected: tuple[str, bool]
) -> None:
    assert status(created(document, actor)) == expected


def test_a_new_user_who_is_inactive_is_held_by_the_one_who_said_so() -> None:
    facts = facts_of(created({**ANN, "active": False}, IDP).after)
    assert facts == Facts(holds=(Hold("idp", "deprovisioned", "other", NOW),))


def test_nobody_is_created_suspended() -> None:
    draft = created({**READY, LIFECYCLE: {"status": "suspended"}})
    assert said(ruled(draft.change), "R-TRANS") == [
        ("refused", "Invalid status transition from new to suspended")
    ]


@pytest.mark.parametrize(
    ("actor", "hold"),
    [
        (IDP, Hold("idp", "deprovisioned", "idpDeprovisioned", NOW)),
        (HRIS, Hold("hris", "termination", "hrisTerminated", NOW)),
        (ADMIN, Hold("admin", "deprovisioned", "other", NOW)),
        (IMPORT, Hold("import", "deprovisioned", "other", NOW)),
    ],
)
def test_active_false_leaves_a_hold_of_the_client_with_its_usual_reason(actor: Actor, hold: Hold) -> None:
    draft = changed(stored(READY), activity(active=False), actor, states_active=True)
    assert (facts_of(draft.after).holds, status(draft)) == ((hold,), ("inactive", False))


@pytest.mark.proves("STA-05")
@pytest.mark.parametrize(
    "reason",
    [
        "voluntaryTermination",
        "involuntaryTermination",
        "leaveOfAbsence",
        "duplicateAccount",
        "securityIncident",
    ],
)
def test_the_reason_of_the_context_is_kept(reason: str) -> None:
    draft = changed(stored(READY), lifecycle(status="inactive"), reason=reason, note="see ticket")
    assert get(draft.after, LIFECYCLE, "statusReason") == {
        "code": reason,
        "note": "see ticket",
        "setBy": "console",
        "setAt": later(0),
        "source": "admin",
    }


@pytest.mark.parametrize("form", ["active", "status", "accountStatus", "wants"])
def test_every_form_of_the_wish_means_the_same(form: str) -> None:
    work = {
        "active": activity(active=False),
        "status": lifecycle(status="inactive"),
        "accountStatus": extension(CONNECTOR, accountStatus="inactive"),
        "wants": nothing,
    }[form]
    wants = "inactive" if form == "wants" else None
    draft = changed(stored(READY), work, states_active=form == "active", wants=wants, reason="other")
    assert draft.transition is not None
    assert (draft.transition.before, draft.transition.decision.trigger) == ("active", "deactivate")
    assert status(draft) == ("inactive", False)


def test_a_hold_lasts_until_the_context_says() -> None:
    draft = changed(
        stored(READY), lifecycle(status="inactive"), HRIS, reason="leaveOfAbsence", until=later(9 * DAY)
    )
    assert facts_of(draft.after).holds == (Hold("hris", "leave", "leaveOfAbsence", NOW, NOW + 9 * DAY),)
    assert (
        get(ENGINE.view(draft.after, ORGANISATION, NOW + 9 * DAY), LIFECYCLE, "effectiveStatus") == "active"
    )


def test_an_end_that_has_passed_ends_nothing() -> None:
    draft = changed(stored(READY), lifecycle(status="inactive"), until=later(0))
    assert facts_of(draft.after).holds[0].until is None


@pytest.mark.parametrize("wanted", ["inactive", "suspended"])
def test_taking_access_away_revokes_sessions_and_tokens(wanted: str) -> None:
    draft = changed(stored(READY), lifecycle(status=wanted), reason="other")
    revoked = [get(draft.after, LIFECYCLE, f"{name}RevokedAt") for name in ("sessions", "tokens")]
    assert revoked == [later(0), later(0)]


def test_a_suspension_for_an_incident_is_held_by_security() -> None:
    draft = changed(stored(READY), lifecycle(status="suspended"), SECURITY, reason="securityIncident")
    assert [hold.id for hold in facts_of(draft.after).holds] == ["security-suspension"]


@pytest.mark.parametrize(
    ("actor", "reason", "wanted", "sources"),
    [
        (ADMIN, "securityIncident", "suspended", ("admin",)),
        (SECURITY, "securityIncident", "suspended", ("security", "admin")),
        (SECURITY, "securityIncident", "inactive", ("admin", "security")),
        (SECURITY, "other", "suspended", ("admin", "security")),
        (IDP, "other", "active", ("idp",)),
        (SYSTEM, "other", "active", ("system",)),
    ],
)
def test_a_client_acts_for_the_sources_of_its_permissions(
    actor: Actor, reason: str, wanted: str, sources: tuple[str, ...]
) -> None:
    assert sources_of(actor, reason, wanted) == sources


@pytest.mark.parametrize(("policy", "effect"), [("accept", "corrected"), ("reject", "refused")])
def test_a_connector_cannot_lift_what_security_holds(policy: str, effect: str) -> None:
    kept = with_facts(Facts(holds=(Hold("security", "suspension", "x", NOW - DAY),)))
    draft = changed(kept, activity(active=True), IDP, states_active=True)
    assert status(draft) == ("suspended", False)
    world = catalogue(*ENTRIES, on_blocked_reactivation=policy)
    message = "The account is held by security, which alone can lift that"
    assert said(ruled(draft.change, world), "R-HOLD") == [(effect, message)]


def test_a_connector_lifts_its_own_hold_only() -> None:
    own, other = Hold("idp", "deprovisioned", "x", NOW - DAY), Hold("hris", "leave", "x", NOW - DAY)
    draft = changed(with_facts(Facts(holds=(own, other))), activity(active=True), IDP, states_active=True)
    assert (facts_of(draft.after).holds, status(draft)) == ((other,), ("inactive", False))


def test_a_connector_that_says_once_more_that_a_user_is_inactive_holds_it_too() -> None:
    kept = with_facts(Facts(holds=(Hold("hris", "leave", "x", NOW - DAY, NOW + DAY),)))
    draft = changed(kept, activity(active=False), IDP, states_active=True)
    assert [hold.source for hold in facts_of(draft.after).holds] == ["hris", "idp"]


@pytest.mark.parametrize(("actor", "states"), [(ADMIN, True), (IDP, False)])
def test_others_who_leave_a_user_inactive_hold_nothing(actor: Actor, *, states: bool) -> None:
    kept = with_facts(Facts(holds=(Hold("hris", "leave", "x", NOW - DAY),)))
    assert changed(kept, activity(active=False), actor, states_active=states).transition is None


def test_special_permissions_do_not_come_back_with_a_reactivation() -> None:
    kept = stored({**READY, **granted("crossing")})
    left = changed(kept, lifecycle(status="inactive"), reason="other").after
    back = changed(left, lifecycle(status="active"), reason="other")
    assert (status(back), SPECIAL_PERMISSION in left, SPECIAL_PERMISSION in back.after) == (
        ("active", True),
        True,
        False,
    )


def test_special_permissions_that_come_with_the_reactivation_stay() -> None:
    left = changed(stored({**READY, **granted("crossing")}), lifecycle(status="inactive"), reason="x").after

    def work(document: Document) -> None:
        lifecycle(status="active")(document)
        document |= granted("crossing", "override")

    back = changed(left, work, reason="other").after
    assert values(back[SPECIAL_PERMISSION]["specialPermissions"]) == ["override"]


@pytest.mark.parametrize("path", ["suspended", "pending"])
def test_special_permissions_survive_everything_but_a_reactivation(path: str) -> None:
    kept = stored({**READY, **granted("crossing")})
    if path == "pending":
        keep_facts(kept, Facts("pending"))
    else:
        kept = changed(kept, lifecycle(status="suspended"), reason="other").after
    back = changed(kept, lifecycle(status="active"), reason="other")
    assert (status(back), SPECIAL_PERMISSION in back.after) == (("active", True), True)


def test_an_invalid_transition_leaves_the_facts() -> None:
    draft = changed(stored(READY), lifecycle(status="pending"))
    assert (facts_of(draft.after), status(draft)) == (Facts(), ("active", True))
    message = "Invalid status transition from active to pending"
    assert said(ruled(draft.change), "R-TRANS") == [("refused", message)]


@pytest.mark.parametrize("actor", [IDP, HRIS])
def test_an_invalid_transition_of_a_connector_is_passed_over(actor: Actor) -> None:
    draft = changed(stored(READY), extension(CONNECTOR, accountStatus="pending"), actor)
    assert [effect for effect, _ in said(ruled(draft.change), "R-TRANS")] == ["corrected"]
    assert get(draft.after, CONNECTOR, "accountStatus") == "active"


def locked() -> Document:
    """Return a stored user that five failed logins locked."""
    document = with_facts(Facts(lock=Lock(NOW - HOUR, NOW + HOUR)))
    set_fact(document, "lockout", failedAttempts=5)
    return ENGINE.view(document, ORGANISATION, NOW - HOUR)


def test_unlocking_lifts_the_lock_and_counts_anew() -> None:
    draft = changed(locked(), lifecycle(lockout={"locked": False}))
    assert (facts_of(draft.after).lock, get(draft.after, LIFECYCLE, "lockout")) == (
        None,
        {"locked": False, "failedAttempts": 0},
    )
    assert status(draft) == ("active", True)


@pytest.mark.parametrize("actor", [IDP, HRIS, IMPORT])
def test_others_do_not_unlock(actor: Actor) -> None:
    draft = changed(locked(), lifecycle(lockout={"locked": False}), actor)
    assert status(draft) == ("locked", True)


@pytest.mark.parametrize("document", [stored(READY), locked()])
def test_nobody_locks_by_writing(document: Document) -> None:
    draft = changed(document, lifecycle(lockout={"locked": True}))
    effects = [(one.rule, one.effect, one.error) for one in draft.judgement.findings]
    is_locked = get(document, LIFECYCLE, "lockout") is not None
    assert effects == ([] if is_locked else [("R-LOCK", "refused", "mutability")])


def test_what_only_the_server_writes_stays() -> None:
    kept = stored(READY)
    kept[LIFECYCLE] = {**kept[LIFECYCLE], "login": {"lastLoginAt": later(-DAY)}}
    draft = changed(kept, lifecycle(login={"lastLoginAt": later(0)}, statusReason={"code": "x"}))
    assert get(draft.after, LIFECYCLE, "login") == {"lastLoginAt": later(-DAY)}
    assert get(draft.after, LIFECYCLE, "statusReason") is None


def test_a_status_that_is_not_repeated_stays() -> None:
    def work(document: Document) -> None:
        document.pop(LIFECYCLE)

    draft = changed(stored(READY), work)
    assert (draft.transition, status(draft)) == (None, ("active", True))


def test_active_that_was_removed_is_not_shown_until_somebody_states_it() -> None:
    def work(document: Document) -> None:
        document.pop("active")

    removed = changed(stored(READY), work, IDP).after
    again = changed(removed, activity(active=True), IDP, states_active=True).after
    assert ("active" in removed, again["active"]) == (False, True)


def test_plans_that_are_due_become_facts_at_the_next_change() -> None:
    due, coming = Planned("1", "deactivate", NOW - 1, "hris"), Planned("2", "activate", NOW + 1, "hris")
    kept = with_facts(Facts(planned=(due, coming)))
    draft = changed(kept, extension(CONNECTOR, bio="x"))
    assert facts_of(draft.after) == Facts(
        holds=(Hold("hris", "deprovisioned", "other", NOW - 1),), planned=(coming,)
    )


def test_validity_that_a_client_sets_decides_at_once() -> None:
    draft = changed(stored(READY), lifecycle(validTo=later(0)), HRIS)
    assert status(draft) == ("expired", False)
    back = changed(draft.after, lambda document: document[LIFECYCLE].pop("validTo"), HRIS)
    assert status(back) == ("active", True)


def test_the_facts_stay_out_of_sight_of_the_comparison() -> None:
    assert FACTS in stored(READY)
    assert changed(stored(READY), nothing).after == stored(READY)
