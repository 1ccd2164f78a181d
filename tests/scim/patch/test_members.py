"""PATCH of members translated into edits without knowing the members."""

from typing import Any

import pytest

from scim_server.dialects import DIALECTS
from scim_server.scim.errors import InvalidFilter, InvalidValue, Mutability, NoTarget
from scim_server.scim.filters.binding import bind_value_filter
from scim_server.scim.filters.grammar import parse_filter
from scim_server.scim.patch.members import named_targets
from scim_server.scim.patch.membership import MembershipEdit
from tests.scim.samples import GROUP, STRICT, known, operation, patched


def edits(*operations: dict[str, Any], **options: Any) -> list[MembershipEdit]:
    (membership,) = patched({"displayName": "g"}, *operations, resource_type=GROUP, **options).memberships
    return membership.edits


def added(*targets: str) -> MembershipEdit:
    return MembershipEdit(added=dict.fromkeys(targets))


def removed(*targets: str) -> MembershipEdit:
    return MembershipEdit(removed=dict.fromkeys(targets, False))


@pytest.mark.parametrize(
    "value",
    [
        [{"value": "a"}, {"value": "b"}],
        [{"value": "a", "display": None, "$ref": None}, {"Value": "b", "type": "User"}],
        [{"$ref": "x/Users/a"}, "b"],
        [{"value": "a"}, {"value": "a"}, {"value": "b"}],
    ],
)
def test_members_are_added_in_every_spelling(value: Any) -> None:
    assert edits(operation("add", "members", value)) == [added("a", "b")]


def test_members_are_added_without_a_path() -> None:
    assert edits(operation("add", None, {"members": [{"value": "a"}]})) == [added("a")]


@pytest.mark.parametrize("value", [[], None])
def test_replacing_by_nothing_empties(value: Any) -> None:
    assert edits(operation("replace", "members", value)) == [MembershipEdit(cleared=True)]


def test_replacing_names_the_only_members() -> None:
    assert edits(operation("replace", "members", [{"value": "a"}])) == [
        MembershipEdit(cleared=True, added={"a": None})
    ]


def test_remove_without_a_value_empties() -> None:
    assert edits(operation("remove", "members")) == [MembershipEdit(cleared=True)]


def test_remove_with_a_value_removes_what_is_listed() -> None:
    assert edits(operation("remove", "members", [{"value": "a"}])) == [removed("a")]
    with pytest.raises(InvalidValue, match="remove takes no value"):
        edits(operation("remove", "members", [{"value": "a"}]), policy=STRICT)


def test_remove_with_an_empty_list_removes_nobody() -> None:
    assert edits(operation("remove", "members", [])) == [MembershipEdit()]


@pytest.mark.parametrize(
    "path",
    [
        'members[value eq "a"]',
        'Members[Value EQ "a"]',
        'members[(value eq "a")]',
    ],
)
def test_remove_by_id_names_the_member(path: str) -> None:
    assert edits(operation("remove", path)) == [removed("a")]


def test_a_filter_decides_alone_whatever_value_comes_with_it() -> None:
    assert edits(operation("remove", 'members[value eq "a"]', [{"value": "b"}])) == [removed("a")]


def test_remove_of_several_by_id_names_them() -> None:
    assert edits(operation("remove", 'members[value eq "a" or value eq "b"]')) == [removed("a", "b")]


@pytest.mark.parametrize("filter", ['type eq "User"', 'display sw "A"', 'not (value eq "a")', "value pr"])
def test_remove_by_other_conditions_is_left_to_the_store(filter: str) -> None:
    (edit,) = [edit for edit in edits(operation("remove", f"members[{filter}]")) if edit.condition]
    assert edit.condition is not None


@pytest.mark.parametrize("name", ["add", "replace"])
def test_adding_by_id_in_the_path_adds_that_member(name: str) -> None:
    assert edits(operation(name, 'members[value eq "a"]', None)) == [added("a")]
    with pytest.raises(NoTarget):
        edits(operation(name, 'members[value eq "a"]', {"value": "a"}), policy=STRICT)


def test_replacing_one_member_by_another() -> None:
    change = operation("replace", 'members[value eq "a"]', {"value": "b"})
    assert edits(change) == [MembershipEdit(added={"b": None}, removed={"a": False})]


@pytest.mark.parametrize("name", ["add", "replace"])
def test_members_cannot_be_added_by_another_condition(name: str) -> None:
    with pytest.raises(NoTarget, match=f"{name} cannot change them"):
        edits(operation(name, 'members[type eq "User"]', {"value": "a"}))


@pytest.mark.parametrize("path", ["members.value", 'members[value eq "a"].value', "members.type"])
@pytest.mark.parametrize("name", ["add", "replace"])
def test_parts_of_a_member_cannot_be_changed(name: str, path: str) -> None:
    with pytest.raises(Mutability):
        edits(operation(name, path, "x"), policy=STRICT)


@pytest.mark.parametrize("path", ["members.type", "members.$ref", 'members[value eq "a"].type'])
@pytest.mark.parametrize("dialect", ["strict", "generic"])
def test_removing_a_part_of_members_removes_no_member(dialect: str, path: str) -> None:
    policy = DIALECTS[dialect]
    try:
        result = patched({"displayName": "g"}, operation("remove", path), resource_type=GROUP, policy=policy)
    except Mutability:
        return
    assert [edit for membership in result.memberships for edit in membership.edits] == []


@pytest.mark.parametrize("value", [[""], [{}], [{"display": "x"}], 5, [5], [{"value": 5}]])
def test_a_member_without_an_id_is_refused(value: Any) -> None:
    with pytest.raises(InvalidValue):
        edits(operation("add", "members", value))


def test_a_condition_on_what_members_do_not_have_is_refused() -> None:
    with pytest.raises(InvalidFilter):
        edits(operation("remove", 'members[userName eq "a"]'))


def test_the_document_knows_nothing_of_members() -> None:
    result = patched({"displayName": "g"}, operation("add", "members", [{"value": "a"}]), resource_type=GROUP)
    assert result.document == {"displayName": "g"}


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ('value eq "a"', ["a"]),
        ('value eq "a" or value eq "b" or value eq "a"', ["a", "b", "a"]),
        ('value eq "a" and type eq "User"', None),
        ('value eq "a" or type eq "User"', None),
        ('value ne "a"', None),
        ('value sw "a"', None),
        ('display eq "a"', None),
    ],
)
def test_only_ids_joined_by_or_name_targets(text: str, targets: list[str] | None) -> None:
    condition = bind_value_filter(parse_filter(text), known(GROUP, "members"), STRICT)
    assert named_targets(condition) == targets
