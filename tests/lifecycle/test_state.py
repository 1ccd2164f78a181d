"""The facts of a user survive the way through the document."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.lifecycle.documents import Document
from scim_server.lifecycle.state import FACTS, facts_of, keep_facts, moment, set_fact, shown_hold
from scim_server.lifecycle.status import ACTIVE, INACTIVE, PENDING, Facts, Hold, Lock, Planned
from scim_server.lifecycle.urns import LIFECYCLE
from tests.lifecycle.samples import DAY, NOW, later

MOMENTS = st.integers(0, 4 * NOW)
ENDS = st.none() | MOMENTS
NAMES = st.sampled_from(["admin", "idp", "hris"])
HOLDS = st.builds(Hold, NAMES, st.sampled_from(["leave", "suspension"]), st.text(), MOMENTS, ENDS)
PLANS = st.builds(Planned, st.text(), st.sampled_from(["activate", "suspend"]), MOMENTS, NAMES, st.text())
FACTS_ALONE = st.builds(
    Facts,
    st.sampled_from([PENDING, ACTIVE, INACTIVE]),
    st.lists(HOLDS, max_size=3).map(tuple),
    st.none(),
    st.none(),
    st.none() | st.builds(Lock, MOMENTS, ENDS),
    st.lists(PLANS, max_size=3).map(tuple),
)


@given(FACTS_ALONE)
def test_facts_survive_the_way_through_a_document(facts: Facts) -> None:
    document: Document = {}
    keep_facts(document, facts)
    assert facts_of(document) == facts


def test_validity_is_read_where_clients_write_it() -> None:
    document = {LIFECYCLE: {"validFrom": later(0), "validTo": later(DAY)}}
    assert facts_of(document) == Facts(valid_from=NOW, valid_to=NOW + DAY)


def test_keeping_facts_leaves_validity_to_the_clients() -> None:
    document: Document = {}
    keep_facts(document, Facts(valid_from=NOW))
    assert document == {FACTS: {"status": "active"}}


@pytest.mark.parametrize(
    ("document", "status"), [({}, ACTIVE), ({"active": True}, ACTIVE), ({"active": False}, INACTIVE)]
)
def test_a_document_without_facts_is_what_active_says(document: Document, status: str) -> None:
    assert facts_of(document) == Facts(status)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-11-21T12:00:00Z", NOW),
        ("2026-11-21T12:00:00.000001Z", NOW + 1),
        ("2026-11-21T13:00:00+01:00", NOW),
        (None, None),
        (7, None),
    ],
)
def test_a_date_time_is_read_to_the_microsecond(text: object, found: int | None) -> None:
    assert moment(text) == found


def test_a_hold_is_shown_with_its_times_and_who_may_lift_it() -> None:
    assert shown_hold(Hold("idp", "leave", "leaveOfAbsence", NOW, NOW + DAY)) == {
        "value": "idp-leave",
        "source": "idp",
        "kind": "leave",
        "reason": "leaveOfAbsence",
        "since": later(0),
        "until": later(DAY),
        "liftableBy": ["idp", "admin"],
    }


def test_a_hold_without_an_end_shows_none() -> None:
    assert "until" not in shown_hold(Hold("idp", "leave", "x", NOW))


def test_setting_a_fact_keeps_the_others_and_none_removes_one() -> None:
    document = {LIFECYCLE: {"lockout": {"locked": True, "reason": "x", "failedAttempts": 5}}}
    set_fact(document, "lockout", locked=False, reason=None)
    assert document == {LIFECYCLE: {"lockout": {"locked": False, "failedAttempts": 5}}}


def test_a_fact_without_values_leaves_no_empty_extension() -> None:
    document = {LIFECYCLE: {"lockout": {"locked": True}}}
    set_fact(document, "lockout", locked=None)
    assert document == {}
