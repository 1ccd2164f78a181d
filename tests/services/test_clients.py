"""Clients and their tokens: two live at a time, revoked at once, ended in time."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from scim_server.scim.errors import Unauthorized
from scim_server.security import tokens
from scim_server.security.principals import DEFAULT_PERMISSIONS, Principal
from scim_server.services.authentication import Authenticator
from scim_server.services.clients import ClientExists, Clients, UnknownClient
from scim_server.services.housekeeping import KEPT_MICROSECONDS, run_once
from scim_server.services.lifecycle import Lifecycle
from scim_server.services.tenants import UnknownTenant
from scim_server.store.clock import now
from scim_server.store.database import Database
from scim_server.store.tables import token as token_table
from scim_server.store.tenants import insert_tenant
from tests.support.tenants import token_of


@pytest.fixture
def clients(database: Database) -> Clients:
    return Clients(database)


@pytest.fixture
def authenticator(database: Database) -> Authenticator:
    return Authenticator(database)


async def speak(authenticator: Authenticator, token: str, tenant: str | None = None) -> Principal:
    return await authenticator.principal(f"Bearer {token}", tenant=tenant)


async def works(authenticator: Authenticator, token: str) -> bool:
    try:
        await speak(authenticator, token)
    except Unauthorized:
        return False
    return True


async def test_a_new_client_may_call_with_its_token(clients: Clients, authenticator: Authenticator) -> None:
    issued = await clients.create("okta", dialect="okta", user="u1", switches={"string_booleans": False})
    principal = await speak(authenticator, issued.token)
    assert (principal.client, principal.tenant, principal.dialect, principal.user_id) == (
        "okta",
        "default",
        "okta",
        "u1",
    )
    assert principal.policy.ignore_unknown_paths
    assert not principal.policy.string_booleans


async def test_the_token_is_kept_nowhere(clients: Clients, database: Database) -> None:
    issued = await clients.create("okta")
    rows = await database.read(lambda reader: reader.execute(token_table.select()))
    stored = " ".join(str(value) for row in rows for value in row)
    assert issued.token not in stored
    assert tokens.digest(issued.token) in stored
    assert issued.prefix in stored


async def test_a_name_is_taken_once_a_tenant(clients: Clients, database: Database) -> None:
    await clients.create("okta")
    await database.write(lambda writer: insert_tenant(writer, "other", 1))
    await clients.create("okta", tenant="other")
    with pytest.raises(ClientExists):
        await clients.create("okta")


async def test_a_client_of_no_tenant_is_refused_with_the_command_that_makes_one(clients: Clients) -> None:
    with pytest.raises(UnknownTenant, match="scim-server tenant create typo"):
        await clients.create("okta", tenant="typo")


async def test_a_name_taken_at_once_is_taken_once(clients: Clients) -> None:
    made = await asyncio.gather(*(clients.create("okta") for _ in range(8)), return_exceptions=True)
    assert sum(not isinstance(each, BaseException) for each in made) == 1
    assert {type(each) for each in made if isinstance(each, BaseException)} == {ClientExists}


async def test_a_token_belongs_to_one_client(clients: Clients) -> None:
    await clients.create("one", token="x" * 40)
    with pytest.raises(ClientExists):
        await clients.create("other", token="x" * 40)
    assert [client.name for client in await clients.list()] == ["one"]


@pytest.mark.parametrize("name", ["", "x" * 201, "a\nb", "a\x00b"])
async def test_a_name_that_cannot_be_shown_is_refused(clients: Clients, name: str) -> None:
    with pytest.raises(ValueError, match="1 to 200 printable"):
        await clients.create(name)


async def test_what_does_not_exist_is_refused(clients: Clients) -> None:
    for given in (
        {"profile": "boss"},
        {"dialect": "klingon"},
        {"permissions": ["user:fly"]},
        {"switches": {"warp": True}},
    ):
        with pytest.raises(ValueError, match=r"boss|klingon|fly|warp"):
            await clients.create("c", **given)
    assert await clients.list() == []


async def test_after_a_rotation_both_tokens_are_good(clients: Clients, authenticator: Authenticator) -> None:
    first = await clients.create("okta")
    second = await clients.rotate("okta")
    assert await works(authenticator, first.token)
    assert await works(authenticator, second.token)


async def test_of_three_tokens_the_newest_two_are_good(
    clients: Clients, authenticator: Authenticator
) -> None:
    issued = [await clients.create("okta"), await clients.rotate("okta"), await clients.rotate("okta")]
    assert [await works(authenticator, each.token) for each in issued] == [False, True, True]


async def test_rotations_at_once_leave_two_live_tokens(
    clients: Clients, authenticator: Authenticator
) -> None:
    await clients.create("okta")
    issued = await asyncio.gather(*(clients.rotate("okta") for _ in range(6)))
    assert sum([await works(authenticator, each.token) for each in issued]) == 2


async def test_an_ended_token_takes_no_place_in_a_rotation(
    clients: Clients, authenticator: Authenticator
) -> None:
    lasting = await clients.create("okta")
    await clients.rotate("okta", expires_in=timedelta(microseconds=1))
    await clients.rotate("okta")
    assert await works(authenticator, lasting.token)


async def test_revocation_bites_on_the_next_request(clients: Clients, authenticator: Authenticator) -> None:
    first, second = await clients.create("okta"), await clients.rotate("okta")
    assert await clients.revoke("okta") == 2
    assert not await works(authenticator, first.token)
    assert not await works(authenticator, second.token)


async def test_a_revoked_client_is_unknown_from_then_on(clients: Clients) -> None:
    await clients.create("okta")
    await clients.revoke("okta")
    for act in (clients.rotate, clients.revoke):
        with pytest.raises(UnknownClient):
            await act("okta")
    with pytest.raises(ClientExists):
        await clients.create("okta")


@pytest.mark.parametrize("tenant", ["default", "nowhere"])
async def test_a_client_that_never_was_is_unknown(clients: Clients, tenant: str) -> None:
    await clients.create("other")
    with pytest.raises(UnknownClient, match=f"tenant {tenant} has no live client okta"):
        await clients.rotate("okta", tenant=tenant)


async def test_a_token_ends_in_time(clients: Clients, authenticator: Authenticator) -> None:
    issued = await clients.create("okta", expires_in=timedelta(milliseconds=300))
    assert await works(authenticator, issued.token)
    assert issued.expires_at is not None
    assert timedelta() < issued.expires_at - datetime.now(UTC) < timedelta(seconds=1)
    await asyncio.sleep(0.35)
    with pytest.raises(Unauthorized, match="has expired"):
        await speak(authenticator, issued.token)


async def test_a_token_of_another_tenant_is_no_good_there(
    database: Database, authenticator: Authenticator
) -> None:
    token = await token_of(database, "one")
    assert (await speak(authenticator, token, "one")).tenant == "one"
    with pytest.raises(Unauthorized, match="not known here"):
        await speak(authenticator, token, "two")


async def test_a_token_that_differs_is_unknown(clients: Clients, authenticator: Authenticator) -> None:
    token = (await clients.create("okta")).token
    for other in (token.upper(), token[:-1], f"{token}x", tokens.digest(token), tokens.prefix(token)):
        assert not await works(authenticator, other)


async def test_clients_are_listed_with_their_tokens_oldest_first(clients: Clients) -> None:
    issued = [
        await clients.create("b", profile="app"),
        await clients.rotate("b", expires_in=timedelta(days=1)),
    ]
    await clients.create("a")
    first, second = await clients.list()
    assert (first.name, second.name, second.permissions) == ("a", "b", DEFAULT_PERMISSIONS["app"])
    assert [token.prefix for token in second.tokens] == [each.prefix for each in issued]
    assert second.tokens[1].expires_at == issued[1].expires_at
    assert await clients.list(tenant="nowhere") == []


async def test_ensuring_a_token_twice_is_one_client_with_one_token(
    clients: Clients, authenticator: Authenticator
) -> None:
    for _ in range(2):
        await clients.ensure("bootstrap", "t" * 32)
    (client,) = await clients.list()
    assert (client.profile, len(client.tokens)) == ("admin", 1)
    assert await works(authenticator, "t" * 32)


async def test_ensuring_a_revoked_client_brings_nothing_back(
    clients: Clients, authenticator: Authenticator
) -> None:
    await clients.ensure("bootstrap", "t" * 32)
    await clients.revoke("bootstrap")
    await clients.ensure("bootstrap", "t" * 32)
    await clients.ensure("bootstrap", "u" * 32)
    assert not await works(authenticator, "t" * 32)
    assert not await works(authenticator, "u" * 32)


async def test_tokens_that_ended_long_ago_are_tidied_away(clients: Clients, database: Database) -> None:
    await clients.create("okta", expires_in=timedelta(microseconds=1))
    await clients.rotate("okta")
    assert (await run_once(database, Lifecycle.of()))["ended_tokens"] == 0
    old = now() - KEPT_MICROSECONDS - 1
    await database.write(
        lambda writer: writer.execute(
            token_table.update().where(token_table.c.expires < now()).values(expires=old)
        )
    )
    assert (await run_once(database, Lifecycle.of()))["ended_tokens"] == 1
    assert len((await clients.list())[0].tokens) == 1


@pytest.mark.parametrize("name", ["api-tokens", "api-tokens of somebody"])
async def test_the_name_of_the_client_for_tokens_of_users_is_nobodys(name: str, database: Database) -> None:
    with pytest.raises(ValueError, match="tokens of users"):
        await Clients(database).create(name)
