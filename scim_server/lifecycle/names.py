"""Checks of single fields, each a list of messages that is empty where the field is good.

The wording is that of S4 §13, which people know from the screens; what S4 has no words for is said
in the same voice.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date

from scim_server.lifecycle.messages import message

NAME_LENGTH = 50
EMAIL_LENGTH = 254
EMPLOYEE_NUMBER_LENGTH = 20
START_WINDOW_DAYS = 90

_LETTERS = ("L", "M")
_JOINERS = " '’-."  # noqa: RUF001 - the apostrophe that phones write
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LOCAL_LENGTH = 64
_EMPLOYEE_NUMBER = re.compile(r"[A-Za-z0-9-]+")


def given_name(text: str | None) -> list[str]:
    """Check a first name: required, 50 characters, letters of any script, spaces, hyphens, apostrophes."""
    return _name("First name", text)


def family_name(text: str | None) -> list[str]:
    """Check a last name as `given_name` does."""
    return _name("Last name", text)


def _name(label: str, text: str | None) -> list[str]:
    if text is None or not text.strip():
        return [f"{label} is required"]
    messages = []
    if not all(_belongs(character) for character in text) or not any(map(str.isalpha, text)):
        messages.append(f"{label} can only contain letters, spaces, hyphens, and apostrophes")
    if len(unicodedata.normalize("NFC", text)) > NAME_LENGTH:
        messages.append(f"{label} cannot exceed {NAME_LENGTH} characters")
    return messages


def _belongs(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character).startswith(_LETTERS)


def email(text: str | None) -> list[str]:
    """Check that an e-mail is there and well formed (RFC 5321 §4.1.2, RFC 6531); no name is looked up.

    Quoted names and addresses in brackets are not taken; the domain needs a dot.
    """
    if text is None or not text.strip():
        return [message("R-EMAIL-REQ")]
    return [] if _is_email(text) else ["Please enter a valid email address"]


def _is_email(text: str) -> bool:
    local, _, domain = "".join(map(_ascii, text)).lower().rpartition("@")
    labels = domain.split(".")
    return (
        len(text) <= EMAIL_LENGTH
        and len(local) <= _LOCAL_LENGTH
        and _LOCAL.fullmatch(local) is not None
        and len(labels) > 1
        and all(_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdecimal()
    )


def _ascii(character: str) -> str:
    """Return a letter that stands for one of another script, anything else as it is."""
    is_foreign = not character.isascii() and unicodedata.category(character)[0] in "LMN"
    return "x" if is_foreign else character


def email_domain(text: str, allowed: Sequence[str]) -> list[str]:
    """Check that an e-mail has one of the allowed domains, in any case; no domains allow every one."""
    domain = text.rpartition("@")[2].casefold()
    if not allowed or domain in {name.casefold() for name in allowed}:
        return []
    *others, last = (f"@{name}" for name in allowed)
    listed = f"{', '.join(others)} and {last}" if others else last
    return [f"Only {listed} email addresses are allowed"]


def employee_number(text: str) -> list[str]:
    """Check an employee number: 20 characters, letters of ASCII, digits and hyphens, as EMP-YYYY-NNNN has."""
    messages = []
    if not _EMPLOYEE_NUMBER.fullmatch(text):
        messages.append("Employee ID must be alphanumeric")
    if len(text) > EMPLOYEE_NUMBER_LENGTH:
        messages.append(f"Employee ID cannot exceed {EMPLOYEE_NUMBER_LENGTH} characters")
    return messages


def start_date(day: date | None, today: date, window: int = START_WINDOW_DAYS) -> list[str]:
    """Check that a start date is there and at most `window` days away from today."""
    if day is None:
        return ["Start date is required"]
    distance = (day - today).days
    if abs(distance) <= window:
        return []
    side = "past" if distance < 0 else "future"
    return [f"Start date cannot be more than {window} days in the {side}"]
