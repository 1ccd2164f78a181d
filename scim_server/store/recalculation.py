"""Users whose stored copy is to follow a change of the catalogue; they are read as they are meanwhile."""

from collections.abc import Sequence

import sqlalchemy as sa

from scim_server.store.database import Reader, Writer
from scim_server.store.resources import chunks, insert_ignoring
from scim_server.store.tables import recalculation


async def enqueue(writer: Writer, tenant_id: int, ids: Sequence[str]) -> None:
    """Note that users are to be recalculated; who is noted already stays so."""
    for part in chunks(ids):
        rows = [{"tenant_id": tenant_id, "resource_id": one} for one in part]
        await writer.execute(insert_ignoring(writer, recalculation).values(rows))


async def waiting(reader: Reader | Writer, tenant_id: int, limit: int) -> list[str]:
    """Return the next users to be recalculated, in the order of their ids."""
    query = (
        sa.select(recalculation.c.resource_id)
        .where(recalculation.c.tenant_id == tenant_id)
        .order_by(recalculation.c.resource_id)
        .limit(limit)
    )
    return [row.resource_id for row in await reader.execute(query)]


async def done(writer: Writer, tenant_id: int, ids: Sequence[str]) -> None:
    """Note that users are up to date."""
    for part in chunks(ids):
        await writer.execute(
            recalculation.delete().where(
                recalculation.c.tenant_id == tenant_id, recalculation.c.resource_id.in_(part)
            )
        )
