"""Checkpoints that should be there and are not, whatever the head of the chain says of them."""

from scim_server.scim.resources import timestamp
from scim_server.store import chain, checkpoints
from scim_server.store.clock import now
from scim_server.store.database import Database

_SECOND = 1_000_000
_PATIENCE = 2
"""How many intervals a checkpoint may be late before it is missed."""
_LEAST = 120


async def overdue(database: Database, tenant_id: int, seconds: float) -> str | None:
    """Return why a checkpoint of a tenant is overdue, None where none is; one is due every so many seconds.

    It goes by the stored checkpoints: the head only must not tell of one that cannot be.
    """
    moment = now()
    head = await database.read(lambda reader: chain.head_of(reader, tenant_id))
    last = await database.read(
        lambda reader: checkpoints.last(reader, tenant_id, made_before=moment + _SECOND)
    )
    if head is None:
        return None
    if head.checkpoint_at > moment + _SECOND or head.checkpoint_size > head.sequence:
        return "the head of the chain tells of a checkpoint that cannot be"
    if last is None:
        return None if head.checkpoint_at == chain.NEVER else "the last checkpoint is gone"
    late = max(_PATIENCE * seconds, _LEAST)
    return None if moment - last.at <= late * _SECOND else f"the last one is of {timestamp(last.at)}"
