"""Every response carries an id: the client's own where it is a good one, else a new one."""

import httpx2
import pytest
from starlette.applications import Starlette

from tests.support.client import ScimClient


async def answered(scim: ScimClient, sent: str) -> str:
    response = await scim.request("GET", "/Users", headers={"X-Request-Id": sent})
    assert response.status_code == 200
    return str(response.headers["x-request-id"])


@pytest.mark.parametrize("sent", ["abcdefgh", "0f3b-1.2_Z", "x" * 64])
async def test_a_good_id_is_kept(scim: ScimClient, sent: str) -> None:
    assert await answered(scim, sent) == sent


@pytest.mark.parametrize("sent", ["", "short", "x" * 65, "has space", "new\tline", '"quoted"', "a;b=c;d"])
async def test_another_id_is_replaced(scim: ScimClient, sent: str) -> None:
    given = await answered(scim, sent)
    assert given != sent
    assert len(given) == 32


async def test_two_requests_have_two_ids(scim: ScimClient) -> None:
    one, other = [(await scim.get("/Users")).headers["x-request-id"] for _ in range(2)]
    assert one != other


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/Users/nobody", 404),
        ("GET", "/Nothing", 404),
        ("DELETE", "/Users", 405),
        ("OPTIONS", "/Users", 204),
        ("POST", "/Users", 400),
        ("GET", "/Users?filter=x", 400),
    ],
)
async def test_refusals_carry_an_id_too(scim: ScimClient, method: str, path: str, status: int) -> None:
    response = await scim.request(method, path)
    assert response.status_code == status
    assert len(response.headers["x-request-id"]) == 32


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/scim/v2/Users"])
async def test_whoever_asks_gets_an_id(application: Starlette, path: str) -> None:
    transport = httpx2.ASGITransport(app=application)
    async with httpx2.AsyncClient(transport=transport, base_url="http://scim.test") as anyone:
        assert len((await anyone.get(path)).headers.get_list("x-request-id")) == 1
