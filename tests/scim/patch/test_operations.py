"""The PATCH message: its form, and what each dialect lets pass."""

from typing import Any

import pytest

from scim_server.dialects import GENERIC
from scim_server.scim.errors import InvalidSyntax, InvalidValue, NoTarget
from scim_server.scim.patch.operations import PATCH_URN, Operation, parse_patch
from tests.scim.samples import STRICT


def parsed(*operations: Any, lenient: bool = False) -> list[Operation]:
    message = {"schemas": [PATCH_URN], "Operations": list(operations)}
    return parse_patch(message, GENERIC if lenient else STRICT)


def test_operations_are_read_in_order() -> None:
    assert parsed({"op": "add", "path": "a", "value": 1}, {"op": "remove", "path": "b"}) == [
        Operation("add", "a", 1, has_value=True),
        Operation("remove", "b", None, has_value=False),
    ]


def test_names_of_members_are_read_in_any_case() -> None:
    message = {"SCHEMAS": [PATCH_URN], "operations": [{"OP": "add", "Path": "a", "VALUE": 1}]}
    assert parse_patch(message, STRICT) == [Operation("add", "a", 1, has_value=True)]


@pytest.mark.parametrize("body", [None, [], "x", 5])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    with pytest.raises(InvalidSyntax, match="must be a JSON object"):
        parse_patch(body, GENERIC)


@pytest.mark.parametrize("schemas", [None, [], "x", 5, [5], {"a": 1}, ["urn:x"]])
def test_the_schema_is_required_of_strict_clients_only(schemas: Any) -> None:
    message = {"schemas": schemas, "Operations": [{"op": "remove", "path": "a"}]}
    assert len(parse_patch(message, GENERIC)) == 1
    with pytest.raises(InvalidSyntax, match="schemas must name"):
        parse_patch(message, STRICT)


@pytest.mark.parametrize("operations", [None, {}, "x", 5])
def test_operations_must_be_an_array(operations: Any) -> None:
    with pytest.raises(InvalidSyntax, match="Operations must be an array"):
        parse_patch({"schemas": [PATCH_URN], "Operations": operations}, GENERIC)


def test_no_operations_are_none_to_lenient_clients_and_refused_to_strict_ones() -> None:
    assert parsed(lenient=True) == []
    with pytest.raises(InvalidSyntax, match="Operations is empty"):
        parsed()


@pytest.mark.parametrize("item", [None, "add", 5, []])
def test_an_operation_that_is_no_object_is_refused_with_its_index(item: Any) -> None:
    with pytest.raises(InvalidSyntax, match=r"Operations\[1\] must be an object"):
        parsed({"op": "remove", "path": "a"}, item)


@pytest.mark.parametrize("name", [None, "", "move", 5, ["add"], "test", " add"])
def test_an_unknown_name_is_refused(name: Any) -> None:
    with pytest.raises(InvalidSyntax, match=r"Operations\[0\]\.op must be one of add, remove, replace"):
        parsed({"op": name, "path": "a", "value": 1}, lenient=True)


@pytest.mark.parametrize("name", ["Add", "REPLACE", "Remove"])
def test_names_in_other_case_are_for_lenient_clients(name: str) -> None:
    assert parsed({"op": name, "path": "a", "value": 1}, lenient=True)[0].name == name.lower()
    with pytest.raises(InvalidSyntax):
        parsed({"op": name, "path": "a", "value": 1})


@pytest.mark.parametrize("path", [5, ["a"], {}, True])
def test_a_path_that_is_no_string_is_refused(path: Any) -> None:
    with pytest.raises(InvalidSyntax, match="path must be a string"):
        parsed({"op": "add", "path": path, "value": 1})


@pytest.mark.parametrize("path", [None, ""])
def test_a_remove_without_path_has_no_target(path: Any) -> None:
    with pytest.raises(NoTarget):
        parsed({"op": "remove", "path": path, "value": {"a": 1}}, lenient=True)


@pytest.mark.parametrize("name", ["add", "replace"])
def test_add_and_replace_need_a_value(name: str) -> None:
    with pytest.raises(InvalidValue, match="value is missing"):
        parsed({"op": name, "path": "a"}, lenient=True)


def test_a_null_value_is_not_a_missing_one() -> None:
    assert parsed({"op": "replace", "path": "a", "value": None})[0].has_value


@pytest.mark.parametrize("value", [None, "x", 5, ["a"]])
def test_a_value_without_path_must_be_an_object(value: Any) -> None:
    with pytest.raises(InvalidValue, match="must be an object"):
        parsed({"op": "add", "value": value}, lenient=True)
