"""A user's status is what its facts say at the moment it is looked at."""

import pytest

from scim_server.lifecycle.documents import Document, get
from scim_server.lifecycle.standing import missing
from scim_server.lifecycle.state import FACTS, UNASSIGNED, keep_facts
from scim_server.lifecycle.status import Facts, Hold, Lock, Planned
from scim_server.lifecycle.urns import CONNECTOR, DEPARTMENT, LIFECYCLE, ROLE
from tests.lifecycle.samples import (
    ANN,
    DAY,
    ENGINE,
    ENTRIES,
    HOUR,
    NOW,
    ORGANISATION,
    READY,
    catalogue,
    later,
    stored,
)


def seen(facts: Facts, document: Document | None = None) -> Document:
    """Return how a ready user with these facts looks now."""
    kept: Document = {**stored(READY), **(document or {})}
    keep_facts(kept, facts)
    return ENGINE.view(kept, ORGANISATION, NOW)


@pytest.mark.parametrize(
    ("facts", "status", "effective", "active"),
    [
        (Facts(), "active", "active", True),
        (Facts("pending"), "pending", "pending", False),
        (Facts("inactive"), "inactive", "inactive", False),
        (Facts(holds=(Hold("a", "leave", "x", 0),)), "inactive", "inactive", False),
        (Facts(holds=(Hold("a", "suspension", "x", 0),)), "suspended", "suspended", False),
        (Facts(lock=Lock(0)), "active", "locked", True),
    ],
)
@pytest.mark.proves("STA-01")
def test_active_follows_from_the_effective_status(
    facts: Facts, status: str, effective: str, *, active: bool
) -> None:
    document = seen(facts)
    found = document[LIFECYCLE]
    assert (found["status"], found["effectiveStatus"], document["active"]) == (status, effective, active)


@pytest.mark.parametrize(("active", "status"), [(True, "active"), (False, "inactive"), (None, "active")])
def test_a_document_without_facts_is_what_active_says(active: bool | None, status: str) -> None:
    document = dict(ANN) if active is None else {**ANN, "active": active}
    found = ENGINE.view(document, ORGANISATION, NOW)
    assert (found[LIFECYCLE]["effectiveStatus"], found["active"]) == (status, status == "active")
    assert FACTS not in found


def test_a_document_without_facts_has_validity() -> None:
    document = {**ANN, LIFECYCLE: {"validTo": later(0)}}
    assert ENGINE.view(document, ORGANISATION, NOW)[LIFECYCLE]["effectiveStatus"] == "expired"


def test_only_the_holds_that_hold_are_shown() -> None:
    holds = (Hold("hris", "leave", "x", 0, NOW), Hold("idp", "deprovisioned", "x", 0))
    assert [hold["value"] for hold in seen(Facts(holds=holds))[LIFECYCLE]["holds"]] == ["idp-deprovisioned"]


def test_a_user_without_holds_shows_none() -> None:
    assert "holds" not in seen(Facts())[LIFECYCLE]


def test_a_lock_shows_since_when_and_until_when() -> None:
    facts = Facts(lock=Lock(NOW, NOW + HOUR))
    assert seen(facts)[LIFECYCLE]["lockout"] == {
        "locked": True,
        "lockedAt": later(0),
        "until": later(HOUR),
    }


def test_after_a_lock_that_is_over_counting_begins_anew() -> None:
    lockout = {"locked": True, "lockedAt": later(-HOUR), "reason": "x", "failedAttempts": 5}
    document = seen(Facts(lock=Lock(NOW - HOUR, NOW)), {LIFECYCLE: {"lockout": lockout}})
    assert document[LIFECYCLE]["lockout"] == {"locked": False, "failedAttempts": 0}


def test_the_plans_to_come_are_shown() -> None:
    planned = (Planned("1", "deactivate", NOW, "hris"), Planned("2", "activate", NOW + 1, "hris"))
    found = seen(Facts(planned=planned))[LIFECYCLE]
    assert found["scheduledChanges"] == [{"value": "2", "kind": "activate", "effectiveAt": later(1)}]
    assert found["effectiveStatus"] == "inactive"


def test_a_planned_activation_asks_whether_the_user_was_ready_then() -> None:
    kept = stored(READY)
    kept[ROLE] = {"roleAssignments": [{"value": "clerk", "primary": True, "validTo": later(DAY)}]}
    keep_facts(kept, Facts("pending", planned=(Planned("1", "activate", NOW, "admin"),)))
    found = [ENGINE.view(kept, ORGANISATION, NOW + step)[LIFECYCLE] for step in (-1, 0, DAY)]
    assert [one["effectiveStatus"] for one in found] == ["pending", "active", "active"]


def test_a_planned_activation_of_one_who_was_not_ready_stays_undone() -> None:
    kept = stored(READY)
    kept[ROLE] = {"roleAssignments": [{"value": "clerk", "primary": True, "validFrom": later(DAY)}]}
    keep_facts(kept, Facts("pending", planned=(Planned("1", "activate", NOW, "admin"),)))
    assert ENGINE.view(kept, ORGANISATION, NOW + DAY)[LIFECYCLE]["effectiveStatus"] == "pending"


def test_the_flat_status_follows_where_a_connector_has_one() -> None:
    facts = Facts(holds=(Hold("a", "suspension", "x", 0),))
    assert CONNECTOR not in seen(facts)
    shown = seen(facts, {CONNECTOR: {"accountStatus": "active"}})
    assert get(shown, CONNECTOR, "accountStatus") == "suspended"


def test_active_that_nobody_states_is_not_shown() -> None:
    assert "active" not in seen(Facts(), {UNASSIGNED: True})


@pytest.mark.parametrize(
    ("document", "policies", "lacks"),
    [
        (ANN, {}, ["role", "department"]),
        (READY, {}, []),
        (READY, {"activation": {"manager": True}}, ["manager"]),
        ({**READY, "emails": []}, {"activation": {"email": True}}, ["email"]),
        (ANN, {"activation": {"role": False, "department": False}}, []),
        ({**READY, DEPARTMENT: {"departments": [{"value": "gone"}]}}, {}, ["department"]),
    ],
)
@pytest.mark.proves("STA-18")
def test_what_a_user_lacks_to_become_active_is_a_policy(
    document: Document, policies: Document, lacks: list[str]
) -> None:
    assert missing(document, catalogue(*ENTRIES, **policies), NOW) == lacks


def test_an_organisation_without_roles_and_departments_asks_for_none() -> None:
    assert missing(ANN, catalogue(), NOW) == []


def test_readiness_is_shown() -> None:
    found = ENGINE.view(dict(ANN), ORGANISATION, NOW)[LIFECYCLE]["readiness"]
    assert found == {"ready": False, "missing": ["role", "department"]}
    assert seen(Facts())[LIFECYCLE]["readiness"] == {"ready": True}
