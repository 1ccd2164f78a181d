"""Some thousand requests that are nearly right, and that the fuzzer sees what it looks for."""

import asyncio
import dataclasses
import json
import random

import pytest

from tests.torture import fuzz, guided, soak
from tests.torture.shapes import Shapes
from tests.torture.stage import Server, TortureFailed


async def test_no_request_is_answered_with_a_defect(server: Server, token: str) -> None:
    await asyncio.to_thread(server.start)
    fuzzer = fuzz.Fuzzer(server, [token], seed=random.randrange(10**6), tell=lambda _text: None)
    outcome = await fuzzer.run(3_000)
    fuzz.check(outcome)
    assert sum(outcome.statuses.values()) == 3_000
    assert sum(json.loads(json.dumps(dataclasses.asdict(outcome)))["statuses"].values()) == 3_000


def test_the_same_seed_draws_the_same_requests() -> None:
    first, second = Shapes(7, ["x"]), Shapes(7, ["x"])
    assert [first.request() for _ in range(500)] == [second.request() for _ in range(500)]


@pytest.mark.parametrize(
    "outcome",
    [
        fuzz.Fuzzed(requests=10, statuses={200: 5, 400: 5}, faults=["500: ..."]),
        fuzz.Fuzzed(requests=100, statuses={400: 100}),
        fuzz.Fuzzed(requests=100, statuses={401: 100}),
    ],
)
def test_a_fault_and_a_run_that_tells_nothing_are_failures(outcome: fuzz.Fuzzed) -> None:
    with pytest.raises(TortureFailed):
        fuzz.check(outcome)


def test_the_protocol_core_takes_its_seeds_and_what_is_near_them() -> None:
    chance = random.Random(1)
    for seed in guided.seeds():
        guided.consume(seed)
        for _ in range(150):
            data = bytearray(seed)
            data[chance.randrange(1, len(data))] = chance.randrange(256)
            guided.consume(bytes(data))


async def test_load_leaves_memory_and_connections_as_they_were(server: Server, token: str) -> None:
    await asyncio.to_thread(server.start)
    outcome = await soak.soak(server, token, seconds=4)
    assert outcome.acknowledged > 50
    assert len(outcome.memory) == len(outcome.files) == 20


@pytest.mark.parametrize(
    "outcome",
    [
        soak.Soaked(memory=[100.0] * 10 + [120.0] * 10, files=[20] * 20),
        soak.Soaked(memory=[100.0] * 20, files=[20] * 10 + [40] * 10),
    ],
)
def test_growth_is_a_failure(outcome: soak.Soaked) -> None:
    with pytest.raises(TortureFailed):
        soak.check(outcome)
