"""What time has brought about, written down: statuses, ended assignments, scheduled changes.

Reading never waits for this: it only tells the audit trail and the world, and keeps the store small.
"""

from collections.abc import Iterable
from dataclasses import replace

import structlog

from scim_server.lifecycle.catalogue import Catalogue
from scim_server.lifecycle.documents import Document, get
from scim_server.lifecycle.extension import Finding
from scim_server.lifecycle.standing import current_facts
from scim_server.lifecycle.state import facts_of, keep_facts
from scim_server.lifecycle.status import SIGNED_IN, SUSPENDED
from scim_server.lifecycle.urns import LIFECYCLE
from scim_server.scim.contents import put_references
from scim_server.services import audit, user_changes
from scim_server.services.changes import Changes
from scim_server.services.context import CallContext, filter_context
from scim_server.services.lifecycle import USER, Lifecycle
from scim_server.services.settlement import UNFORESEEN, Settlement, system_call
from scim_server.store import clients, recalculation, references, resources, tenants
from scim_server.store.clock import now
from scim_server.store.database import Database, Writer

AT_ONCE = 200
_log = structlog.get_logger("scim_server")


class Clockwork:
    """Writes down what has become of users by itself, tenant by tenant."""

    def __init__(self, database: Database, lifecycle: Lifecycle) -> None:
        self._database = database
        self._lifecycle = lifecycle
        self._settlement = Settlement(database, lifecycle.registry, lifecycle)

    async def run_once(self) -> dict[str, int]:
        """Bring every tenant up to the present in which something is due; returns how much was done, by kind.

        One statement finds them, however many tenants there are; suspended ones wait.
        """
        counts = {"scheduled_changes": 0, "users": 0, "recalculated": 0, "ended_assignments": 0}
        for tenant_id, tenant in await self._database.read(lambda reader: tenants.due(reader, now())):
            try:
                await self._tenant(tenant_id, tenant, counts)
            except UNFORESEEN as error:
                _log.error("what is due cannot be carried out", tenant=tenant, error=type(error).__name__)
        return counts

    async def _tenant(self, tenant_id: int, tenant: str, counts: dict[str, int]) -> None:
        call = system_call(tenant_id, tenant)
        counts["scheduled_changes"] += await self._settlement.settle_tenant(tenant_id, tenant)
        counts["users"] += await self._users(call)
        counts["recalculated"] += await self._recalculate(call)
        counts["ended_assignments"] += await self._database.write(
            lambda writer: _remove_ended(writer, tenant_id)
        )

    async def _users(self, call: CallContext) -> int:
        done = 0
        while True:
            due = await self._database.read(
                lambda reader: resources.due(reader, call.principal.tenant_id, now(), AT_ONCE)
            )
            for user_id, type_name in due:
                if type_name == USER:
                    await self._database.write(lambda writer, own=user_id: self._keep_up(writer, call, own))  # type: ignore[misc]
                    done += 1
            if len(due) < AT_ONCE:
                return done

    def _changes(self, writer: Writer, call: CallContext) -> Changes:
        registry, varying = self._lifecycle.registry, self._lifecycle.engine.varying
        context = filter_context(self._database, registry, call, varying)
        return Changes(writer, registry, self._lifecycle, call, context)

    async def _recalculate(self, call: CallContext) -> int:
        """Bring the users in line with the catalogue that a change of it has left for later."""
        tenant_id, done = call.principal.tenant_id, 0
        while ids := await self._database.read(
            lambda reader: recalculation.waiting(reader, tenant_id, user_changes.RECALCULATED_AT_ONCE)
        ):

            async def work(writer: Writer, part: list[str] = ids) -> None:
                await self._changes(writer, call).users.recalculate(part)
                await recalculation.done(writer, tenant_id, part)

            await self._database.write(work)
            done += len(ids)
        return done

    async def _keep_up(self, writer: Writer, call: CallContext, id: str) -> None:
        changes, engine = self._changes(writer, call), self._lifecycle.engine
        kind = changes.registry.resource_types[USER]
        current = await changes.find_locked(kind, id)
        if current is None or current.version == current.stored_version:
            return  # another worker was faster
        catalogue = await changes.catalogue()
        stored = put_references(current, kind)
        seen = engine.view(_carried_out(stored, catalogue, changes.moment), catalogue, changes.moment)
        boundaries = engine.boundaries(seen, catalogue, changes.moment)
        await changes.persistence.keep_up(kind, current, seen, boundaries)
        findings = [finding for job in engine.jobs for finding in job.run(stored, seen, catalogue)]
        await _tell(changes, id, stored, seen, findings)


def _carried_out(stored: Document, catalogue: Catalogue, moment: int) -> Document:
    """Return a user's document with the plans that are due turned into facts."""
    facts = facts_of(stored)
    if not facts.planned:
        return stored
    document = dict(stored)
    remaining = tuple(plan for plan in facts.planned if plan.at > moment)
    keep_facts(document, replace(current_facts(stored, catalogue, moment), planned=remaining))
    return document


async def _remove_ended(writer: Writer, tenant_id: int) -> int:
    return len(await references.remove_expired(writer, tenant_id, now(), 10_000))


async def _tell(
    changes: Changes, id: str, before: Document, after: Document, findings: Iterable[Finding]
) -> None:
    """Write one event for what became of a user, and one for each finding of a job."""
    old, new = (get(document, LIFECYCLE, "effectiveStatus") for document in (before, after))
    tells: list[tuple[str, Document]] = []
    action = "user.timed"
    if old != new:
        action = "user.activate" if new in SIGNED_IN else "user.suspend" if new == SUSPENDED else "user.end"
        tells.append(("user.activated" if new in SIGNED_IN else "user.deactivated", {"status": new}))
        if new not in SIGNED_IN:
            tells.append(("sessions.revoked", {}))
            await clients.revoke_tokens_of_owner(changes.writer, changes.tenant_id, id, changes.moment, None)
    await changes.record(audit.Event(action, USER, id, before, after, tells=tells))
    for finding in findings:
        told: list[tuple[str, Document]] = [("user.notified", {"message": finding.message})]
        await changes.record(
            audit.Event(finding.action, USER, id, context={"note": finding.message}, tells=told)
        )
