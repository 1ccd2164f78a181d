"""The database out of reach: 503 with Retry-After, and recovery without a restart."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Self
from urllib.parse import urlsplit

import httpx2
import pytest
from starlette.applications import Starlette

from scim_server.settings import Settings
from tests.protocol.messages import accepted, listed, refused, user
from tests.store.relay import Relay
from tests.support.client import ScimClient


class LockedFile:
    """A SQLite store that another process keeps locked for writing."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._connection.close()

    async def cut(self) -> None:
        """Take the lock."""
        self._connection.execute("BEGIN IMMEDIATE")

    async def mend(self) -> None:
        """Release the lock."""
        self._connection.execute("ROLLBACK")


@pytest.fixture
async def outage(database_url: str) -> AsyncIterator[LockedFile | Relay]:
    is_sqlite = database_url.startswith("sqlite")
    path = urlsplit(database_url).path.removeprefix("/")
    async with LockedFile(path) if is_sqlite else Relay(database_url) as outage:
        yield outage


@pytest.fixture
def settings(database_url: str, outage: LockedFile | Relay) -> Settings:
    return Settings(database_url=database_url if isinstance(outage, LockedFile) else outage.url)


async def test_a_write_is_put_off_and_done_after_the_outage(
    scim: ScimClient, outage: LockedFile | Relay
) -> None:
    ann = await scim.create_user("ann")
    await outage.cut()
    response = await scim.post("/Users", user("bob"))
    await outage.mend()
    refused(response, 503)
    assert int(response.headers["retry-after"]) >= 1
    assert await listed(scim, "/Users") == [ann]
    assert accepted(await scim.post("/Users", user("bob")), 201)["userName"] == "bob"


async def test_an_outage_shows_in_the_readiness_of_the_server(
    application: Starlette, scim: ScimClient, outage: LockedFile | Relay
) -> None:
    await scim.create_user("ann")
    transport = httpx2.ASGITransport(app=application)
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as outside:
        await outage.cut()
        readable = isinstance(outage, LockedFile)
        assert (await outside.get("/readyz")).status_code == (200 if readable else 503)
        assert (await outside.get("/healthz")).status_code == 200
        await outage.mend()
        assert (await outside.get("/readyz")).status_code == 200


async def test_an_outage_is_a_scim_error_for_reads_of_a_cut_database(
    scim: ScimClient, outage: LockedFile | Relay
) -> None:
    ann = await scim.create_user("ann")
    await outage.cut()
    response = await scim.get(f"/Users/{ann['id']}")
    await outage.mend()
    if isinstance(outage, Relay):
        refused(response, 503)
        assert int(response.headers["retry-after"]) >= 1
    else:
        assert accepted(response) == ann


def test_the_lock_of_this_test_really_locks(sqlite_url: str) -> None:
    path = urlsplit(sqlite_url).path.removeprefix("/")
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other:
        locked = LockedFile(path)
        asyncio.run(locked.cut())
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        asyncio.run(locked.mend())
