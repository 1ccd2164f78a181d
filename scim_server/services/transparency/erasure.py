"""Erasure: what the audit trail knows of a person is made unreadable, and stays provable."""

import re
from dataclasses import dataclass

import orjson

from scim_server.scim.documents import encode
from scim_server.scim.registry import Registry
from scim_server.security.transparency.chain import GENESIS, SALT_LENGTH, key_id, receipt
from scim_server.security.transparency.parts import SUBJECT, subject_of
from scim_server.security.transparency.sealing import Sealing
from scim_server.services import audit
from scim_server.services.context import CallContext
from scim_server.services.transparency.checking import ERASE
from scim_server.services.transparency.revealing import opened
from scim_server.services.transparency.sequencer import AT_ONCE, append
from scim_server.store import chain, chain_walk
from scim_server.store.clock import now
from scim_server.store.database import Database, Writer

_PAGE = 1_000


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

    named = f'"{SUBJECT}":{encode(subject).decode()}'  # in canonical JSON this can be nothing else

    async def work(writer: Writer) -> Erased:
        while True:
            head = await chain.locked_head(writer, tenant_id, GENESIS)
            waiting = await chain.queued(writer, tenant_id, AT_ONCE[database.dialect], subject, named)
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


async def mentions(database: Database, sealing: Sealing, tenant_id: int, subject: str) -> int:
    """Return how many chained events of others name a subject by its id; an erasure leaves these as they are.

    It looks at the public and the private part of every event.
    """
    named, after, found = re.compile(rf"(?<![\w-]){re.escape(subject)}(?![\w-])"), 0, 0
    while True:
        links = await database.read(
            lambda reader, at=after: chain_walk.links(reader, tenant_id, at, _PAGE)  # type: ignore[misc]
        )
        found += sum(_mentions(link, named, sealing, tenant_id, subject) for link in links)
        if len(links) < _PAGE:
            return found
        after = links[-1].sequence


def _mentions(
    link: chain_walk.Link, named: re.Pattern[str], sealing: Sealing, tenant_id: int, subject: str
) -> bool:
    document = link.document or "{}"
    try:
        if subject_of(orjson.loads(document), link.event_id) == subject:
            return False
    except (ValueError, AttributeError):  # verification tells
        return False
    if named.search(document):
        return True
    salted = None if link.private is None else opened(sealing, tenant_id, link.event_id, link.private)
    return salted is not None and bool(named.search(salted[SALT_LENGTH:].decode(errors="replace")))
