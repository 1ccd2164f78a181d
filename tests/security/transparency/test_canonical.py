"""The canonical bytes are those of RFC 8785, for what events are made of."""

from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from scim_server.security.transparency.canonical import NotCanonical, canonical

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NAME = st.text(st.characters(max_codepoint=127))
VALUE = st.recursive(
    TEXT | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAME, inner, max_size=4),
    max_leaves=20,
)


@given(VALUE)
def test_the_bytes_are_those_of_an_independent_implementation(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


def test_control_characters_and_quotes_are_escaped_as_the_rfc_has_it() -> None:
    assert canonical('\x00\x1b\b\t\n\f\r"\\\x7fé\u2028') == rfc8785.dumps('\x00\x1b\b\t\n\f\r"\\\x7fé\u2028')


@pytest.mark.parametrize("value", [1, 1.5, None, {"a": [1]}, {"é": "x"}, [None], ("a",), {1: "a"}])
def test_what_might_be_written_otherwise_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical(value)


def test_half_of_a_character_is_refused() -> None:
    with pytest.raises(NotCanonical):
        canonical("\ud800")
