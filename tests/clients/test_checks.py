"""The checks of the conversations: what they find, and that they complain when it is not there."""

from typing import Any

import pytest

from tests.clients.checks import MISSING, complaint, require, select
from tests.clients.placeholders import Values
from tests.clients.snapshots import changed_attributes

DOCUMENT: dict[str, Any] = {
    "active": True,
    "emails": [{"type": "work", "value": "a"}, {"type": "home", "value": "b"}],
    "Resources": [{"members": [{"value": "1"}, {"value": "2"}]}, {}],
    "urn:acme:2.0:User": {"code": "7"},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("active", True),
        ("emails/1/value", "b"),
        ("emails/type=home/value", "b"),
        ("emails/*/value", ["a", "b"]),
        ("Resources/*/members/*/value", ["1", "2"]),
        ("urn:acme:2.0:User/code", "7"),
        ("emails/type=other/value", MISSING),
        ("emails/9", MISSING),
        ("title/length", MISSING),
        ("title/*/value", []),
    ],
)
def test_a_path_selects_what_it_names(path: str, value: Any) -> None:
    assert select(DOCUMENT, path) == value


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("active", 1),
        ("active", "True"),
        ("active", {"$absent": True}),
        ("title", {"$present": True}),
        ("emails", {"$unassigned": True}),
        ("emails", {"$count": 1}),
        ("emails/*/value", {"$set": ["a"]}),
        ("emails/*/value", {"$contains": "c"}),
        ("emails/*/value", {"$excludes": "a"}),
        ("emails/*/value", {"$matches": "^[a]$"}),
        ("emails/0", {"$keys": ["value"]}),
        ("emails/0/value", {"$number": True}),
        ("emails/0/value", {"$one_of": ["x", 1]}),
        ("", {"$includes": {"emails": [{"value": "a"}]}}),
        ("title", {"$contains": "x"}),
    ],
)
def test_an_expectation_that_does_not_hold_is_complained_about(path: str, expected: Any) -> None:
    assert complaint(DOCUMENT, path, expected) is not None


def test_every_complaint_is_named_at_once() -> None:
    with pytest.raises(AssertionError, match=r"(?s)here\nactive: .*\ntitle: "):
        require(DOCUMENT, {"active": False, "title": "x"}, "here")


def test_a_name_in_capitals_is_the_value_upper_cased() -> None:
    values = Values("one", {"userName": "bo@corp.example"})
    assert values.fill_path("/Users?filter={{USERNAME}}") == "/Users?filter=BO@CORP.EXAMPLE"


def test_invented_values_differ_between_conversations_and_stay_the_same_between_runs() -> None:
    assert Values("one", {})["guid"] == Values("one", {})["guid"] != Values("two", {})["guid"]


def test_the_attributes_that_differ_are_named_down_to_those_of_an_extension() -> None:
    after = {**DOCUMENT, "active": False, "title": "x", "urn:acme:2.0:User": {"code": "7", "size": 1}}
    assert changed_attributes(DOCUMENT, after) == {"active", "title", "urn:acme:2.0:User/size"}
