"""Dates and dateTimes that people write, as moments: microseconds since 1970-01-01 UTC.

A date stands for a day where the user is: its first moment for a start, the first moment after it
for an end. The zone is the user's, else the location's, else the organisation's.
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from scim_server.scim.values import WrongValue, fold_date_time

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ZONED = re.compile(r".*(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@lru_cache(maxsize=4_096)
def moment_of(text: str, *, zone: str | None, end_of_day: bool) -> int:
    """Return the moment of a date or dateTime in an IANA zone, UTC where the zone is unknown.

    `end_of_day` makes a date the first microsecond after it; a dateTime is what it says. A local
    time that a clock skips is read as if it had not been put forward yet, one that it shows twice
    is the first. Digits below the microsecond are dropped. Raises ValueError.
    """
    try:
        if _DATE.fullmatch(text):
            day = date.fromisoformat(text) + timedelta(days=end_of_day)
            return _microseconds(datetime(day.year, day.month, day.day, tzinfo=_zone(zone)))
        moment = datetime.fromisoformat(f"{fold_date_time(text)[:26]}+00:00")
        return _microseconds(moment if _ZONED.fullmatch(text) else moment.replace(tzinfo=_zone(zone)))
    except (WrongValue, ValueError, OverflowError) as error:
        message = f"'{text}' is not a date; write it like 2026-12-01 or 2026-12-01T09:00:00Z"
        raise ValueError(message) from error


@lru_cache(maxsize=4_096)
def text_of(moment: int) -> str:
    """Return a moment as a dateTime in UTC: 2026-12-01T00:00:00Z, with a fraction where it has one."""
    found = _EPOCH + moment * _MICROSECOND
    return found.isoformat(timespec="auto").replace("+00:00", "Z")


def day_of(moment: int, zone: str | None) -> date:
    """Return the date that a calendar shows at a moment in an IANA zone, UTC where the zone is unknown."""
    found = _EPOCH + moment * _MICROSECOND
    try:
        return found.astimezone(_zone(zone)).date()
    except OverflowError:  # a zone leads out of the calendar on its first and last day
        return found.date()


def user_zone(
    user_timezone: str | None, location_timezone: str | None, organisation_timezone: str | None
) -> str:
    """Return the first of the zones that exists, UTC where none does."""
    for name in (user_timezone, location_timezone, organisation_timezone):
        if name and _known(name) is not None:
            return name
    return "UTC"


def _zone(name: str | None) -> ZoneInfo:
    return (_known(name) if name else None) or ZoneInfo("UTC")


@lru_cache(maxsize=1_024)
def _known(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, no name of a file, a folder of zones
        return None


def _microseconds(moment: datetime) -> int:
    return (moment.astimezone(UTC) - _EPOCH) // _MICROSECOND
