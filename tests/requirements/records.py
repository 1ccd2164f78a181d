"""What the store holds of a change beside the resource: notices to others, tokens, texts anywhere."""

from typing import Any

import sqlalchemy as sa

from scim_server.scim.documents import load
from scim_server.store.database import Database, Reader
from scim_server.store.tables import audit_event, metadata, outbox


async def rows_of(database: Database, query: sa.Select[Any]) -> list[Any]:
    """Return the rows of a query."""

    async def work(reader: Reader) -> list[Any]:
        return list(await reader.execute(query))

    return await database.read(work)


async def told(database: Database, action: str) -> list[tuple[str, dict[str, Any]]]:
    """Return name and payload of the notices that go with the events of an action, by name."""
    same = sa.and_(audit_event.c.tenant_id == outbox.c.tenant_id, audit_event.c.id == outbox.c.audit_id)
    query = (
        sa.select(outbox.c.event, outbox.c.payload)
        .select_from(outbox.join(audit_event, same))
        .where(audit_event.c.action == action.lower())
        .order_by(outbox.c.event)
    )
    return [(row[0], load(row[1])) for row in await rows_of(database, query)]


async def is_anywhere(database: Database, text: str) -> list[str]:
    """Return the columns of the store in which a text stands."""
    found = []
    for table in metadata.sorted_tables:
        for column in table.columns:
            rows = await rows_of(database, sa.select(column))
            if any(text in str(row[0]) for row in rows):
                found.append(f"{table.name}.{column.name}")
    return found
