"""Failed logins of the last thirty days, counted by day, so that the figure falls by itself (S4 Step 3)."""

from scim_server.lifecycle.catalogue import Catalogue
from scim_server.lifecycle.dates import day_of, moment_of
from scim_server.lifecycle.documents import Document
from scim_server.lifecycle.extension import Derivation
from scim_server.lifecycle.state import set_fact
from scim_server.lifecycle.urns import LIFECYCLE

FAILURES = "~failures"
"""The member of the document that keeps the number of failures by day, in UTC; it is never shown."""
_SPAN = 30 * 86_400_000_000


def count_failure(document: Document, at: int) -> None:
    """Count a failure in place, and forget days that have been over for longer than thirty."""
    day = day_of(at, "UTC").isoformat()
    counts = {one: count for one, count in document.get(FAILURES, {}).items() if _until(one) > at}
    document[FAILURES] = {**counts, day: counts.get(day, 0) + 1}


def show_failures(document: Document, now: int, _catalogue: Catalogue) -> None:
    """Set in place how many failures there were in the thirty days before a moment."""
    counts = document.get(FAILURES)
    if counts:
        recent = sum(count for day, count in counts.items() if _until(day) > now)
        set_fact(document, "login", failedLast30Days=recent)


def _moments(document: Document) -> list[int]:
    return [_until(day) for day in document.get(FAILURES, {})]


def _until(day: str) -> int:
    return moment_of(day, zone="UTC", end_of_day=True) + _SPAN


FAILED_LOGINS = Derivation(show_failures, attributes=(f"{LIFECYCLE.lower()}:login",), moments=_moments)
