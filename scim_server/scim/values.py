"""Single attribute values: type checks, and the folded form that filters compare."""

import base64
import binascii
import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from scim_server.scim.attributes import Attribute

MAX_STRING = 65_536
MAX_UNIQUE = 512
INTEGER_RANGE = range(-(2**63), 2**63)
WHOLE_DIGITS, FRACTION_DIGITS = 30, 12
_DATE_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,12}))?([Zz]|[+-]\d\d:\d\d)?", re.ASCII
)


class WrongValue(ValueError):
    """A value does not fit its attribute; the message says what was expected."""


def check(attribute: Attribute, value: Any) -> Any:
    """Return the value as it is stored; raises WrongValue.

    Values are kept as sent; only canonical values take their canonical spelling.
    """
    return _CHECKS[attribute.type](attribute, value)


def fold(attribute: Attribute, value: Any) -> Any:
    """Return the comparable form of a checked value.

    Strings of attributes that are not caseExact are case-folded NFC, dateTimes become UTC with
    nine fraction digits, decimals a text whose order is the numbers' order.
    """
    if isinstance(value, str):
        if attribute.type == "dateTime":
            return fold_date_time(value)
        return value if attribute.case_exact else fold_text(value)
    if attribute.type == "decimal":
        return fold_decimal(Decimal(value))
    return value


def fold_text(text: str) -> str:
    """Return the form under which two spellings of the same letters are equal."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


@lru_cache(maxsize=4_096)
def fold_date_time(text: str) -> str:
    """Return a dateTime in UTC with nine fraction digits; raises WrongValue.

    A value without a time zone is read as UTC (XML Schema leaves it open, RFC 7643 §2.3.5).
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise WrongValue("must be a dateTime such as 2026-05-13T04:42:34Z")
    *parts, fraction, zone = match.groups()
    try:
        moment = datetime(*(int(part) for part in parts), tzinfo=_zone(zone)).astimezone(UTC)  # type: ignore[arg-type,misc]
    except (ValueError, OverflowError) as error:
        raise WrongValue(f"must be a dateTime that exists: {error}") from error
    digits = (fraction or "")[:9].ljust(9, "0")
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}.{digits}Z"


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-offset if text[0] == "-" else offset)


def fold_decimal(number: Decimal) -> str:
    """Return a text of constant width whose lexical order is the numeric order."""
    sign, digits, exponent = number.as_tuple()
    shift = int(exponent) + FRACTION_DIGITS
    whole = int("".join(map(str, digits)) or "0")
    scaled = whole * 10**shift if shift >= 0 else whole // 10**-shift
    scaled = -scaled if sign else scaled
    offset = 10 ** (WHOLE_DIGITS + FRACTION_DIGITS)
    return f"{scaled + offset:0{WHOLE_DIGITS + FRACTION_DIGITS + 1}d}"


def _string(attribute: Attribute, value: Any) -> str:
    if not isinstance(value, str):
        raise WrongValue(f"must be a string, not {json_type(value)}")
    if len(value) > MAX_STRING:
        raise WrongValue(f"is longer than {MAX_STRING} characters")
    if attribute.uniqueness != "none" and len(value) > MAX_UNIQUE:
        raise WrongValue(f"is longer than {MAX_UNIQUE} characters")
    if attribute.canonical_values:
        return attribute.canonical_values.get(value.lower(), value)
    return value


def _boolean(_attribute: Attribute, value: Any) -> bool:
    if not isinstance(value, bool):
        raise WrongValue(f"must be true or false, not {json_type(value)}")
    return value


def _integer(_attribute: Attribute, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongValue(f"must be an integer, not {json_type(value)}")
    if value not in INTEGER_RANGE:
        raise WrongValue("is beyond the range of a 64-bit integer")
    return value


def _decimal(_attribute: Attribute, value: Any) -> Decimal | int:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise WrongValue(f"must be a number, not {json_type(value)}")
    try:
        number = Decimal(value)
        exponent = number.as_tuple().exponent
    except InvalidOperation as error:
        raise WrongValue("must be a number") from error
    if not isinstance(exponent, int) or number.adjusted() >= WHOLE_DIGITS or exponent < -FRACTION_DIGITS:
        raise WrongValue(f"has more than {WHOLE_DIGITS} digits before or {FRACTION_DIGITS} after the point")
    return value


def _date_time(attribute: Attribute, value: Any) -> str:
    text = _string(attribute, value)
    fold_date_time(text)
    return text


def _binary(attribute: Attribute, value: Any) -> str:
    text = _string(attribute, value)
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise WrongValue("must be base64 encoded") from error
    return text


def json_type(value: Any) -> str:
    """Return the JSON name of a value's type, for messages."""
    if value is None:
        return "null"
    for kind, name in ((bool, "a boolean"), (str, "a string"), (dict, "an object"), (list, "an array")):
        if isinstance(value, kind):
            return name
    return "a number"


_CHECKS = {
    "string": _string,
    "reference": _string,
    "boolean": _boolean,
    "integer": _integer,
    "decimal": _decimal,
    "dateTime": _date_time,
    "binary": _binary,
}
