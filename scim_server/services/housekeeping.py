"""Rounds of tidying that nothing visible depends on."""

from scim_server.store import clients as rows
from scim_server.store.clock import now
from scim_server.store.database import Database

KEPT_MICROSECONDS = 30 * 24 * 3_600 * 1_000_000
"""How long ended tokens stay listed: 30 days."""


async def run_once(database: Database) -> dict[str, int]:
    """Run one round and return what was removed, by kind."""
    before = now() - KEPT_MICROSECONDS
    return {"ended_tokens": await database.write(lambda writer: rows.remove_ended_tokens(writer, before))}
