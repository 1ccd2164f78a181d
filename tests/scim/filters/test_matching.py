"""Conditions on one element, as PATCH value paths need them."""

from decimal import Decimal
from typing import Any

import pytest

from scim_server.scim.filters.binding import Never, bind_value_filter
from scim_server.scim.filters.grammar import parse_filter
from scim_server.scim.filters.matching import matches
from tests.scim.samples import PROBE, STRICT, known

ENTRY = {
    "value": "Straße",
    "type": "Green",
    "amount": Decimal("9.5"),
    "count": 10,
    "at": "2026-01-01T01:00:00+01:00",
    "done": False,
    "tags": ["One", "Two"],
}


def selects(text: str, element: Any, path: str = "entries") -> bool:
    return matches(bind_value_filter(parse_filter(text), known(PROBE, path), STRICT), element)


@pytest.mark.parametrize(
    "text",
    [
        'value eq "STRASSE"',
        'value co "ASS"',
        'value sw "stra"',
        'value ew "sse"',
        'value ne "street"',
        'value co ""',
        'type eq "green"',
        "amount gt 9",
        "amount lt 10.0",
        "amount eq 9.50",
        "count ge 10",
        "count gt 9",
        'at eq "2026-01-01T00:00:00Z"',
        'at lt "2026-01-01T00:00:00.000000001Z"',
        "done eq false",
        "done ne true",
        "done pr",
        'tags eq "two"',
        'tags sw "on"',
        "stamp eq null",
        'stamp ne "x"',
        "not (stamp pr)",
        'value pr and (count eq 1 or type sw "g")',
    ],
)
def test_a_condition_that_holds(text: str) -> None:
    assert selects(text, ENTRY)


@pytest.mark.parametrize(
    "text",
    [
        'value eq "strase"',
        "amount gt 10",
        "amount lt 9.5",
        "count lt 9",
        "done eq true",
        'tags ne "two"',
        'tags eq "three"',
        "stamp pr",
        'stamp eq ""',
        'stamp sw ""',
        'stamp lt "z"',
        'at gt "2026-01-01T00:00:00Z"',
        "value pr and count eq 1",
        "not (value pr)",
    ],
)
def test_a_condition_that_does_not_hold(text: str) -> None:
    assert not selects(text, ENTRY)


def test_a_bare_value_is_called_value() -> None:
    assert selects('value eq "x" and value pr', "X", "texts")
    assert not selects('value eq "y"', "X", "texts")


def test_numbers_are_compared_as_numbers() -> None:
    assert selects("value gt 9", 10, "wholes")


def test_what_another_type_has_selects_nothing() -> None:
    assert not matches(Never(), ENTRY)
