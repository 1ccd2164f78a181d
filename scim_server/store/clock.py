"""Times of the store: microseconds since 1970-01-01 UTC."""

import time
from datetime import UTC, datetime

from scim_server.scim.values import WrongValue


def now() -> int:
    """Return the current time in microseconds."""
    return time.time_ns() // 1_000


def datetime_of(microseconds: int) -> datetime:
    """Return a time as a datetime in UTC."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)


def end_of(microseconds: int | None) -> datetime | None:
    """Return an end as a datetime in UTC, None where there is none."""
    return None if microseconds is None else datetime_of(microseconds)


def microseconds_of(folded: str) -> tuple[int, int]:
    """Return a folded dateTime as whole microseconds and remaining nanoseconds."""
    try:
        moment = datetime.fromisoformat(f"{folded[:19]}+00:00")
    except ValueError as error:
        raise WrongValue("must be a dateTime") from error
    nanoseconds = int(folded[20:29])
    return int(moment.timestamp()) * 1_000_000 + nanoseconds // 1_000, nanoseconds % 1_000
