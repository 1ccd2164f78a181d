"""Documents are read and written by extension and attribute."""

from typing import Any

import pytest

from scim_server.lifecycle.documents import (
    Document,
    changed_paths,
    differences,
    get,
    primary_email,
    primary_of,
    put,
)

URN = "urn:a:User"


def test_an_attribute_is_read_from_the_core_or_an_extension() -> None:
    document = {"title": "x", URN: {"title": "y"}}
    assert (get(document, None, "title"), get(document, URN, "title"), get(document, "urn:b", "title")) == (
        "x",
        "y",
        None,
    )


@pytest.mark.parametrize("value", [None, [], {}])
def test_an_empty_value_removes_the_attribute_and_an_emptied_extension(value: Any) -> None:
    document: Document = {"title": "x", URN: {"title": "y"}}
    put(document, None, "title", value)
    put(document, URN, "title", value)
    assert document == {}


@pytest.mark.parametrize("value", [False, 0, ""])
def test_what_is_only_falsy_is_a_value(value: Any) -> None:
    document: Document = {}
    put(document, URN, "title", value)
    assert document == {URN: {"title": value}}


def test_writing_into_an_extension_leaves_other_documents_alone() -> None:
    shared = {"title": "x"}
    document: Document = {URN: shared}
    put(document, URN, "title", "y")
    assert shared == {"title": "x"}


@pytest.mark.parametrize(
    ("elements", "value"),
    [
        ([{"value": "a"}, {"value": "b", "primary": True}], "b"),
        ([{"value": "a"}, {"value": "b"}], "a"),
        ([], None),
        (None, None),
    ],
)
def test_the_primary_element_is_the_one_marked_else_the_first(elements: Any, value: str | None) -> None:
    found = primary_of(elements)
    assert (found and found["value"]) == value
    assert primary_email({"emails": elements}) == value


def test_differences_are_named_by_path_without_what_is_internal() -> None:
    before: Document = {"title": "x", URN: {"a": 1, "b": 2}, "~facts": {"status": "active"}}
    after: Document = {"title": "x", "nickName": "n", URN: {"a": 1, "b": 3}}
    assert differences(before, after) == [("nickName", None, "n"), (f"{URN}:b", 2, 3)]
    assert changed_paths(before, after) == [(None, "nickName"), (URN, "b")]
