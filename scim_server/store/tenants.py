"""Rows of tenants, and all rows that belong to one: counted, read page by page, removed in batches."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from scim_server.store.database import Reader, Writer
from scim_server.store.filters.json import JSON_DIALECTS
from scim_server.store.resources import insert_ignoring
from scim_server.store.sessions import Connection
from scim_server.store.tables import (
    Record,
    client,
    counter,
    folded_value,
    metadata,
    recalculation,
    reference,
    resource,
    tenant,
)

GONE = "~"
"""Stands in the name of a tenant that was deleted, and in no other."""
PAGE = 500


async def insert_tenant(writer: Writer, name: str, moment: int) -> bool:
    """Insert a tenant; returns whether its name was free."""
    statement = insert_ignoring(writer, tenant).values(name=name, created=moment)
    return (await writer.execute(statement)).rowcount == 1


async def find(connection: Connection, name: str, *, locks: bool = False) -> Record | None:
    """Return the row of a tenant, None for an unknown one; `locks` keeps other writers from it."""
    query = sa.select(tenant).where(tenant.c.name == name)
    return (await connection.execute(query.with_for_update() if locks else query)).first()


async def change(writer: Writer, tenant_id: int, **values: Any) -> None:
    """Write columns of a tenant."""
    await writer.execute(tenant.update().where(tenant.c.id == tenant_id).values(**values))


async def all_with_counts(reader: Reader, types: Mapping[str, str]) -> Sequence[Record]:
    """Return every tenant by name with the number of live clients, and of resources by label and type."""
    live = sa.select(sa.func.count()).where(client.c.tenant_id == tenant.c.id, client.c.revoked.is_(None))
    counts = [
        sa.select(sa.func.coalesce(sa.func.sum(counter.c.value), 0))
        .where(counter.c.tenant_id == tenant.c.id, counter.c.name == f"live:{type_name}")
        .scalar_subquery()
        .label(label)
        for label, type_name in types.items()
    ]
    query = (
        sa.select(tenant, live.scalar_subquery().label("clients"), *counts)
        .where(sa.not_(tenant.c.name.contains(GONE)))
        .order_by(tenant.c.name)
    )
    return (await reader.execute(query)).all()


def tables_of_tenants() -> list[sa.Table]:
    """Return every table whose rows belong to tenants, those first that others do not refer to."""
    return [table for table in reversed(metadata.sorted_tables) if "tenant_id" in table.c]


def _removable(dialect: str) -> list[tuple[sa.FromClause, list[sa.ColumnElement[Any]]]]:
    """Return the tables of tenants with the columns that tell apart the rows of one."""
    found: list[tuple[sa.FromClause, list[sa.ColumnElement[Any]]]] = [
        (table, [column for column in table.primary_key if column.name != "tenant_id"])
        for table in tables_of_tenants()
    ]
    if dialect == "sqlite":
        found.append((folded_value, [column for column in folded_value.c if column.name != "tenant_id"]))
    return found


async def count_rows(reader: Connection, tenant_id: int) -> dict[str, int]:
    """Return how many rows a tenant has, by table, without the tables in which it has none."""
    counts = {}
    for table, _key in _removable(reader.dialect.name):
        query = sa.select(sa.func.count()).select_from(table).where(table.c.tenant_id == tenant_id)
        if number := int((await reader.execute(query)).scalar_one()):
            counts[f"{table}"] = number
    return counts


async def count_with_schema(
    reader: Connection, tenant_id: int, urn: str, types: Sequence[str], attributes: Sequence[str]
) -> int:
    """Return how many live resources of a tenant are of some types, or have content in an extension.

    The extension is named by its lower-case URN, and by the keys of its attributes that are references.
    """
    json = JSON_DIALECTS[reader.dialect.name]
    pointing = sa.select(reference.c.source_id).where(
        reference.c.tenant_id == tenant_id, reference.c.attribute.in_(attributes)
    )
    query = (
        sa.select(sa.func.count())
        .select_from(resource)
        .where(
            resource.c.tenant_id == tenant_id,
            resource.c.deleted.is_(None),
            sa.or_(
                resource.c.type.in_(types),
                json.present(resource.c.folded, (urn,)),
                resource.c.id.in_(pointing),
            ),
        )
    )
    return int((await reader.execute(query)).scalar_one())


async def remove_some(writer: Writer, tenant_id: int, limit: int) -> int:
    """Remove up to so many rows of a tenant, of the first table that has any; returns how many."""
    for table, key in _removable(writer.dialect.name):
        own = table.c.tenant_id == tenant_id
        statement = sa.delete(table).where(own)  # type: ignore[arg-type]
        if key:
            some = sa.select(*key).where(own).limit(limit)
            statement = statement.where((key[0] if len(key) == 1 else sa.tuple_(*key)).in_(some))
        removed = (await writer.execute(statement)).rowcount
        if removed:
            return removed
    return 0


async def rows_of(reader: Connection, table: sa.Table, tenant_id: int) -> AsyncIterator[Sequence[Record]]:
    """Give the rows of a tenant in the order of their keys, page by page."""
    key = [column for column in table.primary_key if column.name != "tenant_id"]
    query = sa.select(table).where(table.c.tenant_id == tenant_id).order_by(*key).limit(PAGE)
    after: sa.ColumnElement[bool] = sa.true()
    while True:
        found = (await reader.execute(query.where(after))).all()
        if found:
            yield found
        if len(found) < PAGE or not key:
            return
        last = [sa.literal(getattr(found[-1], column.name), column.type) for column in key]
        after = sa.tuple_(*key) > sa.tuple_(*last)


async def due(reader: Reader, moment: int) -> list[tuple[int, str]]:
    """Return id and name of the tenants in which something is due, in one statement for all of them.

    Suspended tenants are left out: nothing happens in them.
    """
    own = tenant.c.id
    is_due = sa.or_(
        tenant.c.settle_at <= moment,
        sa.exists().where(
            resource.c.tenant_id == own, resource.c.next_change <= moment, resource.c.deleted.is_(None)
        ),
        sa.exists().where(reference.c.tenant_id == own, reference.c.valid_to <= moment),
        sa.exists().where(recalculation.c.tenant_id == own),
    )
    query = (
        sa.select(tenant.c.id, tenant.c.name)
        .where(tenant.c.suspended.is_(None), tenant.c.deleted.is_(None), is_due)
        .order_by(tenant.c.id)
    )
    return [(row.id, row.name) for row in await reader.execute(query)]
