"""Counters that concurrent writers do not queue for: each write takes one of several slots."""

import random

import sqlalchemy as sa

from scim_server.store.database import Writer
from scim_server.store.listing import COUNTER_SLOTS
from scim_server.store.statements import Statement, given, insert_into
from scim_server.store.tables import counter


def _count(dialect: str) -> sa.Executable:
    names = ("tenant_id", "name", "slot", "value")
    statement = insert_into(dialect, counter).values({name: given(name) for name in names})
    return statement.on_conflict_do_update(
        index_elements=["tenant_id", "name", "slot"],
        set_={"value": counter.c.value + statement.excluded.value},
    ).returning(sa.literal_column("1"))


_COUNT = Statement(_count)


async def count_live(writer: Writer, tenant_id: int, type_name: str, change: int) -> None:
    """Add to the number of live resources of a type."""
    slot = random.randrange(COUNTER_SLOTS)  # noqa: S311 - spreads contention, protects nothing
    values = {"tenant_id": tenant_id, "name": f"live:{type_name}", "slot": slot, "value": change}
    if writer.has_deferred(_COUNT):
        writer.in_order()
    writer.defer(_COUNT, values)


async def next_number(writer: Writer, tenant_id: int, name: str) -> int:
    """Return the next number of a sequence of the tenant, from 1 on; others wait for this transaction."""
    statement = insert_into(writer.dialect.name, counter).values(
        tenant_id=tenant_id, name=name, slot=0, value=1
    )
    statement = statement.on_conflict_do_update(
        index_elements=["tenant_id", "name", "slot"], set_={"value": counter.c.value + 1}
    )
    return int((await writer.execute(statement.returning(counter.c.value))).scalar_one())
