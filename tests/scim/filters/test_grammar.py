"""The filter grammar: precedence, values, limits, and where a fault is."""

from decimal import Decimal
from typing import Any

import pytest

from scim_server.dialects import GENERIC
from scim_server.scim.errors import InvalidFilter
from scim_server.scim.filters.grammar import (
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_TERMS,
    Comparison,
    Expression,
    Junction,
    Not,
    Present,
    ValuePath,
    parse_filter,
)
from scim_server.scim.policy import Policy

A, B, C, D = (Present(name) for name in "abcd")


def both(*operands: Expression) -> Junction:
    return Junction("and", operands)


def either(*operands: Expression) -> Junction:
    return Junction("or", operands)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a pr or b pr and c pr", either(A, both(B, C))),
        ("a pr and b pr or c pr", either(both(A, B), C)),
        ("a pr and b pr or c pr and d pr", either(both(A, B), both(C, D))),
        ("(a pr or b pr) and c pr", both(either(A, B), C)),
        ("a pr and (b pr or c pr)", both(A, either(B, C))),
        ("a pr or b pr or c pr", either(A, B, C)),
        ("(a pr or b pr) or c pr", either(either(A, B), C)),
        ("not (a pr) and b pr", both(Not(A), B)),
        ("not (a pr and b pr)", Not(both(A, B))),
        ("not (not (a pr))", Not(Not(A))),
        ("not(a pr)", Not(A)),
        ("((a pr))", A),
        ("a[b pr and c pr or d pr]", ValuePath("a", either(both(B, C), D))),
        ("a[not (b pr)] and c pr", both(ValuePath("a", Not(B)), C)),
        ("a[(b pr or c pr) and d pr]", ValuePath("a", both(either(B, C), D))),
    ],
)
def test_and_binds_stronger_than_or_and_not_takes_parentheses(text: str, tree: Expression) -> None:
    assert parse_filter(text) == tree


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('""', ""),
        ('"x"', "x"),
        ('"a \\" b"', 'a " b'),
        ('"\\\\"', "\\"),
        ('"\\u00e9"', "é"),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ('"a)b(c]d[e"', "a)b(c]d[e"),
        ('" and x pr"', " and x pr"),
        ("true", True),
        ("False", False),
        ("NULL", None),
        ("0", 0),
        ("-5", -5),
        ("10", 10),
        ("1.50", Decimal("1.50")),
        ("-2E3", Decimal("-2E3")),
        ("1e-2", Decimal("1e-2")),
    ],
)
def test_values_are_those_of_json(text: str, value: Any) -> None:
    parsed = parse_filter(f"a eq {text}")
    assert parsed == Comparison("a", "eq", value)
    assert isinstance(parsed, Comparison)
    assert type(parsed.value) is type(value)


@pytest.mark.parametrize("operator", ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"])
def test_operators_are_read_in_any_case(operator: str) -> None:
    assert parse_filter(f'a {operator.upper()} "x"') == Comparison("a", operator, "x")


def test_words_between_are_read_in_any_case() -> None:
    assert parse_filter("a PR AND NOT (b Pr) OR c pR") == either(both(A, Not(B)), C)


def test_paths_stay_as_the_client_wrote_them() -> None:
    path = "urn:ietf:params:scim:schemas:core:2.0:User:Name.givenName"
    assert parse_filter(f"{path} pr") == Present(path)


@pytest.mark.parametrize("name", ["and", "or", "not", "pr", "eq", "true", "null"])
def test_a_word_of_the_grammar_may_be_the_name_of_an_attribute(name: str) -> None:
    assert parse_filter(f'{name} eq "x"') == Comparison(name, "eq", "x")


@pytest.mark.parametrize("space", ["\t", "\n", "  ", "\r\n"])
def test_any_white_space_separates(space: str) -> None:
    assert parse_filter(f"a{space}pr{space}and{space}b{space}pr") == both(A, B)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("a xx 1", 3),
        ("a pr b pr", 6),
        ("a pr and 5 pr", 10),
        ("(a pr", None),
        ("a pr)", 5),
        ("a eq (1)", 6),
        ("a eq x", 6),
        ("a eq 'x'", 6),
        ("a eq 1.2.3", 6),
        ("a eq .5", 6),
        ("a eq +5", 6),
        ("a eq", None),
        ("a", None),
        ("", None),
        ("   ", None),
        ("and", None),
        ("not a pr", 5),
        ("not ()", 6),
        ("a[]", 3),
        ("a[b pr", None),
        ("a[b pr)", 7),
        ("a]", 2),
        ("a [b pr", None),
        ("a pr and", None),
        ("a pr or or b pr", 12),
        ('a[b eq "x"].c eq "y"', 12),
        ("1a pr", 1),
        (".a pr", 1),
        ('"a" pr', 1),
        ('a eq "x', 6),
        ('a eq "x" and b eq "y', 19),
        ('a eq "\\x"', 6),
        ('a eq "\\u12"', 6),
        ('a eq "\\u0000"', 6),
        ('a eq "\\ud800"', 6),
        ("é pr", 1),
        ("a\u00a0pr", 2),
    ],
)
def test_a_fault_is_told_with_its_position_or_as_the_end(text: str, position: int | None) -> None:
    with pytest.raises(InvalidFilter) as refusal:
        parse_filter(text)
    where = "The filter ends where" if position is None else f"character {position} "
    assert where in f"{refusal.value.detail} "


@pytest.mark.parametrize("control", ["\x00", "\x01", "\n", "\x1f"])
def test_a_string_holds_no_control_character(control: str) -> None:
    with pytest.raises(InvalidFilter):
        parse_filter(f'a eq "x{control}y"')


@pytest.mark.parametrize("digits", ["1" * 61, "0." + "1" * 59, "1e" + "1" * 59])
def test_a_number_of_many_digits_is_refused(digits: str) -> None:
    with pytest.raises(InvalidFilter, match="number at character 6 is out of range"):
        parse_filter(f"a eq {digits}")


@pytest.mark.parametrize("number", ["1e1000000000000000000", "-1E-9999999999999999999999"])
def test_an_exponent_beyond_every_number_is_refused(number: str) -> None:
    with pytest.raises(InvalidFilter):
        parse_filter(f"a eq {number}")


@pytest.mark.parametrize("number", ["007", "-01", "00.5"])
def test_a_number_with_a_leading_zero_is_no_json_number(number: str) -> None:
    with pytest.raises(InvalidFilter):
        parse_filter(f"a eq {number}")


@pytest.mark.parametrize(("opening", "closing"), [("(", ")"), ("not (", ")"), ("a[", "]")])
def test_nesting_ends_at_the_limit(opening: str, closing: str) -> None:
    def text(depth: int) -> str:
        return opening * depth + "a pr" + closing * depth

    assert parse_filter(text(MAX_DEPTH))
    with pytest.raises(InvalidFilter, match=f"deeper than {MAX_DEPTH}"):
        parse_filter(text(MAX_DEPTH + 1))


def test_the_number_of_terms_ends_at_the_limit() -> None:
    assert parse_filter(" or ".join(["a pr"] * MAX_TERMS))
    with pytest.raises(InvalidFilter, match=f"more than {MAX_TERMS} terms"):
        parse_filter(" or ".join(["a pr"] * (MAX_TERMS + 1)))


def test_the_length_is_limited_before_anything_is_read() -> None:
    with pytest.raises(InvalidFilter, match=f"longer than {MAX_LENGTH}"):
        parse_filter('a eq "' + "x" * 10_000_000)


@pytest.mark.parametrize("text", ['"' * MAX_LENGTH, "(" * MAX_LENGTH, "a" * MAX_LENGTH, "\\" * MAX_LENGTH])
def test_a_hostile_filter_of_full_length_is_refused(text: str) -> None:
    with pytest.raises(InvalidFilter):
        parse_filter(text)


def test_a_comparison_behind_the_bracket_is_one_inside_for_clients_that_write_it() -> None:
    inner = both(Comparison("type", "eq", "work"), Comparison("value", "co", "x"))
    text = 'emails[type eq "work"].value co "x"'
    assert parse_filter(text, GENERIC) == ValuePath("emails", inner)


def test_a_comparison_of_the_bracket_itself_is_one_of_its_value() -> None:
    inner = both(Comparison("type", "eq", "work"), Comparison("value", "eq", "x"))
    assert parse_filter('emails[type eq "work"] eq "x"', GENERIC) == ValuePath("emails", inner)


def test_values_without_quotes_are_text_for_clients_that_write_them() -> None:
    policy = Policy(unquoted_filter_values=True)
    assert parse_filter("a eq ann@example.com", policy) == Comparison("a", "eq", "ann@example.com")
    assert parse_filter("a eq 5", policy) == Comparison("a", "eq", 5)


def test_a_value_without_quotes_holds_nothing_that_no_store_can_hold() -> None:
    policy = Policy(unquoted_filter_values=True)
    with pytest.raises(InvalidFilter):
        parse_filter("a eq \x00", policy)
