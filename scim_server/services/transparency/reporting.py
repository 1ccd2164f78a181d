"""How the audit trail of a tenant is doing: what waits, how far the chain is, what sinks have yet to take."""

from scim_server.scim.resources import timestamp
from scim_server.store import chain, chain_walk, checkpoints
from scim_server.store.clock import now
from scim_server.store.database import Database


async def status_of(database: Database, tenant_id: int, *, has_key: bool) -> dict[str, object]:
    """Return the facts, by name; `has_key` tells whether checkpoints can be signed."""
    backlog = await database.read(lambda reader: chain.backlog(reader, tenant_id))
    head = await database.read(lambda reader: chain.head_of(reader, tenant_id))
    last = await database.read(lambda reader: checkpoints.last(reader, tenant_id))
    cut = await database.read(lambda reader: checkpoints.last_cut(reader, tenant_id))
    troubles = await database.read(lambda reader: checkpoints.troubles(reader, tenant_id))
    return {
        "queued": backlog.length,
        "lag_seconds": round(backlog.seconds(now()), 1) or 0,
        "sequence": 0 if head is None else head.sequence,
        "hash": None if head is None else bytes(head.hash).hex(),
        "checkpoint_size": None if last is None else last.size,
        "checkpoint_at": None if last is None else timestamp(last.at),
        "signing": "yes" if has_key else "no: SCIM_AUDIT_KEY_FILE is not set, there are no new checkpoints",
        "removed_up_to": None if cut is None else cut.size,
        "unpublished": sum(number for _, number, _ in troubles),
        **{
            f"unpublished to {sink}": f"{number} ({error or 'not tried yet'})"
            for sink, number, error in troubles
        },
    }


async def late(database: Database, tenant_id: int, seconds: float) -> str | None:
    """Return an alarm where events wait for their place longer than they may, None where none does."""
    ghosts = await database.read(lambda reader: chain_walk.ghosts(reader, tenant_id))
    if ghosts:
        return f"ALARM: {ghosts} queued events are not there"
    found = await database.read(lambda reader: chain.backlog(reader, tenant_id))
    waited = found.seconds(now())
    if waited <= seconds:
        return None
    return f"ALARM: {found.length} events wait for their place, since {waited:.0f} s"
