"""The database itself refuses to have the audit trail rewritten."""

from typing import Any

import pytest
import sqlalchemy as sa

from benchmarks.tamper import Trail
from scim_server.store.checkpoints import Cut, add_cut
from scim_server.store.database import Database
from scim_server.store.tables import (
    audit_chain,
    audit_checkpoint,
    audit_event,
    audit_private,
    metadata,
    tenant,
)

TABLES = ("audit_event", "audit_private", "audit_chain", "audit_checkpoint")


async def done(database: Database, statement: Any) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(statement)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("work", ["update", "delete"])
async def test_rows_are_neither_changed_nor_removed(name: str, work: str, trail: Trail) -> None:
    table = metadata.tables[name]
    statement: Any = table.delete() if work == "delete" else table.update().values(tenant_id=7)
    with pytest.raises(sa.exc.IntegrityError, match=r"never changed|audit retain"):
        await done(trail.database, statement)


@pytest.mark.parametrize("name", TABLES)
async def test_a_table_is_not_emptied(name: str, trail: Trail) -> None:
    if trail.database.dialect == "sqlite":
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(sa.exc.IntegrityError, match="never changed"):
        await done(trail.database, sa.text(f"TRUNCATE {name}"))


async def test_a_cut_without_a_checkpoint_is_refused(trail: Trail) -> None:
    cut = Cut(7, 1, bytes(32), bytes(32), b"")
    with pytest.raises(sa.exc.IntegrityError, match="where a checkpoint is"):
        await trail.database.write(lambda writer: add_cut(writer, trail.tenant_id, cut))


async def test_rows_of_a_tenant_that_is_deleted_may_go(trail: Trail) -> None:
    await done(trail.database, tenant.update().values(deleted=1))
    for table in (audit_private, audit_event, audit_chain, audit_checkpoint):
        await done(trail.database, table.delete().where(table.c.tenant_id == trail.tenant_id))
