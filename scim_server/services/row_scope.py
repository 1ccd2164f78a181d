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
from scim_server.services.audit import ABOUT_USERS, AUDIT_EVENT
from scim_server.services.lifecycle import USER
from scim_server.store import references
from scim_server.store.database import Reader, Writer
from scim_server.store.filters.compiler import FilterContext
from scim_server.store.listing import Lister, Selection

if TYPE_CHECKING:
    from scim_server.services.changes import Changes


def check_readable(principal: Principal, kind: ResourceType) -> None:
    """Raise Forbidden for a list that a confined client cannot have: it would speak of everybody's users."""
    if not is_listed(principal, kind):
        raise Forbidden(f"A client that is confined to some users cannot list resources of type {kind.name}.")


def is_listed(principal: Principal, kind: ResourceType) -> bool:
    """Tell whether a list of a type may go to a client as far as its row scope is concerned."""
    return principal.row_scope is None or (kind.name not in ABOUT_USERS and kind.name != AUDIT_EVENT)


def check_changeable(principal: Principal, kind: ResourceType) -> None:
    """Raise Forbidden where a confined client would change what everybody shares."""
    if principal.row_scope is not None and kind.name != USER and kind.name not in ABOUT_USERS:
        raise Forbidden(f"A client that is confined to some users changes no resources of type {kind.name}.")


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
    scope = scope_of(principal, context.registry)
    if scope is None:
        return True
    user_id = found.id if found.type == USER else await _user_of(connection, context, found)
    if user_id is None:
        return found.type not in ABOUT_USERS
    kind = context.registry.resource_types[USER]
    own = Predicate(kind.attributes["id"], "eq", user_id)
    lister = Lister(context, Selection(((kind, AllOf((own, scope))),)))
    return bool(await lister.page(connection, limit=1))


async def _user_of(connection: Reader | Writer, context: FilterContext, found: Resource) -> str | None:
    """Return the id of the user that a resource is about, None where it is about none."""
    name = ABOUT_USERS.get(found.type)
    if name is None:
        return None
    attribute = context.registry.resource_types[found.type].attributes[name]
    named = await references.of_sources(
        connection, context.tenant_id, [found.id], [attribute], now=context.now
    )
    values = named.get(found.id, {}).get(attribute.storage_key, [])
    return values[0].target if values else None


async def is_in_scope_to_change(changes: "Changes", resource_type: ResourceType, id: str) -> None:
    """Raise NotFound for what is about a user outside of the client's scope, as if it were not there."""
    found = Resource(resource_type.name, canonical_id(id), 1, 0, 0, {})
    if not await is_in_scope(changes.writer, changes.context, changes.principal, found):
        raise NotFound(f"{resource_type.name} not found: {id[:80]} is not here.")


async def stays_in_scope(changes: "Changes", changed: Resource) -> None:
    """Raise Forbidden for a change that would move a user out of the client's scope, or make one outside."""
    if changed.type == USER and not await is_in_scope(
        changes.writer, changes.context, changes.principal, changed
    ):
        raise Forbidden("The user would be outside of what this client may change.")
