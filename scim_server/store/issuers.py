"""Rows of outside issuers that tenants trust, and of the tokens they signed."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from scim_server.store.database import Reader, Writer
from scim_server.store.oauth import ISSUER
from scim_server.store.resources import insert_ignoring
from scim_server.store.statements import insert_into
from scim_server.store.tables import Record, issuer, tenant, token


async def insert_issuer(writer: Writer, row: dict[str, Any]) -> bool:
    """Insert an issuer; returns whether its name was free."""
    return (await writer.execute(insert_ignoring(writer, issuer).values(**row))).rowcount == 1


async def issuers_of(reader: Reader | Writer, tenant_id: int) -> Sequence[Record]:
    """Return the issuers that a tenant trusts, by name."""
    query = sa.select(issuer).where(issuer.c.tenant_id == tenant_id).order_by(issuer.c.name)
    return (await reader.execute(query)).all()


async def issuers_called(reader: Reader, url: str, tenant_name: str | None) -> Sequence[Record]:
    """Return who trusts an issuer, with the tenant's name: all of them, or one tenant."""
    query = (
        sa.select(issuer, tenant.c.name.label("tenant_name"))
        .join(tenant, tenant.c.id == issuer.c.tenant_id)
        .where(issuer.c.issuer == url, tenant.c.deleted.is_(None))
        .order_by(issuer.c.tenant_id, issuer.c.name)
    )
    if tenant_name is not None:
        query = query.where(tenant.c.name == tenant_name)
    return (await reader.execute(query)).all()


async def lock_issuer(writer: Writer, tenant_id: int, issuer_id: str) -> bool:
    """Keep an issuer from being removed until the transaction ends; returns whether it is there."""
    own = sa.and_(issuer.c.tenant_id == tenant_id, issuer.c.id == issuer_id)
    return (await writer.execute(sa.select(issuer.c.id).where(own).with_for_update())).first() is not None


async def remove_issuer(writer: Writer, tenant_id: int, issuer_id: str) -> None:
    """Remove an issuer."""
    own = sa.and_(issuer.c.tenant_id == tenant_id, issuer.c.id == issuer_id)
    await writer.execute(issuer.delete().where(own))


async def keep_token(writer: Writer, row: dict[str, Any]) -> None:
    """Insert a token that an issuer signed, or give it its later end; a revoked one stays so."""
    insert = insert_into(writer.dialect.name, token).values(kind=ISSUER, **row)
    statement = insert.on_conflict_do_update(
        index_elements=["digest"],
        set_={"expires": insert.excluded.expires},
        where=sa.and_(
            token.c.revoked.is_(None),
            token.c.tenant_id == row["tenant_id"],
            token.c.issuer_id == row["issuer_id"],
        ),
    )
    await writer.execute(statement)
