"""Times of the store: microseconds since 1970-01-01 UTC."""

import time
from datetime import datetime

from scim_server.scim.values import WrongValue


def now() -> int:
    """Return the current time in microseconds."""
    return time.time_ns() // 1_000


def microseconds_of(folded: str) -> tuple[int, int]:
    """Return a folded dateTime as whole microseconds and remaining nanoseconds."""
    try:
        moment = datetime.fromisoformat(f"{folded[:19]}+00:00")
    except ValueError as error:
        raise WrongValue("must be a dateTime") from error
    nanoseconds = int(folded[20:29])
    return int(moment.timestamp()) * 1_000_000 + nanoseconds // 1_000, nanoseconds % 1_000
