"""Rounds of the worker: what time has brought about, and tidying that nothing visible depends on."""

from scim_server.services.clockwork import Clockwork
from scim_server.services.lifecycle import Lifecycle
from scim_server.store import clients as rows
from scim_server.store import oauth
from scim_server.store.clock import now
from scim_server.store.database import Database

KEPT_MICROSECONDS = 30 * 24 * 3_600 * 1_000_000
"""How long ended tokens stay listed: 30 days."""
ACCESS_KEPT_MICROSECONDS = 24 * 3_600 * 1_000_000
"""How long an access token that ended is told from one that never was: a day."""


async def run_once(database: Database, lifecycle: Lifecycle) -> dict[str, int]:
    """Run one round and return what was done, by kind."""
    moment = now()
    before, access_before = moment - KEPT_MICROSECONDS, moment - ACCESS_KEPT_MICROSECONDS
    counts = await Clockwork(database, lifecycle).run_once()
    ended = await database.write(lambda writer: rows.remove_ended_tokens(writer, before, access_before))
    await database.write(lambda writer: oauth.tidy(writer, moment))
    return {**counts, "ended_tokens": ended}
