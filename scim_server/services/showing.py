"""Users in the pieces that clients see by default: made at writing, read where nothing else is asked for."""

from collections.abc import Sequence
from typing import TypeGuard

from scim_server.lifecycle.assignments import KINDS
from scim_server.lifecycle.catalogue import Catalogue
from scim_server.scim.attributes import Attribute, ReferenceKind
from scim_server.scim.contents import display_of
from scim_server.scim.projection import Projection
from scim_server.scim.registry import Registry, ResourceType
from scim_server.scim.resources import ReferenceValue, Resource
from scim_server.scim.shown import Shown, made_under, pieces
from scim_server.services.context import CallContext
from scim_server.services.lifecycle import USER
from scim_server.services.lookups import MANAGER_KEY


def is_shown(call: CallContext, resource_type: ResourceType, projection: Projection) -> bool:
    """Tell whether what is stored for reading may answer: all of a user, to a client that sees every user."""
    return resource_type.name == USER and projection.is_default and call.principal.row_scope is None


def is_current(call: CallContext, found: object) -> bool:
    """Tell whether pieces were made under the catalogue as it is now."""
    version = call.principal.catalogue_version
    return isinstance(found, Shown) and version is not None and found.is_made_under(version)


def all_current(found: Sequence[object], call: CallContext) -> TypeGuard[Sequence[Shown]]:
    """Tell whether all there is are pieces that were made under the catalogue as it is now."""
    version = call.principal.catalogue_version
    if version is None:
        return False
    made = made_under(version)
    return all(type(one) is Shown and one.stored.endswith(made) for one in found)


def pieces_of(
    user: Resource, registry: Registry, catalogue: Catalogue, manager: ReferenceValue | None
) -> str | None:
    """Return what is stored of a user for reading, None where something it points at is not known.

    `manager` is who it reports to, where that user is known to be there.
    """
    kind = registry.resource_types[USER]
    references: dict[str, list[ReferenceValue]] = {}
    for attribute in kind.references_of(ReferenceKind.SINGLE_SOURCE):
        for value in user.references.get(attribute.storage_key, ()):
            found = _found(attribute, value, registry, catalogue, manager)
            if found is None:
                return None
            references.setdefault(attribute.storage_key, []).append(found)
    whole = Resource(user.type, user.id, user.version, user.created, user.modified, user.document, references)
    return pieces(whole, registry, catalogue.version)


def _found(
    attribute: Attribute,
    value: ReferenceValue,
    registry: Registry,
    catalogue: Catalogue,
    manager: ReferenceValue | None,
) -> ReferenceValue | None:
    """Return a reference with the type and the name of its target."""
    if attribute.storage_key == MANAGER_KEY:
        is_known = manager is not None and manager.target == value.target
        return ReferenceValue(value.target, USER, None, value.payload) if is_known else None
    kind = next((one for one in KINDS if one.path == attribute.path), None)
    entry = None if kind is None else catalogue.table(kind.type).get(value.target)
    if entry is None:
        return None
    display = display_of(entry.document, registry.resource_types[entry.type])
    return ReferenceValue(value.target, entry.type, display, value.payload)
