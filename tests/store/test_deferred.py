"""Statements that nobody waits for: they go to the database together, and what was expected of them holds."""

from typing import Any

import pytest
import sqlalchemy as sa

from scim_server.scim.resources import Resource
from scim_server.store import clients, counters, resources
from scim_server.store.database import Database, Writer
from scim_server.store.failures import DatabaseUnavailable, LostRace
from scim_server.store.resources import Contents
from scim_server.store.savepoint import undone, whole
from scim_server.store.statements import Statement, given
from scim_server.store.tables import counter
from tests.store.statements import counted

NAMES = ("tenant_id", "name", "slot", "value")
ONE: sa.ColumnElement[int] = sa.literal_column("1")
ADD = Statement(
    lambda _dialect: counter.insert().values({name: given(name) for name in NAMES}).returning(ONE)
)
RAISE = Statement(
    lambda _dialect: (
        counter.update()
        .where(counter.c.name == given("own_name"))
        .values(value=counter.c.value + given("by"))
        .returning(ONE)
    )
)


@pytest.fixture
async def tenant_id(database: Database) -> int:
    return await database.write(lambda writer: clients.ensure_tenant(writer, "one", 1))


def add(writer: Writer, name: str, value: int = 0) -> None:
    writer.defer(ADD, {"tenant_id": 1, "name": name, "slot": 0, "value": value})


def grow(writer: Writer, name: str, **expected: Any) -> None:
    writer.defer(RAISE, {"own_name": name, "by": 1}, **expected)


async def stored(database: Database) -> dict[str, int]:
    """Return the value of every counter that a test here made."""
    query = sa.select(counter.c.name, counter.c.value).where(sa.not_(counter.c.name.like("live:%")))
    rows = await database.read(lambda reader: reader.execute(query))
    return {row.name: row.value for row in rows}


def user(version: int, title: str = "") -> tuple[Resource, Contents]:
    """Return a version of a user and what its row holds."""
    document = {"userName": "ann", "title": title}
    return Resource("User", "ann", version, 1, version, document), Contents(document, document, "ann")


async def test_what_is_deferred_is_done_before_the_commit(database: Database) -> None:
    async def work(writer: Writer) -> None:
        for name in ("a", "b", "c"):
            add(writer, name)

    await database.write(work)
    assert await stored(database) == {"a": 0, "b": 0, "c": 0}


async def test_what_is_deferred_is_seen_by_the_next_statement(database: Database) -> None:
    async def work(writer: Writer) -> None:
        add(writer, "a", 7)
        assert (await writer.execute(sa.select(counter.c.value))).scalar_one() == 7

    await database.write(work)


async def test_what_is_deferred_is_sent_once_and_together(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    flush = Writer._flush  # noqa: SLF001 - the one place that sends

    async def noted(writer: Writer, session: Any) -> None:
        sent.append(len(writer._deferred))  # noqa: SLF001 - what is about to be sent
        await flush(writer, session)

    monkeypatch.setattr(Writer, "_flush", noted)

    async def work(writer: Writer) -> None:
        for name in ("a", "b", "c"):
            add(writer, name)

    with counted(database) as cost:
        await database.write(work)
    assert (sent, cost.rows) == ([3], [1, 1, 1])


async def test_what_is_deferred_is_one_statement_of_postgresql(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    texts: list[str] = []

    async def work(writer: Writer) -> None:
        driver = (await writer.session()).driver
        driver.add_query_logger(lambda record: texts.append(record.query))
        for name in ("a", "b", "c"):
            add(writer, name)
        await writer.flush()

    await database.write(work)
    assert [text.count("INSERT INTO counter") for text in texts if "INSERT" in text] == [3]
    assert await stored(database) == {"a": 0, "b": 0, "c": 0}
    await database.close()


async def test_statements_keep_their_own_parameters_when_they_go_together(database: Database) -> None:
    async def prepare(writer: Writer) -> None:
        for number in range(12):
            add(writer, f"old {number}", 100 * number)

    async def work(writer: Writer) -> None:
        for number in range(12):
            add(writer, f"new {number}", number)
            grow(writer, f"old {number}", expects=1)

    await database.write(prepare)
    await database.write(work)
    expected = {f"new {number}": number for number in range(12)}
    assert await stored(database) == expected | {f"old {number}": 100 * number + 1 for number in range(12)}


async def test_statements_flushed_in_between_are_done_in_their_order(database: Database) -> None:
    async def work(writer: Writer) -> None:
        add(writer, "a", 1)
        await writer.flush()
        grow(writer, "a", expects=1)
        await writer.flush()
        grow(writer, "a", expects=1)

    await database.write(work)
    assert await stored(database) == {"a": 3}


async def test_several_counts_of_one_transaction_are_all_kept(database: Database, tenant_id: int) -> None:
    async def work(writer: Writer) -> None:
        for change in (1, 1, -1, 5):
            await counters.count_live(writer, tenant_id, "User", change)

    await database.write(work)
    total = sa.select(sa.func.sum(counter.c.value)).where(counter.c.name == "live:User")
    assert (await database.read(lambda reader: reader.execute(total))).scalar_one() == 6


async def test_an_update_of_a_version_that_is_gone_loses_the_race(database: Database, tenant_id: int) -> None:
    await database.write(lambda writer: resources.insert(writer, tenant_id, *user(1)))
    await database.write(lambda writer: resources.update(writer, tenant_id, *user(2, "first")))
    attempts: list[int] = []

    async def work(writer: Writer) -> None:
        attempts.append(1)
        add(writer, "beside")
        await resources.update(writer, tenant_id, *user(2, "second"))
        with pytest.raises(LostRace):
            await writer.flush()
        raise ValueError("lost")

    with pytest.raises(ValueError, match="lost"):
        await database.write(work)
    found = await database.read(lambda reader: resources.fetch(reader, tenant_id, "User", "ann"))
    assert found is not None
    assert (found.version, found.document["title"], await stored(database)) == (2, "first", {})


async def test_a_race_that_is_lost_at_the_commit_is_run_again(database: Database) -> None:
    attempts: list[int] = []

    async def work(writer: Writer) -> None:
        attempts.append(1)
        if len(attempts) == 3:
            add(writer, "a")
            await writer.flush()
        grow(writer, "a", expects=1)

    await database.write(work)
    assert (len(attempts), await stored(database)) == (3, {"a": 1})


async def test_a_race_that_is_always_lost_ends(database: Database) -> None:
    async def work(writer: Writer) -> None:
        grow(writer, "nothing", expects=1)

    with pytest.raises(DatabaseUnavailable):
        await database.write(work)


async def test_who_deferred_says_why_it_did_not_work(database: Database) -> None:
    async def because() -> None:
        raise ValueError("it is not there")

    async def work(writer: Writer) -> None:
        add(writer, "beside")
        grow(writer, "nothing", expects=1, otherwise=because)

    with pytest.raises(ValueError, match="it is not there"):
        await database.write(work)
    assert await stored(database) == {}


async def test_without_an_expectation_any_number_of_rows_will_do(database: Database) -> None:
    async def work(writer: Writer) -> None:
        grow(writer, "nothing")
        add(writer, "a")

    await database.write(work)
    assert await stored(database) == {"a": 0}


async def test_what_fails_rolls_back_what_was_deferred(database: Database) -> None:
    async def work(writer: Writer) -> None:
        add(writer, "a")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await database.write(work)
    assert await stored(database) == {}


@pytest.mark.parametrize("is_flushed", [False, True])
async def test_what_fails_inside_a_savepoint_leaves_nothing_deferred(
    is_flushed: bool, database: Database
) -> None:
    async def failing(writer: Writer) -> None:
        async with whole(writer):
            add(writer, "inside")
            if is_flushed:
                await writer.flush()
            raise ValueError("no")

    async def work(writer: Writer) -> None:
        add(writer, "before")
        with pytest.raises(ValueError, match="no"):
            await failing(writer)
        assert not writer.has_deferred(ADD)
        add(writer, "after")

    await database.write(work)
    assert await stored(database) == {"before": 0, "after": 0}


async def test_a_race_that_is_lost_inside_a_savepoint_is_lost_there(database: Database) -> None:
    async def failing(writer: Writer) -> None:
        async with whole(writer):
            add(writer, "inside")
            grow(writer, "nothing", expects=1)

    async def work(writer: Writer) -> None:
        add(writer, "before")
        with pytest.raises(LostRace):
            await failing(writer)
        add(writer, "after")

    await database.write(work)
    assert await stored(database) == {"before": 0, "after": 0}


async def test_what_succeeds_inside_a_savepoint_is_kept(database: Database) -> None:
    async def work(writer: Writer) -> None:
        add(writer, "before")
        async with whole(writer):
            add(writer, "inside")
        add(writer, "after")

    await database.write(work)
    assert await stored(database) == {"before": 0, "inside": 0, "after": 0}


async def test_what_is_only_tried_leaves_nothing_deferred(database: Database) -> None:
    async def work(writer: Writer) -> None:
        add(writer, "before")
        async with undone(writer):
            add(writer, "inside")
        assert not writer.has_deferred(ADD)
        add(writer, "after")

    await database.write(work)
    assert await stored(database) == {"before": 0, "after": 0}
