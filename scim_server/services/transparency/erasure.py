"""Erasure: what the audit trail knows of a person is made unreadable, and stays provable."""

from dataclasses import dataclass

from scim_server.scim.registry import Registry
from scim_server.security.transparency.chain import GENESIS, key_id, receipt
from scim_server.security.transparency.sealing import Sealing
from scim_server.services import audit
from scim_server.services.context import CallContext
from scim_server.services.transparency.checking import ERASE
from scim_server.services.transparency.sequencer import AT_ONCE, append
from scim_server.store import chain
from scim_server.store.clock import now
from scim_server.store.database import Database, Writer


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure leaves: the event that records it, and the receipt of the destroyed key.

    Without a key there was nothing to erase, and there is no receipt and no event.
    """

    receipt: str | None
    event_id: str | None


async def erase(
    database: Database,
    registry: Registry,
    sealing: Sealing,
    call: CallContext,
    subject: str,
    *,
    type: str = "User",
    reason: str | None = None,
) -> Erased:
    """Destroy the key of a subject, and with it the private parts of all its events up to now.

    Those that still wait for their place are sealed first, so that nothing of them is left in the open.
    """
    tenant_id = call.principal.tenant_id

    async def work(writer: Writer) -> Erased:
        while True:
            head = await chain.locked_head(writer, tenant_id, GENESIS)
            waiting = await chain.queued(writer, tenant_id, AT_ONCE[database.dialect], subject)
            await append(writer, sealing, tenant_id, head, waiting)
            if len(waiting) < AT_ONCE[database.dialect]:
                break
        secret = await chain.remove_key(writer, tenant_id, subject)
        if secret is None:
            return Erased(None, None)
        proof = receipt(key_id(secret))
        event = audit.Event(ERASE, type, subject, receipt=proof, context={"reason": reason})
        return Erased(proof, await audit.record(writer, registry, call, event, now()))

    return await database.write(work)
