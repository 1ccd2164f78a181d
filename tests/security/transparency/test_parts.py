"""The public part of an event names nobody, and both parts make the event again."""

from typing import Any

import pytest

from scim_server.security.transparency.parts import joined, split, subject_of

EVENT: dict[str, Any] = {
    "at": "2026-01-01T00:00:00Z",
    "action": "user.update",
    "outcome": "success",
    "actor": {"value": "u1", "type": "admin", "client": "okta", "display": "Ann"},
    "resource": {"value": "u2", "type": "User"},
    "requestId": "0123456789abcdef0123456789abcdef",
    "reason": "other",
    "note": "She asked for it.",
    "ticket": "HR-1",
    "changes": [{"path": "title", "from": "Clerk", "to": "Boss"}, {"path": "active"}],
    "rules": [{"value": "R-1", "effect": "recorded", "message": "Ann may not."}],
    "address": "192.0.2.1",
}


def test_values_words_and_names_are_private() -> None:
    public, private = split(EVENT)
    assert public == {
        "at": "2026-01-01T00:00:00Z",
        "action": "user.update",
        "outcome": "success",
        "actor": {"value": "u1", "type": "admin", "client": "okta"},
        "resource": {"value": "u2", "type": "User"},
        "requestId": "0123456789abcdef0123456789abcdef",
        "reason": "other",
        "changes": [{"path": "title"}, {"path": "active"}],
        "rules": [{"value": "R-1", "effect": "recorded"}],
    }
    assert private == {
        "actor": {"display": "Ann"},
        "note": "She asked for it.",
        "ticket": "HR-1",
        "changes": [{"from": "Clerk", "to": "Boss"}, {}],
        "rules": [{"message": "Ann may not."}],
        "address": "192.0.2.1",
    }


def test_both_parts_make_the_event_again() -> None:
    assert joined(*split(EVENT)) == EVENT


def test_without_the_private_part_its_values_are_missing() -> None:
    shown = joined(split(EVENT)[0], None)
    assert shown["changes"] == [{"path": "title"}, {"path": "active"}]
    assert "note" not in shown


def test_an_event_without_anything_private_has_no_private_part() -> None:
    assert split({"action": "a", "changes": [{"path": "x"}]})[1] == {}


def test_what_binds_the_columns_is_not_shown() -> None:
    assert joined({"action": "a", "id": "1", "clientId": "2"}, None) == {"action": "a"}


def test_a_private_part_replaces_nothing_of_the_public_one() -> None:
    assert joined({"action": "a"}, {"action": "b"}) == {"action": "a"}


@pytest.mark.parametrize("id", ["A" * 32, "0190b5c4-7a3e-7cc1-8b1f-2f0d3c4b5a69"])
def test_a_request_id_that_says_nothing_is_public(id: str) -> None:
    assert split({"requestId": id}) == ({"requestId": id}, {})


@pytest.mark.parametrize("id", ["alice.secret_example.com", "4111111111111111", "deadbeef", "x" * 32])
def test_a_request_id_that_may_say_something_is_private(id: str) -> None:
    assert split({"requestId": id}) == ({}, {"requestId": id})


def test_an_event_is_sealed_for_whom_it_is_about_else_for_its_resource_else_for_itself() -> None:
    public = {"resource": {"type": "AccountAction", "value": "a"}, "subject": "u"}
    assert split(public) == (public, {})
    assert subject_of(public, "e") == "u"
    assert subject_of({"resource": public["resource"]}, "e") == "a"
    assert subject_of({"resource": {"type": "User"}}, "e") == "e"
