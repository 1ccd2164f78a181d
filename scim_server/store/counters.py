"""Counters that concurrent writers do not queue for: each write takes one of several slots."""

import random

from sqlalchemy.dialects import postgresql, sqlite

from scim_server.store.database import Writer
from scim_server.store.listing import COUNTER_SLOTS
from scim_server.store.tables import counter


async def count_live(writer: Writer, tenant_id: int, type_name: str, change: int) -> None:
    """Add to the number of live resources of a type."""
    insert = sqlite.insert if writer.dialect.name == "sqlite" else postgresql.insert
    slot = random.randrange(COUNTER_SLOTS)  # noqa: S311 - spreads contention, protects nothing
    statement = insert(counter).values(tenant_id=tenant_id, name=f"live:{type_name}", slot=slot, value=change)
    await writer.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "name", "slot"], set_={"value": counter.c.value + change}
        )
    )


async def next_number(writer: Writer, tenant_id: int, name: str) -> int:
    """Return the next number of a sequence of the tenant, from 1 on; others wait for this transaction."""
    insert = sqlite.insert if writer.dialect.name == "sqlite" else postgresql.insert
    statement = insert(counter).values(tenant_id=tenant_id, name=name, slot=0, value=1)
    statement = statement.on_conflict_do_update(
        index_elements=["tenant_id", "name", "slot"], set_={"value": counter.c.value + 1}
    )
    return int((await writer.execute(statement.returning(counter.c.value))).scalar_one())
