"""Bulk requests read: operations, their faults, references by bulkId."""

from typing import Any

import pytest

from scim_server.dialects import GENERIC
from scim_server.scim.errors import InvalidSyntax, InvalidValue, PayloadTooLarge
from scim_server.scim.messages.bulk import (
    BULK_REQUEST_URN,
    BulkOperation,
    BulkRequest,
    parse_bulk,
    replace_references,
)
from tests.scim.samples import STRICT


def parsed(*operations: Any, **members: Any) -> BulkRequest:
    return parse_bulk(
        {"schemas": [BULK_REQUEST_URN], **members, "Operations": list(operations)}, STRICT, maximum=3
    )


def one(**members: Any) -> BulkOperation:
    (operation,) = parsed({"method": "POST", "path": "/Users", "bulkId": "a", **members}).operations
    return operation


def test_an_operation_is_read_with_all_its_members() -> None:
    assert one(method="put", path="/Users/1", version='W/"1"', data={"a": 1}) == BulkOperation(
        "PUT", "/Users/1", "a", 'W/"1"', {"a": 1}
    )


def test_members_are_read_in_any_case() -> None:
    message = {"Schemas": [BULK_REQUEST_URN], "OPERATIONS": [{"Method": "DELETE", "PATH": "/Users/1"}]}
    assert parse_bulk(message, STRICT, maximum=1).operations[0].fault is None


@pytest.mark.parametrize("body", [None, [], "x", 5])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    with pytest.raises(InvalidSyntax):
        parse_bulk(body, GENERIC, maximum=1)


@pytest.mark.parametrize("schemas", [None, [], ["urn:x"], {}, 5, True])
def test_the_schema_is_required_of_strict_clients_only(schemas: Any) -> None:
    message = {"schemas": schemas, "Operations": []}
    assert parse_bulk(message, GENERIC, maximum=1) == BulkRequest((), None)
    with pytest.raises(InvalidSyntax, match="schemas must name"):
        parse_bulk(message, STRICT, maximum=1)


@pytest.mark.parametrize("operations", [None, {}, "x"])
def test_operations_must_be_an_array(operations: Any) -> None:
    with pytest.raises(InvalidSyntax, match="Operations must be an array"):
        parse_bulk({"Operations": operations}, GENERIC, maximum=1)


def test_more_operations_than_advertised_are_refused() -> None:
    operations = [{"method": "DELETE", "path": f"/Users/{number}"} for number in range(4)]
    assert len(parsed(*operations[:3]).operations) == 3
    with pytest.raises(PayloadTooLarge, match="4 operations; at most 3"):
        parsed(*operations)


@pytest.mark.parametrize("limit", [0, -1, "1", 1.5, True, []])
def test_fail_on_errors_is_a_positive_integer(limit: Any) -> None:
    with pytest.raises(InvalidValue, match="failOnErrors"):
        parsed(failOnErrors=limit)


def test_fail_on_errors_may_be_left_out() -> None:
    assert parsed().fail_on_errors is None
    assert parsed(failOnErrors=2).fail_on_errors == 2


def test_a_bulk_id_that_stands_twice_is_refused() -> None:
    operation = {"method": "POST", "path": "/Users", "bulkId": "a"}
    with pytest.raises(InvalidValue, match="bulkId a stands at more than one"):
        parsed(operation, operation)


def test_an_operation_that_is_no_object_is_refused() -> None:
    with pytest.raises(InvalidSyntax, match=r"Operations\[0\]"):
        parsed("POST")


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"method": "GET"}, "method must be one of DELETE, PATCH, POST, PUT"),
        ({"method": None}, "method must be one of"),
        ({"path": None}, "path must be a path"),
        ({"path": "Users"}, "path must be a path"),
        ({"path": ["/Users"]}, "path must be a path"),
        ({"bulkId": 5}, "bulkId must be a string"),
        ({"bulkId": ""}, "bulkId must be a string"),
        ({"bulkId": None}, "bulkId is required with POST"),
    ],
)
def test_a_fault_of_one_operation_leaves_the_others_alone(members: dict[str, Any], fault: str) -> None:
    assert fault in (one(**members).fault or "")


def test_references_are_found_in_the_path_and_as_whole_values_of_the_data() -> None:
    data = {"members": [{"value": "bulkId:x"}], "manager": {"value": "bulkId:y"}, "$ref": "/Users/bulkId:z"}
    assert one(method="PATCH", path="/Groups/bulkId:g", data=data).references == {"g", "x", "y", "z"}


def test_text_that_mentions_a_bulk_id_is_no_reference() -> None:
    data = {"displayName": "see bulkId:z."}
    assert one(data=data).references == set()
    assert replace_references(data, {"z.": "17"}) == data


def test_a_reference_inside_a_patch_path_ends_at_the_quote() -> None:
    assert one(data={"path": 'members[value eq "bulkId:x"]'}).references == {"x"}


def test_known_references_become_ids_and_others_stay() -> None:
    value = {"a": ["bulkId:x", "bulkId:y", 5], "path": 'm[value eq "bulkId:x"]', "c": None}
    assert replace_references(value, {"x": "17"}) == {
        "a": ["17", "bulkId:y", 5],
        "path": 'm[value eq "17"]',
        "c": None,
    }


def test_a_longer_bulk_id_is_not_taken_for_a_shorter_one() -> None:
    assert replace_references("bulkId:x1", {"x": "17"}) == "bulkId:x1"
