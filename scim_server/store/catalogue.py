"""The catalogue of a tenant: its roles, entitlements, departments and locations, and their version."""

import sqlalchemy as sa

from scim_server.scim.attributes import ReferenceKind
from scim_server.scim.registry import Registry
from scim_server.scim.resources import Resource
from scim_server.store import clock, references
from scim_server.store.database import Reader, Writer
from scim_server.store.resources import COLUMNS, resource_of
from scim_server.store.tables import resource, tenant

CATALOGUE_TYPES = ("Role", "Entitlement", "Department", "Location")
_NAMES: list[sa.ColumnElement[str]] = [sa.literal_column(f"'{name}'") for name in CATALOGUE_TYPES]
"""Constants in the statement: of parameters a plan made once expects every type, and reads all users."""


async def catalogue_rows(
    reader: Reader | Writer, tenant_id: int, registry: Registry, *, now: int | None = None
) -> list[Resource]:
    """Return every live resource of the catalogue with its single-source references, by id.

    Where the version is read before, what is returned is that version's or newer.
    """
    moment = clock.now() if now is None else now
    query = sa.select(*COLUMNS).where(
        resource.c.tenant_id == tenant_id,
        resource.c.type.in_(_NAMES),
        resource.c.deleted.is_(None),
    )
    rows = await reader.execute(query.order_by(resource.c.id))
    found = [resource_of(row, moment) for row in rows]
    types = {name: registry.resource_types.get(name) for name in CATALOGUE_TYPES}
    owned = {
        attribute.storage_key: attribute
        for kind in types.values()
        if kind is not None
        for attribute in kind.references_of(ReferenceKind.SINGLE_SOURCE)
    }
    ids = [each.id for each in found]
    pointing = await references.of_sources(reader, tenant_id, ids, list(owned.values()), now=moment)
    for each in found:
        each.references = pointing.get(each.id, {})
    return found


async def version(reader: Reader | Writer, tenant_id: int) -> int:
    """Return the version of the tenant's catalogue and policy."""
    query = sa.select(tenant.c.catalogue_version).where(tenant.c.id == tenant_id)
    return int((await reader.execute(query)).scalar_one())


async def bump(writer: Writer, tenant_id: int) -> None:
    """Give the catalogue its next version, which every server sees once the transaction has committed."""
    values = {"catalogue_version": tenant.c.catalogue_version + 1}
    await writer.execute(tenant.update().where(tenant.c.id == tenant_id).values(**values))
