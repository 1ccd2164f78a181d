"""ISO 8601 durations of weeks, days, hours, minutes and seconds."""

import re

_DURATION = re.compile(
    r"P(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,6})S)?)?"
)
_SECONDS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}


def duration_of(text: str | None) -> int | None:
    """Return a duration such as PT48H or P30D in microseconds, None for no text or another one."""
    match = _DURATION.fullmatch(text or "")
    if match is None or not any(match.groupdict().values()):
        return None
    return sum(_SECONDS[name] * int(count) for name, count in match.groupdict().items() if count) * 1_000_000
