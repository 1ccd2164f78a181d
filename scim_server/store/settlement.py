"""When a tenant next has scheduled changes to carry out that no computation at reading can replace."""

import sqlalchemy as sa

from scim_server.store.database import Writer
from scim_server.store.tables import tenant


async def settle_by(writer: Writer, tenant_id: int, moment: int) -> None:
    """Note that something is due at a moment; an earlier one stays."""
    later = sa.or_(tenant.c.settle_at.is_(None), tenant.c.settle_at > moment)
    await writer.execute(tenant.update().where(tenant.c.id == tenant_id, later).values(settle_at=moment))


async def settled_until(writer: Writer, tenant_id: int, following: int | None) -> None:
    """Note that everything before is done; `following` is when the next is due, None for nothing."""
    await writer.execute(tenant.update().where(tenant.c.id == tenant_id).values(settle_at=following))
