"""Attempts to get in that failed: slowed by source, and put on record once a minute for each source."""

from collections import Counter
from dataclasses import dataclass, field

from scim_server.lifecycle.judgement import Finding
from scim_server.scim.documents import is_storable
from scim_server.scim.errors import TooManyRequests
from scim_server.scim.registry import Registry
from scim_server.security.throttle import Throttle
from scim_server.services import audit
from scim_server.services.settlement import system_call
from scim_server.store import clients as rows
from scim_server.store.clock import now
from scim_server.store.database import Database, Writer

ACTION = "authentication.failed"
NOBODYS_TENANT = "_system"
"""Where attempts are recorded that belong to no tenant; no tenant that somebody makes has such a name."""
WINDOW = 60_000_000
MOST_SOURCES = 1_000
MOST_TENANTS = 5
"""Tenants under which the attempts of one source are counted apart."""
MANY = "many sources"
SLOWED = "Too many attempts failed from here. Try again later."

REASONS = {
    "mistyped": "a token that was never made here",
    "unknown": "a token that is not known",
    "revoked": "a token that was revoked",
    "expired": "a token that has expired",
    "elsewhere": "a token of another tenant than the URL",
    "owner": "a token of a user who is not active",
    "untrusted": "a signed token that is not to be trusted",
    "client": "a client that did not prove who it is",
    "slowed": "refused without a look, since so many failed before",
}
"""What failed, as the audit trail says it."""


@dataclass(slots=True)
class _Tally:
    began: int
    reasons: Counter[str] = field(default_factory=Counter)


class FailedAttempts:
    """The attempts that failed in this process: of a bounded number of sources, until they are on record.

    What a process that is killed had not recorded yet, a minute at most, is lost.
    """

    def __init__(self, database: Database, registry: Registry, limit: int) -> None:
        """Slow sources after `limit` failures within a minute, none where it is 0."""
        self._database = database
        self._registry = registry
        self.limit = limit
        self._throttle = Throttle(limit)
        self._tallies: dict[tuple[str | None, str], _Tally] = {}
        self._of_sources: Counter[str] = Counter()

    def check(self, source: str, tenant: str | None) -> None:
        """Raise TooManyRequests where a source has to wait; never sleeps."""
        moment = now()
        wait = self._throttle.wait(source, moment)
        if wait:
            self._count("slowed", source, tenant, moment)
            raise TooManyRequests(SLOWED, retry_after=wait)

    def failed(self, reason: str, source: str, tenant: str | None) -> None:
        """Note a failure; `tenant` is that of the token, or the one of the URL."""
        moment = now()
        self._throttle.failed(source, moment)
        self._count(reason, source, tenant, moment)

    def _count(self, reason: str, source: str, tenant: str | None, moment: int) -> None:
        key = (tenant, source)
        if key not in self._tallies:
            key = self._bounded(key)
        if key not in self._tallies:
            self._of_sources[key[1]] += 1
        self._tallies.setdefault(key, _Tally(moment)).reasons[reason] += 1

    def _bounded(self, key: tuple[str | None, str]) -> tuple[str | None, str]:
        """Return where a new pair of tenant and source is counted.

        A source chooses the tenant of its URL, and gets so many at most; once there are too many sources they
        are counted together, by tenant for as long as there is room for that.
        """
        tenant, source = key
        if self._of_sources[source] >= MOST_TENANTS:
            return None, source
        if len(self._tallies) < MOST_SOURCES:
            return key
        return (tenant if self._of_sources[MANY] < MOST_SOURCES else None), MANY

    async def record(self, *, everything: bool = False) -> int:
        """Write an event for each source whose minute is over, or for all, at once; returns how many.

        What cannot be written is kept for the next time.
        """
        due = now() - WINDOW
        chosen = {key: one for key, one in self._tallies.items() if everything or one.began <= due}
        for key in chosen:
            del self._tallies[key]
        self._of_sources = Counter(source for _, source in self._tallies)

        async def work(writer: Writer) -> None:
            tenants = {name: await _tenant(writer, name) for name in {name for name, _ in chosen}}
            for (name, source), tally in chosen.items():
                call = system_call(*tenants[name])
                await audit.record(writer, self._registry, call, _event(source, tally), now())

        try:
            if chosen:
                await self._database.write(work)
        except Exception:
            for key, tally in chosen.items():
                kept = self._tallies.setdefault(key, tally)
                if kept is not tally:
                    kept.reasons.update(tally.reasons)
            raise
        return len(chosen)


async def _tenant(writer: Writer, name: str | None) -> tuple[int, str]:
    """Return id and name of a tenant, of NOBODYS_TENANT for one that is not there."""
    found = None if name is None or not is_storable(name) else await rows.tenant_id_of(writer, name)
    if found is not None and name is not None:
        return found, name
    return await rows.ensure_tenant(writer, NOBODYS_TENANT, now()), NOBODYS_TENANT


def _event(source: str, tally: _Tally) -> audit.Event:
    findings = [
        Finding(f"authentication.{reason}", "refused", f"{count} times {REASONS[reason]}")
        for reason, count in tally.reasons.most_common()
    ]
    return audit.Event(
        ACTION,
        "Authentication",
        "",
        outcome="refused",
        context={"note": f"from {source}"},
        findings=findings,
        changes=[("attempts", None, tally.reasons.total())],
    )
