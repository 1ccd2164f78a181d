"""Amounts are exact, positive and in an active currency."""

import re
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.lifecycle.currencies import CURRENCIES
from scim_server.lifecycle.money import MAXIMUM, minor_units, parse_amount

SPENDABLE = sorted(code for code, digits in CURRENCIES.items() if digits is not None)


def test_the_table_holds_every_active_code_once() -> None:
    assert Counter(CURRENCIES.values()) == {0: 17, 2: 139, 3: 7, 4: 2, None: 13}
    assert [code for code in CURRENCIES if not re.fullmatch("[A-Z]{3}", code)] == []


@pytest.mark.parametrize(
    ("code", "digits"),
    [("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("XAU", None), ("usd", None), ("DEM", None)],
)
def test_minor_units_are_those_of_the_currency(code: str, digits: int | None) -> None:
    assert minor_units(code) == digits


@pytest.mark.parametrize("code", ["HRK", "ZWL", "ANG", "BGN", "SLL", "CUC", "eur", "", "EURO"])
def test_a_currency_that_went_or_never_was_is_not_active(code: str) -> None:
    assert code not in CURRENCIES
    with pytest.raises(ValueError, match=r"^Selected currency is invalid$"):
        parse_amount(1, code)


@pytest.mark.parametrize("code", ["EUR", "XCG", "ZWG", "XAD", "XXX"])
def test_a_currency_in_use_is_active(code: str) -> None:
    assert code in CURRENCIES


def test_a_code_without_minor_units_has_no_amounts() -> None:
    with pytest.raises(ValueError, match=r"^Selected currency is invalid$"):
        parse_amount(1, "XAU")


@pytest.mark.parametrize("value", [0, -1, Decimal("-0.01"), Decimal("NaN"), Decimal("Infinity"), True])
def test_an_amount_that_is_not_positive_is_refused(value: Decimal | int) -> None:
    with pytest.raises(ValueError, match=r"^Approval limit must be a positive number$"):
        parse_amount(value, "USD")


@pytest.mark.parametrize("value", [10**15, MAXIMUM + Decimal("0.0001"), Decimal("1E+400")])
def test_an_amount_that_the_store_cannot_hold_is_refused(value: Decimal | int) -> None:
    with pytest.raises(ValueError, match=r"^Approval limit cannot exceed 999999999999999\.9999$"):
        parse_amount(value, "CLF")


@pytest.mark.parametrize(
    ("value", "code", "said"),
    [
        ("1.001", "USD", "Approval limit in USD can have at most 2 decimal places"),
        ("1.5", "JPY", "Approval limit in JPY can have no decimal places"),
        (
            "0.00000000000000000000000000000001",
            "KWD",
            "Approval limit in KWD can have at most 3 decimal places",
        ),
    ],
)
def test_an_amount_with_more_digits_than_its_currency_is_refused(value: str, code: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}$"):
        parse_amount(Decimal(value), code)


@pytest.mark.parametrize(
    ("value", "code", "amount"),
    [
        (5, "USD", "5.00"),
        (Decimal("5.1"), "USD", "5.10"),
        (Decimal("100.000"), "JPY", "100"),
        (Decimal("1E+3"), "EUR", "1000.00"),
        (MAXIMUM, "CLF", "999999999999999.9999"),
    ],
)
def test_an_amount_has_the_digits_of_its_currency(value: Decimal | int, code: str, amount: str) -> None:
    assert str(parse_amount(value, code)) == amount


@given(st.sampled_from(SPENDABLE), st.integers(1, 10**15 - 1))
def test_every_number_of_smallest_units_is_an_amount_and_keeps_its_value(code: str, units: int) -> None:
    amount = Decimal(units).scaleb(-(minor_units(code) or 0))
    assert parse_amount(amount, code) == amount


@given(st.sampled_from(SPENDABLE), st.integers(1, 10**9))
def test_half_of_the_smallest_unit_is_never_rounded(code: str, units: int) -> None:
    digits = minor_units(code) or 0
    with pytest.raises(ValueError, match="decimal places"):
        parse_amount(Decimal(units * 10 + 5).scaleb(-digits - 1), code)
