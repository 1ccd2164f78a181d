"""`scim-server serve` that is told to end while it is in use."""

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.client import USER_SCHEMA, ScimClient
from tests.support.server import LiveServer

BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
CLIENTS = 4


@contextmanager
def serving(url: str, folder: Path, workers: int = 1, drain: str = "1") -> Iterator[LiveServer]:
    environment = {"SCIM_DRAIN_SECONDS": drain, "SCIM_LOG_LEVEL": "warning"}
    server = LiveServer.start(url, folder, arguments=["--workers", str(workers)], environment=environment)
    try:
        yield server
    finally:
        server.stop()


def ended(server: LiveServer) -> tuple[int, float]:
    """Wait for the process; returns its exit code and how long it took."""
    started = time.monotonic()
    return server.process.wait(30), time.monotonic() - started


async def write_until_refused(server: LiveServer, number: int, stop: list[bool]) -> tuple[list[str], int]:
    """Create users over kept connections; returns the names that were acknowledged and the broken answers."""
    made, broken = [], 0
    async with ScimClient(server.base_url, server.token) as client:
        for turn in range(10_000):
            name = f"user-{number}-{turn}"
            try:
                response = await client.post("/Users", person(name))
            except httpx2.ConnectError:
                break
            except httpx2.TransportError:
                broken += 1
                if stop:
                    break
            else:
                assert response.status_code == 201, response.text
                made.append(name)
                if response.headers.get("connection") == "close":
                    break  # as a load balancer does that asks /readyz
    return made, broken


def person(name: str) -> dict[str, Any]:
    return {
        "schemas": [USER_SCHEMA],
        "userName": name,
        "name": {"givenName": "Ann", "familyName": "Lee"},
        "emails": [{"value": f"{name}@example.com"}],
    }


@pytest.mark.parametrize("workers", [1, 2])
async def test_no_acknowledged_write_is_lost_and_no_request_is_cut(
    database_url: str, tmp_path: Path, workers: int
) -> None:
    with serving(database_url, tmp_path, workers) as server:
        stop: list[bool] = []
        tasks = [asyncio.create_task(write_until_refused(server, number, stop)) for number in range(CLIENTS)]
        await asyncio.sleep(1)
        stop.append(True)
        server.process.send_signal(signal.SIGTERM)
        results = await asyncio.gather(*tasks)
        code, _seconds = await asyncio.to_thread(ended, server)
        made = [name for names, _ in results for name in names]
    assert (code, sum(broken for _, broken in results)) == (0, 0)
    assert len(made) > CLIENTS
    with serving(database_url, tmp_path) as server:
        async with ScimClient(server.base_url, server.token) as client:
            listed = [user["userName"] for user in (await client.read("/Users", count=1000))["Resources"]]
    assert set(made) <= set(listed)


async def test_a_bulk_request_under_way_is_finished(database_url: str, tmp_path: Path) -> None:
    operations = [
        {
            "method": "POST",
            "path": "/Users",
            "bulkId": f"b{number}",
            "data": person(f"user-{number}"),
        }
        for number in range(400)
    ]
    with serving(database_url, tmp_path, drain="0") as server:
        async with ScimClient(server.base_url, server.token) as client:
            sent = asyncio.create_task(client.post("/Bulk", {"schemas": [BULK], "Operations": operations}))
            await asyncio.sleep(0.3)
            server.process.send_signal(signal.SIGTERM)
            response = await sent
        code, _ = await asyncio.to_thread(ended, server)
    assert response.status_code == 200
    assert {one["status"] for one in response.json()["Operations"]} == {"201"}
    assert code == 0


async def test_a_draining_server_is_not_ready_and_closes_connections(sqlite_url: str, tmp_path: Path) -> None:
    with serving(sqlite_url, tmp_path, drain="3") as server:
        async with httpx2.AsyncClient(trust_env=False) as client:
            before = await client.get(f"{server.root_url}/readyz")
            server.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.5)
            ready = await client.get(f"{server.root_url}/readyz")
            alive = await client.get(f"{server.root_url}/healthz")
    assert (before.status_code, "connection" in before.headers) == (200, False)
    assert (ready.status_code, ready.headers["connection"]) == (503, "close")
    assert "draining" in ready.json()["detail"]
    assert (alive.status_code, alive.headers["connection"]) == (200, "close")


def test_an_idle_server_ends_at_once(sqlite_url: str, tmp_path: Path) -> None:
    with serving(sqlite_url, tmp_path, drain="0") as server:
        server.process.send_signal(signal.SIGTERM)
        code, seconds = ended(server)
    assert code == 0
    assert seconds < 10
