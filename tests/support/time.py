"""The time of the server, which a test sets: it stands still until the test moves it."""

from datetime import UTC, datetime, timedelta

import pytest

from scim_server.store import clock as server_clock

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""When a test with a clock begins: a Monday, noon."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clock:
    """Stands in for the module `time` where the server asks what time it is."""

    def __init__(self, moment: datetime = START) -> None:
        """Stop at a moment."""
        self.moment = moment

    def time_ns(self) -> int:
        """Return nanoseconds since 1970."""
        return (self.moment - _EPOCH) // _MICROSECOND * 1_000

    def advance(self, **span: float) -> None:
        """Move on by a time span: days, hours, minutes, seconds, microseconds."""
        self.moment += timedelta(**span)

    def at(self, text: str) -> None:
        """Move to a dateTime, written like 2026-03-02T12:00:00Z."""
        self.moment = datetime.fromisoformat(text)

    def text(self, **span: float) -> str:
        """Return the moment that is a time span away, as SCIM writes it."""
        return (self.moment + timedelta(**span)).isoformat().replace("+00:00", "Z")

    def before(self, text: str) -> None:
        """Move to the last microsecond before a dateTime."""
        self.at(text)
        self.advance(microseconds=-1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the clock of the server in this process."""
    standing = Clock()
    monkeypatch.setattr(server_clock, "time", standing)
    return standing
