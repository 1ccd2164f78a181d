"""Locations: active ones, with type and code, flat forms both ways, and the data scope."""

from typing import Any

import pytest

from scim_server.lifecycle.assignments import LOCATIONS, rows, waiting
from scim_server.lifecycle.change import Actor
from scim_server.lifecycle.documents import Document, get
from scim_server.lifecycle.urns import CONNECTOR, LOCATION
from tests.lifecycle.samples import (
    ADMIN,
    ANN,
    DAY,
    ENGINE,
    ENTRIES,
    HRIS,
    IDP,
    NOW,
    ORGANISATION,
    catalogue,
    changed,
    created,
    extension,
    later,
    location,
    ruled,
    said,
    stored,
    values,
)

CLOSED = catalogue(*ENTRIES, location("closed", active=False))


def at(*elements: Document) -> Document:
    """Return a user at locations."""
    return {**ANN, LOCATION: {"locations": list(elements)}}


def flat(**facts: Any) -> Document:
    """Return a user with flat attributes of the connector."""
    return {**ANN, CONNECTOR: facts}


@pytest.mark.parametrize(("actor", "effect"), [(ADMIN, "refused"), (IDP, "recorded"), (HRIS, "recorded")])
@pytest.mark.proves("LOC-04")
def test_only_active_locations_are_assigned(actor: Actor, effect: str) -> None:
    draft = created(at({"value": "closed"}), actor, CLOSED)
    assert said(ruled(draft.change, CLOSED), "R-LOC-ACTIVE") == [(effect, "Selected location is inactive")]


@pytest.mark.proves("LOC-03")
def test_several_locations_show_code_type_and_status() -> None:
    found = rows(stored(at({"value": "vienna"}, {"value": "auckland", "validFrom": later(DAY)})), LOCATIONS)
    assert [(row["code"], row["type"], row["status"]) for row in found] == [
        ("VIENNA", "office", "active"),
        ("AUCKLAND", "inventory", "scheduled"),
    ]


def test_a_location_that_ended_is_gone() -> None:
    document = stored(at({"value": "vienna", "validTo": later(DAY)}))
    assert rows(ENGINE.view(document, ORGANISATION, NOW + DAY), LOCATIONS) == []


def test_flat_codes_assign_and_stay_as_they_were_sent() -> None:
    document = stored(flat(locationCode="vienna", locationCodes="AUCKLAND;vienna"), IDP)
    assert [(row["value"], row["primary"]) for row in rows(document, LOCATIONS)] == [
        ("vienna", True),
        ("auckland", False),
    ]
    assert document[CONNECTOR] == {"locationCode": "vienna", "locationCodes": "AUCKLAND;vienna"}


def test_flat_codes_follow_what_others_assign() -> None:
    kept = stored(flat(locationCode="VIENNA", locationCodes="VIENNA"), IDP)
    draft = changed(kept, extension(LOCATION, locations=[{"value": "auckland"}]))
    assert draft.after[CONNECTOR] == {"locationCode": "AUCKLAND", "locationCodes": "AUCKLAND"}


def test_flat_codes_end_with_what_they_named() -> None:
    rich = at({"value": "vienna", "validTo": later(DAY)})
    kept = stored({**rich, CONNECTOR: {"locationCode": "VIENNA", "locationCodes": "VIENNA"}}, IDP)
    assert CONNECTOR not in ENGINE.view(kept, ORGANISATION, NOW + DAY)


def test_a_flat_code_that_is_not_there_yet_stays_and_is_waited_for() -> None:
    document = stored(flat(locationCode="MOON"), IDP)
    assert (get(document, CONNECTOR, "locationCode"), values(waiting(document, LOCATIONS))) == (
        "MOON",
        ["MOON"],
    )


@pytest.mark.parametrize(("code", "rules"), [("AUCKLAND", ["R-FORMS"]), ("VIENNA", []), ("MOON", [])])
def test_flat_and_rich_locations_of_one_request_agree(code: str, rules: list[str]) -> None:
    draft = created({**at({"value": "vienna"}), CONNECTOR: {"locationCode": code}}, IDP)
    assert [finding.rule for finding in draft.judgement.findings] == rules


@pytest.mark.parametrize("scope", ["own", "team", "region", "organization"])
@pytest.mark.proves("CRE-26")
def test_the_flat_data_scope_is_the_rich_one(scope: str) -> None:
    kept = stored(flat(dataScope=scope), IDP)
    assert get(kept, LOCATION, "dataScope") == scope
    draft = changed(kept, extension(LOCATION, dataScope="own"))
    assert get(draft.after, CONNECTOR, "dataScope") == "own"


def test_two_data_scopes_in_one_request_are_refused() -> None:
    draft = created({**flat(dataScope="own"), LOCATION: {"dataScope": "team"}}, IDP)
    assert [finding.rule for finding in draft.judgement.refusals] == ["R-FORMS"]
