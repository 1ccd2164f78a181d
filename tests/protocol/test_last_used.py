"""When a token was used last: known to within minutes, at no statement of a request."""

import pytest
from starlette.applications import Starlette

from scim_server.http.server import Server
from scim_server.services.clients import Clients
from scim_server.store.database import Database
from tests.store.statements import counted
from tests.support.client import ScimClient
from tests.support.time import Clock


@pytest.fixture
def server(application: Starlette) -> Server:
    server: Server = application.state.server
    return server


async def last_used(database: Database) -> str | None:
    (client,) = await Clients(database).list()
    moment = client.tokens[0].last_used_at
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


async def test_the_use_of_a_token_is_noted(
    scim: ScimClient, server: Server, database: Database, clock: Clock
) -> None:
    assert await last_used(database) is None
    await scim.get("/Users")
    await server.keep_records()
    assert await last_used(database) == clock.text()


async def test_it_is_noted_every_five_minutes_at_most(
    scim: ScimClient, server: Server, database: Database, clock: Clock
) -> None:
    noted = set()
    for _ in range(10):
        await scim.get("/Users")
        await server.keep_records()
        noted.add(await last_used(database))
        clock.advance(minutes=1)
    assert len(noted) == 2


async def test_a_read_is_one_statement_whatever_is_noted(
    scim: ScimClient, server: Server, clock: Clock
) -> None:
    ann = await scim.create_user("ann")
    for _ in range(3):
        await scim.get(f"/Users/{ann['id']}")
        await server.keep_records()
        clock.advance(minutes=10)
        with counted(server.database) as cost:
            assert (await scim.get(f"/Users/{ann['id']}")).status_code == 200
        assert len(cost.statements) == 1


async def test_what_is_in_memory_is_noted_at_the_end(
    scim: ScimClient, server: Server, database: Database
) -> None:
    await scim.get("/Users")
    await server.close()
    assert await last_used(database) is not None
