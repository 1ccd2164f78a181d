"""Tenants as tests need them."""

from typing import Any

import sqlalchemy as sa

from scim_server.services.clients import Clients
from scim_server.store import clients
from scim_server.store.clock import now
from scim_server.store.database import Database, Writer
from scim_server.store.tenants import tables_of_tenants


async def make_tenant(database: Database, tenant: str) -> None:
    """Make a tenant where it is not there."""
    await database.write(lambda writer: clients.ensure_tenant(writer, tenant, now()))


async def token_of(database: Database, tenant: str, name: str = "okta", **facts: Any) -> str:
    """Return the token of a new client of a tenant, which is made where it is not there."""
    await make_tenant(database, tenant)
    return (await Clients(database).create(name, tenant=tenant, **facts)).token


async def fill_every_table(database: Database, tenant: str) -> int:
    """Make a tenant with one row in every table whose rows belong to tenants; returns its id."""
    tenant_id = await database.write(lambda writer: clients.ensure_tenant(writer, tenant, now()))

    async def work(writer: Writer) -> None:
        for table in reversed(tables_of_tenants()):
            row = {column.name: _anything(column, tenant) for column in table.c}
            await writer.execute(table.insert().values(row | {"tenant_id": tenant_id}))

    await database.write(work)
    return tenant_id


def _anything(column: sa.Column[Any], tenant: str) -> Any:
    if column.name in {"digest", "thumbprint"}:
        return f"{column.name} of {tenant}"
    kind = column.type.python_type
    text = (
        "x" if isinstance(column.type, sa.String) and not isinstance(column.type, sa.Text) else '{"a": "b"}'
    )
    return {int: 1, float: 1.0, bytes: b"x", bool: True}.get(kind, text)


_TABLES = {
    "sqlite": "SELECT m.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c "
    "WHERE m.type = 'table' AND c.name = 'tenant_id'",
    "postgresql": "SELECT t.table_name FROM information_schema.tables AS t JOIN information_schema.columns "
    "AS c USING (table_schema, table_name) WHERE t.table_schema = 'public' AND t.table_type = 'BASE TABLE' "
    "AND c.column_name = 'tenant_id'",
}


async def rows_by_table(database: Database, tenant_id: int) -> dict[str, int]:
    """Return how many rows each table of the database has of a tenant, by what the database itself says."""
    async with database.engine.connect() as connection:
        names = [row[0] for row in await connection.exec_driver_sql(_TABLES[database.dialect])]
        counts = {}
        for name in names:
            query = f"SELECT count(*) FROM {name} WHERE tenant_id = {tenant_id}"
            counts[name] = int((await connection.exec_driver_sql(query)).scalar_one())
    return counts
