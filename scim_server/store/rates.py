"""Buckets that all servers on one PostgreSQL share, by its clock."""

import sqlalchemy as sa

from scim_server.store.database import Database, Writer
from scim_server.store.statements import Statement, given, insert_into
from scim_server.store.tables import audit_event, rate_bucket


def _lease(dialect: str) -> sa.Executable:
    """Refill a bucket for the time that has passed, and take as many whole permits as there are."""
    moment = sa.cast(sa.extract("epoch", sa.func.clock_timestamp()) * 1_000_000, sa.BigInteger)
    rate, burst = given("rate", sa.Double), given("burst", sa.Double)
    wanted = given("wanted", sa.Double)
    elapsed = sa.func.greatest(moment - rate_bucket.c.at, 0) / sa.literal_column("1000000.0")
    stock = sa.func.least(burst, rate_bucket.c.permits + rate * elapsed)
    granted = sa.func.least(wanted, sa.func.floor(stock))
    statement = insert_into(dialect, rate_bucket).values(
        tenant_id=given("tenant_id"), name=given("name"), permits=burst - wanted, granted=wanted, at=moment
    )
    return statement.on_conflict_do_update(
        index_elements=["tenant_id", "name"],
        set_={"permits": stock - granted, "granted": granted, "at": moment},
    ).returning(rate_bucket.c.granted, rate_bucket.c.permits)


_LEASE = Statement(_lease)


async def lease(
    database: Database, tenant_id: int, name: str, *, rate: float, burst: int, wanted: int
) -> tuple[int, float]:
    """Take up to so many permits from a shared bucket; returns how many, and how many are left in it."""
    ((granted, left),) = await database.at_once(
        _LEASE,
        tenant_id=tenant_id,
        name=name,
        rate=float(rate),
        burst=float(burst),
        wanted=float(min(wanted, burst)),
    )
    return int(granted), float(left)


async def is_noted(writer: Writer, tenant_id: int, client_id: str, action: str, since: int) -> bool:
    """Tell whether the audit trail has an event of a client since a moment."""
    query = (
        sa.select(sa.literal(1))
        .where(
            audit_event.c.tenant_id == tenant_id,
            audit_event.c.client_id == client_id,
            audit_event.c.action == action,
            audit_event.c.at >= since,
        )
        .limit(1)
    )
    return (await writer.execute(query)).first() is not None
