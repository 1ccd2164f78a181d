"""Operations on the value of one attribute: whole, part, selected values."""

from typing import Any

import pytest

from scim_server.scim.errors import InvalidValue, NoTarget
from scim_server.scim.filters.grammar import parse_filter
from scim_server.scim.patch.elements import implied_values
from tests.scim.samples import STRICT, operation, patched

RED = {"value": "r", "type": "red", "count": 1}
GREEN = {"value": "g", "type": "Green", "count": 2}


def entries(before: list[Any], *operations: dict[str, Any], **options: Any) -> Any:
    document = {"title": "a", "entries": before} if before else {"title": "a"}
    return patched(document, *operations, **options).document.get("entries", [])


def texts(before: list[str], *operations: dict[str, Any]) -> Any:
    return patched({"title": "a", "texts": before}, *operations).document.get("texts", [])


def place(before: dict[str, Any], *operations: dict[str, Any]) -> Any:
    document = {"title": "a", "place": before} if before else {"title": "a"}
    return patched(document, *operations).document.get("place", {})


def test_add_appends_to_a_list() -> None:
    assert entries([RED], operation("add", "entries", [GREEN])) == [RED, GREEN]


def test_add_of_a_value_that_is_there_adds_nothing() -> None:
    assert entries([RED, GREEN], operation("add", "entries", [RED])) == [RED, GREEN]
    assert texts(["x"], operation("add", "texts", ["X", "y"])) == ["x", "y"]


def test_add_of_the_same_value_and_type_updates_the_rest() -> None:
    added = {"value": "R", "type": "RED", "done": True}
    assert entries([RED, GREEN], operation("add", "entries", [added]))[0] == {
        "value": "R",
        "type": "red",
        "count": 1,
        "done": True,
    }


def test_add_of_the_same_value_with_another_type_is_another_value() -> None:
    assert len(entries([RED], operation("add", "entries", [{"value": "r", "type": "Green"}]))) == 2


def test_add_of_nothing_leaves_what_is_there() -> None:
    assert entries([RED], operation("add", "entries", [])) == [RED]
    assert patched({"title": "a", "text": "x"}, operation("add", "text", None)).document["text"] == "x"


def test_replace_sets_the_whole_list() -> None:
    assert entries([RED], operation("replace", "entries", [GREEN])) == [GREEN]


@pytest.mark.parametrize("value", [[], None, ""])
def test_replace_with_nothing_clears(value: Any) -> None:
    assert entries([RED], operation("replace", "entries", value)) == []


def test_replace_where_nothing_is_adds() -> None:
    assert entries([], operation("replace", "entries", [RED])) == [RED]


@pytest.mark.parametrize("name", ["add", "replace"])
def test_a_complex_value_is_merged(name: str) -> None:
    before = {"city": "x", "floor": 1}
    assert place(before, operation(name, "place", {"City": "y"})) == {"city": "y", "floor": 1}


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_null_part_of_a_complex_value_is_unassigned(nothing: Any) -> None:
    before = {"city": "x", "floor": 1}
    assert place(before, operation("replace", "place", {"city": nothing})) == {"floor": 1}


@pytest.mark.parametrize("name", ["add", "replace"])
def test_a_part_of_an_absent_complex_value_creates_it(name: str) -> None:
    assert place({}, operation(name, "place.city", "x")) == {"city": "x"}


def test_a_complex_value_that_loses_its_last_part_is_gone() -> None:
    assert place({"city": "x"}, operation("remove", "place.city")) == {}


def test_remove_of_what_is_absent_changes_nothing() -> None:
    assert place({}, operation("remove", "place.city"), operation("remove", "text")) == {}


def test_remove_of_selected_values_keeps_the_others() -> None:
    assert entries([RED, GREEN], operation("remove", 'entries[type eq "RED"]')) == [GREEN]


def test_remove_of_all_selected_values_leaves_the_attribute_unassigned() -> None:
    assert (
        "entries"
        not in patched({"title": "a", "entries": [RED]}, operation("remove", "entries[count lt 5]")).document
    )


def test_remove_of_a_part_of_selected_values() -> None:
    expected = [{"value": "r", "type": "red"}, GREEN]
    assert entries([RED, GREEN], operation("remove", "entries[count eq 1].count")) == expected


def test_remove_of_a_part_of_every_value() -> None:
    expected = [{"value": "r", "type": "red"}, {"value": "g", "type": "Green"}]
    assert entries([RED, GREEN], operation("remove", "entries.count")) == expected


def test_a_value_that_says_only_its_type_after_a_remove_is_gone() -> None:
    before = [{"value": "r", "type": "red"}, GREEN]
    assert entries(before, operation("remove", 'entries[type eq "red"].value')) == [GREEN]


def test_remove_of_selected_simple_values() -> None:
    assert texts(["One", "Two"], operation("remove", 'texts[value eq "one"]')) == ["Two"]


def test_replace_of_a_part_of_every_value() -> None:
    assert [entry["count"] for entry in entries([RED, GREEN], operation("replace", "entries.count", 9))] == [
        9,
        9,
    ]


def test_replace_of_selected_values_replaces_them_whole() -> None:
    change = operation("replace", 'entries[type eq "red"]', {"value": "new"})
    assert entries([RED, GREEN], change) == [{"value": "new"}, GREEN]


def test_add_to_selected_values_merges_into_them() -> None:
    change = operation("add", 'entries[type eq "red"]', {"done": True})
    assert entries([RED, GREEN], change) == [{**RED, "done": True}, GREEN]


def test_replace_of_selected_simple_values() -> None:
    assert texts(["a", "b"], operation("replace", 'texts[value eq "a"]', "c")) == ["c", "b"]


@pytest.mark.parametrize("name", ["add", "replace"])
@pytest.mark.parametrize(
    ("path", "value", "created"),
    [
        ('entries[type eq "red"].value', "x", {"type": "red", "value": "x"}),
        ('entries[type eq "red"]', {"value": "x"}, {"type": "red", "value": "x"}),
        ('entries[type eq "red" and count eq 3].value', "x", {"type": "red", "count": 3, "value": "x"}),
        ('entries[type eq "red"]', {"type": "Green", "value": "x"}, {"type": "Green", "value": "x"}),
        ("entries[primary eq true].value", "x", {"primary": True, "value": "x"}),
    ],
)
def test_a_value_path_that_selects_nothing_creates_what_it_says(
    name: str, path: str, value: Any, created: dict[str, Any]
) -> None:
    assert entries([GREEN], operation(name, path, value))[1:] == [created]


@pytest.mark.parametrize(
    "path",
    [
        'entries[type ne "Green"].value',
        'entries[type eq "red" or count eq 1].value',
        'entries[not (type eq "Green")].value',
        "entries[count gt 5].value",
        'entries[type sw "r"].value',
    ],
)
def test_a_value_path_that_says_nothing_definite_creates_nothing(path: str) -> None:
    with pytest.raises(NoTarget):
        entries([GREEN], operation("replace", path, "x"))


def test_a_value_path_that_contradicts_itself_creates_nothing() -> None:
    with pytest.raises(NoTarget):
        entries([GREEN], operation("add", "entries[count eq 7 and count eq 8].value", "x"))


@pytest.mark.parametrize("name", ["add", "replace", "remove"])
def test_a_value_path_that_selects_nothing_is_no_target_for_strict_clients(name: str) -> None:
    with pytest.raises(NoTarget):
        entries([GREEN], operation(name, 'entries[type eq "red"].value', "x"), policy=STRICT)


@pytest.mark.parametrize("path", ['entries[type eq "red"]', 'entries[type eq "red"].value'])
def test_removing_what_is_not_selected_changes_nothing_for_lenient_clients(path: str) -> None:
    assert entries([GREEN], operation("remove", path)) == [GREEN]


@pytest.mark.parametrize("nothing", [None, ""])
def test_clearing_what_is_not_selected_changes_nothing(nothing: Any) -> None:
    assert entries([GREEN], operation("replace", 'entries[type eq "red"].value', nothing)) == [GREEN]


def test_remove_by_value_takes_only_what_is_listed() -> None:
    assert entries([RED, GREEN], operation("remove", "entries", [{"value": "R"}])) == [GREEN]
    assert texts(["One", "Two"], operation("remove", "texts", ["ONE", "Three"])) == ["Two"]


def test_remove_by_value_needs_every_listed_part_to_agree() -> None:
    assert entries([RED], operation("remove", "entries", [{"value": "r", "type": "Green"}])) == [RED]


def test_remove_by_a_value_that_names_only_the_primary_takes_no_other() -> None:
    before = [{**RED, "primary": True}, GREEN]
    assert GREEN in entries(before, operation("remove", "entries", [{"primary": True}]))


def test_remove_by_value_is_refused_to_strict_clients() -> None:
    with pytest.raises(InvalidValue, match="remove takes no value"):
        entries([RED], operation("remove", "entries", [RED]), policy=STRICT)


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_an_empty_list_to_remove_means_the_whole_attribute(value: Any) -> None:
    assert entries([RED], operation("remove", "entries", value)) == []


@pytest.mark.parametrize(
    "change",
    [
        operation("add", "entries", [{"value": "new", "primary": True}]),
        operation("replace", 'entries[type eq "Green"].primary', True),
        operation("add", 'entries[type eq "Green"]', {"primary": True}),
        operation("replace", 'entries[type eq "Green"]', {"value": "g", "primary": True}),
        operation("add", 'entries[value eq "other"].primary', True),
    ],
)
def test_a_new_primary_value_takes_it_from_the_old_one(change: dict[str, Any]) -> None:
    result = entries([{**RED, "primary": True}, GREEN], change)
    assert [entry.get("primary") for entry in result if entry["value"] == "r"] == [False]
    assert sum(entry.get("primary") is True for entry in result) == 1


@pytest.mark.parametrize(
    "change",
    [
        operation("replace", "entries.primary", True),
        operation("replace", "entries[count gt 0].primary", True),
        operation("replace", "entries[count gt 0]", {"value": "new", "primary": True}),
        operation("add", "entries[count gt 0]", {"primary": True}),
    ],
)
def test_one_operation_on_several_values_leaves_one_primary(change: dict[str, Any]) -> None:
    assert sum(entry.get("primary") is True for entry in entries([RED, GREEN], change)) == 1


def test_two_primary_values_in_one_operation_are_refused() -> None:
    both = [{"value": "x", "primary": True}, {"value": "y", "primary": True}]
    with pytest.raises(InvalidValue, match="more than one primary"):
        entries([], operation("add", "entries", both))


def test_setting_primary_false_changes_no_other_value() -> None:
    before = [{**RED, "primary": True}, GREEN]
    change = operation("replace", 'entries[type eq "Green"].primary', False)
    assert [entry.get("primary") for entry in entries(before, change)] == [True, False]


@pytest.mark.parametrize(
    ("text", "implied"),
    [
        ('type eq "red"', {"type": "red"}),
        ('type eq "red" and count eq 1', {"type": "red", "count": 1}),
        ('(type eq "red") and (count eq 1)', {"type": "red", "count": 1}),
        ('type eq "red" or count eq 1', None),
        ('type ne "red"', None),
        ("type pr", None),
        ("not (count eq 1)", None),
        ('type eq "red" and count gt 1', None),
    ],
)
def test_only_eq_tests_joined_by_and_say_what_a_value_is(text: str, implied: Any) -> None:
    assert implied_values(parse_filter(text)) == implied
