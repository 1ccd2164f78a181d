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
