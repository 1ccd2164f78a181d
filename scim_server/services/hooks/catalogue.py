"""Roles, entitlements, departments and locations: checked, counted as a new version, holders recalculated."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from scim_server.lifecycle import assignments
from scim_server.lifecycle.assignments import KINDS
from scim_server.lifecycle.catalogue import DEPARTMENT, LOCATION, ROLE, Catalogue, Entry
from scim_server.lifecycle.documents import Document, get
from scim_server.lifecycle.messages import message
from scim_server.lifecycle.money import parse_amount
from scim_server.lifecycle.policies import LEVELS
from scim_server.lifecycle.urns import ROLE_GOVERNANCE
from scim_server.scim.errors import Conflict, InvalidValue
from scim_server.scim.resources import Resource
from scim_server.security.principals import ASSIGN_ROLE, CONFIGURE_FINANCE, MANAGE_PERMISSIONS
from scim_server.services import effects
from scim_server.services.hooks.base import Hook, Members
from scim_server.services.lookups import leaves_no_administrator
from scim_server.store import catalogue as rows
from scim_server.store import holders

if TYPE_CHECKING:
    from scim_server.services.changes import Changes

MOST_HOLDERS = 500
"""Users from whom one deletion of an entry of the catalogue takes it, all in its transaction."""
_POINTING = (("parent", None), ("defaultRoles", ROLE))


class CatalogueHook(Hook):
    """Keeps the catalogue consistent and brings those up to date who hold what changed."""

    async def creating(self, changes: "Changes", _id: str, document: Document) -> Document:
        """Name what it points at, and check amounts."""
        _check_limits(changes, {}, document)
        await _check_default_roles(changes, {}, document)
        return await _named(changes, document, None)

    async def created(
        self, changes: "Changes", created: Resource, document: Document, _members: dict[str, list[str]]
    ) -> None:
        """Make a new version of the catalogue and complete the users that waited for this."""
        entry = Entry(created.id, created.type, document)
        await _renew(changes, (await changes.catalogue()).having(entry))
        await effects.resolve_waiting(changes, created.type, created.id, entry.keys)

    async def changing(
        self, changes: "Changes", current: Resource, before: Document, after: Document
    ) -> Document:
        """Name what it points at, refuse circles, and check amounts."""
        _check_limits(changes, before, after)
        if await _check_default_roles(changes, before, after) and await _holds(changes, current):
            raise effects.to_oneself("a role")
        await _check_own_role(changes, current, before, after)
        if before.get("value") != after.get("value"):
            await _keep_administrators(changes, current, after)
        return await _named(changes, after, current)

    async def changed(
        self,
        changes: "Changes",
        changed: Resource,
        before: Document,
        after: Document,
        _members: Members | None,
    ) -> None:
        """Make a new version, complete those that waited for a new name, and recalculate the holders."""
        entry = Entry(changed.id, changed.type, after)
        await _renew(changes, (await changes.catalogue()).having(entry))
        fresh = entry.keys - Entry(changed.id, changed.type, before).keys
        if fresh:
            await effects.resolve_waiting(changes, changed.type, changed.id, fresh)
        await changes.users.recalculate(await _holders(changes, changed))

    async def deleting(self, changes: "Changes", current: Resource, _before: Document) -> None:
        """Take it from those who hold it, and remember whom it concerns besides."""
        await _keep_administrators(changes, current)
        kind = next(one for one in KINDS if one.type == current.type)
        concerned = await _holders(changes, current)
        if len(concerned) > MOST_HOLDERS:
            raise Conflict(
                f"{len(concerned)} users have {current.type} {current.id} or one below; {MOST_HOLDERS} at "
                "most can lose it at once: take it from some of them first."
            )

        def work(user: Document) -> None:
            kept = [row for row in assignments.rows(user, kind) if row["value"] != current.id]
            assignments.keep(user, kind, kept)
            assignments.settle_primary(user, user, kind)

        for user_id in concerned:
            await changes.adjust(user_id, work, "user.reference.deleted", actor=changes.call.actor)
        changes.holders = concerned

    async def deleted(self, changes: "Changes", current: Resource, _before: Document) -> None:
        """Make a new version and recalculate those whom it concerned."""
        await _renew(changes, (await changes.catalogue()).without(current.type, current.id))
        await changes.users.recalculate(changes.holders)


async def _keep_administrators(changes: "Changes", current: Resource, after: Document | None = None) -> None:
    """Refuse people to take the role away, or its name, by which the last administrators administer."""
    catalogue = await changes.catalogue()
    names = {name.lower() for name in catalogue.policies.administrator_roles}
    if current.type != ROLE or (after is not None and str(after.get("value")).lower() in names):
        return
    is_last = await leaves_no_administrator(changes.finder, catalogue, current.id, changes.moment)
    if is_last and await changes.enforces("R-LASTADMIN"):
        raise Conflict(message("R-LASTADMIN"))


async def _renew(changes: "Changes", catalogue: Catalogue) -> None:
    await rows.bump(changes.writer, changes.tenant_id)
    changes.catalogue_changed(catalogue)


async def _holders(changes: "Changes", resource: Resource, *, directly: bool = False) -> list[str]:
    """Return who holds it or, unless only those are asked for who do directly, anything below it."""
    kind = next(one for one in KINDS if one.type == resource.type)
    user = changes.registry.resource_types["User"]
    attribute = user.resolve(kind.path)
    if attribute is None:
        return []
    catalogue = await changes.catalogue()
    below = [
        entry.id
        for entry in catalogue.table(resource.type)
        if not directly and resource.id in {above.id for above in catalogue.ancestors(entry)}
    ]
    return await holders.sources_of(
        changes.writer, changes.tenant_id, attribute.storage_key, [resource.id, *below], now=changes.moment
    )


async def _named(changes: "Changes", document: Document, current: Resource | None) -> Document:
    """Return a document whose references inside the catalogue are ids. Raises InvalidValue."""
    catalogue = await changes.catalogue()
    named = dict(document)
    violations: list[str] = []
    for attribute, type_name in _POINTING:
        value = document.get(attribute)
        kind = type_name or (current.type if current else _own_type(document))
        for item in value if isinstance(value, list) else [value] if value else ():
            entry = catalogue.table(kind).find(item["value"])
            if entry is None and item["value"] not in changes.persistence.expected:
                violations.append(f"{attribute}: {kind} {item['value'][:80]} does not exist")
            elif entry is not None:
                item["value"] = entry.id
    if violations:
        raise InvalidValue.of(violations)
    if current is not None and _is_circular(catalogue, current, named):
        raise InvalidValue(f"parent: {current.id} cannot be above itself")
    manager = named.get("manager")
    if manager:
        found = await changes.finder.users_called(manager["value"])
        if len(found) == 1:
            named["manager"] = {**manager, "value": found[0]}
    return named


def _own_type(document: Document) -> str:
    return LOCATION if "type" in document else DEPARTMENT


def _is_circular(catalogue: Catalogue, current: Resource, document: Document) -> bool:
    parent = document.get("parent")
    entry = catalogue.table(current.type).get(parent["value"]) if parent else None
    if entry is None:
        return False
    return current.id in {entry.id, *(above.id for above in catalogue.ancestors(entry))}


async def _check_default_roles(changes: "Changes", before: Document, after: Document) -> bool:
    """Refuse default roles that the client may not assign; protected ones are for who manages permissions.

    Returns whether there are new ones that the client must not get itself.
    """
    chosen = after.get("defaultRoles") or ()
    former = before.get("defaultRoles") or ()
    if chosen == former:
        return False
    changes.principal.require(ASSIGN_ROLE)
    table = (await changes.catalogue()).roles
    entries = [entry for item in chosen if (entry := table.find(item["value"]))]
    if any(entry.names("assignableBy") for entry in entries):
        changes.principal.require(MANAGE_PERMISSIONS)
    is_new = not {entry.id for entry in entries} <= {item["value"] for item in former}
    return is_new and changes.principal.user_id is not None and await changes.enforces("R-ROLE-AUTH")


async def _check_own_role(changes: "Changes", current: Resource, before: Document, after: Document) -> None:
    """Refuse to raise what a role brings to the user that the client is bound to (R-SELF)."""
    if current.type != ROLE or changes.principal.user_id is None:
        return
    raised = []
    if _is_limit_raised(before, after) and await changes.enforces("R-LIMIT-SELF"):
        raised.append("an approval limit")
    if _level(after) > _level(before) and await changes.enforces("R-CLEAR-SELF"):
        raised.append("a clearance")
    if raised and changes.principal.user_id in await _holders(changes, current):
        raise effects.to_oneself(raised[0])


async def _holds(changes: "Changes", department: Resource) -> bool:
    return changes.principal.user_id in await _holders(changes, department, directly=True)


def _is_limit_raised(before: Document, after: Document) -> bool:
    former, later = _amounts(before), _amounts(after)
    return any(amount > former.get(key, 0) for key, amount in later.items())


def _amounts(role: Document) -> dict[tuple[Any, Any], Decimal]:
    """Return the highest amount of each type and currency."""
    highest: dict[tuple[Any, Any], Decimal] = {}
    for limit in get(role, ROLE_GOVERNANCE, "defaultApprovalLimits") or ():
        key = (limit.get("type"), limit.get("currency"))
        highest[key] = max(highest.get(key, Decimal(0)), Decimal(str(limit.get("amount", 0))))
    return highest


def _level(role: Document) -> int:
    level = get(role, ROLE_GOVERNANCE, "clearanceLevel")
    return LEVELS.index(level) if level in LEVELS else -1


def _check_limits(changes: "Changes", before: Document, after: Document) -> None:
    """Refuse default approval limits that are no amounts, or that the client may not set."""
    limits = get(after, ROLE_GOVERNANCE, "defaultApprovalLimits")
    if limits == get(before, ROLE_GOVERNANCE, "defaultApprovalLimits"):
        return
    changes.principal.require(CONFIGURE_FINANCE)
    violations = []
    for limit in limits or ():
        try:
            parse_amount(limit.get("amount", 0), limit.get("currency", ""))
        except ValueError as error:
            violations.append(str(error))
    if violations:
        raise InvalidValue.of(violations)
