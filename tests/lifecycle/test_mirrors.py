"""Dates, employee number and business unit are one fact in two forms."""

from typing import Any

import pytest

from scim_server.lifecycle.documents import Document, get
from scim_server.lifecycle.mirrors import flat_moment, zone_of
from scim_server.lifecycle.state import moment
from scim_server.lifecycle.urns import CONNECTOR, ENTERPRISE, LIFECYCLE, LOCATION
from tests.lifecycle.samples import (
    ADMIN,
    ANN,
    ENTRIES,
    HRIS,
    ORGANISATION,
    catalogue,
    changed,
    created,
    extension,
    stored,
)


def dated(zone: str | None = None, **dates: Any) -> Document:
    """Return a user with flat dates."""
    return {**ANN, CONNECTOR: dates, **({} if zone is None else {"timezone": zone})}


@pytest.mark.parametrize(
    ("document", "zone"),
    [
        ({"timezone": "Asia/Tokyo", LOCATION: {"locations": [{"value": "vienna"}]}}, "Asia/Tokyo"),
        ({LOCATION: {"locations": [{"value": "vienna"}]}}, "Europe/Vienna"),
        (
            {LOCATION: {"locations": [{"value": "vienna"}, {"value": "auckland", "primary": True}]}},
            "Pacific/Auckland",
        ),
        ({LOCATION: {"locations": [{"value": "gone"}, {"value": "vienna"}]}}, "Europe/Vienna"),
        ({}, "Africa/Cairo"),
        ({"timezone": "Mars/Base"}, "Africa/Cairo"),
    ],
    ids=["own", "location", "primary location", "known location", "organisation", "unknown"],
)
def test_dates_are_read_where_the_user_is(document: Document, zone: str) -> None:
    assert zone_of(document, catalogue(*ENTRIES, timezone="Africa/Cairo")) == zone


@pytest.mark.parametrize(
    ("zone", "dates", "starts", "ends"),
    [
        (None, {"startDate": "2027-01-15"}, "2027-01-15T00:00:00Z", None),
        ("Pacific/Auckland", {"endDate": "2027-01-15"}, None, "2027-01-15T11:00:00Z"),
        ("Europe/Vienna", {"endDate": "2027-03-28"}, None, "2027-03-28T22:00:00Z"),
        (None, {"endDate": "2027-03-05", "terminationDate": "2027-03-01"}, None, "2027-03-02T00:00:00Z"),
        (None, {"terminationDate": "2027-03-01T17:00:00+01:00"}, None, "2027-03-01T16:00:00Z"),
        (None, {"hireDate": "2027-03-01"}, None, None),
        (None, {"startDate": "soon"}, None, None),
    ],
    ids=["start", "end in Auckland", "end on a short day", "the earlier end", "dateTime", "hired", "no date"],
)
@pytest.mark.proves("STA-25")
def test_flat_dates_make_the_validity_and_stay_as_they_were_sent(
    zone: str | None, dates: dict[str, str], starts: str | None, ends: str | None
) -> None:
    document = stored(dated(zone, **dates), HRIS)
    found = [get(document, LIFECYCLE, name) for name in ("validFrom", "validTo")]
    assert (found, document[CONNECTOR]) == ([starts, ends], dates)


def test_flat_dates_follow_the_validity() -> None:
    kept = stored(dated(startDate="2027-01-15", endDate="2027-02-15", terminationDate="2027-02-15"), HRIS)
    span = {"validFrom": "2027-01-20T00:00:00Z", "validTo": "2027-03-01T08:00:00Z"}
    after = changed(kept, extension(LIFECYCLE, **span)).after
    assert after[CONNECTOR] == {"startDate": "2027-01-20T00:00:00Z", "endDate": "2027-03-01T08:00:00Z"}


def test_a_flat_date_goes_with_the_validity() -> None:
    kept = stored(dated(startDate="2027-01-15"), HRIS)
    after = changed(kept, lambda document: document[LIFECYCLE].pop("validFrom")).after
    assert CONNECTOR not in after


def test_a_date_that_goes_takes_the_validity_with_it() -> None:
    kept = stored(dated(endDate="2027-01-15"), HRIS)
    after = changed(kept, lambda document: document.pop(CONNECTOR), HRIS).after
    assert get(after, LIFECYCLE, "validTo") is None


@pytest.mark.parametrize(
    ("rich", "is_refused"), [("2027-01-15T00:00:00Z", False), ("2027-01-16T00:00:00Z", True)]
)
def test_both_forms_of_a_date_agree(rich: str, *, is_refused: bool) -> None:
    draft = created({**dated(startDate="2027-01-15"), LIFECYCLE: {"validFrom": rich}}, HRIS)
    assert [finding.rule for finding in draft.judgement.refusals] == (["R-FORMS"] if is_refused else [])


def test_what_is_no_date_is_no_moment() -> None:
    document = dated(endDate="soon", terminationDate="2027-01-01")
    names = ("endDate",)
    assert flat_moment(document, names, ORGANISATION) is None
    assert moment("2027-01-01T00:00:00Z") == flat_moment(document, ("terminationDate",), ORGANISATION)


@pytest.mark.parametrize(("flat", "rich"), [("employeeId", "employeeNumber"), ("businessUnit", "division")])
@pytest.mark.proves("DEP-12")
def test_flat_copies_are_the_same_fact_both_ways(flat: str, rich: str) -> None:
    kept = stored({**ANN, CONNECTOR: {flat: "A-1"}}, HRIS)
    assert get(kept, ENTERPRISE, rich) == "A-1"
    after = changed(kept, extension(ENTERPRISE, **{rich: "B-2"}), ADMIN).after
    assert get(after, CONNECTOR, flat) == "B-2"


def test_copies_that_differ_in_one_request_are_refused() -> None:
    document = {**ANN, CONNECTOR: {"employeeId": "A"}, ENTERPRISE: {"employeeNumber": "B"}}
    message = f"{CONNECTOR}:employeeId and {ENTERPRISE}:employeeNumber state different values"
    assert [finding.message for finding in created(document, HRIS).judgement.refusals] == [message]


def test_who_has_no_flat_form_gets_none() -> None:
    document = {**ANN, ENTERPRISE: {"employeeNumber": "A"}, LIFECYCLE: {"validFrom": "2027-01-01T00:00:00Z"}}
    assert CONNECTOR not in stored(document)
