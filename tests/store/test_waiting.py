"""A change that waits for a lock on PostgreSQL gives up in bounded time."""

import time

import asyncpg
import pytest

from scim_server.store import database as module
from scim_server.store import tenants
from scim_server.store.database import Database
from scim_server.store.failures import DatabaseUnavailable


async def test_a_change_behind_a_lock_is_unavailable_when_its_time_is_up(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module._WRITING, "lock_timeout", "300")  # noqa: SLF001 - ten seconds are too long here
    database = Database(postgresql_url)
    await database.write(lambda writer: tenants.insert_tenant(writer, "one", 1))
    holder = await asyncpg.connect(postgresql_url)
    async with holder.transaction():
        await holder.execute("SELECT 1 FROM tenant FOR UPDATE")
        started = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            await database.write(lambda writer: tenants.change(writer, 1, suspended=1))
        assert time.monotonic() - started < 5
    await holder.close()
    await database.write(lambda writer: tenants.change(writer, 1, suspended=1))
    await database.close()
