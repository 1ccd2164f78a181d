"""Rows of policies: one document a tenant, part of what its catalogue's version stands for."""

import sqlalchemy as sa

from scim_server.scim.documents import encode, load
from scim_server.scim.normalize import Document
from scim_server.store.catalogue import bump
from scim_server.store.database import Reader, Writer
from scim_server.store.statements import insert_into
from scim_server.store.tables import policy


async def read_policy(reader: Reader | Writer, tenant_id: int) -> Document | None:
    """Return the policy document of a tenant, None where it has none."""
    query = sa.select(policy.c.document).where(policy.c.tenant_id == tenant_id)
    text = (await reader.execute(query)).scalar()
    document: Document | None = None if text is None else load(text)
    return document


async def write_policy(writer: Writer, tenant_id: int, document: Document, moment: int) -> None:
    """Make a document the tenant's policy and give the catalogue its next version."""
    values = {"document": encode(document).decode(), "modified": moment}
    statement = insert_into(writer.dialect.name, policy).values(tenant_id=tenant_id, **values)
    await writer.execute(statement.on_conflict_do_update(index_elements=["tenant_id"], set_=values))
    await bump(writer, tenant_id)
