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
from scim_server.services.transparency.overdue import overdue
from scim_server.services.transparency.retention import Retention
from scim_server.services.transparency.sequencer import Sequencer
from scim_server.services.transparency.sinks import Sink
from scim_server.services.transparency.turns import Turns
from scim_server.store import chain, chain_walk
from scim_server.store.clock import now
from scim_server.store.database import Database

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
        self._retention = Retention(database, registry, None if signer is None else signer.keys)
        self._habits = habits or Habits()
        self._looked: float | None = None

    async def run_once(self) -> dict[str, int]:
        """Keep and publish once; returns how much was done, by kind.

        What fails is logged with its step and tenant, and raised once everything else had its turn.
        """
        counts, turns = dict[str, int](), Turns()
        with turns.taking("round"):
            await self._keep(counts, turns)
        counts["published"] = 0
        with turns.taking("publish"):
            counts["published"] = await self._checkpoints.publish()
        turns.end()
        return counts

    async def keep_once(self) -> dict[str, int]:
        """Do what `run_once` does without publishing, which waits for others: it has a task of its own."""
        counts, turns = dict[str, int](), Turns()
        await self._keep(counts, turns)
        turns.end()
        return counts

    async def publish_once(self) -> int:
        """Hand to the sinks what is due for them; returns how many checkpoints that were."""
        return await self._checkpoints.publish()

    async def _keep(self, counts: dict[str, int], turns: Turns) -> None:
        """Chain and make checkpoints; look at what is due by time alone once a minute."""
        habits, moment = self._habits, time.monotonic()
        is_due = self._looked is None or moment - self._looked >= _LOOKS_EVERY
        counts.update(chained=0, checkpoints=0)
        with turns.taking("chain"):
            counts["chained"] = await self._sequencer.run_once()
        if counts["chained"] or is_due:
            with turns.taking("checkpoints"):
                seconds, events = habits.checkpoint_seconds, habits.checkpoint_events
                counts["checkpoints"] = await self._checkpoints.make_due(seconds, events=events)
        if is_due:
            self._looked = moment
            with turns.taking("lag"):
                await self._tell_lag()
            with turns.taking("overdue checkpoints"):
                await self._tell_overdue()
            with turns.taking("retention"):
                counts["removed"] = await self._retain()

    async def _retain(self) -> int:
        if self._habits.retention is None:
            return 0
        before, removed = now() - self._habits.retention // timedelta(microseconds=1), 0
        turns = Turns()
        for tenant_id, tenant in await self._database.read(chain_walk.tenants):
            with turns.taking("retention", tenant_id):
                kept = await self._retention.retain(system_call(tenant_id, tenant), before)
                removed += kept.removed
        turns.end()
        return removed

    async def _tell_overdue(self) -> None:
        """Log a warning for each tenant whose checkpoints should be newer than they are."""
        if self.signer is None:
            return
        for tenant_id, _ in await self._database.read(chain_walk.tenants):
            found = await overdue(self._database, tenant_id, self._habits.checkpoint_seconds)
            if found is not None:
                _log.warning("audit checkpoint overdue", tenant=tenant_id, reason=found)

    async def _tell_lag(self) -> None:
        """Log a warning for each tenant whose events wait longer than they may."""
        for tenant_id in await self._database.read(chain.waiting_tenants):
            found = await self._database.read(lambda reader, own=tenant_id: chain.backlog(reader, own))  # type: ignore[misc]
            seconds = found.seconds(now())
            if seconds > self._habits.lag_seconds or (found.length and found.oldest is None):
                _log.warning("audit lag", tenant=tenant_id, events=found.length, seconds=round(seconds))
