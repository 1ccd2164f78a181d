"""Requests a second: 429 for too many, and headers that say how many are left."""

import asyncio

import httpx2
import pytest
from starlette.applications import Starlette

from scim_server.services.clients import Clients
from scim_server.services.credentials import Credentials
from scim_server.services.tenants import Tenants
from scim_server.settings import Settings
from scim_server.store.database import Database
from tests.conftest import Connect
from tests.protocol.messages import refused, user
from tests.protocol.oauth.conftest import ROOT
from tests.protocol.oauth.test_private_key_jwt import RSA, claims, send
from tests.protocol.oauth.test_token_endpoint import GRANT, ask, basic
from tests.store.statements import counted
from tests.support.client import ScimClient
from tests.support.issuer import signed

RATE, BURST = 0.01, 5


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(
        database_url=database_url,
        public_url=ROOT,
        failed_attempts_per_minute=0,
        rate_limit_client=RATE,
        rate_limit_client_burst=BURST,
        rate_limit_tenant=RATE,
        rate_limit_tenant_burst=2 * BURST,
    )


async def exhaust(scim: ScimClient) -> None:
    for _ in range(BURST):
        await scim.read("/Users")


async def test_the_burst_is_accepted_and_the_next_request_is_429(scim: ScimClient) -> None:
    await exhaust(scim)
    error = refused(await scim.get("/Users"), 429)
    assert "may make 0.01 a second and 5 at once" in error["detail"]


async def test_retry_after_is_whole_seconds_until_there_is_room(scim: ScimClient) -> None:
    await exhaust(scim)
    seconds = int((await scim.get("/Users")).headers["retry-after"])
    assert 90 <= seconds <= 100


async def test_every_answer_says_what_is_left(scim: ScimClient) -> None:
    found = [(await scim.get("/Users")).headers["ratelimit"] for _ in range(2)]
    assert [one.partition(";t=")[0] for one in found] == ['"client";r=4', '"client";r=3']


async def test_every_answer_says_the_limits(scim: ScimClient) -> None:
    response = await scim.get("/Users/nobody")
    assert response.headers["ratelimit-policy"] == '"client";q=5;w=500, "tenant";q=10;w=1000'


async def test_a_refusal_says_that_nothing_is_left(scim: ScimClient) -> None:
    await exhaust(scim)
    assert (await scim.get("/Users")).headers["ratelimit"].startswith('"client";r=0;t=')


async def test_one_client_does_not_use_up_what_another_has(scim: ScimClient, connect: Connect) -> None:
    await exhaust(scim)
    refused(await scim.get("/Users"), 429)
    await (await connect()).read("/Users")


async def test_all_clients_of_a_tenant_together_are_limited(connect: Connect) -> None:
    for client in [await connect() for _ in range(2)]:
        await exhaust(client)
    error = refused(await (await connect()).get("/Users"), 429)
    assert "all clients of the tenant" in error["detail"]


async def test_a_bad_token_is_401_and_counts_for_nobody(scim: ScimClient) -> None:
    for _ in range(2 * BURST):
        refused(await scim.request("GET", "/Users", headers={"Authorization": "Bearer no"}), 401)
    await scim.read("/Users")


async def test_asking_for_an_access_token_counts_as_any_request(
    scim: ScimClient, application: Starlette, database: Database
) -> None:
    await Clients(database).register("payroll", profile="hris")
    issued = await Credentials(database).new_secret("payroll")
    transport = httpx2.ASGITransport(app=application)
    async with httpx2.AsyncClient(transport=transport, base_url="http://scim.test") as http:
        proof = basic(issued.client_id, issued.secret)
        found = [await ask(http, GRANT, proof) for _ in range(BURST)]
        too_many = await ask(http, GRANT, proof)
        unproven = await ask(http, GRANT, basic(issued.client_id, "made-up"))
    assert [answer.status_code for answer in found] == [200] * BURST
    assert found[0].headers["ratelimit-policy"] == '"client";q=5;w=500, "tenant";q=10;w=1000'
    assert (too_many.status_code, too_many.json()["error"]) == (429, "slow_down")
    assert 90 <= int(too_many.headers["retry-after"]) <= 100
    assert unproven.status_code == 401
    headers = {"Authorization": f"Bearer {found[0].json()['access_token']}"}
    refused(await scim.request("GET", "/Users", headers=headers), 429)


async def test_an_assertion_that_was_used_costs_its_client_nothing(
    application: Starlette, database: Database
) -> None:
    await Clients(database).register("payroll", profile="hris")
    added = await Credentials(database).add_key("payroll", RSA.as_pem(private=False).decode())
    assertion = signed({"alg": "RS256"}, claims(added.client_id), RSA)
    transport = httpx2.ASGITransport(app=application)
    async with httpx2.AsyncClient(transport=transport, base_url=ROOT) as http:
        first = await send(http, assertion)
        assert [(await send(http, assertion)).status_code for _ in range(2 * BURST)] == [401] * 2 * BURST
        headers = {"Authorization": f"Bearer {first.json()['access_token']}"}
        answer = await http.get("/scim/v2/Users", headers=headers)
    assert answer.headers["ratelimit"].startswith(f'"client";r={BURST - 2};')


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_the_state_of_the_process_is_not_limited(scim: ScimClient, path: str) -> None:
    root = scim.base_url.removesuffix("/scim/v2")
    await exhaust(scim)
    assert (await scim.request("GET", f"{root}{path}")).status_code == 200


async def test_a_body_is_not_read_for_a_refusal(scim: ScimClient) -> None:
    await exhaust(scim)
    refused(await scim.request("POST", "/Users", content=b"{nonsense"), 429)


async def test_what_is_not_there_counts_too(scim: ScimClient) -> None:
    for _ in range(BURST):
        refused(await scim.get("/Nothing"), 404)
    refused(await scim.get("/Nothing"), 429)


async def test_a_refusal_asks_the_database_nothing_but_the_event_of_the_minute(
    scim: ScimClient, application: Starlette
) -> None:
    await exhaust(scim)
    await scim.get("/Users")
    await application.state.server.rates.close()
    store: Database = application.state.database
    with counted(store) as cost:
        for _ in range(20):
            refused(await scim.post("/Users", user("ann")), 429)
    assert cost.statements == []


async def test_refusals_of_a_minute_are_one_event(
    scim: ScimClient, connect: Connect, application: Starlette
) -> None:
    auditor = await connect(permissions=["audit:read"])
    await exhaust(scim)
    await asyncio.gather(*(scim.get("/Users") for _ in range(30)))
    await application.state.server.rates.close()
    found = await auditor.find("/AuditEvents", 'action eq "client.throttle"')
    assert len(found) == 1


async def test_a_tenant_may_have_limits_of_its_own(scim: ScimClient, application: Starlette) -> None:
    await exhaust(scim)
    server = application.state.server
    await Tenants(server.database, server.registry).set("default", {"rate_limit_client": "0"})
    assert (await scim.get("/Users")).headers["ratelimit-policy"] == '"tenant";q=10;w=1000'
