"""Bytes that never become a request are answered with SCIM errors too."""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.server import LiveServer

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


async def exchanged(server: LiveServer, sent: bytes) -> tuple[str, dict[str, Any]]:
    """Send bytes as they are and return the head and the decoded body of the answer."""
    address = urlsplit(server.base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(sent)
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return head.decode().lower(), json.loads(body)


def request(target: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


@pytest.mark.parametrize("size", [65_536, 1_000_000])
async def test_a_filter_that_makes_the_url_too_long_is_an_invalid_filter(
    live_server: LiveServer, size: int
) -> None:
    head, body = await exchanged(live_server, request("/scim/v2/Users?filter=" + "a" * size))
    assert head.startswith("http/1.1 400")
    assert "content-type: application/scim+json" in head
    assert "x-request-id: " in head
    assert (body["schemas"], body["status"], body["scimType"]) == ([ERROR], "400", "invalidFilter")


async def test_bytes_that_are_not_http_are_a_scim_error(live_server: LiveServer) -> None:
    head, body = await exchanged(live_server, b"nonsense\r\n\r\n")
    assert "content-type: application/scim+json" in head
    assert (body["schemas"], body["status"]) == ([ERROR], "400")


SEARCH = b'{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"count":0}'
POST = b"POST /scim/v2/Users/.search HTTP/1.1\r\nHost: x\r\nContent-Type: application/scim+json\r\n"
SIZED = POST + b"Content-Length: %d\r\nAuthorization: Bearer TOKEN\r\n\r\n" % len(SEARCH)
CHUNKED = POST + b"Transfer-Encoding: chunked\r\nAuthorization: Bearer TOKEN\r\n\r\n"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(SEARCH), SEARCH)
GET = b"GET /scim/v2/Users?count=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n\r\n"
INNER = GET.replace(b"Users?count=0", b"Groups?count=0").replace(b"Bearer TOKEN", b"Bearer nobody")
CARRIER = SIZED.replace(b"Content-Length: %d" % len(SEARCH), b"Content-Length: %d" % len(INNER))
LAST = GET.replace(b"Host: x\r\n", b"Host: x\r\nConnection: close\r\n", 1)


async def statuses(server: LiveServer, *segments: bytes) -> list[int]:
    """Send segments, the last request of which closes the connection, and return the statuses."""
    address = urlsplit(server.base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    for segment in segments:
        writer.write(segment.replace(b"TOKEN", server.token.encode()))
        await writer.drain()
        await asyncio.sleep(0.1)
    answers = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return [int(part[:3]) for part in answers.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize("wish", [b"websocket", b"h2c", b"x"])
@pytest.mark.parametrize(
    "segments",
    [
        (SIZED + SEARCH, LAST),
        (SIZED, SEARCH, LAST),
        (SIZED, SEARCH[:30], SEARCH[30:], LAST),
        (SIZED[:90], SIZED[90:] + SEARCH, LAST),
        (CHUNKED + CHUNKS, LAST),
        (CHUNKED, CHUNKS[:20], CHUNKS[20:], LAST),
        (CARRIER, INNER, LAST),
        (GET + GET + SIZED, SEARCH, LAST),
        (GET * 40 + SIZED + SEARCH + LAST,),
    ],
)
async def test_a_wish_for_another_protocol_changes_no_answer(
    live_server: LiveServer, segments: tuple[bytes, ...], wish: bytes
) -> None:
    head = b"Host: x\r\nUpgrade: %b\r\nConnection: upgrade\r\n" % wish
    wishing = [one if one is LAST else one.replace(b"Host: x\r\n", head) for one in segments]
    if len(segments) == 1:
        wishing = [segments[0].removesuffix(LAST).replace(b"Host: x\r\n", head) + LAST]
    if segments[0] is CARRIER:
        wishing[1] = INNER
    plain = await statuses(live_server, *segments)
    assert plain[-1] == 200
    assert await statuses(live_server, *wishing) == plain


async def test_connect_is_no_method_here(live_server: LiveServer) -> None:
    head, body = await exchanged(live_server, b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n" + GET)
    assert (head.splitlines()[0], body["status"]) == ("http/1.1 405 method not allowed", "405")
