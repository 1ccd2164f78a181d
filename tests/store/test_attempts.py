"""Changes tried without a transaction: as whole as one, given up where anything is not as it was read."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from scim_server.scim.resources import Resource
from scim_server.store import callers, clients, references, resources
from scim_server.store.attempts import Turns
from scim_server.store.callers import Claim
from scim_server.store.database import Database, Writer
from scim_server.store.failures import DatabaseUnavailable
from scim_server.store.fetching import fetch_locked
from scim_server.store.resources import Contents
from scim_server.store.statements import Statement
from scim_server.store.tables import reference, token

TENANT = 1


@pytest.fixture
async def database(database: Database) -> Database:
    """Return a store with a tenant and the users ann and bob."""

    async def work(writer: Writer) -> None:
        await clients.ensure_tenant(writer, "one", 1)
        for name in ("ann", "bob"):
            await resources.insert(writer, TENANT, *user(name, 1))

    await database.write(work)
    return database


def user(name: str, version: int, title: str = "") -> tuple[Resource, Contents]:
    document = {"userName": name, "title": title}
    return Resource("User", name, version, 1, version, document), Contents(document, document, name)


async def entitle(writer: Writer, name: str, title: str) -> None:
    """Read a user and write its next version."""
    current = await resources.fetch_for_update(writer, TENANT, "User", name)
    assert current is not None
    await resources.update(writer, TENANT, *user(name, current.version + 1, title))


async def titles(database: Database) -> dict[str, tuple[int, str]]:
    found = {}
    for name in ("ann", "bob"):
        one = await database.read(lambda reader, name=name: resources.fetch(reader, TENANT, "User", name))  # type: ignore[misc]
        assert one is not None
        found[name] = (one.version, one.document["title"])
    return found


async def test_what_is_tried_is_written(database: Database) -> None:
    await database.write(lambda writer: entitle(writer, "ann", "Boss"), tries="ann")
    assert await titles(database) == {"ann": (2, "Boss"), "bob": (1, "")}


async def test_nothing_begins_a_transaction_where_nothing_needs_one(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(postgresql_url)

    async def prepare(writer: Writer) -> None:
        await clients.ensure_tenant(writer, "one", 1)
        await resources.insert(writer, TENANT, *user("ann", 1))

    await database.write(prepare)
    monkeypatch.delattr(Database, "_transact")
    await database.write(lambda writer: entitle(writer, "ann", "Boss"), tries="ann")
    found = await database.read(lambda reader: resources.fetch(reader, TENANT, "User", "ann"))
    assert found is not None
    assert found.document["title"] == "Boss"
    await database.close()


async def test_a_row_that_changed_after_it_was_read_is_read_again(database: Database) -> None:
    seen: list[int] = []

    async def work(writer: Writer) -> None:
        current = await resources.fetch_for_update(writer, TENANT, "User", "ann")
        assert current is not None
        seen.append(current.version)
        if len(seen) == 1 and database.dialect == "postgresql":
            await database.write(lambda other: entitle(other, "ann", "first"))
        await resources.update(writer, TENANT, *user("ann", current.version + 1, "second"))

    await database.write(work, tries="ann")
    expected = [1, 2] if database.dialect == "postgresql" else [1]
    assert (seen, (await titles(database))["ann"]) == (expected, (len(seen) + 1, "second"))


async def test_a_row_that_was_only_read_for_a_change_may_not_change_either(database: Database) -> None:
    seen: list[str] = []

    async def work(writer: Writer) -> None:
        other = await resources.fetch_for_update(writer, TENANT, "User", "bob")
        assert other is not None
        seen.append(other.document["title"])
        if len(seen) == 1 and database.dialect == "postgresql":
            await database.write(lambda meanwhile: entitle(meanwhile, "bob", "Chief"))
        await entitle(writer, "ann", f"reports to {other.document['title']}")

    await database.write(work, tries="ann")
    if database.dialect == "postgresql":
        assert (seen, (await titles(database))["ann"]) == (["", "Chief"], (2, "reports to Chief"))
    else:
        assert seen == [""]


async def test_a_target_that_is_deleted_meanwhile_is_not_pointed_at(postgresql_url: str) -> None:
    database = Database(postgresql_url)

    async def prepare(writer: Writer) -> None:
        await clients.ensure_tenant(writer, "one", 1)
        for name in ("ann", "bob"):
            await resources.insert(writer, TENANT, *user(name, 1))

    await database.write(prepare)
    found: list[dict[str, str]] = []

    async def work(writer: Writer) -> None:
        await entitle_later(writer)
        if len(found) == 1:
            await database.write(lambda other: resources.mark_deleted(other, TENANT, "bob", 5))

    async def entitle_later(writer: Writer) -> None:
        current = await resources.fetch_for_update(writer, TENANT, "User", "ann")
        assert current is not None
        found.append(await resources.lock_targets(writer, TENANT, ["bob"]))
        await references.add(writer, TENANT, "ann", "members", sorted(found[-1]), 7)
        await resources.update(writer, TENANT, *user("ann", current.version + 1))

    await database.write(work, tries="ann")
    rows = await database.read(lambda reader: reader.execute(sa.select(reference.c.target_id)))
    assert (found, rows.all()) == ([{"bob": "User"}, {}], [])
    await database.close()


@pytest.mark.parametrize(("held", "removed"), [([], 0), (["bob"], 1)])
async def test_what_was_presumed_wrongly_is_counted(
    held: list[str], removed: int, database: Database
) -> None:
    await database.write(lambda writer: references.add(writer, TENANT, "ann", "members", held, 7))

    async def work(writer: Writer) -> int:
        current = await resources.fetch_for_update(writer, TENANT, "User", "ann")
        assert current is not None
        gone = await references.remove(writer, TENANT, "ann", "members", ["bob"])
        await resources.update(writer, TENANT, *user("ann", current.version + 1, f"{gone} gone"))
        return gone

    assert await database.write(work, tries="ann") == removed
    assert (await titles(database))["ann"] == (2, f"{removed} gone")


async def test_members_that_are_there_are_not_added_again(database: Database) -> None:
    for expected in (2, 0):
        added = await database.write(
            lambda writer: references.add(writer, TENANT, "group", "members", ["ann", "bob"], 7),
            tries="group",
        )
        assert added == expected


async def test_what_fails_changes_nothing(database: Database) -> None:
    runs: list[int] = []

    async def work(writer: Writer) -> None:
        runs.append(1)
        await entitle(writer, "ann", "Boss")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await database.write(work, tries="ann")
    assert await titles(database) == {"ann": (1, ""), "bob": (1, "")}
    assert len(runs) == (2 if database.dialect == "postgresql" else 1)


async def test_a_statement_that_has_to_see_what_was_written_sees_it(database: Database) -> None:
    async def work(writer: Writer) -> str:
        await entitle(writer, "ann", "Boss")
        found = await resources.fetch(writer, TENANT, "User", "ann")
        assert found is not None
        return str(found.document["title"])

    assert await database.write(work, tries="ann") == "Boss"


async def test_so_many_statements_that_they_are_sent_in_order_are_all_done(database: Database) -> None:
    names = [f"user {number:03}" for number in range(60)]

    async def work(writer: Writer) -> None:
        for name in names:
            await resources.insert(writer, TENANT, *user(name, 1))

    await database.write(work, tries="all")
    found = await database.read(lambda reader: resources.fetch_all(reader, TENANT, names, now=1))
    assert sorted(found) == names


async def claim(database: Database) -> Claim:
    """Return a claim on a caller whose token has the digest `d`."""

    async def work(writer: Writer) -> None:
        row = {"tenant_id": TENANT, "id": "c", "name": "c", "profile": "idp", "dialect": "generic"}
        await clients.insert_client(writer, {**row, "created": 1, "permissions": "[]", "switches": "{}"})
        own = {"tenant_id": TENANT, "client_id": "c", "digest": "d", "prefix": "p", "created": 1}
        await clients.insert_token(writer, {**own, "expires": None})

    await database.write(work)
    found = await database.read(lambda reader: clients.caller_of(reader, "d"))
    assert found is not None
    return Claim("d", found)


async def test_a_caller_who_is_revoked_before_the_end_has_changed_nothing(postgresql_url: str) -> None:
    database = Database(postgresql_url)

    async def prepare(writer: Writer) -> None:
        await clients.ensure_tenant(writer, "one", 1)
        await resources.insert(writer, TENANT, *user("ann", 1))

    await database.write(prepare)
    own = await claim(database)
    presumed: list[Any] = []

    async def work(writer: Writer) -> None:
        presumed.append(writer.presumed(own))
        if presumed[-1] is None:
            own.confirm(await clients.guard(writer, TENANT, "c", "d"))
        await entitle(writer, "ann", "Boss")
        await database.write(lambda other: other.execute(token.update().values(revoked=5)))

    with pytest.raises(callers.CallerChanged):
        await database.write(work, tries="ann")
    assert presumed == [own.caller, None]
    found = await database.read(lambda reader: resources.fetch(reader, TENANT, "User", "ann"))
    assert found is not None
    assert found.version == 1
    await database.close()


async def test_a_caller_who_wrote_is_confirmed(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    await database.write(lambda writer: clients.ensure_tenant(writer, "one", 1))
    own = await claim(database)

    async def work(writer: Writer) -> None:
        writer.presumed(own)
        await resources.insert(writer, TENANT, *user("cid", 1))

    await database.write(work, tries="cid")
    assert own.is_confirmed
    await database.close()


async def test_what_may_have_been_written_is_not_written_again(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(postgresql_url)
    await database.write(lambda writer: clients.ensure_tenant(writer, "one", 1))
    runs: list[int] = []

    async def lost(*_arguments: Any, **_options: Any) -> None:
        raise ConnectionError("gone")

    async def work(writer: Writer) -> None:
        runs.append(1)
        await resources.insert(writer, TENANT, *user("cid", 1))

    monkeypatch.setattr(Writer, "_together", lost)
    with pytest.raises(DatabaseUnavailable):
        await database.write(work, tries="cid")
    assert runs == [1]
    monkeypatch.undo()
    await database.close()


async def test_what_changes_by_itself_is_not_computed_twice(database: Database) -> None:
    later = 2**62
    document = {"userName": "tim"}
    timed = Contents(document, document, "tim", [later], [(later, {"active": False})])

    async def prepare(writer: Writer) -> None:
        await resources.insert(writer, TENANT, Resource("User", "tim", 1, 1, 1, document), timed)

    await database.write(prepare)
    computed: list[int] = []

    async def work(writer: Writer) -> None:
        current = await fetch_locked(writer, TENANT, "User", "tim", (), now=5)
        assert current is not None
        computed.append(current.version)
        changed = Resource("User", "tim", 2, 1, 5, document, stored_version=1, is_timed=True)
        await resources.update(writer, TENANT, changed, timed)

    await database.write(work, tries="tim")
    assert computed == [1]


async def test_what_fails_after_it_was_written_is_not_written_again(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    await database.write(lambda writer: clients.ensure_tenant(writer, "one", 1))
    runs: list[int] = []
    one: Statement = Statement(lambda _dialect: sa.select(sa.true().label("good")))

    async def work(writer: Writer) -> None:
        runs.append(1)
        await resources.insert(writer, TENANT, *user("cid", 1))
        await writer.last_row(one)
        raise ValueError("too late")

    with pytest.raises(RuntimeError, match="nothing may follow"):
        await database.write(work, tries="cid")
    found = await database.read(lambda reader: resources.fetch(reader, TENANT, "User", "cid"))
    assert (runs, found is not None) == ([1], True)
    await database.close()


async def test_work_about_one_thing_takes_turns_in_its_order() -> None:
    turns, order = Turns(), list[str]()

    async def work(thing: str, name: str) -> None:
        async with turns.of(thing):
            order.append(f"{name} begins")
            await asyncio.sleep(0)
            order.append(f"{name} ends")

    await asyncio.gather(work("a", "1"), work("a", "2"), work("b", "3"), work("a", "4"))
    own = [text for text in order if not text.startswith("3")]
    assert own == ["1 begins", "1 ends", "2 begins", "2 ends", "4 begins", "4 ends"]
    assert order.index("3 begins") < order.index("1 ends") + 1
    assert turns._locks == {}  # noqa: SLF001 - nothing is kept of what nobody waits for


async def test_who_gives_up_waiting_for_a_turn_lets_the_next_one_in() -> None:
    turns = Turns()
    entered: list[str] = []

    async def work(name: str) -> None:
        async with turns.of("a"):
            entered.append(name)
            await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(work(name)) for name in ("1", "2", "3")]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (entered, turns._locks) == (["1", "3"], {})  # noqa: SLF001 - as above
