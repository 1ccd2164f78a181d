"""Signing keys: one for all servers, rotated with an overlap, gone when nothing they signed is left."""

import asyncio

from scim_server.services.housekeeping import run_once
from scim_server.services.lifecycle import Lifecycle
from scim_server.services.signing_keys import SigningKeys
from scim_server.store.database import Database
from tests.support.time import Clock, clock

__all__ = ["clock"]


async def published(keys: SigningKeys) -> list[str]:
    return [key["kid"] for key in (await keys.key_set())["keys"]]


async def test_servers_that_begin_at_once_agree_on_the_first_key(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(4)]
    made = await asyncio.gather(*(SigningKeys(database).current() for database in databases))
    assert len({key.kid for key in made}) == 1
    for database in databases:
        await database.close()


async def test_after_a_rotation_both_keys_are_published_and_the_new_one_signs(
    database: Database, clock: Clock
) -> None:
    keys = SigningKeys(database)
    old = (await keys.current()).kid
    clock.advance(minutes=1)
    new = (await SigningKeys(database).rotate()).kid
    clock.advance(minutes=1)
    assert (await keys.current()).kid == new != old
    assert await published(keys) == [old, new]


async def test_a_key_is_published_until_its_tokens_have_ended(database: Database, clock: Clock) -> None:
    old = (await SigningKeys(database).current()).kid
    new = (await SigningKeys(database).rotate()).kid
    clock.advance(minutes=119)
    assert set(await published(SigningKeys(database))) == {old, new}
    clock.advance(minutes=1)
    assert await published(SigningKeys(database)) == [new]
    clock.advance(minutes=1)
    await run_once(database, Lifecycle.of())
    assert [key.kid for key in await SigningKeys(database).list()] == [new]


async def test_the_published_keys_are_public(database: Database) -> None:
    keys = SigningKeys(database)
    await keys.current()
    (key,) = (await keys.key_set())["keys"]
    assert set(key) == {"kty", "crv", "x", "kid", "use", "alg"}
