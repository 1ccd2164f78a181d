"""The database out of reach: 503 with Retry-After, and recovery without a restart."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from urllib.parse import urlsplit

import httpx2
import pytest
from sqlalchemy.engine import make_url
from starlette.applications import Starlette

from scim_server.settings import Settings
from tests.protocol.messages import accepted, listed, refused, user
from tests.support.client import ScimClient


class LockedFile:
    """A SQLite store that another process keeps locked for writing."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    async def begin(self) -> None:
        """Take the lock."""
        self._connection.execute("BEGIN IMMEDIATE")

    async def end(self) -> None:
        """Release the lock."""
        self._connection.execute("ROLLBACK")

    async def close(self) -> None:
        """Forget the store."""
        self._connection.close()


class CutCable:
    """A relay in front of PostgreSQL that can be cut."""

    def __init__(self, url: str) -> None:
        address = make_url(url)
        self._socket = address.query.get("host")
        self._host, self._port = address.host or "localhost", address.port or 5432
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def end(self) -> None:
        """Let connections through, on the same port as before."""
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def begin(self) -> None:
        """Cut every connection and refuse new ones."""
        await self.close()

    async def close(self) -> None:
        """Stop relaying."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if isinstance(self._socket, str):
            path = f"{self._socket}/.s.PGSQL.{self._port}"
            up_reader, up_writer = await asyncio.open_unix_connection(path)
        else:
            up_reader, up_writer = await asyncio.open_connection(self._host, self._port)
        self._writers |= {writer, up_writer}
        await asyncio.gather(_copy(reader, up_writer), _copy(up_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


@pytest.fixture
async def outage(database_url: str) -> AsyncIterator[LockedFile | CutCable]:
    outage: LockedFile | CutCable
    if database_url.startswith("sqlite"):
        outage = LockedFile(urlsplit(database_url).path.removeprefix("/"))
    else:
        outage = CutCable(database_url)
        await outage.end()
    yield outage
    await outage.close()


@pytest.fixture
def settings(database_url: str, outage: LockedFile | CutCable) -> Settings:
    if isinstance(outage, LockedFile):
        return Settings(database_url=database_url)
    address = make_url(database_url).set(host="127.0.0.1", port=outage.port, query={})
    return Settings(database_url=address.render_as_string(hide_password=False))


async def test_a_write_is_put_off_and_done_after_the_outage(
    scim: ScimClient, outage: LockedFile | CutCable
) -> None:
    ann = await scim.create_user("ann")
    await outage.begin()
    response = await scim.post("/Users", user("bob"))
    await outage.end()
    refused(response, 503)
    assert int(response.headers["retry-after"]) >= 1
    assert await listed(scim, "/Users") == [ann]
    assert accepted(await scim.post("/Users", user("bob")), 201)["userName"] == "bob"


async def test_an_outage_shows_in_the_readiness_of_the_server(
    application: Starlette, scim: ScimClient, outage: LockedFile | CutCable
) -> None:
    await scim.create_user("ann")
    transport = httpx2.ASGITransport(app=application)
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as outside:
        await outage.begin()
        readable = isinstance(outage, LockedFile)
        assert (await outside.get("/readyz")).status_code == (200 if readable else 503)
        assert (await outside.get("/healthz")).status_code == 200
        await outage.end()
        assert (await outside.get("/readyz")).status_code == 200


async def test_an_outage_is_a_scim_error_for_reads_of_a_cut_database(
    scim: ScimClient, outage: LockedFile | CutCable
) -> None:
    ann = await scim.create_user("ann")
    await outage.begin()
    response = await scim.get(f"/Users/{ann['id']}")
    await outage.end()
    if isinstance(outage, CutCable):
        refused(response, 503)
        assert int(response.headers["retry-after"]) >= 1
    else:
        assert accepted(response) == ann


def test_the_lock_of_this_test_really_locks(sqlite_url: str) -> None:
    path = urlsplit(sqlite_url).path.removeprefix("/")
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other:
        locked = LockedFile(path)
        asyncio.run(locked.begin())
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        asyncio.run(locked.end())
        asyncio.run(locked.close())
