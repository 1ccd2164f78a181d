"""The public part of an event names nobody, and both parts make the event again."""

from typing import Any

from scim_server.security.transparency.parts import joined, split

EVENT: dict[str, Any] = {
    "at": "2026-01-01T00:00:00Z",
    "action": "user.update",
    "outcome": "success",
    "actor": {"value": "u1", "type": "admin", "client": "okta", "display": "Ann"},
    "resource": {"value": "u2", "type": "User"},
    "requestId": "q",
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
        "requestId": "q",
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
