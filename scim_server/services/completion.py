"""Resources completed for an answer: users as they are now, counts and heads where they are asked for."""

from collections.abc import Sequence
from dataclasses import replace

from scim_server.lifecycle.assignments import KINDS
from scim_server.lifecycle.catalogue import CATALOGUE_TYPES, Catalogue
from scim_server.lifecycle.dates import text_of
from scim_server.lifecycle.documents import Document, get, put
from scim_server.lifecycle.state import set_fact
from scim_server.lifecycle.urns import LIFECYCLE
from scim_server.scim.contents import put_references, take_references
from scim_server.scim.documents import copied
from scim_server.scim.registry import Registry, ResourceType
from scim_server.scim.resources import ReferenceValue, Resource
from scim_server.security.principals import LIFECYCLE as MANAGE_LIFECYCLE
from scim_server.security.principals import READING, Principal
from scim_server.services.lifecycle import SEEN_UNDER, USER, Lifecycle
from scim_server.services.loading import Projections
from scim_server.store import clients, holders
from scim_server.store.database import Reader, Writer

_COUNTS = {"Role": "totalAssignmentsUsed", "Entitlement": "totalAssignmentsUsed"}
_NOTES = {USER: f"{LIFECYCLE}:statusReason.note", "AccountAction": "note", "ScheduledChange": "note"}
"""Where administrators note something for themselves (S4 Step 4), by resource type."""
_GROUP, _MEMBERS_OF = "Group", "members"
_MEMBERS = frozenset(
    {_MEMBERS_OF, *(f"{_MEMBERS_OF}.{name}" for name in ("value", "$ref", "type", "display"))}
)
_HEADS = "department:2.0:User:departments"


async def complete(
    connection: Reader | Writer,
    lifecycle: Lifecycle,
    principal: Principal,
    catalogue: Catalogue,
    resources: Sequence[Resource],
    projections: Projections,
    now: int,
) -> None:
    """Fill in what is not stored: what time makes of users, counts, heads of departments, use of tokens.

    Notes of administrators are left out for a client that does not administer the life cycle of users, and
    of groups what a client may not know of its members.
    """
    registry, tenant_id = lifecycle.registry, principal.tenant_id
    for resource in resources:
        if resource.type == USER:
            complete_user(lifecycle, catalogue, resource, registry.resource_types[USER], now)
    for name in CATALOGUE_TYPES:
        await _count(connection, registry, tenant_id, resources, projections, name, now)
    if principal.row_scope is None:
        await _show_heads(connection, registry, tenant_id, resources, projections, now)
    await _show_tokens(connection, tenant_id, resources, now)
    await _show_obligations(connection, registry, tenant_id, resources, projections)
    if MANAGE_LIFECYCLE not in principal.permissions:
        _hide_notes(resources)
    if _hidden_of_members(principal):
        _hide_members(principal, resources)


def hidden_paths(principal: Principal, resource_type: ResourceType) -> frozenset[str]:
    """Return the paths of what a type has that a client is not shown, and cannot ask about either."""
    if resource_type.name == _GROUP:
        return _hidden_of_members(principal)
    if MANAGE_LIFECYCLE in principal.permissions or resource_type.name not in _NOTES:
        return frozenset()
    return frozenset({_NOTES[resource_type.name]})


def without_notes(principal: Principal, type_name: str, path: str, sides: Document) -> Document | None:
    """Return the values of a change without notes that a client is not shown, None where it is only that."""
    if MANAGE_LIFECYCLE in principal.permissions or type_name not in _NOTES:
        return sides
    if path.rpartition(".")[2] == "note":
        return None
    return {
        side: {name: one for name, one in value.items() if name != "note"}
        if isinstance(value, dict)
        else value
        for side, value in sides.items()
    }


def _hidden_of_members(principal: Principal) -> frozenset[str]:
    """Return the paths of groups that would tell a client of users that it does not see."""
    if principal.row_scope is not None:
        return _MEMBERS
    return frozenset() if principal.may(USER, READING) else frozenset({f"{_MEMBERS_OF}.display"})


def _hide_members(principal: Principal, resources: Sequence[Resource]) -> None:
    for resource in resources:
        if resource.type != _GROUP or _MEMBERS_OF not in resource.references:
            continue
        if principal.row_scope is not None:
            del resource.references[_MEMBERS_OF]
        else:
            shown = resource.references[_MEMBERS_OF]
            resource.references[_MEMBERS_OF] = [replace(value, display=None) for value in shown]


def _hide_notes(resources: Sequence[Resource]) -> None:
    for resource in resources:
        reason = get(resource.document, LIFECYCLE, "statusReason") or {}
        if resource.type == USER and "note" in reason:
            document = copied(resource.document)
            set_fact(document, "statusReason", note=None)
            resource.document = document
        elif resource.type in _NOTES:
            resource.document = {name: value for name, value in resource.document.items() if name != "note"}


def complete_user(
    lifecycle: Lifecycle, catalogue: Catalogue, user: Resource, resource_type: ResourceType, now: int
) -> None:
    """Turn a loaded user into what clients see at a moment.

    What is stored is that already, as long as no boundary has passed and the catalogue is the same.
    """
    if user.version == user.stored_version and user.document.get(SEEN_UNDER) == catalogue.version:
        return
    seen = lifecycle.engine.view(put_references(user, resource_type), catalogue, now)
    user.document, owned = take_references(seen, resource_type)
    for key, values in owned.items():
        known = {value.target: value for value in user.references.get(key, ())}
        user.references[key] = [
            ReferenceValue(
                target,
                known[target].target_type if target in known else None,
                known[target].display if target in known else None,
                payload,
            )
            for target, (payload, _) in values.items()
        ]
    for attribute in resource_type.references:
        if attribute.reference_kind == "single source" and attribute.storage_key not in owned:
            user.references.pop(attribute.storage_key, None)


async def _count(
    connection: Reader | Writer,
    registry: Registry,
    tenant_id: int,
    resources: Sequence[Resource],
    projections: Projections,
    name: str,
    now: int,
) -> None:
    own = [resource for resource in resources if resource.type == name]
    counted = _COUNTS.get(name, "memberCount")
    attribute = registry.resource_types[name].resolve(counted) if own else None
    if attribute is None or not projections[name].keeps(attribute):
        return
    kind = next(one for one in KINDS if one.type == name)
    assigned = registry.resource_types[USER].resolve(kind.path)
    for resource in own:
        if assigned is not None:
            key = assigned.storage_key
            count = await holders.count_sources(connection, tenant_id, key, resource.id, now)
            resource.document = {**resource.document, counted: count}


async def _show_heads(
    connection: Reader | Writer,
    registry: Registry,
    tenant_id: int,
    resources: Sequence[Resource],
    projections: Projections,
    now: int,
) -> None:
    own = [resource for resource in resources if resource.type == "Department"]
    attribute = registry.resource_types["Department"].resolve("heads") if own else None
    if attribute is None or not projections["Department"].keeps(attribute):
        return
    heads = await holders.heads_of(connection, tenant_id, _HEADS, [one.id for one in own], now)
    for resource in own:
        shown = [{"value": head, "display": display} for head, display in heads.get(resource.id, ())]
        if shown:
            resource.document = {**resource.document, "heads": shown}


async def _show_tokens(
    connection: Reader | Writer, tenant_id: int, resources: Sequence[Resource], now: int
) -> None:
    own = {resource.id: resource for resource in resources if resource.type == "ApiToken"}
    if not own:
        return
    for own_id, row in (await clients.tokens_by_id(connection, tenant_id, list(own))).items():
        shown: Document = {}
        if row.last_used is not None:
            shown["lastUsedAt"] = text_of(row.last_used)
        if row.revoked is not None:
            shown |= {"status": "revoked", "revokedAt": text_of(row.revoked)}
            shown |= {"revokedBy": row.revoked_by} if row.revoked_by else {}
        elif row.expires is not None and row.expires <= now:
            shown["status"] = "expired"
        own[own_id].document = {**own[own_id].document, **shown}


async def _show_obligations(
    connection: Reader | Writer,
    registry: Registry,
    tenant_id: int,
    resources: Sequence[Resource],
    projections: Projections,
) -> None:
    own = {resource.id: resource for resource in resources if resource.type == USER}
    attribute = registry.resource_types[USER].resolve(f"{LIFECYCLE}:obligations") if own else None
    if attribute is None or not projections[USER].keeps(attribute):
        return
    found = await holders.open_obligations(connection, tenant_id, list(own))
    for user_id, obligations in found.items():
        shown = [
            {
                "value": own_id,
                **{name: document[name] for name in ("kind", "source", "display") if name in document},
            }
            for own_id, document in obligations
        ]
        document = dict(own[user_id].document)
        put(document, LIFECYCLE, "obligations", shown)
        own[user_id].document = document
