"""A database that cannot be reached: 503 with Retry-After, and service again when it is back."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette

from scim_server.app import create_app
from scim_server.services.clients import Clients
from scim_server.settings import Settings
from scim_server.store.database import Database
from tests.store.relay import Relay
from tests.support.client import ScimClient


@pytest.fixture
async def relay(postgresql_url: str) -> AsyncIterator[Relay]:
    async with Relay(postgresql_url) as relay:
        yield relay


@pytest.fixture
async def remote(relay: Relay, postgresql_url: str) -> AsyncIterator[ScimClient]:
    """Give a client of a server whose database is behind the relay."""
    direct = Database(postgresql_url)
    issued = await Clients(direct).create("c", profile="idp")
    await direct.close()
    application = create_app(Settings(database_url=relay.url, database_pool_size=2))
    async with (
        application.router.lifespan_context(application),
        ScimClient("http://scim.test/scim/v2", issued.token, httpx2.ASGITransport(app=application)) as client,
    ):
        yield client


async def assert_unavailable(response: httpx2.Response) -> None:
    assert response.status_code == 503, response.text
    assert int(response.headers["retry-after"]) >= 1
    body = response.json()
    assert (body["status"], "scimType" in body) == ("503", False)
    assert "postgresql" not in response.text
    assert "127.0.0.1" not in response.text
    assert response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/Users"),
        ("GET", "/Users/1"),
        ("DELETE", "/Users/1"),
        ("GET", "/Schemas"),
        ("GET", "/Me"),
        ("GET", "/ServiceProviderConfig"),
    ],
)
async def test_every_endpoint_that_needs_the_database_says_so(
    remote: ScimClient, relay: Relay, method: str, path: str
) -> None:
    await relay.cut()
    await assert_unavailable(await remote.request(method, path))


async def test_service_goes_on_when_the_database_is_back(remote: ScimClient, relay: Relay) -> None:
    ann = await remote.create_user("ann")
    await relay.cut()
    await assert_unavailable(await remote.get(f"/Users/{ann['id']}"))
    await assert_unavailable(await remote.post("/Users", {"schemas": [], "userName": "bob"}))
    await relay.mend()
    assert await remote.read(f"/Users/{ann['id']}") == ann
    assert (await remote.create_user("bob"))["userName"] == "bob"


async def test_a_restarted_database_is_not_noticed_by_clients(remote: ScimClient, relay: Relay) -> None:
    ann = await remote.create_user("ann")
    for _ in range(3):
        await relay.drop()
        assert await remote.read(f"/Users/{ann['id']}") == ann
        await relay.drop()
        await remote.patch_ok(f"/Users/{ann['id']}", {"op": "add", "path": "title", "value": "x"})
        ann = await remote.read(f"/Users/{ann['id']}")


async def test_a_server_started_without_its_database_comes_up_with_it(relay: Relay) -> None:
    await relay.cut()
    application: Starlette = create_app(
        Settings(database_url=relay.url, bootstrap_token="bootstrap-token-of-the-test")
    )
    transport = httpx2.ASGITransport(app=application)
    async with (
        application.router.lifespan_context(application),
        ScimClient("http://scim.test/scim/v2", "bootstrap-token-of-the-test", transport) as client,
    ):
        await assert_unavailable(await client.get("/Users"))
        assert (await client.http.get("http://scim.test/readyz")).status_code == 503
        assert (await client.http.get("http://scim.test/healthz")).status_code == 200
        await relay.mend()
        assert (await client.http.get("http://scim.test/readyz")).status_code == 200
        assert (await client.get("/Users")).status_code == 200
