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
from scim_server.store import deleted

if TYPE_CHECKING:
    from scim_server.services.changes import Changes


async def revived(changes: "Changes", document: Document) -> tuple[Resource, bool] | None:
    """Return the former user that a new one's externalId names, and whether it was deleted.

    Only for clients with the switch `revive_former_users`; None for everybody else, for an externalId that
    nobody had, and for a user who is active.
    """
    external_id = document.get("externalId")
    if not changes.principal.policy.revive_former_users or not isinstance(external_id, str):
        return None
    kind = changes.registry.resource_types[USER]
    named = f"externalId eq {quoted(external_id)}"
    inactive = await changes.finder.find(USER, f"{named} and active eq false", 1)
    if inactive:
        return await changes.locked(kind, inactive[0].id), False
    if await changes.finder.find(USER, named, 1):
        return None
    found = await deleted.find_deleted_by(changes.writer, changes.tenant_id, USER, "externalId", external_id)
    return None if found is None else (found, True)


async def undelete(changes: "Changes", former: Resource) -> Resource:
    """Bring a deleted user back as inactive; its unique values have to be free. Raises Uniqueness."""
    kind = changes.registry.resource_types[USER]
    document = dict(former.document)
    keep_facts(document, replace(facts_of(document), status=INACTIVE, lock=None, planned=()))
    catalogue = await changes.catalogue()
    seen = changes.lifecycle.engine.view(document, catalogue, changes.moment)
    await changes.persistence.claim(kind, former.id, unique_keys(seen, kind))
    restored = Resource(USER, former.id, former.version + 1, former.created, changes.moment, seen, {})
    contents = changes.persistence.contents(seen, kind)
    await deleted.undelete(changes.writer, changes.tenant_id, restored, contents)
    await changes.persistence.count(kind, 1)
    return restored
