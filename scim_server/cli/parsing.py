"""Values people type on the command line."""

import re
from datetime import timedelta

import typer

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"([0-9]{1,6})([mhdw])")
LONGEST = timedelta(days=36_500)
_SWITCHED = {"on": True, "true": True, "off": False, "false": False}


def parse_duration(text: str) -> timedelta:
    """Return the time span of `90d`: a number and m, h, d or w. Raises typer.BadParameter."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise typer.BadParameter(f"{text!r} is not a time span like 30m, 12h, 90d or 4w.")
    span = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if not timedelta() < span <= LONGEST:
        raise typer.BadParameter("a time span is longer than nothing and at most 36500d.")
    return span


def parse_switches(texts: list[str]) -> dict[str, bool]:
    """Return the switches of `name=on` and `name=off`. Raises typer.BadParameter."""
    switches = {}
    for text in texts:
        name, _, state = text.partition("=")
        if not name or state.lower() not in _SWITCHED:
            raise typer.BadParameter(f"{text!r} is not a switch like name=on or name=off.")
        switches[name] = _SWITCHED[state.lower()]
    return switches
