"""Requests byte for byte as a client put them on the wire."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx2

from tests.support.client import ScimClient


async def send(
    client: ScimClient, method: str, path: str, headers: Mapping[str, str], content: bytes | None
) -> httpx2.Response:
    """Send exactly these headers (plus Host and Content-Length) and the target as it is encoded."""
    url = client.base_url + path
    host = urlsplit(url).netloc
    request = httpx2.Request(method, url, headers={"Host": host, **headers}, content=content)
    if not str(request.url).endswith(path):
        raise AssertionError(f"{path} would go out as {request.url}")
    return await client.http.send(request)
