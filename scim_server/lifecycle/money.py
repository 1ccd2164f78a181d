"""Amounts of money: exact decimals in an active currency, never binary floats."""

from decimal import Decimal

from scim_server.lifecycle.currencies import CURRENCIES
from scim_server.lifecycle.messages import message

MAXIMUM = Decimal("999999999999999.9999")
"""The largest amount of numeric(19,4)."""


def minor_units(code: str) -> int | None:
    """Return how many digits after the point a currency has; None where it has no amounts or is unknown."""
    return CURRENCIES.get(code)


def parse_amount(value: Decimal | int, currency: str) -> Decimal:
    """Return an amount with the digits of its currency: `Decimal("5.00")` for 5 USD.

    Raises ValueError where the currency is not active or has no amounts, and where the amount is
    not positive, exceeds MAXIMUM or has more digits than the currency; zeros at its end do not
    count (S2 UC-008 MF11, AF2).
    """
    digits = minor_units(currency)
    if digits is None:
        raise ValueError(message("R-LIMIT.currency"))
    amount = Decimal(value)
    if isinstance(value, bool) or not amount.is_finite() or amount <= 0:
        raise ValueError(message("R-LIMIT.positive"))
    if amount > MAXIMUM:
        raise ValueError(message("R-LIMIT.maximum", maximum=MAXIMUM))
    exact = amount.quantize(Decimal(1).scaleb(-digits))
    if exact != amount:
        raise ValueError(message("R-LIMIT.digits", currency=currency, places=_places(digits)))
    return exact


def _places(digits: int) -> str:
    return f"at most {digits} decimal places" if digits else "no decimal places"
