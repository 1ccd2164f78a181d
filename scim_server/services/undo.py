"""A batch of deactivations taken back: exactly the holds that one client made in a span of time."""

from dataclasses import dataclass, replace

from scim_server.lifecycle.dates import text_of
from scim_server.lifecycle.documents import Document
from scim_server.lifecycle.state import facts_of, keep_facts
from scim_server.scim.filters.binding import bind_filter
from scim_server.scim.filters.grammar import parse_filter
from scim_server.scim.policy import Policy
from scim_server.services.audit import AUDIT_EVENT
from scim_server.services.changes import Changes
from scim_server.services.clients import UnknownClient
from scim_server.services.context import CallContext, filter_context
from scim_server.services.lifecycle import Lifecycle
from scim_server.services.lookups import quoted
from scim_server.services.settlement import system_call
from scim_server.store import clients
from scim_server.store.audit import AuditLister
from scim_server.store.database import Database, Reader, Writer
from scim_server.store.filters.compiler import FilterContext
from scim_server.store.listing import Selection

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Undone:
    """What was found and taken back: users that the client deactivated, and those whose hold was lifted."""

    deactivated: int
    lifted: int


class Undo:
    """Takes back what a client did by mistake."""

    def __init__(self, database: Database, lifecycle: Lifecycle) -> None:
        self._database = database
        self._lifecycle = lifecycle

    async def deactivations(
        self, client: str, since: int, *, tenant: str = "default", is_dry_run: bool = False
    ) -> Undone:
        """Lift the holds that a client has made since a moment, in microseconds; others stay.

        Raises UnknownClient.
        """
        tenant_id, source = await self._database.read(lambda reader: _known(reader, tenant, client))
        call = system_call(tenant_id, tenant)
        users = await self._database.read(lambda reader: self._deactivated(reader, call, client, since))
        lifted = 0
        for user in users:
            lifted += await self._database.write(
                lambda writer, own=user: self._lift(writer, call, own, source, since, is_dry_run=is_dry_run)  # type: ignore[misc]
            )
        return Undone(len(users), lifted)

    def _context(self, call: CallContext) -> FilterContext:
        lifecycle = self._lifecycle
        return filter_context(self._database, lifecycle.registry, call, lifecycle.engine.varying)

    async def _deactivated(self, reader: Reader, call: CallContext, client: str, since: int) -> list[str]:
        """Return the users that a client has deactivated since a moment, each once."""
        kind = self._lifecycle.registry.resource_types[AUDIT_EVENT]
        made = f'action eq "user.deactivate" and actor.client eq {quoted(client)}'
        asked = f'{made} and at ge "{text_of(since)}"'
        lister = AuditLister(
            self._context(call), Selection(((kind, bind_filter(parse_filter(asked), kind, Policy())),))
        )
        found: dict[str, None] = {}
        after: list[str] | None = None
        while rows := await lister.page(reader, limit=_AT_ONCE, after=after):
            found |= dict.fromkeys(row.resource.document["resource"]["value"] for row in rows)
            after = [rows[-1].resource.id]
        return list(found)

    async def _lift(
        self, writer: Writer, call: CallContext, user_id: str, source: str, since: int, *, is_dry_run: bool
    ) -> bool:
        lifecycle = self._lifecycle
        changes = Changes(writer, lifecycle.registry, lifecycle, call, self._context(call))
        current = await changes.find_locked(lifecycle.registry.resource_types["User"], user_id)
        if current is None:
            return False
        facts = facts_of(current.document)
        kept = tuple(hold for hold in facts.holds if hold.source != source or hold.since < since)
        if kept == facts.holds or is_dry_run:
            return kept != facts.holds

        def work(user: Document) -> None:
            keep_facts(user, replace(facts_of(user), holds=kept))

        await changes.adjust(user_id, work, "user.undo", tells=[("user.activated", {"reason": "undo"})])
        return True


async def _known(reader: Reader, tenant: str, name: str) -> tuple[int, str]:
    """Return the tenant's id and the source for which a client acts."""
    tenant_id = await clients.tenant_id_of(reader, tenant)
    found = [] if tenant_id is None else await clients.clients_of(reader, tenant_id, name)
    if tenant_id is None or not found:
        raise UnknownClient(f"The tenant {tenant} has no client {name}.")
    return tenant_id, found[0].profile
