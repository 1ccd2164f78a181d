"""/healthz and /readyz at the root of the application."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette


@pytest.fixture
async def outside(application: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=application)
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_running_server_says_so_without_a_token(outside: httpx2.AsyncClient, path: str) -> None:
    response = await outside.get(path)
    assert response.status_code == 200
    assert response.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_head_answers_too(outside: httpx2.AsyncClient, path: str) -> None:
    response = await outside.head(path)
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_nothing_else_can_be_done_there(outside: httpx2.AsyncClient, path: str) -> None:
    response = await outside.post(path)
    assert response.status_code == 405
    assert "GET" in response.headers["allow"]


async def test_a_token_of_nobody_does_not_matter(outside: httpx2.AsyncClient) -> None:
    response = await outside.get("/readyz", headers={"Authorization": "Bearer unknown"})
    assert response.status_code == 200


async def test_an_unknown_path_of_the_root_is_not_found(outside: httpx2.AsyncClient) -> None:
    assert (await outside.get("/nothing")).status_code == 404
