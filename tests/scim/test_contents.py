"""Documents split into what the store keeps apart, and put together again."""

import pytest

from scim_server.scim.contents import (
    display_of,
    put_references,
    take_memberships,
    take_references,
    unique_keys,
    value_of,
    with_defaults,
    without_secrets,
)
from scim_server.scim.resources import ReferenceValue, Resource
from tests.scim.samples import ENTERPRISE, EXTRA_URN, GROUP, PROBE, USER, known

MANAGER = "enterprise:2.0:User:manager"


def test_a_new_user_is_active() -> None:
    assert with_defaults({"userName": "a"}, USER) == {"userName": "a", "active": True}


def test_a_user_stated_inactive_stays_so() -> None:
    assert with_defaults({"active": False}, USER) == {"active": False}


def test_types_without_active_have_no_default() -> None:
    assert with_defaults({"title": "a"}, PROBE) == {"title": "a"}


def test_secrets_are_not_kept() -> None:
    assert without_secrets({"userName": "a", "password": "x"}, USER) == {"userName": "a"}


def test_members_are_taken_out() -> None:
    document = {"displayName": "g", "members": [{"value": "a"}, {"value": "b"}]}
    assert take_memberships(document, GROUP) == ({"displayName": "g"}, {"members": ["a", "b"]})
    assert len(document["members"]) == 2


def test_references_are_taken_out_with_what_their_source_says() -> None:
    document = {"title": "a", "owners": [{"value": "u1", "duty": "LEAD"}, {"value": "u2"}]}
    plain, owned = take_references(document, PROBE)
    assert plain == {"title": "a"}
    assert owned == {"owners": {"u1": ({"duty": "LEAD"}, {"duty": "lead"}), "u2": ({}, {})}}


def test_an_extension_of_one_reference_is_gone_without_it() -> None:
    document = {"userName": "a", ENTERPRISE: {"manager": {"value": "m"}}}
    assert take_references(document, USER) == ({"userName": "a"}, {MANAGER: {"m": ({}, {})}})


def test_references_taken_out_and_put_back_are_the_same_document() -> None:
    document = {"userName": "a", ENTERPRISE: {"department": "x", "manager": {"value": "m"}}}
    plain, owned = take_references(document, USER)
    values = {key: [ReferenceValue(target) for target in targets] for key, targets in owned.items()}
    assert put_references(Resource("User", "1", 1, 0, 0, plain, values), USER) == document


def test_unique_values_are_folded_with_their_path() -> None:
    assert unique_keys({"userName": "ANN"}, USER) == {("userName", "ann")}
    assert unique_keys({"displayName": "Straße"}, GROUP) == {("displayName", "strasse")}


def test_unique_values_of_other_types_are_text_too() -> None:
    assert unique_keys({"number": 7, "code": "Ab"}, PROBE) == {("number", "7"), ("code", "Ab")}


def test_nothing_unique_is_nothing_to_claim() -> None:
    assert unique_keys({"title": "a"}, PROBE) == set()


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"displayName": "Ann", "userName": "ann"}, "Ann"),
        ({"userName": "ann"}, "ann"),
        ({"displayName": 5, "userName": "ann"}, "ann"),
        ({}, None),
    ],
)
def test_people_call_a_user_by_the_display_name_or_else_the_user_name(
    document: dict[str, object], name: str | None
) -> None:
    assert display_of(document, USER) == name


def test_a_value_is_found_in_its_extension() -> None:
    level = known(PROBE, f"{EXTRA_URN}:level")
    assert value_of({EXTRA_URN: {"level": 1}}, level) == 1
    assert value_of({"level": 1}, level) is None
