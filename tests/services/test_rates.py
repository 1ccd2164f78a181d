"""Buckets that several servers share on PostgreSQL."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from scim_server.dialects import GENERIC
from scim_server.scim.errors import TooManyRequests
from scim_server.security.principals import Principal
from scim_server.security.rates import Limit
from scim_server.services.lifecycle import Lifecycle
from scim_server.services.rates import RateLimiter, Rates, SharedBucket
from scim_server.store.database import Database

WORKERS = 4


@pytest.fixture(scope="module")
def lifecycle() -> Lifecycle:
    return Lifecycle.of()


@pytest.fixture
async def servers(postgresql_url: str) -> AsyncIterator[list[Database]]:
    servers = [Database(postgresql_url) for _ in range(WORKERS)]
    yield servers
    for server in servers:
        await server.close()


def principal(client: str = "c") -> Principal:
    return Principal(1, "default", client, client, "idp", "generic", GENERIC, frozenset())


async def admitted(limiter: RateLimiter, until: float) -> int:
    """Send one request after the other until a moment; returns how many were admitted."""
    count = 0
    while time.monotonic() < until:
        try:
            await limiter.admit(principal())
            count += 1
        except TooManyRequests:
            await asyncio.sleep(0.002)
    return count


async def test_several_servers_together_admit_the_burst_and_the_rate(
    servers: list[Database], lifecycle: Lifecycle
) -> None:
    rate, burst, seconds = 100.0, 200, 2.0
    limiters = [RateLimiter(server, lifecycle.registry, Rates(rate, burst, 0, 1)) for server in servers]
    started = time.monotonic()
    counts = await asyncio.gather(*(admitted(limiter, started + seconds) for limiter in limiters))
    elapsed = time.monotonic() - started
    for limiter in limiters:
        await limiter.close()
    assert sum(counts) <= burst + rate * elapsed + 1
    assert sum(counts) >= 0.85 * (burst + rate * seconds)


async def test_a_lease_serves_many_requests(servers: list[Database]) -> None:
    limit = Limit.of("client", 100, 200)
    assert limit is not None
    bucket, asked = SharedBucket(servers[0], (1, "c"), limit), 0
    at_once = servers[0].at_once

    async def counting(*arguments: object, **values: object) -> object:
        nonlocal asked
        asked += 1
        return await at_once(*arguments, **values)  # type: ignore[arg-type]

    servers[0].at_once = counting  # type: ignore[method-assign,assignment]
    for _ in range(20):
        assert await bucket.take(limit) == 0
    assert asked == 2


async def test_requests_at_once_wait_for_one_lease(servers: list[Database]) -> None:
    limit = Limit.of("client", 0.01, 40)
    assert limit is not None
    bucket = SharedBucket(servers[0], (1, "c"), limit)
    found = await asyncio.gather(*(bucket.take(limit) for _ in range(60)))
    assert found.count(0) == 40


async def test_a_bucket_that_is_used_up_is_used_up_for_every_server(servers: list[Database]) -> None:
    limit = Limit.of("client", 0.01, 4)
    assert limit is not None
    buckets = [SharedBucket(server, (1, "c"), limit) for server in servers]
    waits = [await bucket.take(limit) for bucket in buckets for _ in range(2)]
    assert waits.count(0) == 4


async def test_without_the_database_a_server_counts_for_itself() -> None:
    gone = Database("postgresql://nobody@127.0.0.1:1/nothing")
    limit = Limit.of("client", 0.01, 4)
    assert limit is not None
    bucket = SharedBucket(gone, (1, "c"), limit)
    waits = [await bucket.take(limit) for _ in range(6)]
    await gone.close()
    assert waits.count(0) == 4


async def test_buckets_of_clients_long_gone_are_forgotten(
    sqlite_url: str, lifecycle: Lifecycle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scim_server.services.rates._KEPT", 10)
    database = Database(sqlite_url)
    limiter = RateLimiter(database, lifecycle.registry, Rates(1, 1, 0, 1))
    for number in range(50):
        await limiter.admit(principal(f"c{number}"))
    assert len(limiter._gates) == 10  # noqa: SLF001 - what it holds is what is asked
    await database.close()
