"""Failed attempts: slowed by source without a look at the store, never those who are known, and on record."""

from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from starlette.applications import Starlette

from scim_server.http.server import Server
from scim_server.services.clients import Clients
from scim_server.services.credentials import Credentials
from scim_server.settings import Settings
from scim_server.store.database import Database
from scim_server.store.tables import audit_event, audit_queue, tenant
from tests.protocol.messages import refused
from tests.protocol.oauth.test_token_endpoint import GRANT, ask, basic
from tests.store.statements import counted
from tests.support.client import ScimClient
from tests.support.tenants import make_tenant
from tests.support.time import Clock


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, failed_attempts_per_minute=3)


@pytest.fixture
def server(application: Starlette) -> Server:
    server: Server = application.state.server
    return server


async def attempt(scim: ScimClient, token: str, path: str = "/Users") -> Any:
    return await scim.request("GET", path, headers={"Authorization": f"Bearer {token}"})


async def fail(scim: ScimClient, times: int) -> list[int]:
    return [(await attempt(scim, f"made-up{number}")).status_code for number in range(times)]


async def events(database: Database) -> list[Any]:
    query = (
        sa.select(tenant.c.name, audit_event.c.document, audit_queue.c.private)
        .join(tenant, tenant.c.id == audit_event.c.tenant_id)
        .join(
            audit_queue,
            sa.and_(audit_queue.c.tenant_id == audit_event.c.tenant_id, audit_queue.c.id == audit_event.c.id),
        )
        .where(audit_event.c.action == "authentication.failed")
        .order_by(audit_event.c.id)
    )
    found = (await database.read(lambda reader: reader.execute(query))).all()
    return [
        (name, document + bytes(private or b"").decode("utf-8", "replace"))
        for name, document, private in found
    ]


async def test_a_source_that_fails_too_often_has_to_wait(scim: ScimClient, clock: Clock) -> None:
    assert await fail(scim, 5) == [401, 401, 401, 429, 429]
    answer = await attempt(scim, "another")
    refused(answer, 429)
    assert answer.headers["retry-after"] == "30"
    clock.advance(seconds=30)
    assert await fail(scim, 4) == [401, 401, 401, 429]
    assert (await attempt(scim, "another")).headers["retry-after"] == "60"


async def test_who_has_to_wait_costs_the_store_nothing(scim: ScimClient, server: Server) -> None:
    await fail(scim, 3)
    with counted(server.database) as cost:
        assert await fail(scim, 20) == [429] * 20
    assert cost.statements == []


async def test_a_mistyped_token_costs_the_store_nothing(scim: ScimClient, server: Server) -> None:
    with counted(server.database) as cost:
        refused(await attempt(scim, f"scim_{'0' * 49}"), 401)
    assert cost.statements == []


async def test_who_is_known_is_not_slowed_by_others(
    scim: ScimClient, database: Database, server: Server
) -> None:
    assert (await scim.get("/Users")).status_code == 200
    await fail(scim, 10)
    assert (await scim.get("/Users")).status_code == 200
    server.authenticator.forget()
    assert (await scim.get("/Users")).status_code == 200
    unseen = await Clients(database).create("unseen")
    refused(await attempt(scim, unseen.token), 429)


async def test_a_known_token_that_ends_is_slowed_like_any_other(scim: ScimClient, database: Database) -> None:
    known = await Clients(database).create("known")
    assert (await attempt(scim, known.token)).status_code == 200
    await Clients(database).revoke("known")
    assert [(await attempt(scim, known.token)).status_code for _ in range(4)] == [401, 401, 401, 429]


async def test_a_known_token_stays_known_after_the_url_of_another_tenant(
    scim: ScimClient, database: Database
) -> None:
    await make_tenant(database, "acme")
    assert (await scim.get("/Users")).status_code == 200
    refused(await scim.get("http://scim.test/t/acme/scim/v2/Users"), 401)
    await fail(scim, 3)
    assert (await scim.get("/Users")).status_code == 200


async def test_a_missing_token_is_no_attempt(scim: ScimClient) -> None:
    for _ in range(10):
        refused(await scim.request("GET", "/Users", headers={"Authorization": None}), 401)


async def test_attempts_are_on_record_once_a_minute_for_each_source(
    scim: ScimClient, server: Server, database: Database, clock: Clock
) -> None:
    await fail(scim, 10)
    await server.keep_records()
    assert await events(database) == []
    clock.advance(minutes=1)
    await server.keep_records()
    ((name, document),) = await events(database)
    assert name == "_system"
    assert '"note":"from 127.0.0.1"' in document
    assert "made-up" not in document
    assert '"attempts"' in document
    assert '"10"' in document
    assert "3 times a token that is not known" in document
    assert "7 times refused without a look" in document


@pytest.mark.parametrize("how", ["revoked", "expired", "elsewhere"])
async def test_an_attempt_with_a_token_of_a_tenant_is_on_its_record(
    how: str, scim: ScimClient, server: Server, database: Database, clock: Clock
) -> None:
    await make_tenant(database, "acme")
    issued = await Clients(database).create("okta", tenant="acme")
    if how == "revoked":
        await Clients(database).revoke("okta", tenant="acme")
    path = "http://scim.test/t/default/scim/v2/Users" if how == "elsewhere" else "/Users"
    if how == "expired":
        clock.advance(days=400)
    refused(await attempt(scim, issued.token, path), 401)
    await server.keep_records(everything=True)
    ((name, document),) = await events(database)
    assert name == ("default" if how == "elsewhere" else "acme")
    assert f"authentication.{how}" in document


@pytest.mark.parametrize(
    ("named", "recorded"), [("acme", "acme"), ("nowhere", "_system"), ("a%00b", "_system")]
)
async def test_an_attempt_at_the_url_of_a_tenant_is_on_its_record(
    named: str, recorded: str, scim: ScimClient, server: Server, database: Database
) -> None:
    await make_tenant(database, "acme")
    await Clients(database).create("okta", tenant="acme")
    refused(await attempt(scim, "made-up", f"http://scim.test/t/{named}/scim/v2/Users"), 401)
    await server.keep_records(everything=True)
    assert [name for name, _ in await events(database)] == [recorded]


async def test_a_flood_of_sources_leaves_a_bounded_record(server: Server, database: Database) -> None:
    for number in range(5_000):
        server.failures.failed("unknown", f"source {number}", None)
    assert await server.failures.record(everything=True) == 1_001
    found = await events(database)
    assert len(found) == 1_001
    assert "many sources" in found[-1][1]


async def test_what_could_not_be_recorded_is_recorded_later(
    scim: ScimClient, server: Server, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fail(scim, 2)

    async def broken(*_: object, **__: object) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(server.database, "write", broken)
        with pytest.raises(OSError):  # noqa: PT011 - whatever it is
            await server.failures.record(everything=True)
    assert await server.failures.record(everything=True) == 1
    assert len(await events(database)) == 1


async def test_no_tenant_that_is_made_is_called_like_that_of_nobody(database: Database) -> None:
    with pytest.raises(ValueError, match="tenant"):
        await Clients(database).create("okta", tenant="_system")


async def test_the_token_endpoint_slows_a_source_and_no_other(
    application: Starlette, database: Database, server: Server
) -> None:
    await Clients(database).register("payroll")
    issued = await Credentials(database).new_secret("payroll")
    good, bad = (basic(issued.client_id, secret) for secret in (issued.secret, "wrong"))

    def from_(host: str) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(app=application, client=(host, 1))
        return httpx2.AsyncClient(transport=transport, base_url="http://scim.test")

    async with from_("192.0.2.1") as one, from_("192.0.2.2") as two, from_("192.0.2.3") as three:
        assert (await ask(three, GRANT, good)).status_code == 200
        assert [(await ask(one, GRANT, bad)).status_code for _ in range(4)] == [401, 401, 401, 429]
        answer = await ask(one, GRANT, good)
        assert (answer.status_code, answer.json()["error"]) == (429, "slow_down")
        assert int(answer.headers["retry-after"]) > 0
        assert (await ask(two, GRANT, good)).status_code == 200
        assert (await ask(three, GRANT, good)).status_code == 200
    await server.keep_records(everything=True)
    assert all(issued.client_id not in document for _, document in await events(database))


async def test_who_fails_in_the_name_of_a_client_that_proved_itself_is_slowed_too(
    application: Starlette, database: Database
) -> None:
    await Clients(database).register("payroll")
    issued = await Credentials(database).new_secret("payroll")
    good, bad = (basic(issued.client_id, secret) for secret in (issued.secret, "wrong"))
    transport = httpx2.ASGITransport(app=application)
    async with httpx2.AsyncClient(transport=transport, base_url="http://scim.test") as http:
        proofs = [good, bad, bad, good, bad, bad, bad, bad, good]
        found = [(await ask(http, GRANT, proof)).status_code for proof in proofs]
    assert found == [200, 401, 401, 200, 401, 401, 401, 429, 429]


async def test_who_names_many_tenants_hides_nobody_elses_attempts(server: Server, database: Database) -> None:
    await make_tenant(database, "acme")
    for number in range(3_000):
        server.failures.failed("unknown", "one", f"tenant {number}")
    server.failures.failed("unknown", "two", "acme")
    assert await server.failures.record(everything=True) == 7
    assert "acme" in {name for name, _ in await events(database)}


async def test_an_ipv6_source_is_its_network(application: Starlette, scim: ScimClient) -> None:
    for number in range(3):
        await _status(application, f"2001:db8::{number}", scim)
    assert await _status(application, "2001:db8::9", scim) == 429
    assert await _status(application, "2001:db8:0:1::9", scim) == 401


async def _status(application: Starlette, host: str, scim: ScimClient) -> int:
    transport = httpx2.ASGITransport(app=application, client=(host, 1))
    async with httpx2.AsyncClient(transport=transport, base_url=scim.base_url) as http:
        return (await http.get("/Users", headers={"Authorization": "Bearer made-up"})).status_code
