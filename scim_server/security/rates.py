"""Token buckets: how many requests one may make, at once and in the long run."""

import math
from dataclasses import dataclass

_ALMOST_ONE = 0.999999


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests a second in the long run, and `burst` at once; `name` is what clients see of it."""

    name: str
    rate: float
    burst: int
    policy: str = ""

    @classmethod
    def of(cls, name: str, rate: float, burst: int) -> "Limit | None":
        """Return a limit with what RateLimit-Policy says of it, None for a rate of 0, which is no limit."""
        if rate <= 0:
            return None
        return cls(name, rate, burst, f'"{name}";q={burst};w={max(math.ceil(burst / rate), 1)}')

    def standing(self, permits: float) -> str:
        """Return what RateLimit says: requests that are left, and seconds until all of them are back."""
        left = int(permits) if permits > 0 else 0
        return f'"{self.name}";r={left};t={int((self.burst - left) / self.rate + _ALMOST_ONE)}'


class Bucket:
    """Permits that come back with time, exact within one process."""

    __slots__ = ("__weakref__", "_at", "permits")

    def __init__(self, limit: Limit, moment: float) -> None:
        """Begin with a full bucket at a moment in seconds."""
        self.permits: float = limit.burst
        self._at = moment

    def ready(self, limit: Limit, moment: float) -> float:
        """Return how many permits there are at a moment."""
        permits = self.permits + (moment - self._at) * limit.rate
        self.permits = permits = permits if permits < limit.burst else float(limit.burst)
        self._at = moment
        return permits

    def use(self) -> None:
        """Take one of the permits that are ready."""
        self.permits -= 1

    def take(self, limit: Limit, moment: float) -> float:
        """Take one permit; returns 0, or the seconds until there is one."""
        if self.ready(limit, moment) >= 1:
            self.permits -= 1
            return 0.0
        return (1 - self.permits) / limit.rate

    def give_back(self) -> None:
        """Put back the permit that was taken last, for a request that something else refuses."""
        self.permits += 1
