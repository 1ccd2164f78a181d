"""The world is told what happened to a user, and other systems are asked for what is theirs."""

import pytest

from scim_server.lifecycle.change import Change
from scim_server.lifecycle.documents import Document
from scim_server.lifecycle.engine import Draft
from scim_server.lifecycle.judgement import Judgement
from scim_server.lifecycle.news import News, news_of
from scim_server.lifecycle.state import keep_facts
from scim_server.lifecycle.status import Facts, Hold
from scim_server.lifecycle.urns import DEPARTMENT, ENTERPRISE, ROLE, SPECIAL_PERMISSION
from tests.lifecycle.samples import (
    ADMIN,
    ANN,
    DAY,
    IDP,
    NOW,
    ORGANISATION,
    READY,
    activity,
    changed,
    created,
    extension,
    granted,
    lifecycle,
    nothing,
    stored,
)

MANAGED = {**READY, ENTERPRISE: {"manager": {"value": "m1"}}}


def told(draft: Draft) -> list[News]:
    """Return what is told of a draft."""
    return news_of(draft.change, draft.judgement, ORGANISATION, NOW)


def names(draft: Draft) -> list[str]:
    """Return the names of what is told."""
    return [name for name, _ in told(draft)]


def test_a_creation_by_people_is_told_and_asks_for_an_invitation() -> None:
    found = told(created(MANAGED))
    assert ("user.created", {"userName": "ann"}) in found
    assert ("invitation.requested", {"email": "ann@example.com"}) in found
    assert ("manager.notified", {"manager": "m1"}) in found


@pytest.mark.parametrize(
    ("document", "is_invited"),
    [(ANN, True), (READY, True), ({**READY, "active": False}, False), ({**READY, "emails": []}, False)],
    ids=["pending", "active", "inactive", "no e-mail"],
)
def test_who_is_to_come_is_invited(document: Document, *, is_invited: bool) -> None:
    assert ("invitation.requested" in names(created(document))) is is_invited


def test_connectors_invite_nobody() -> None:
    assert names(created(ANN, IDP)) == ["user.created"]


@pytest.mark.parametrize(
    ("wanted", "name"), [("inactive", "user.deactivated"), ("suspended", "user.suspended")]
)
def test_taking_access_away_ends_sessions_and_tells_the_manager(wanted: str, name: str) -> None:
    draft = changed(stored(MANAGED), lifecycle(status=wanted), reason="other")
    assert told(draft) == [
        (name, {"reason": "other"}),
        ("sessions.revoked", {}),
        ("manager.notified", {"manager": "m1", "reason": "other"}),
    ]


def test_what_the_user_owns_is_asked_to_be_given_to_another() -> None:
    draft = changed(stored(READY), lifecycle(status="inactive"), reason="other", transferTo="u2")
    assert told(draft)[-1] == ("user.obligations.transfer", {"transferTo": "u2"})


@pytest.mark.parametrize("facts", [Facts("pending"), Facts(holds=(Hold("admin", "suspension", "x", 0),))])
def test_giving_access_is_told(facts: Facts) -> None:
    kept = stored(READY)
    keep_facts(kept, facts)
    draft = changed(kept, lifecycle(status="active"), reason="returned")
    assert told(draft) == [("user.activated", {"reason": "returned"})]


def test_a_wish_in_vain_is_not_told() -> None:
    kept = stored(READY)
    keep_facts(kept, Facts(holds=(Hold("security", "suspension", "x", NOW - DAY),)))
    assert names(changed(kept, activity(active=True), IDP, states_active=True)) == []


def test_a_change_of_nothing_is_not_told() -> None:
    assert names(changed(stored(READY), nothing)) == []


def test_a_change_of_roles_is_told() -> None:
    draft = changed(stored(READY), extension(ROLE, roleAssignments=[{"value": "buyer"}]))
    assert told(draft) == [("user.roles.changed", {"roles": ["buyer"]})]


@pytest.mark.proves("UPD-10")
@pytest.mark.parametrize("form", ["department", "title"])
def test_a_move_is_told(form: str) -> None:
    to = ["finance"] if form == "department" else ["sales"]

    def work(document: Document) -> None:
        if form == "title":
            document["title"] = "Chief"
        else:
            document[DEPARTMENT] = {"departments": [{"value": "finance"}]}

    assert told(changed(stored(READY), work)) == [("user.moved", {"from": ["sales"], "to": to})]


def test_a_sensitive_grant_is_told_to_security_and_a_revocation_to_the_user() -> None:
    kept = stored({**READY, **granted("crossing")})
    draft = changed(kept, extension(SPECIAL_PERMISSION, specialPermissions=[{"value": "override"}]))
    assert told(draft) == [
        ("security.notified", {"granted": "override"}),
        ("user.notified", {"revoked": "crossing"}),
    ]


def test_a_deletion_is_told_and_ends_sessions() -> None:
    change = Change("User", "u1", ADMIN, stored(READY), None)
    assert news_of(change, Judgement(), ORGANISATION, NOW) == [("user.deleted", {}), ("sessions.revoked", {})]


@pytest.mark.parametrize(
    ("rule", "effect", "is_alarming"),
    [("R-SOLE", "deferred", True), ("R-SOD", "overridden", True), ("R-NAME", "recorded", False)],
)
def test_what_needs_attention_raises_an_alarm(rule: str, effect: str, *, is_alarming: bool) -> None:
    change = changed(stored(READY), nothing).change
    judgement = Judgement()
    judgement.add(rule, effect, "Look")
    found = news_of(change, judgement, ORGANISATION, NOW)
    assert found == ([("alarm", {"rule": rule, "message": "Look"})] if is_alarming else [])
