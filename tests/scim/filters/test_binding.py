"""Filters bound to a resource type: attributes known, operators of the type, values of the type."""

from decimal import Decimal
from typing import Any

import pytest

from scim_server.dialects import GENERIC
from scim_server.scim.errors import InvalidFilter
from scim_server.scim.filters.binding import (
    AllOf,
    AnyOf,
    Element,
    Negation,
    Never,
    Predicate,
    Presence,
    bind_filter,
    bind_value_filter,
)
from scim_server.scim.filters.grammar import parse_filter
from scim_server.scim.values import fold_decimal
from tests.scim.samples import EXTRA_URN, PROBE, PROBE_URN, STRICT, USER, bound, known

ORDER = ("gt", "ge", "lt", "le")
PARTS = ("co", "sw", "ew")
REFUSED_OPERATORS = {
    "flag": (*ORDER, *PARTS),
    "data": (*ORDER, *PARTS),
    "whole": PARTS,
    "amount": PARTS,
    "moment": PARTS,
    "entries.done": (*ORDER, *PARTS),
    "entries.count": PARTS,
}
VALUES = {
    "flag": "true",
    "data": '"AA=="',
    "whole": "1",
    "amount": "1.5",
    "moment": '"2026-01-01T00:00:00Z"',
    "entries.done": "true",
    "entries.count": "1",
}


@pytest.mark.parametrize("path", ["text", "TEXT", f"{PROBE_URN}:text", f"{PROBE_URN.lower()}:Text"])
def test_an_attribute_is_found_in_any_spelling(path: str) -> None:
    assert bound(f'{path} eq "X"') == Predicate(known(PROBE, "text"), "eq", "x")


@pytest.mark.parametrize("path", ["nothing", "text.part", "place.street", "level", "urn:x:text"])
@pytest.mark.parametrize("rest", ["pr", 'eq "x"', 'sw "x"', "eq null", "[value pr]"])
def test_an_unknown_attribute_is_refused_and_named(path: str, rest: str) -> None:
    with pytest.raises(InvalidFilter, match=f"Probe has no attribute '{path}'"):
        bound(f"{path}{rest if rest.startswith('[') else ' ' + rest}")


def test_an_unknown_attribute_deep_inside_is_refused() -> None:
    with pytest.raises(InvalidFilter, match="nothing"):
        bound("not (text pr or (whole pr and nothing pr))")


def test_an_unknown_part_of_an_element_is_refused_with_its_attribute_named() -> None:
    with pytest.raises(InvalidFilter, match="entries has no attribute 'nothing'"):
        bound("entries[nothing pr]")


@pytest.mark.parametrize("rest", ["pr", 'eq "x"', "eq null"])
def test_an_attribute_that_is_never_returned_cannot_be_probed(rest: str) -> None:
    with pytest.raises(InvalidFilter, match="secret is never returned"):
        bound(f"secret {rest}")


@pytest.mark.parametrize(
    ("path", "operator"), [(path, name) for path, names in REFUSED_OPERATORS.items() for name in names]
)
def test_an_operator_that_the_type_does_not_have_is_refused(path: str, operator: str) -> None:
    with pytest.raises(InvalidFilter, match=f"{operator} does not apply to it"):
        bound(f"{path} {operator} {VALUES[path]}")


@pytest.mark.parametrize(
    "text",
    [
        "text eq 5",
        "text eq true",
        'flag eq "true"',
        "flag eq 1",
        'whole eq "5"',
        "whole eq 5.0",
        "whole eq true",
        "whole eq 9223372036854775808",
        'amount eq "1"',
        "amount eq true",
        "amount eq 1e30",
        "amount gt 1e-13",
        "moment eq 5",
        'moment gt "yesterday"',
        'moment gt "2026-02-30T00:00:00Z"',
        "data eq 5",
        "text gt null",
        "text co null",
        "exact lt 5",
    ],
)
def test_a_value_of_another_type_is_refused(text: str) -> None:
    with pytest.raises(InvalidFilter):
        bound(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('text eq "STRASSE"', "strasse"),
        ('exact eq "Ab"', "Ab"),
        ('link co "Ab"', "Ab"),
        ("whole eq -7", -7),
        ("amount eq 1.50", fold_decimal(Decimal("1.5"))),
        ("amount eq 0", fold_decimal(Decimal(0))),
        ('moment eq "2026-01-01T01:00:00+01:00"', "2026-01-01T00:00:00.000000000Z"),
        ("flag eq false", False),
    ],
)
def test_a_value_is_folded_the_way_stored_values_are(text: str, value: Any) -> None:
    condition = bound(text)
    assert isinstance(condition, Predicate)
    assert condition.value == value


def test_a_boolean_as_text_is_read_where_the_client_sends_it() -> None:
    assert bound('flag eq "True"', policy=GENERIC) == Predicate(known(PROBE, "flag"), "eq", True)


def test_ne_is_a_negated_eq() -> None:
    assert bound('text ne "x"') == Negation(Predicate(known(PROBE, "text"), "eq", "x"))


def test_eq_null_means_absent_and_ne_null_present() -> None:
    presence = Presence(known(PROBE, "text"))
    assert bound("text eq null") == Negation(presence)
    assert bound("text ne null") == presence


def test_a_complex_attribute_is_compared_by_its_value() -> None:
    assert bound('entries eq "X"') == Predicate(known(PROBE, "entries.value"), "eq", "x")


def test_a_complex_attribute_without_value_cannot_be_compared() -> None:
    with pytest.raises(InvalidFilter, match="compare one of its sub-attributes"):
        bound('place eq "x"')


def test_junctions_keep_their_shape() -> None:
    text, whole = Presence(known(PROBE, "text")), Presence(known(PROBE, "whole"))
    assert bound("text pr and whole pr or text pr") == AnyOf((AllOf((text, whole)), text))


def test_a_value_path_is_about_one_element() -> None:
    inner = Predicate(known(PROBE, "entries.type"), "eq", "red")
    assert bound('entries[type eq "RED"]') == Element(known(PROBE, "entries"), inner)


def test_the_element_of_a_simple_attribute_is_called_value() -> None:
    texts = known(PROBE, "texts")
    assert bound('texts[value sw "X"]') == Element(texts, Predicate(texts, "sw", "x"))


def test_a_simple_single_attribute_has_no_elements() -> None:
    with pytest.raises(InvalidFilter, match="text has single values"):
        bound('text[value eq "x"]')


def test_elements_inside_elements_are_refused() -> None:
    with pytest.raises(InvalidFilter, match="single values"):
        bound("entries[value[value pr]]")


def test_extension_attributes_are_known_by_their_urn() -> None:
    assert bound(f"{EXTRA_URN}:level gt 1") == Predicate(known(PROBE, f"{EXTRA_URN}:level"), "gt", 1)


def test_what_only_another_type_has_never_matches() -> None:
    expression = parse_filter('userName eq "x"')
    assert bind_filter(expression, PROBE, STRICT, known_elsewhere=lambda path: path == "userName") == Never()


def test_what_no_type_has_is_refused_in_a_search_over_several() -> None:
    with pytest.raises(InvalidFilter):
        bind_filter(parse_filter("nothing pr"), PROBE, STRICT, known_elsewhere=lambda _: False)


def test_a_value_filter_knows_only_the_parts_of_its_attribute() -> None:
    with pytest.raises(InvalidFilter, match="emails has no attribute 'userName'"):
        bind_value_filter(parse_filter("userName pr"), known(USER, "emails"), STRICT)
