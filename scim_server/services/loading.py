"""Resources completed with their references, as far as a response shows them."""

from collections.abc import Sequence

from scim_server.scim.attributes import Attribute, ReferenceKind
from scim_server.scim.projection import Projection
from scim_server.scim.registry import Registry, ResourceType
from scim_server.scim.resources import Resource
from scim_server.store import references
from scim_server.store.database import Reader, Writer
from scim_server.store.fetching import fetch_whole
from scim_server.store.groups import groups_of

Projections = dict[str, Projection]
"""By the resource type's name."""


async def fetch_loaded(
    reader: Reader, tenant_id: int, resource_type: ResourceType, id: str, projection: Projection, *, now: int
) -> Resource | None:
    """Return a live resource with the references that a projection shows, None where there is none.

    Memberships, which may be many, are read on their own.
    """
    inverse = _shown(resource_type, ReferenceKind.INVERSE, projection)
    found = await fetch_whole(
        reader,
        tenant_id,
        resource_type.name,
        id,
        pointing=resource_type.references_of(ReferenceKind.SINGLE_SOURCE),
        inverse=inverse,
        now=now,
    )
    memberships = _shown(resource_type, ReferenceKind.MEMBERSHIP, projection)
    if found is not None and memberships:
        members = await references.of_sources(reader, tenant_id, [found.id], memberships, now=now)
        found.references |= members.get(found.id, {})
    return found


def _shown(resource_type: ResourceType, kind: ReferenceKind, projection: Projection) -> list[Attribute]:
    return [attribute for attribute in resource_type.references_of(kind) if projection.keeps(attribute)]


async def load_references(
    reader: Reader | Writer,
    tenant_id: int,
    registry: Registry,
    resources: Sequence[Resource],
    projections: Projections,
    *,
    now: int | None = None,
) -> None:
    """Fill in the references of resources.

    Memberships and groups are read only where the projection shows them; single-source references
    always, since `schemas` depends on them.
    """
    for name in {resource.type for resource in resources}:
        own = [resource for resource in resources if resource.type == name]
        ids = [resource.id for resource in own]
        resource_type, projection = registry.resource_types[name], projections[name]
        stored = [
            attribute
            for attribute in resource_type.references
            if attribute.reference_kind is ReferenceKind.SINGLE_SOURCE
            or (attribute.reference_kind is ReferenceKind.MEMBERSHIP and projection.keeps(attribute))
        ]
        found = await references.of_sources(reader, tenant_id, ids, stored, now=now)
        inverse = _shown(resource_type, ReferenceKind.INVERSE, projection)
        groups = await groups_of(reader, tenant_id, ids, now=now) if inverse else {}
        for resource in own:
            resource.references = dict(found.get(resource.id, {}))
            for attribute in inverse:
                if resource.id in groups:
                    resource.references[attribute.storage_key] = groups[resource.id]
