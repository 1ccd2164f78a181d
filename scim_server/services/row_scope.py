"""Row scopes: the users that a client sees and changes, as a filter (docs/permissions.md)."""

from typing import TYPE_CHECKING

from scim_server.scim.errors import Forbidden, NotFound
from scim_server.scim.filters.binding import AllOf, Condition, Predicate, bind_filter
from scim_server.scim.filters.grammar import parse_filter
from scim_server.scim.identifiers import canonical_id
from scim_server.scim.policy import Policy
from scim_server.scim.registry import Registry, ResourceType
from scim_server.scim.resources import Resource
from scim_server.security.principals import Principal
from scim_server.services.lifecycle import USER
from scim_server.store.database import Reader, Writer
from scim_server.store.filters.compiler import FilterContext
from scim_server.store.listing import Lister, Selection

if TYPE_CHECKING:
    from scim_server.services.changes import Changes


def scope_of(principal: Principal, registry: Registry) -> Condition | None:
    """Return the condition on users that a client is confined to, None for one that is not."""
    if principal.row_scope is None:
        return None
    kind = registry.resource_types[USER]
    return bind_filter(parse_filter(principal.row_scope), kind, Policy())


def confined(
    principal: Principal, registry: Registry, kind: ResourceType, condition: Condition | None
) -> Condition | None:
    """Return the condition of a list with the scope of the client added to it."""
    scope = scope_of(principal, registry) if kind.name == USER else None
    if scope is None or condition is None:
        return scope or condition
    return AllOf((scope, condition))


async def is_in_scope(
    connection: Reader | Writer, context: FilterContext, principal: Principal, found: Resource
) -> bool:
    """Tell whether a client may see a resource."""
    scope = scope_of(principal, context.registry) if found.type == USER else None
    if scope is None:
        return True
    kind = context.registry.resource_types[USER]
    own = Predicate(kind.attributes["id"], "eq", found.id)
    lister = Lister(context, Selection(((kind, AllOf((own, scope))),)))
    return bool(await lister.page(connection, limit=1))


async def is_in_scope_to_change(changes: "Changes", resource_type: ResourceType, id: str) -> None:
    """Raise NotFound for a user outside of the client's scope, as if it were not there."""
    if changes.principal.row_scope is None or resource_type.name != USER:
        return
    found = Resource(USER, canonical_id(id), 1, 0, 0, {})
    if not await is_in_scope(changes.writer, changes.context, changes.principal, found):
        raise NotFound(f"{USER} not found: {id[:80]} is not here.")


async def stays_in_scope(changes: "Changes", changed: Resource) -> None:
    """Raise Forbidden for a change that would move a user out of the client's scope, or make one outside."""
    if not await is_in_scope(changes.writer, changes.context, changes.principal, changed):
        raise Forbidden("The user would be outside of what this client may change.")
