"""Bodies made canonical: what is dropped, what is refused, everything wrong reported at once."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from scim_server.dialects import GENERIC
from scim_server.scim.documents import is_storable
from scim_server.scim.errors import InvalidSyntax, InvalidValue
from scim_server.scim.normalize import Normalizer, fold_document, is_placeholder
from scim_server.scim.values import MAX_STRING
from tests.scim.samples import (
    ENTERPRISE,
    EXTRA_URN,
    PROBE,
    PROBE_URN,
    REGISTRY,
    STRICT,
    USER,
    normalize,
)


@pytest.mark.parametrize("body", [None, [], "text", 5, True])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    with pytest.raises(InvalidSyntax, match="must be a JSON object"):
        normalize(body)


def test_names_take_their_declared_spelling() -> None:
    body = {"TITLE": "a", "Entries": [{"VALUE": "x", "COUNT": 1}], EXTRA_URN.upper(): {"LEVEL": 1}}
    assert normalize(body) == {
        "title": "a",
        "entries": [{"value": "x", "count": 1}],
        EXTRA_URN: {"level": 1},
    }


@pytest.mark.parametrize("name", ["id", "meta", "schemas", "made"])
def test_what_the_server_owns_is_dropped(name: str) -> None:
    assert normalize({"title": "a", name: "x"}) == {"title": "a"}


def test_a_read_only_part_is_dropped() -> None:
    assert normalize({"title": "a", "entries": [{"value": "x", "made": "y"}]}) == {
        "title": "a",
        "entries": [{"value": "x"}],
    }


@pytest.mark.parametrize("value", [None, [], [None]])
@pytest.mark.parametrize("name", ["texts", "entries", "owners"])
def test_null_and_empty_arrays_are_unassigned(name: str, value: Any) -> None:
    assert normalize({"title": "a", name: value}, policy=STRICT, optional_schemas=True) == {"title": "a"}


@pytest.mark.parametrize("value", [None, {}, {"city": None}, {"city": None, "floor": None}])
def test_a_complex_value_without_content_is_unassigned(value: Any) -> None:
    assert normalize({"title": "a", "place": value}) == {"title": "a"}


@pytest.mark.parametrize("value", [None, {}, {"level": None}])
def test_an_extension_without_content_is_left_out(value: Any) -> None:
    assert normalize({"title": "a", EXTRA_URN: value}) == {"title": "a"}


@pytest.mark.parametrize("name", ["text", "flag", "whole", "moment", "place", "texts", "entries"])
def test_an_empty_string_clears_where_the_client_means_that(name: str) -> None:
    assert normalize({"title": "a", name: ""}) == {"title": "a"}


def test_an_empty_string_is_a_value_for_strict_clients() -> None:
    assert normalize({"title": "a", "text": ""}, empty_string_clears=False)["text"] == ""


def test_false_and_zero_are_values() -> None:
    assert normalize({"title": "a", "flag": False, "whole": 0}) == {"title": "a", "flag": False, "whole": 0}


@pytest.mark.parametrize(
    "body",
    [
        {"title": "a", "TITLE": "b"},
        {"title": "a", "place": {"city": "x", "City": "y"}},
        {"title": "a", "entries": [{"value": "x", "Value": "x"}]},
        {"title": "a", EXTRA_URN: {"level": 1, "Level": 2}},
        {"title": "a", EXTRA_URN: {"level": 1}, EXTRA_URN.lower(): {"level": 2}},
        {"title": "a", PROBE_URN: {"title": "b"}},
    ],
)
def test_a_name_that_stands_twice_in_different_case_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidSyntax, match="twice"):
        normalize(body)


def test_attributes_under_the_core_urn_are_the_resources_own() -> None:
    assert normalize({PROBE_URN: {"title": "a"}, "text": "b"}) == {"title": "a", "text": "b"}


def test_all_violations_are_reported_together_each_with_its_place() -> None:
    body = {
        "whole": "5",
        "texts": ["a", 5],
        "entries": [{"value": "x"}, {"count": "y", "at": "never"}],
        "place": 7,
        EXTRA_URN: {"shade": "Pink"},
    }
    with pytest.raises(InvalidValue) as refusal:
        normalize(body, scalar_for_complex=False)
    assert refusal.value.detail.split("; ") == [
        "whole must be an integer, not a string",
        "texts[1] must be a string, not a number",
        "entries[1].count must be an integer, not a string",
        "entries[1].at must be a dateTime such as 2026-05-13T04:42:34Z",
        "place must be an object, not a number",
        f"{EXTRA_URN}:shade must be one of Light, Dark",
        "title is required",
    ]


@pytest.mark.parametrize("title", [{}, {"title": None}, {"title": ""}])
@pytest.mark.parametrize("clears", [True, False])
def test_a_required_attribute_needs_a_value(title: dict[str, Any], clears: bool) -> None:
    with pytest.raises(InvalidValue, match="title is required"):
        normalize(title, empty_string_clears=clears)


def test_an_oversized_value_is_refused_with_the_attribute_named() -> None:
    with pytest.raises(InvalidValue, match=rf"^texts\[0\] is longer than {MAX_STRING} characters$"):
        normalize({"title": "a", "texts": ["x" * (MAX_STRING + 1)]})


def test_two_primary_values_are_refused() -> None:
    entries = [{"value": "a", "primary": True}, {"value": "b", "primary": True}]
    with pytest.raises(InvalidValue, match="entries has more than one primary value"):
        normalize({"title": "a", "entries": entries})


def test_one_primary_among_stated_others_is_kept_as_sent() -> None:
    entries = [{"value": "a", "primary": False}, {"value": "b", "primary": True}, {"value": "c"}]
    assert normalize({"title": "a", "entries": entries})["entries"] == entries


def test_the_same_value_twice_is_kept_as_sent() -> None:
    entries = [{"value": "a"}, {"value": "a"}]
    assert normalize({"title": "a", "entries": entries})["entries"] == entries


def test_canonical_values_are_matched_in_any_case() -> None:
    assert normalize({"title": "a", EXTRA_URN: {"shade": "dARK"}})[EXTRA_URN] == {"shade": "Dark"}


def test_other_than_canonical_values_of_a_core_schema_are_open_to_lenient_clients() -> None:
    body = {"userName": "a", "emails": [{"value": "x", "type": "Boat"}]}
    assert normalize(body, USER)["emails"] == [{"value": "x", "type": "Boat"}]
    with pytest.raises(InvalidValue, match=r"emails\[0\]\.type must be one of work, home, other"):
        normalize(body, USER, open_canonical_values=False)


@pytest.mark.parametrize(("text", "value"), [("True", True), ("false", False), ("FALSE", False)])
def test_a_boolean_as_text_is_read_where_the_client_sends_it(text: str, value: bool) -> None:
    assert normalize({"title": "a", "flag": text})["flag"] is value
    with pytest.raises(InvalidValue, match="flag must be true or false"):
        normalize({"title": "a", "flag": text}, string_booleans=False)


@pytest.mark.parametrize("text", ["yes", "1", "tru", " true"])
def test_other_words_are_no_booleans(text: str) -> None:
    with pytest.raises(InvalidValue, match="flag must be true or false"):
        normalize({"title": "a", "flag": text})


def test_one_value_stands_for_a_list_of_one() -> None:
    assert normalize({"title": "a", "texts": "x"})["texts"] == ["x"]
    with pytest.raises(InvalidValue, match="texts must be an array, not a string"):
        normalize({"title": "a", "texts": "x"}, single_value_for_list=False)


def test_a_list_of_one_stands_for_one_value() -> None:
    assert normalize({"title": "a", "text": ["x"]})["text"] == "x"
    with pytest.raises(InvalidValue, match="text must be a string, not an array"):
        normalize({"title": "a", "text": ["x", "y"]})


def test_a_bare_value_stands_for_a_complex_one() -> None:
    assert normalize({"title": "a", "entries": ["x"]})["entries"] == [{"value": "x"}]
    with pytest.raises(InvalidValue, match=r"entries\[0\] must be an object"):
        normalize({"title": "a", "entries": ["x"]}, scalar_for_complex=False)


def test_unknown_attributes_are_passed_over_by_lenient_clients() -> None:
    body = {"title": "a", "colour": 1, "entries": [{"value": "x", "y": 1}], EXTRA_URN: {"z": 1}}
    assert normalize(body) == {"title": "a", "entries": [{"value": "x"}]}


def test_unknown_attributes_are_all_named_to_strict_clients() -> None:
    body = {"title": "a", "colour": 1, "entries": [{"value": "x", "y": 1}], EXTRA_URN: {"z": 1}}
    expected = rf"Probe has no attribute colour, entries\.y, {EXTRA_URN}:z\."
    with pytest.raises(InvalidSyntax, match=expected):
        normalize(body, ignore_unknown_attributes=False)


def test_values_are_otherwise_kept_as_sent() -> None:
    body = {"title": " Mañana ", "moment": "2026-05-13T04:42:34.10+02:00", "amount": Decimal("1.50")}
    assert normalize(body) == body


@pytest.mark.parametrize(
    "role",
    [
        '{"value": "admin", "displayName": "Admin", "id": "7"}',
        {"value": '{"value": "admin", "displayName": "Admin"}'},
        {"value": ' {"value": "admin"}', "display": "Admin"},
    ],
)
def test_a_role_sent_as_json_text_is_the_role_it_describes(role: Any) -> None:
    assert normalize({"userName": "a", "roles": [role]}, USER)["roles"] == [
        {"value": "admin", "display": "Admin"}
    ]


@pytest.mark.parametrize("text", ["{", "{}", '{"value": 5}', '{"display": "x"}', "[" * 10_000, "{" * 10_000])
def test_text_that_describes_no_role_is_a_value_as_it_stands(text: str) -> None:
    assert normalize({"userName": "a", "roles": [{"value": text}]}, USER)["roles"] == [{"value": text}]


def test_json_text_is_a_plain_value_for_strict_clients() -> None:
    text = '{"value": "admin"}'
    kept = normalize({"userName": "a", "roles": [{"value": text}]}, USER, json_text_roles=False)
    assert kept["roles"] == [{"value": text}]


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800"])
def test_a_role_in_json_text_brings_in_nothing_that_no_store_can_hold(escape: str) -> None:
    role = f'{{"value": "admin{escape}"}}'
    with suppress(InvalidValue):
        kept = normalize({"userName": "a", "roles": [{"value": role}]}, USER)["roles"]
        assert is_storable(kept[0]["value"])


@pytest.mark.parametrize("schemas", [None, "urn:x", [5], [], [EXTRA_URN], [PROBE_URN, "urn:x"]])
def test_schemas_that_do_not_fit_are_refused_for_strict_clients(schemas: Any) -> None:
    with pytest.raises(InvalidSyntax, match="schemas"):
        normalize({"title": "a", "schemas": schemas}, policy=STRICT)
    assert normalize({"title": "a", "schemas": schemas}) == {"title": "a"}


def test_schemas_in_any_case_are_the_same() -> None:
    assert normalize({"title": "a", "Schemas": [PROBE_URN.upper()]}, policy=STRICT) == {"title": "a"}


def test_an_extension_with_data_must_be_stated_by_strict_clients() -> None:
    body = {"title": "a", "schemas": [PROBE_URN], EXTRA_URN: {"level": 1}}
    with pytest.raises(InvalidSyntax, match=f"does not name {EXTRA_URN.lower()}"):
        normalize(body, policy=STRICT)


def test_a_reference_keeps_its_target_and_what_its_source_says_of_it() -> None:
    owner = {"value": "u1", "$ref": "../Users/u1", "display": "Ann", "duty": "lead"}
    assert normalize({"title": "a", "owners": [owner]})["owners"] == [{"value": "u1", "duty": "lead"}]


def test_a_single_reference_without_target_is_unassigned() -> None:
    body = {"userName": "a", ENTERPRISE: {"manager": {"displayName": "Ann"}, "department": "x"}}
    assert normalize(body, USER)[ENTERPRISE] == {"department": "x"}


def test_a_reference_longer_than_any_id_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"owners\[0\]\.value is longer than 255"):
        normalize({"title": "a", "owners": [{"value": "x" * 256}]})


def test_members_named_twice_are_one() -> None:
    group = REGISTRY.resource_types["Group"]
    kept = normalize({"displayName": "a", "members": [{"value": "1"}, {"value": "1"}]}, group)
    assert kept["members"] == [{"value": "1"}]


def test_a_member_given_by_its_location_is_the_resource_there() -> None:
    group = REGISTRY.resource_types["Group"]
    member = {"$ref": "https://x.test/scim/v2/Users/17/"}
    assert normalize({"displayName": "a", "members": [member]}, group)["members"] == [{"value": "17"}]


@pytest.mark.parametrize("member", [{}, {"display": "x"}, {"value": ""}, {"value": None}, None, ""])
def test_a_member_without_a_value_is_refused(member: Any) -> None:
    group = REGISTRY.resource_types["Group"]
    with pytest.raises(InvalidValue, match="members"):
        normalize({"displayName": "a", "members": [member]}, group)


def test_normalizing_leaves_the_body_as_it_is() -> None:
    body = {"TITLE": "a", "roles": "x", "entries": [{"Value": "x"}]}
    normalize(body)
    assert body == {"TITLE": "a", "roles": "x", "entries": [{"Value": "x"}]}


def test_a_value_that_says_only_its_type_is_a_placeholder() -> None:
    assert is_placeholder({"type": "work", "primary": True})
    assert not is_placeholder({"type": "work", "value": "x"})


def test_folding_lowers_names_and_values_and_leaves_out_secrets_and_references() -> None:
    body = {
        "title": "Straße",
        "exact": "Straße",
        "secret": "x",
        "owners": [{"value": "u1"}],
        "entries": [{"value": "A", "amount": 2, "tags": ["X"]}],
        EXTRA_URN: {"shade": "Dark"},
    }
    folded = fold_document(normalize(body), PROBE)
    assert folded == {
        "title": "strasse",
        "exact": "Straße",
        "entries": [{"value": "a", "amount": "1" + "0" * 29 + "2" + "0" * 12, "tags": ["x"]}],
        EXTRA_URN.lower(): {"shade": "dark"},
    }


def test_an_extension_of_references_only_folds_to_nothing() -> None:
    body = {"userName": "a", ENTERPRISE: {"manager": {"value": "u1"}}}
    assert ENTERPRISE.lower() not in fold_document(normalize(body, USER), USER)


def test_a_required_extension_that_is_missing_is_named() -> None:
    missing = Normalizer(USER, GENERIC).missing_required({"userName": "a"})
    assert missing == []
    assert Normalizer(USER, GENERIC).missing_required({}) == ["userName"]
