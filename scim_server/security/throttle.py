"""Sources that fail again and again, slowed: so many failures in a minute, then a wait that doubles."""

from collections import OrderedDict
from dataclasses import dataclass

_SECOND = 1_000_000
WINDOW = 60 * _SECOND
FIRST_WAIT, LONGEST_WAIT = 30 * _SECOND, 15 * 60 * _SECOND
FORGIVEN_AFTER = 60 * 60 * _SECOND
MOST = 10_000


@dataclass(slots=True)
class _Record:
    began: int
    failures: int = 0
    strikes: int = 0
    until: int = 0


class Throttle:
    """Counts failures of keys, such as addresses; times are microseconds.

    It remembers the MOST keys that failed last, whatever is sent; 0 as the limit slows nobody.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def wait(self, key: str, now: int) -> int:
        """Return the whole seconds that a key has to wait yet, 0 where it need not."""
        record = self._records.get(key)
        if record is None or record.until <= now:
            return 0
        return -(-(record.until - now) // _SECOND)

    def failed(self, key: str, now: int) -> None:
        """Note a failure; the one that is too much begins a wait, each longer than the one before."""
        if not self._limit:
            return
        record = self._records.pop(key, None)
        if record is None or now - max(record.began, record.until) > FORGIVEN_AFTER:
            record = _Record(now)
        elif now - record.began > WINDOW:
            record.began, record.failures = now, 0
        record.failures += 1
        if record.failures >= self._limit:
            wait = min(FIRST_WAIT << min(record.strikes, 10), LONGEST_WAIT)
            record.began, record.failures, record.strikes, record.until = (
                now,
                0,
                record.strikes + 1,
                now + wait,
            )
        self._records[key] = record
        while len(self._records) > MOST:
            self._records.popitem(last=False)
