"""What keeps the audit trail going beside the requests: a round every second."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from scim_server.scim.registry import Registry
from scim_server.security.transparency.notes import Signer
from scim_server.security.transparency.sealing import Sealing
from scim_server.services.settlement import system_call
from scim_server.services.transparency.checkpoints import Checkpoints
from scim_server.services.transparency.retention import Retention
from scim_server.services.transparency.sequencer import Sequencer
from scim_server.services.transparency.sinks import Sink
from scim_server.store import chain, chain_walk
from scim_server.store.clock import now
from scim_server.store.database import Database

_SECOND = 1_000_000
_LOOKS_EVERY = 60.0
"""Seconds between two looks at all tenants, for what is due by time alone."""
_log = structlog.get_logger("scim_server")


@dataclass(frozen=True, slots=True)
class Habits:
    """How often checkpoints are made, how late an event may be chained, how long events are kept."""

    checkpoint_seconds: float = 3_600
    checkpoint_events: int = 10_000
    lag_seconds: float = 60
    retention: timedelta | None = None


class Keeper:
    """Chains what is queued, makes and publishes checkpoints, removes what is old, and tells of lag."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        sealing: Sealing,
        signer: Signer | None,
        sinks: Sequence[Sink] = (),
        habits: Habits | None = None,
    ) -> None:
        """Take the store, the keys, and where checkpoints go."""
        self.signer = signer
        self._database = database
        self._sequencer = Sequencer(database, sealing)
        self._checkpoints = Checkpoints(database, signer, sinks)
        self._retention = Retention(database, registry)
        self._habits = habits or Habits()
        self._looked: float | None = None

    async def run_once(self) -> dict[str, int]:
        """Do one round; returns how much was done, by kind. Looks at everything once a minute alone."""
        habits, moment = self._habits, time.monotonic()
        counts = {"chained": await self._sequencer.run_once(), "checkpoints": 0}
        is_due = self._looked is None or moment - self._looked >= _LOOKS_EVERY
        if counts["chained"] or is_due:
            seconds, events = habits.checkpoint_seconds, habits.checkpoint_events
            counts["checkpoints"] = await self._checkpoints.make_due(seconds, events=events)
        if is_due:
            self._looked = moment
            counts["removed"] = await self._retain()
            await self._tell_lag()
        counts["published"] = await self._checkpoints.publish()
        return counts

    async def _retain(self) -> int:
        if self._habits.retention is None:
            return 0
        before, removed = now() - self._habits.retention // timedelta(microseconds=1), 0
        for tenant_id, tenant in await self._database.read(chain_walk.tenants):
            kept = await self._retention.retain(system_call(tenant_id, tenant), before)
            removed += kept.removed
        return removed

    async def _tell_lag(self) -> None:
        """Log a warning for each tenant whose events wait longer than they may."""
        for tenant_id in await self._database.read(chain.waiting_tenants):
            found = await self._database.read(lambda reader, own=tenant_id: chain.backlog(reader, own))  # type: ignore[misc]
            seconds = 0.0 if found.oldest is None else (now() - found.oldest) / _SECOND
            if seconds > self._habits.lag_seconds or (found.length and found.oldest is None):
                _log.warning("audit lag", tenant=tenant_id, events=found.length, seconds=round(seconds))
