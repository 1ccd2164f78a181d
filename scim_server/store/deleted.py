"""Rows of deleted resources: found again, and brought back."""

import sqlalchemy as sa

from scim_server.scim.documents import is_storable
from scim_server.scim.resources import Resource
from scim_server.store.database import Reader, Writer
from scim_server.store.failures import LostRace
from scim_server.store.filters.entries import entry_at
from scim_server.store.filters.json import JSON_DIALECTS, has
from scim_server.store.phases import add_phases
from scim_server.store.resources import COLUMNS, Contents, columns_of, only
from scim_server.store.tables import folded_value, resource


def _deleted(tenant_id: int, type_name: str) -> sa.ColumnElement[bool]:
    return sa.and_(
        resource.c.tenant_id == tenant_id, resource.c.type == type_name, resource.c.deleted.is_not(None)
    )


async def fetch_deleted(reader: Reader | Writer, tenant_id: int, type_name: str, id: str) -> Resource | None:
    """Return a deleted resource, None where there is none of that type and id.

    Its `modified` is the moment of its deletion.
    """
    if not is_storable(id):
        return None
    query = sa.select(*COLUMNS).where(_deleted(tenant_id, type_name), resource.c.id == id)
    return await only(reader, query, None)


async def find_deleted_by(
    reader: Reader | Writer, tenant_id: int, type_name: str, path: str, value: str
) -> Resource | None:
    """Return the resource deleted last of those that had a folded value at a top-level attribute."""
    json = JSON_DIALECTS[reader.dialect.name]
    test = has(json, resource.c.folded, path.lower(), value, tenant_id=tenant_id)
    if reader.dialect.name == "sqlite":
        entry = entry_at([path.lower()], value)
        ids = sa.select(folded_value.c.resource_id).where(
            folded_value.c.tenant_id == tenant_id,
            folded_value.c.type == type_name,
            folded_value.c.deleted == 1,
            folded_value.c.path == entry.path,
            folded_value.c.key == entry.key,
        )
        test = sa.and_(resource.c.id.in_(ids), test)
    newest = (resource.c.deleted.desc(), resource.c.id.desc())
    query = sa.select(*COLUMNS).where(_deleted(tenant_id, type_name), test).order_by(*newest).limit(1)
    return await only(reader, query, None)


async def undelete(writer: Writer, tenant_id: int, restored: Resource, contents: Contents) -> None:
    """Bring a deleted resource back with new contents, as the version after the one that was read.

    Unique values and references are the caller's to claim again. Raises LostRace.
    """
    statement = (
        resource.update()
        .where(
            resource.c.tenant_id == tenant_id,
            resource.c.id == restored.id,
            resource.c.version == restored.version - 1,
            resource.c.deleted.is_not(None),
        )
        .values(
            deleted=None,
            deleted_by=None,
            version=restored.version,
            modified=restored.modified,
            **columns_of(writer, tenant_id, contents),
        )
    )
    if (await writer.execute(statement)).rowcount != 1:
        raise LostRace(restored.id)
    if contents.phases:
        await add_phases(writer, tenant_id, restored.id, contents.phases)
