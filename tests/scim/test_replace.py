"""PUT: what an omitted attribute means, and what never changes."""

from typing import Any

import pytest

from scim_server.dialects import GENERIC
from scim_server.scim.errors import Mutability
from scim_server.scim.replace import mentioned_memberships, replaced, stated_schemas
from tests.scim.samples import ENTERPRISE, EXTRA_URN, GROUP, GROUP_URN, PROBE, STRICT, USER

BEFORE = {"title": "a", "text": "t", "flag": True, EXTRA_URN: {"level": 1}}


def put(
    stated: dict[str, Any], before: Any = None, *, schemas: tuple[str, ...] = (), strict: bool = False
) -> Any:
    return replaced(before or BEFORE, stated, PROBE, STRICT if strict else GENERIC, schemas)


def test_an_omitted_attribute_is_cleared() -> None:
    assert "text" not in put({"title": "b"})


def test_an_extension_that_is_not_mentioned_stays_for_lenient_clients() -> None:
    assert put({"title": "b"}) == {"title": "b", EXTRA_URN: {"level": 1}}
    assert put({"title": "b"}, strict=True) == {"title": "b"}


def test_an_extension_that_is_named_without_data_is_cleared() -> None:
    assert put({"title": "b"}, schemas=(EXTRA_URN.lower(),)) == {"title": "b"}


def test_an_extension_that_has_data_is_replaced() -> None:
    assert put({"title": "b", EXTRA_URN: {"shade": "Dark"}})[EXTRA_URN] == {"shade": "Dark"}


@pytest.mark.parametrize("strict", [True, False])
def test_whether_a_user_is_active_is_never_lost(strict: bool) -> None:
    policy = STRICT if strict else GENERIC
    before = {"userName": "a", "active": False}
    assert replaced(before, {"userName": "a"}, USER, policy, ()) == before


def test_an_omitted_immutable_attribute_keeps_its_value() -> None:
    before = {"title": "a", "serial": "1", EXTRA_URN: {"label": "x"}}
    assert put({"title": "b"}, before, strict=True) == {**before, "title": "b"}


@pytest.mark.parametrize("stated", [{"serial": "2"}, {EXTRA_URN: {"label": "y"}}])
def test_an_immutable_attribute_with_another_value_is_refused(stated: dict[str, Any]) -> None:
    with pytest.raises(Mutability, match="is immutable and already has another value"):
        put({"title": "b", **stated}, {"title": "a", "serial": "1", EXTRA_URN: {"label": "x"}})


def test_all_immutable_attributes_that_differ_are_named() -> None:
    before = {"title": "a", "serial": "1", EXTRA_URN: {"label": "x"}}
    with pytest.raises(Mutability, match=f"^serial, {EXTRA_URN}:label is immutable"):
        put({"title": "b", "serial": "2", EXTRA_URN: {"label": "y"}}, before)


def test_an_immutable_attribute_may_be_set_where_it_has_no_value() -> None:
    assert put({"title": "b", "serial": "1"})["serial"] == "1"


def test_replacing_leaves_both_documents_as_they_are() -> None:
    before = {"title": "a", "serial": "1", EXTRA_URN: {"label": "x"}}
    stated = {"title": "b", EXTRA_URN: {"level": 1}}
    put(stated, before)
    assert before == {"title": "a", "serial": "1", EXTRA_URN: {"label": "x"}}
    assert stated == {"title": "b", EXTRA_URN: {"level": 1}}


@pytest.mark.parametrize(
    ("body", "urns"),
    [
        ({"schemas": ["urn:A", "URN:b"]}, {"urn:a", "urn:b"}),
        ({"SCHEMAS": ["urn:A", 5]}, {"urn:a"}),
        ({"schemas": "urn:A"}, set()),
        ({}, set()),
        ([], set()),
    ],
)
def test_stated_schemas_are_read_whatever_the_body_is(body: Any, urns: set[str]) -> None:
    assert stated_schemas(body) == urns


@pytest.mark.parametrize("value", [None, [], [{"value": "1"}], ""])
@pytest.mark.parametrize("key", ["members", "Members"])
def test_members_are_mentioned_even_by_null(key: str, value: Any) -> None:
    assert mentioned_memberships({key: value}, GROUP) == {"members"}


@pytest.mark.parametrize("body", [{}, {"displayName": "x"}, [], None])
def test_members_that_are_not_in_the_body_are_not_mentioned(body: Any) -> None:
    assert mentioned_memberships(body, GROUP) == set()


def test_members_below_the_core_urn_are_mentioned_too() -> None:
    assert mentioned_memberships({GROUP_URN: {"members": []}}, GROUP) == {"members"}


def test_a_user_has_no_members_to_mention() -> None:
    assert mentioned_memberships({"members": []}, USER) == set()
    assert ENTERPRISE in {extension.id for extension in USER.extensions.values()}
