"""Audit events as SCIM shows them: the public part with the private one, where that can still be opened."""

from collections.abc import Sequence

from scim_server.scim.documents import load
from scim_server.scim.resources import Resource
from scim_server.security.transparency.chain import SALT_LENGTH, key_id
from scim_server.security.transparency.parts import COMMIT, joined
from scim_server.security.transparency.sealing import CannotOpen, Sealing
from scim_server.store.chain import Sealed, private_parts
from scim_server.store.database import Reader


async def reveal(reader: Reader, sealing: Sealing, tenant_id: int, events: Sequence[Resource]) -> None:
    """Put the private parts into events; the values of those that were erased stay missing."""
    having = [event.id for event in events if COMMIT in event.document]
    found = await private_parts(reader, tenant_id, having)
    for event in events:
        part = found.get(event.id)
        salted = None if part is None else opened(sealing, tenant_id, event.id, part)
        private = None if salted is None else load(salted[SALT_LENGTH:].decode())
        event.document = joined(event.document, private)


def opened(sealing: Sealing, tenant_id: int, event_id: str, part: Sealed) -> bytes | None:
    """Return the salt and the bytes of a private part, None where its key is gone or another one."""
    if part.queued is not None:
        return part.queued
    if part.sealed is None or part.secret is None or key_id(part.secret) != part.key_id:
        return None
    try:
        return sealing.open(sealing.key(part.secret), tenant_id, event_id, part.sealed)
    except CannotOpen:
        return None
