"""Clients that are slow, or too many, hold nothing of a server for long."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.support.server import LiveServer

SECONDS = 1
CONNECTIONS = 20
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("slow")
    limits = {"SCIM_REQUEST_SECONDS": str(SECONDS), "SCIM_MAX_CONNECTIONS": str(CONNECTIONS)}
    server = LiveServer.start(f"sqlite:///{folder}/scim.db", folder, environment=limits)
    yield server
    server.stop()


async def opened(server: LiveServer) -> Connection:
    address = urlsplit(server.base_url)
    return await asyncio.open_connection(address.hostname, address.port)


async def answer(reader: asyncio.StreamReader) -> tuple[str, str]:
    """Return the head and the `status` in the body of the answer on a connection that is closed after it."""
    text = await asyncio.wait_for(reader.read(), 20)
    head, _, body = text.partition(b"\r\n\r\n")
    return head.decode().lower(), json.loads(body)["status"]


def head(server: LiveServer, method: str = "GET", path: str = "/scim/v2/Users", *further: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {server.token}", *further]
    return "\r\n".join([*lines, "", ""]).encode()


@pytest.mark.parametrize("sent", [b"", b"GET /scim", b"GET /scim/v2/Users HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_a_head_that_does_not_come_is_408(server: LiveServer, sent: bytes) -> None:
    reader, writer = await opened(server)
    writer.write(sent)
    found, status = await answer(reader)
    writer.close()
    assert (found.splitlines()[0], status) == ("http/1.1 408 request timeout", "408")


async def test_a_head_that_drips_ends_in_time(server: LiveServer) -> None:
    reader, writer = await opened(server)
    writer.write(b"GET /scim/v2/Users HTTP/1.1\r\n")
    started = time.monotonic()
    with suppress(ConnectionError):
        while time.monotonic() - started < 10 and not reader.at_eof():
            writer.write(b"X-A: b\r\n")
            await writer.drain()
            await asyncio.sleep(0.1)
    writer.close()
    assert time.monotonic() - started < 8


async def test_a_body_that_drips_is_408_and_the_connection_is_closed(server: LiveServer) -> None:
    reader, writer = await opened(server)
    kind = "Content-Type: application/scim+json"
    writer.write(head(server, "POST", "/scim/v2/Users", kind, "Content-Length: 100000") + b"{")
    found, status = await answer(reader)
    writer.close()
    assert status == "408"
    assert found.count("connection: close") == 1


async def test_a_form_that_drips_is_408_in_the_form_of_oauth(server: LiveServer) -> None:
    reader, writer = await opened(server)
    kind = "Content-Type: application/x-www-form-urlencoded"
    writer.write(head(server, "POST", "/oauth/token", kind, "Content-Length: 100") + b"grant")
    text = (await asyncio.wait_for(reader.read(), 20)).decode()
    writer.close()
    found, _, body = text.partition("\r\n\r\n")
    assert found.lower().startswith("http/1.1 408")
    assert "cache-control: no-store" in found.lower()
    assert json.loads(body)["error"] == "invalid_request"


async def test_another_protocol_is_not_spoken_and_the_connection_counts(server: LiveServer) -> None:
    wanted = (
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: eA==",
    )
    reader, writer = await opened(server)
    writer.write(head(server, "GET", "/scim/v2/ServiceProviderConfig", *wanted))
    found = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).decode().lower()
    assert found.startswith("http/1.1 200")
    others = [await opened(server) for _ in range(CONNECTIONS)]
    _, status = await answer(others[-1][0])
    for _, other in ((reader, writer), *others):
        other.close()
    assert status == "503"
    assert "upgrade" not in server.log.read_text(encoding="utf-8").lower()


async def test_who_takes_no_answers_is_cut_off(server: LiveServer) -> None:
    reader, writer = await opened(server)
    writer.write(head(server, "GET", "/scim/v2/Schemas") * 300)
    await asyncio.sleep(4 * SECONDS)
    received = b""
    with suppress(ConnectionError):
        while part := await asyncio.wait_for(reader.read(1 << 20), 20):
            received += part
    writer.close()
    assert 0 < received.count(b"HTTP/1.1 200") < 300


async def test_more_connections_than_possible_are_503_and_leave_the_others_alone(
    server: LiveServer,
) -> None:
    await asyncio.sleep(0.2)
    held = [await opened(server) for _ in range(CONNECTIONS)]
    await asyncio.sleep(0.1)
    reader, writer = await opened(server)
    found, status = await answer(reader)
    assert (found.splitlines()[0], status) == ("http/1.1 503 service unavailable", "503")
    assert "retry-after: 5" in found
    for _, each in [*held, (reader, writer)]:
        each.close()


async def test_others_are_served_while_slow_ones_wait(server: LiveServer) -> None:
    held = [await opened(server) for _ in range(CONNECTIONS // 2)]
    for _, writer in held:
        writer.write(b"GET /scim")
    async with httpx2.AsyncClient(trust_env=False) as client:
        response = await client.get(f"{server.root_url}/readyz")
    assert response.status_code == 200
    for _, writer in held:
        writer.close()


@pytest.mark.parametrize(
    "further", [[f"X-{number}: y" for number in range(200)], ["X-Long: " + "y" * 70_000]]
)
async def test_headers_that_are_too_many_or_too_long_are_431(server: LiveServer, further: list[str]) -> None:
    reader, writer = await opened(server)
    writer.write(head(server, "GET", "/scim/v2/Users", *further))
    _, status = await answer(reader)
    writer.close()
    assert status == "431"


async def test_a_url_that_is_too_long_is_414(server: LiveServer) -> None:
    reader, writer = await opened(server)
    writer.write(head(server, "GET", "/scim/v2/Users?attributes=" + "a" * 66_000))
    _, status = await answer(reader)
    writer.close()
    assert status == "414"
