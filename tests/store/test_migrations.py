"""Migrations make exactly the tables that the code works with."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from scim_server.store.database import Database
from scim_server.store.tables import metadata
from scim_server.store.upgrade import head_revision, stored_revision, upgrade

OF_TENANTS = (
    "client",
    "resource",
    "unique_value",
    "reference",
    "counter",
    "phase",
    "pending_reference",
    "audit_event",
    "audit_queue",
    "audit_head",
    "audit_chain",
    "audit_node",
    "audit_private",
    "audit_key",
    "audit_checkpoint",
    "audit_publication",
    "audit_cut",
    "outbox",
    "policy",
    "assertion",
)


async def test_an_empty_store_has_no_revision_and_gets_all(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/new/scim.db")
    (tmp_path / "new").mkdir()
    assert await stored_revision(database) is None
    applied = await upgrade(database)
    assert applied[-1] == head_revision() == await stored_revision(database)
    await database.close()


async def test_upgrading_makes_the_folder_of_the_file(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/a/b/scim.db")
    await upgrade(database)
    assert (tmp_path / "a/b/scim.db").exists()
    await database.close()


async def test_a_current_store_needs_nothing(database: Database) -> None:
    assert await upgrade(database) == []


async def test_the_migrated_tables_are_those_of_the_metadata(database: Database) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    engine = create_async_engine(database.url)  # the store's own reads JSON as text, which reflection cannot
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    known = ("resource_folded", "folded_value", "seed")
    extra = [each for each in found if not any(name in repr(each) for name in known)]
    assert extra == []


async def test_every_key_and_index_of_a_tenants_rows_begins_with_the_tenant(database: Database) -> None:
    def indexes(connection: sa.Connection) -> list[tuple[str, str | None]]:
        inspector = sa.inspect(connection)
        found: list[tuple[str, str | None]] = []
        for table in OF_TENANTS:
            found.append((table, inspector.get_pk_constraint(table)["constrained_columns"][0]))
            found += [
                (str(index["name"]), index["column_names"][0])
                for index in inspector.get_indexes(table)
                if index["name"] != "resource_folded"
            ]
        return found

    async with database.engine.connect() as connection:
        found = await connection.run_sync(indexes)
    assert [each for each in found if each[1] != "tenant_id"] == []


async def test_sqlite_keeps_its_promises_on_every_connection(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    expected = {"journal_mode": "wal", "foreign_keys": 1}
    for engine in (database.engine, database._read_engine):  # noqa: SLF001 - both engines must be so
        async with engine.connect() as connection:
            for name, value in expected.items():
                assert (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar() == value
    await database.close()


@pytest.mark.parametrize("table", ["token", "client"])
async def test_rows_of_nobody_are_refused(database: Database, table: str) -> None:
    rows = {
        "client": {
            "id": "c",
            "name": "c",
            "profile": "idp",
            "dialect": "generic",
            "permissions": "[]",
            "switches": "{}",
        },
        "token": {"digest": "d", "client_id": "nobody", "prefix": "p"},
    }
    row = {**rows[table], "tenant_id": 999, "created": 1}

    with pytest.raises(sa.exc.IntegrityError):
        await database.write(lambda writer: writer.execute(metadata.tables[table].insert().values(**row)))
