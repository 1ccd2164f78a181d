"""Single values: what fits an attribute, and the folded form that filters and sorting compare."""
# ruff: noqa: RUF001 - letters that look like others are what folding is about

import itertools
from decimal import Decimal
from typing import Any

import pytest

from scim_server.scim.values import (
    MAX_STRING,
    MAX_UNIQUE,
    WrongValue,
    check,
    fold,
    fold_date_time,
    fold_decimal,
    fold_text,
    json_type,
)
from tests.scim.samples import PROBE, attribute, known

ORDERED_DECIMALS = [
    "-999999999999999999999999999999",
    "-1E+5",
    "-99999.5",
    "-10",
    "-9.999999999999",
    "-1",
    "-0.000000000001",
    "0",
    "1E-12",
    "0.1",
    "1",
    "1.000000000001",
    "2",
    "10",
    "1E+2",
    "100.5",
    "1E+29",
    "999999999999999999999999999999",
]


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("string", ""),
        ("string", "x" * MAX_STRING),
        ("boolean", False),
        ("integer", 2**63 - 1),
        ("integer", -(2**63)),
        ("decimal", 5),
        ("decimal", Decimal("-0.000000000001")),
        ("decimal", Decimal("9" * 30)),
        ("dateTime", "2026-05-13T04:42:34Z"),
        ("dateTime", "2026-05-13t04:42:34.1234567z"),
        ("dateTime", "2026-05-13T04:42:34-14:00"),
        ("dateTime", "2024-02-29T00:00:00"),
        ("binary", ""),
        ("binary", "AAECAw=="),
        ("reference", "not a URI at all"),
    ],
)
def test_a_value_that_fits_is_kept_as_sent(type: str, value: Any) -> None:
    assert check(attribute(type), value) is value


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("string", 5),
        ("string", True),
        ("string", ["a"]),
        ("string", "x" * (MAX_STRING + 1)),
        ("boolean", "true"),
        ("boolean", 1),
        ("integer", True),
        ("integer", "5"),
        ("integer", Decimal("5.0")),
        ("integer", 2**63),
        ("integer", -(2**63) - 1),
        ("decimal", True),
        ("decimal", "5"),
        ("decimal", Decimal("1E+30")),
        ("decimal", Decimal("1E-13")),
        ("decimal", 10**30),
        ("dateTime", 1715575354),
        ("dateTime", ""),
        ("dateTime", "2026-05-13"),
        ("dateTime", "2026-05-13 04:42:34Z"),
        ("dateTime", "2026-5-13T04:42:34Z"),
        ("dateTime", "2026-02-30T00:00:00Z"),
        ("dateTime", "2026-05-13T04:42:34+0200"),
        ("dateTime", "2026-05-13T04:42:34.Z"),
        ("dateTime", "2026-05-13T04:42:34+24:00"),
        ("dateTime", "0000-01-01T00:00:00Z"),
        ("dateTime", "２０２６-05-13T04:42:34Z"),
        ("dateTime", "2026-05-13T04:42:34Z\n"),
        ("binary", "AAE"),
        ("binary", "A*=="),
        ("binary", "ÄÄÄÄ"),
        ("reference", 5),
    ],
)
def test_a_value_that_does_not_fit_is_refused(type: str, value: Any) -> None:
    with pytest.raises(WrongValue):
        check(attribute(type), value)


def test_a_unique_value_is_short_enough_for_an_index() -> None:
    assert check(known(PROBE, "code"), "x" * MAX_UNIQUE)
    with pytest.raises(WrongValue, match=f"longer than {MAX_UNIQUE}"):
        check(known(PROBE, "code"), "x" * (MAX_UNIQUE + 1))


def test_a_canonical_value_takes_its_declared_spelling() -> None:
    assert check(known(PROBE, "entries.type"), "GREEN") == "Green"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Straße", "STRASSE"),
        ("STRAẞE", "straße"),
        ("é", "e\u0301"),
        ("É", "e\u0301"),
        ("Ångström", "a\u030angstro\u0308m"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("ﬃ", "FFI"),
        ("İ", "i\u0307"),
        ("K", "\u212a"),
        ("ά", "\u1f71"),
        ("q\u0307\u0323", "Q\u0323\u0307"),
    ],
)
def test_two_spellings_of_the_same_letters_fold_to_one(one: str, other: str) -> None:
    assert fold_text(one) == fold_text(other)


@pytest.mark.parametrize(
    ("one", "other"), [("ı", "i"), ("I", "ı"), ("é", "e"), ("ö", "oe"), ("a ", "a"), ("١", "1"), ("Ａ", "a")]
)
def test_different_letters_stay_different(one: str, other: str) -> None:
    assert fold_text(one) != fold_text(other)


def test_folding_every_letter_twice_changes_nothing_more() -> None:
    letters = (chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000)
    assert [letter for letter in letters if fold_text(fold_text(letter)) != fold_text(letter)] == []


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("2026-05-13T04:42:34Z", "2026-05-13T04:42:34.000000000Z"),
        ("2026-05-13T04:42:34", "2026-05-13T04:42:34.000000000Z"),
        ("2026-05-13t04:42:34z", "2026-05-13T04:42:34.000000000Z"),
        ("2026-05-13T04:42:34.1234567Z", "2026-05-13T04:42:34.123456700Z"),
        ("2026-05-13T04:42:34.123456789999Z", "2026-05-13T04:42:34.123456789Z"),
        ("2026-05-13T00:30:00+02:00", "2026-05-12T22:30:00.000000000Z"),
        ("2026-12-31T23:59:59.5-00:30", "2027-01-01T00:29:59.500000000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000000Z"),
        ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"),
    ],
)
def test_a_date_time_folds_to_utc_with_nine_digits(text: str, folded: str) -> None:
    assert fold_date_time(text) == folded


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01"])
def test_a_moment_beyond_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(WrongValue, match="that exists"):
        fold_date_time(text)


@pytest.mark.parametrize(("less", "more"), list(itertools.pairwise(ORDERED_DECIMALS)))
def test_decimals_fold_to_texts_in_the_order_of_the_numbers(less: str, more: str) -> None:
    assert fold_decimal(Decimal(less)) < fold_decimal(Decimal(more))


@pytest.mark.parametrize("texts", [("1", "1.0", "1E+0"), ("0", "-0", "0.000"), ("100", "1E+2", "1.0E2")])
def test_spellings_of_one_number_fold_to_one_text(texts: tuple[str, ...]) -> None:
    assert len({fold_decimal(Decimal(text)) for text in texts}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("123456789012345678901234567890", "123456789012345678901234567891"),
        ("12345678901234567890.123456789012", "12345678901234567890.123456789013"),
    ],
)
def test_numbers_that_differ_in_their_last_digit_fold_differently(one: str, other: str) -> None:
    assert fold_decimal(Decimal(one)) != fold_decimal(Decimal(other))


def test_a_case_exact_string_folds_to_itself() -> None:
    assert fold(attribute(caseExact=True), "Straße") == "Straße"


def test_booleans_and_integers_fold_to_themselves() -> None:
    assert (fold(attribute("boolean"), True), fold(attribute("integer"), -5)) == (True, -5)


def test_a_decimal_sent_as_an_integer_folds_like_the_decimal() -> None:
    assert fold(attribute("decimal"), 5) == fold(attribute("decimal"), Decimal("5.00"))


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "a boolean"),
        ("", "a string"),
        ({}, "an object"),
        ([], "an array"),
        (0, "a number"),
        (Decimal(1), "a number"),
    ],
)
def test_types_have_the_names_of_json(value: Any, name: str) -> None:
    assert json_type(value) == name
