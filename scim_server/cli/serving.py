"""Server processes that end in order: nothing that was begun is cut off, nothing acknowledged is lost."""

import asyncio
import signal
import socket
import time
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess, multiprocess

from scim_server.settings import Settings

_SECONDS_TO_CLOSE = 10
"""What the database gets to finish, after what is under way has had its time."""


def server_behind(application: Any) -> Any:
    """Return the services of the application that uvicorn has wrapped for a process."""
    while not isinstance(application, Starlette):
        application = application.app
    return application.state.server


class DrainingServer(uvicorn.Server):
    """Ends in three steps, with exit code 0 after SIGTERM as after any other end.

    At first `/readyz` says so and connections are closed as they are answered, then no more are taken, and
    what is under way gets its time.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, and close everything."""
        server = server_behind(self.config.loaded_app)
        server.is_draining = True
        await asyncio.sleep(0 if self.force_exit else server.settings.drain_seconds)
        await super().shutdown(sockets)
        self._captured_signals = [number for number in self._captured_signals if number != signal.SIGTERM]


class _WorkerProcess(multiprocess.Process):
    """One of several server processes."""

    @property
    def server(self) -> uvicorn.Server:
        """The server of the process."""
        if self._server is None:
            self._server = DrainingServer(config=self.config)
        return self._server


class Workers(Multiprocess):
    """Several processes behind one address; all end when this one is told to."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket, settings: Settings) -> None:
        """Prepare the processes, which take the socket with them."""
        super().__init__(config, sockets=[listener])
        self._patience = settings.drain_seconds + settings.shutdown_seconds + _SECONDS_TO_CLOSE
        multiprocess.Process = _WorkerProcess  # type: ignore[misc]  # uvicorn has no other way to say so

    def join_all(self) -> None:
        """Wait for the processes, and end those that do not by themselves."""
        for listener in self.sockets:
            listener.close()
        until = time.monotonic() + self._patience
        for process in self.processes:
            process.process.join(max(until - time.monotonic(), 0))
            if process.process.is_alive():
                process.kill()
                process.join()
