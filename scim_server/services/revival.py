"""A user who comes back: the same id for a POST that names the externalId of a former one."""

from dataclasses import replace
from typing import TYPE_CHECKING

from scim_server.lifecycle.documents import Document
from scim_server.lifecycle.state import facts_of, keep_facts
from scim_server.lifecycle.status import INACTIVE
from scim_server.scim.contents import unique_keys
from scim_server.scim.resources import Resource
from scim_server.services.lifecycle import USER
from scim_server.services.lookups import quoted
from scim_server.services.row_scope import is_in_scope
from scim_server.store import deleted
from scim_server.store.savepoint import undone

if TYPE_CHECKING:
    from scim_server.services.changes import Changes


async def revived(changes: "Changes", document: Document) -> tuple[Resource, bool] | None:
    """Return the former user that a new one's externalId names, and whether it was deleted.

    Only for clients with the switch `revive_former_users`; None for everybody else, for an externalId that
    nobody had, for a user who is active, and for one outside of what the client is confined to.
    """
    external_id = document.get("externalId")
    if not changes.principal.policy.revive_former_users or not isinstance(external_id, str):
        return None
    kind = changes.registry.resource_types[USER]
    named = f"externalId eq {quoted(external_id)}"
    inactive = await changes.finder.find(USER, f"{named} and active eq false", 1)
    if inactive:
        current = await changes.locked(kind, inactive[0].id)
        return (current, False) if await _is_in_scope(changes, current) else None
    if await changes.finder.find(USER, named, 1):
        return None
    found = await deleted.find_deleted_by(changes.writer, changes.tenant_id, USER, "externalId", external_id)
    if found is None or not await _was_in_scope(changes, found):
        return None
    return found, True


async def _is_in_scope(changes: "Changes", user: Resource) -> bool:
    return await is_in_scope(changes.writer, changes.context, changes.principal, user)


async def _was_in_scope(changes: "Changes", former: Resource) -> bool:
    """Tell whether a deleted user would be one of those that a client sees; nothing is left of the look."""
    if changes.principal.row_scope is None:
        return True
    async with undone(changes.writer):
        await undelete(changes, former)
        return await _is_in_scope(changes, former)


def _as_the_tenant_has_it(changes: "Changes", document: Document) -> Document:
    """Return a document without content in private schemas that the tenant does not have any more."""
    whole, own = changes.registry.resource_types[USER], changes.own_kind(USER)
    gone = whole.extensions.keys() - own.extensions.keys()
    return {name: value for name, value in document.items() if name.lower() not in gone}


async def undelete(changes: "Changes", former: Resource) -> Resource:
    """Bring a deleted user back as inactive; its unique values have to be free. Raises Uniqueness."""
    kind = changes.registry.resource_types[USER]
    document = _as_the_tenant_has_it(changes, former.document)
    keep_facts(document, replace(facts_of(document), status=INACTIVE, lock=None, planned=()))
    catalogue = await changes.catalogue()
    seen = changes.lifecycle.engine.view(document, catalogue, changes.moment)
    await changes.persistence.claim(kind, former.id, unique_keys(seen, kind))
    restored = Resource(USER, former.id, former.version + 1, former.created, changes.moment, seen, {})
    contents = changes.persistence.contents(seen, kind)
    await deleted.undelete(changes.writer, changes.tenant_id, restored, contents)
    await changes.persistence.count(kind, 1)
    return restored
