"""A relay in front of PostgreSQL whose connections can be cut."""

import asyncio
from contextlib import suppress
from typing import Self

from sqlalchemy.engine import make_url


class Relay:
    """Passes bytes between a local port and the server of a URL until it is cut."""

    def __init__(self, url: str) -> None:
        self._target = make_url(url)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._port = 0
        self._delay = 0.0
        self._flows = asyncio.Event()
        self._flows.set()

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    @property
    def url(self) -> str:
        """The URL of the same database through the relay."""
        url = self._target.set(host="127.0.0.1", port=self._port, query={})
        return url.render_as_string(hide_password=False)

    async def mend(self) -> None:
        """Listen, on the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def drop(self) -> None:
        """Cut every connection there is; new ones are served."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()
        await asyncio.sleep(0.01)

    async def cut(self) -> None:
        """Cut every connection and refuse new ones."""
        if self._server is not None:
            self._server.close()
        await self.drop()

    def slow_down(self, seconds: float) -> None:
        """Pass everything on later by so many seconds."""
        self._delay = seconds

    def stall(self) -> None:
        """Keep every connection open and pass nothing on, as a network that swallows packets does."""
        self._flows.clear()

    def flow(self) -> None:
        """Pass on again what was held back."""
        self._delay = 0.0
        self._flows.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        folder, port = self._target.query.get("host"), self._target.port or 5432
        if isinstance(folder, str):
            opened = asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port}")
        else:
            opened = asyncio.open_connection(self._target.host or "localhost", port)
        far_reader, far_writer = await opened
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                if self._delay:
                    await asyncio.sleep(self._delay)
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
