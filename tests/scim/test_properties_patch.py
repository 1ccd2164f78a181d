"""PATCH against plain models: simple attributes as a dictionary, memberships as a set."""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from scim_server.scim.filters.binding import Condition, Predicate
from scim_server.scim.filters.matching import matches
from scim_server.scim.patch.membership import Membership, MembershipEdit
from tests.scim.samples import EXTRA_URN, GROUP, known, operation, patched

ordinary = settings(deadline=None, max_examples=100)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": st.text("aB ", max_size=3),
    "whole": st.integers(-3, 3),
    "flag": st.booleans(),
    "moment": st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01T00:00:00+01:00"]),
    "place.city": st.sampled_from(["x", "y"]),
    "place.floor": st.integers(0, 2),
    f"{EXTRA_URN}:level": st.integers(0, 2),
}
STEPS = st.lists(
    st.sampled_from(sorted(VALUES)).flatmap(
        lambda path: st.tuples(
            st.sampled_from(["add", "replace", "remove"]), st.just(path), VALUES[path] | st.none()
        )
    ),
    max_size=8,
)
TARGETS = st.lists(st.sampled_from("abcdef"), max_size=4)
VALUE = known(GROUP, "members.value")
CONDITIONS = st.builds(
    lambda operator, text: Predicate(VALUE, operator, text),
    st.sampled_from(["eq", "gt", "le"]),
    st.sampled_from("abcdef"),
)
EDITS = st.lists(
    st.tuples(st.sampled_from(["add", "remove", "replace"]), TARGETS)
    | st.tuples(st.just("remove_where"), CONDITIONS),
    max_size=6,
)


def flat(document: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a document by path."""
    values = {name: value for name, value in document.items() if not isinstance(value, dict)}
    values |= {f"place.{name}": value for name, value in document.get("place", {}).items()}
    return values | {f"{EXTRA_URN}:{name}": value for name, value in document.get(EXTRA_URN, {}).items()}


def modelled(values: dict[str, Any], name: str, path: str, value: Any) -> None:
    """Do what one operation says to a dictionary."""
    if value in (None, "") or name == "remove":
        if name != "add" or value == "":
            values.pop(path, None)
    else:
        values[path] = value


@ordinary
@given(STEPS)
def test_a_sequence_on_simple_attributes_does_what_a_dictionary_does(
    steps: list[tuple[str, str, Any]],
) -> None:
    values: dict[str, Any] = {"title": "t"}
    operations = []
    for name, path, value in steps:
        if value == "" and name == "add":
            continue
        modelled(values, name, path, value)
        operations.append(operation(name, path) if name == "remove" else operation(name, path, value))
    assert flat(patched({"title": "t"}, *operations).document) == values


@ordinary
@given(STEPS)
def test_one_request_does_what_its_operations_do_one_by_one(steps: list[tuple[str, str, Any]]) -> None:
    operations = [
        operation(name, path) if name == "remove" else operation(name, path, value)
        for name, path, value in steps
    ]
    document: dict[str, Any] = {"title": "t"}
    for each in operations:
        document = patched(document, each).document
    assert patched({"title": "t"}, *operations).document == document


def stepwise(members: set[str], edits: list[tuple[str, Any]]) -> set[str]:
    """Return the members after doing every edit at once to a set."""
    actions: dict[str, Callable[[set[str], Any], set[str]]] = {
        "add": lambda now, targets: now | set(targets),
        "remove": lambda now, targets: now - set(targets),
        "replace": lambda _now, targets: set(targets),
        "remove_where": lambda now, condition: {each for each in now if not _satisfies(condition, each)},
    }
    for name, argument in edits:
        members = actions[name](members, argument)
    return members


def _satisfies(condition: Condition, target: str) -> bool:
    return matches(condition, {"value": target})


def executed(members: set[str], edits: list[MembershipEdit]) -> set[str]:
    """Return the members after the composed edits, in the order that each of them documents."""
    for edit in edits:
        if edit.cleared:
            members = set()
        if edit.condition is not None:
            condition = edit.condition
            members = {each for each in members if not _satisfies(condition, each)}
        members = (members - set(edit.removed)) | set(edit.added)
    return members


@settings(deadline=None, max_examples=300)
@given(TARGETS, EDITS)
def test_composed_edits_of_a_membership_do_what_single_ones_do(
    members: list[str], edits: list[tuple[str, Any]]
) -> None:
    membership = Membership(known(GROUP, "members"))
    for name, argument in edits:
        getattr(membership, name)(argument)
    assert executed(set(members), membership.edits) == stepwise(set(members), edits)


@ordinary
@given(EDITS)
def test_a_target_is_never_both_added_and_removed(edits: list[tuple[str, Any]]) -> None:
    membership = Membership(known(GROUP, "members"))
    for name, argument in edits:
        getattr(membership, name)(argument)
    assert [edit for edit in membership.edits if edit.added.keys() & edit.removed.keys()] == []
