"""The application below another one, and behind a public address."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from scim_server.app import create_app
from scim_server.services.clients import Clients
from scim_server.settings import Settings
from scim_server.store.database import Database
from tests.protocol.messages import Serve, accepted, refused, user


async def token(database_url: str) -> str:
    database = Database(database_url)
    try:
        return (await Clients(database).create("mounted", profile="idp")).token
    finally:
        await database.close()


async def welcome(_: Request) -> Response:
    return PlainTextResponse("welcome")


@pytest.fixture
async def parent(database_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of a parent application that mounts the server below /identity."""
    child = create_app(Settings(database_url=database_url))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with child.router.lifespan_context(child):
            yield

    application = Starlette(routes=[Route("/", welcome), Mount("/identity", child)], lifespan=lifespan)
    async with (
        application.router.lifespan_context(application),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=application),
            base_url="http://parent.example",
            headers={"Authorization": f"Bearer {await token(database_url)}"},
        ) as client,
    ):
        yield client


async def test_the_parent_keeps_its_own_routes(parent: httpx2.AsyncClient) -> None:
    assert (await parent.get("/")).text == "welcome"
    assert (await parent.get("/scim/v2/Users")).status_code == 404


async def test_a_user_lives_below_the_mount(parent: httpx2.AsyncClient) -> None:
    response = await parent.post("/identity/scim/v2/Users", json=user("ann"))
    body = accepted(response, 201)
    location = f"http://parent.example/identity/scim/v2/Users/{body['id']}"
    assert body["meta"]["location"] == response.headers["location"] == location
    assert accepted(await parent.get(location)) == body


async def test_discovery_names_the_mount(parent: httpx2.AsyncClient) -> None:
    body = accepted(await parent.get("/identity/scim/v2/ServiceProviderConfig"))
    assert body["meta"]["location"] == "http://parent.example/identity/scim/v2/ServiceProviderConfig"


async def test_errors_below_the_mount_are_scim_errors(parent: httpx2.AsyncClient) -> None:
    refused(await parent.get("/identity/scim/v2/Nothing"), 404)
    refused(await parent.request("BREW", "/identity/scim/v2/Users"), 405)
    refused(await parent.get("/identity/scim/v2/Users", headers={"Authorization": ""}), 401)


async def test_the_tenant_may_be_spelled_out_below_the_mount(parent: httpx2.AsyncClient) -> None:
    body = accepted(await parent.post("/identity/t/default/scim/v2/Users", json=user("ann")), 201)
    assert body["meta"]["location"].startswith("http://parent.example/identity/t/default/scim/v2/Users/")


async def test_the_health_of_the_server_is_below_the_mount(parent: httpx2.AsyncClient) -> None:
    assert (await parent.get("/identity/healthz")).status_code == 200
    assert (await parent.get("/identity/readyz")).status_code == 200


async def test_a_public_address_is_used_in_every_location(serve: Serve) -> None:
    scim = await serve(public_url="https://id.example.org/identity")
    response = await scim.post("/Users", user("ann"))
    body = accepted(response, 201)
    location = f"https://id.example.org/identity/scim/v2/Users/{body['id']}"
    assert body["meta"]["location"] == response.headers["location"] == location
