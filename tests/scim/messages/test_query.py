"""List requests read from a query string and from a SearchRequest."""

from typing import Any

import pytest

from scim_server.dialects import GENERIC
from scim_server.scim.errors import InvalidSyntax, InvalidValue
from scim_server.scim.messages.query import (
    SEARCH_URN,
    Query,
    projection_parameters,
    query_from_message,
    query_from_parameters,
)
from tests.scim.samples import STRICT


def from_url(**parameters: str) -> Query:
    return query_from_parameters(parameters.items(), GENERIC)


def from_body(**members: Any) -> Query:
    return query_from_message({"schemas": [SEARCH_URN], **members}, STRICT)


def test_every_parameter_is_read() -> None:
    assert from_url(
        filter="a pr",
        sortBy="a",
        sortOrder="descending",
        startIndex="5",
        count="7",
        attributes="a, b,,c",
        excludedAttributes="d",
        cursor="x",
    ) == Query("a pr", "a", True, 5, 7, "x", ("a", " b", "c"), ("d",))


def test_every_member_is_read() -> None:
    assert from_body(
        filter="a pr",
        sortBy="a",
        sortOrder="descending",
        startIndex=5,
        count=7,
        attributes=["a"],
        excludedAttributes=["d"],
        cursor="x",
    ) == Query("a pr", "a", True, 5, 7, "x", ("a",), ("d",))


def test_nothing_asked_is_the_first_page_in_the_default_order() -> None:
    assert from_url() == from_body() == Query()


def test_names_in_other_case_are_for_lenient_clients() -> None:
    assert query_from_parameters([("STARTINDEX", "5")], GENERIC).start_index == 5
    assert query_from_parameters([("STARTINDEX", "5")], STRICT).start_index == 1


def test_unknown_parameters_are_passed_over() -> None:
    assert from_url(access_token="x", foo="y") == Query()


@pytest.mark.parametrize("start", ["0", "-5", "-999999999999"])
def test_a_start_below_one_means_one(start: str) -> None:
    assert from_url(startIndex=start).start_index == 1


@pytest.mark.parametrize(
    ("count", "read"), [("0", 0), ("-1", 0), ("5", 5), ("999999999999999999", 10**18 - 1)]
)
def test_a_negative_count_means_none(count: str, read: int) -> None:
    assert from_url(count=count).count == read


@pytest.mark.parametrize("name", ["count", "startIndex"])
@pytest.mark.parametrize("text", ["", "x", "1.0", "1e3", "0x10", "9" * 20, "1_0", "٣"])
def test_what_is_no_integer_is_refused(name: str, text: str) -> None:
    with pytest.raises(InvalidValue, match=f"{name} must be an integer"):
        query_from_parameters([(name, text)], GENERIC)


def test_a_start_beyond_every_store_is_refused() -> None:
    with pytest.raises(InvalidValue, match="startIndex is out of range"):
        from_url(startIndex=str(2**53))


@pytest.mark.parametrize("order", ["ascending", "ASCENDING", "Descending"])
def test_the_order_is_read_in_any_case(order: str) -> None:
    assert from_url(sortBy="a", sortOrder=order).descending is (order.lower() == "descending")


@pytest.mark.parametrize("order", ["", "down", "asc"])
def test_another_order_is_refused(order: str) -> None:
    with pytest.raises(InvalidValue, match="sortOrder must be ascending or descending"):
        from_url(sortBy="a", sortOrder=order)


def test_an_order_without_an_attribute_means_nothing() -> None:
    assert from_url(sortOrder="descending") == Query()


def test_an_empty_cursor_asks_for_the_first_page_by_cursor() -> None:
    assert from_url(cursor="").cursor == ""
    assert from_url().cursor is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("filter", 5),
        ("sortBy", ["a"]),
        ("sortOrder", True),
        ("cursor", {}),
        ("startIndex", "1"),
        ("count", 1.5),
        ("count", True),
        ("attributes", "a,b"),
        ("attributes", [5]),
        ("excludedAttributes", {}),
    ],
)
def test_a_member_of_another_type_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidValue, match=f"{name} must be"):
        from_body(**{name: value})


def test_null_members_are_not_given() -> None:
    assert from_body(filter=None, count=None, attributes=None) == Query()


@pytest.mark.parametrize("body", [None, [], "x"])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    with pytest.raises(InvalidSyntax):
        query_from_message(body, GENERIC)


@pytest.mark.parametrize("schemas", [None, [], ["urn:x"], {}, 5, True])
def test_the_schema_is_required_of_strict_clients_only(schemas: Any) -> None:
    assert query_from_message({"schemas": schemas}, GENERIC) == Query()
    with pytest.raises(InvalidSyntax, match="schemas must name"):
        query_from_message({"schemas": schemas}, STRICT)


def test_the_lists_of_one_resource_are_read_in_any_case() -> None:
    stated = [("ATTRIBUTES", "a,b"), ("excludedattributes", "c"), ("count", "x")]
    assert projection_parameters(stated, GENERIC) == (("a", "b"), ("c",))
    assert projection_parameters(stated, STRICT) == ((), ())
    assert projection_parameters([], GENERIC) == ((), ())
