"""PATCH on a document: atomic, in order, with every attribute's mutability kept."""

from typing import Any

import pytest

from scim_server.scim.errors import InvalidPath, InvalidSyntax, InvalidValue, Mutability
from tests.scim.samples import ENTERPRISE, EXTRA_URN, PROBE_URN, STRICT, USER, operation, patched

BEFORE = {"title": "a", "text": "t", EXTRA_URN: {"level": 1}}


def after(*operations: dict[str, Any], document: Any = None, **options: Any) -> dict[str, Any]:
    return patched(BEFORE if document is None else document, *operations, **options).document


def test_operations_see_what_earlier_ones_did() -> None:
    changes = [
        operation("add", "entries", [{"value": "x"}]),
        operation("replace", 'entries[value eq "x"].count', 1),
        operation("remove", "entries[count eq 1].value"),
    ]
    assert after(*changes)["entries"] == [{"count": 1}]


def test_the_given_document_stays_as_it_is() -> None:
    document = {"title": "a", "entries": [{"value": "x"}], EXTRA_URN: {"level": 1}}
    after(
        operation("add", "entries", [{"value": "y", "primary": True}]),
        operation("remove", f"{EXTRA_URN}:level"),
        document=document,
    )
    assert document == {"title": "a", "entries": [{"value": "x"}], EXTRA_URN: {"level": 1}}


def test_no_operations_change_nothing() -> None:
    assert after() == BEFORE


@pytest.mark.parametrize("name", ["add", "replace"])
def test_without_a_path_every_key_is_a_target(name: str) -> None:
    value = {"text": "new", "WHOLE": 1, f"{EXTRA_URN}": {"level": 2}}
    assert after(operation(name, None, value)) == {
        "title": "a",
        "text": "new",
        "whole": 1,
        EXTRA_URN: {"level": 2},
    }


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("place.city", "x", {"place": {"city": "x"}}),
        (f"{EXTRA_URN}:level", 2, {EXTRA_URN: {"level": 2}}),
        (f"{PROBE_URN}:whole", 2, {"whole": 2}),
        ('entries[type eq "red"].value', "x", {"entries": [{"type": "red", "value": "x"}]}),
    ],
)
def test_keys_may_be_paths_for_clients_that_write_them(key: str, value: Any, expected: Any) -> None:
    assert after(operation("replace", None, {key: value})) == {**BEFORE, **expected}
    with pytest.raises(InvalidSyntax):
        after(operation("replace", None, {key: value}), policy=STRICT)


def test_an_unknown_path_is_refused_unless_the_client_is_known_for_it() -> None:
    change = operation("replace", "nothing", 1)
    with pytest.raises(InvalidPath, match="Probe has no attribute 'nothing'"):
        after(change)
    assert after(change, ignore_unknown_paths=True) == BEFORE


def test_an_unknown_key_is_passed_over_unless_the_client_is_strict() -> None:
    change = operation("replace", None, {"nothing": 1, "text": "new"})
    assert after(change)["text"] == "new"
    with pytest.raises(InvalidSyntax, match="no attribute nothing"):
        after(change, policy=STRICT)


def test_an_extension_is_replaced_part_by_part() -> None:
    change = operation("replace", EXTRA_URN, {"shade": "dark"})
    assert after(change)[EXTRA_URN] == {"level": 1, "shade": "Dark"}


@pytest.mark.parametrize("change", [operation("remove", EXTRA_URN), operation("replace", EXTRA_URN, None)])
def test_an_extension_is_removed_as_a_whole(change: dict[str, Any]) -> None:
    assert EXTRA_URN not in after(change)


def test_an_extension_that_loses_its_last_value_is_gone() -> None:
    assert EXTRA_URN not in after(operation("remove", f"{EXTRA_URN}:level"))


def test_an_extension_must_be_an_object() -> None:
    with pytest.raises(InvalidValue, match="must be an object"):
        after(operation("add", EXTRA_URN, "x"))


@pytest.mark.parametrize(
    "change",
    [
        operation("remove", "title"),
        operation("replace", "title", None),
        operation("replace", "title", ""),
        operation("replace", None, {"title": None}),
    ],
)
def test_a_required_attribute_cannot_be_cleared(change: dict[str, Any]) -> None:
    with pytest.raises(Mutability, match="title is required"):
        after(change)


def test_a_required_attribute_may_be_cleared_and_set_again_in_one_request() -> None:
    assert after(operation("remove", "title"), operation("add", "title", "b"))["title"] == "b"


@pytest.mark.parametrize("path", ["made", "meta", "meta.version", "schemas", "id"])
@pytest.mark.parametrize("name", ["add", "replace", "remove"])
def test_what_the_server_owns_is_refused_to_strict_clients(name: str, path: str) -> None:
    with pytest.raises(Mutability):
        after(operation(name, path, "x"), policy=STRICT)


def test_a_read_only_attribute_named_on_purpose_is_refused_to_everyone() -> None:
    with pytest.raises(Mutability, match="made is readOnly"):
        after(operation("replace", "made", "x"))


@pytest.mark.parametrize("value", [{"id": "own-id"}, {"meta": {"version": "x"}}, {"schemas": []}])
def test_what_clients_repeat_by_habit_is_passed_over(value: dict[str, Any]) -> None:
    assert after(operation("replace", None, {**value, "text": "new"})) == {**BEFORE, "text": "new"}


def test_the_id_cannot_become_another_one() -> None:
    with pytest.raises(Mutability, match="id is readOnly"):
        after(operation("replace", None, {"id": "other"}))


def test_an_immutable_attribute_can_be_set_once() -> None:
    assert after(operation("add", "serial", "1"))["serial"] == "1"


@pytest.mark.parametrize(
    "change",
    [
        operation("replace", "serial", "2"),
        operation("add", None, {"serial": "2"}),
        operation("remove", "serial"),
    ],
)
def test_an_immutable_attribute_keeps_its_value(change: dict[str, Any]) -> None:
    with pytest.raises(Mutability, match="serial is immutable"):
        after(change, document={"title": "a", "serial": "1"})


def test_an_immutable_attribute_may_be_set_to_the_value_it_has() -> None:
    document = {"title": "a", "serial": "1"}
    assert after(operation("replace", "serial", "1"), document=document) == document


def test_an_immutable_attribute_of_an_extension_keeps_its_value() -> None:
    with pytest.raises(Mutability, match="label is immutable"):
        after(
            operation("replace", f"{EXTRA_URN}:label", "y"),
            document={"title": "a", EXTRA_URN: {"label": "x"}},
        )


def test_an_immutable_part_of_a_value_keeps_its_value() -> None:
    document = {"title": "a", "entries": [{"value": "x", "stamp": "1"}]}
    with pytest.raises(Mutability, match=r"entries\.stamp is immutable"):
        after(operation("replace", 'entries[value eq "x"].stamp', "2"), document=document)


def test_a_value_with_an_immutable_part_may_be_removed_as_a_whole() -> None:
    document = {"title": "a", "entries": [{"value": "x", "stamp": "1"}]}
    assert after(operation("remove", 'entries[value eq "x"]'), document=document) == {"title": "a"}


def test_all_violations_of_one_operation_are_reported_together() -> None:
    with pytest.raises(InvalidValue, match=r"^whole must be an integer, not a string; flag must be true or"):
        after(operation("replace", None, {"whole": "x", "flag": "y"}))


def test_a_password_is_in_the_result_for_the_service_to_take() -> None:
    document = {"userName": "a"}
    assert after(operation("replace", "password", "x"), document=document, resource_type=USER) == {
        "userName": "a",
        "password": "x",
    }


def test_a_manager_given_as_a_bare_id_is_a_reference() -> None:
    change = operation("replace", f"{ENTERPRISE}:manager", "m1")
    assert after(change, document={"userName": "a"}, resource_type=USER)[ENTERPRISE] == {
        "manager": {"value": "m1"}
    }


@pytest.mark.parametrize(
    "change",
    [
        operation("remove", f"{ENTERPRISE}:manager"),
        operation("replace", f"{ENTERPRISE}:manager", ""),
        operation("replace", f"{ENTERPRISE}:manager", None),
        operation("replace", f"{ENTERPRISE}:manager", {"value": ""}),
        operation("remove", f"{ENTERPRISE}:manager.value"),
    ],
)
def test_a_manager_without_a_value_is_none(change: dict[str, Any]) -> None:
    document = {"userName": "a", ENTERPRISE: {"manager": {"value": "m1"}}}
    assert after(change, document=document, resource_type=USER) == {"userName": "a"}
