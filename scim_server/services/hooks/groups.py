"""Groups that stand for a role, department, location, entitlement or team: members get and lose it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from scim_server.lifecycle.assignments import (
    DEPARTMENTS,
    LOCATIONS,
    OWNER,
    PERMISSIONS,
    ROLES,
    Kind,
    keep,
    rows,
)
from scim_server.lifecycle.documents import Document, get, put
from scim_server.lifecycle.urns import CONNECTOR, MAPPING
from scim_server.scim.errors import InvalidValue
from scim_server.scim.patch.membership import Membership
from scim_server.scim.resources import Resource
from scim_server.security.principals import ASSIGN_ROLE, MANAGE_PERMISSIONS, UPDATE
from scim_server.services.hooks.base import Hook, Members
from scim_server.store import references

if TYPE_CHECKING:
    from scim_server.services.changes import Changes

TEAM = "team"
_KINDS: dict[str, tuple[Kind, str]] = {
    "role": (ROLES, ASSIGN_ROLE),
    "department": (DEPARTMENTS, UPDATE),
    "location": (LOCATIONS, UPDATE),
    "entitlement": (PERMISSIONS, MANAGE_PERMISSIONS),
}
_MEMBERS = "members"
Ids = frozenset[str]


class GroupHook(Hook):
    """Turns the memberships of a mapped group into assignments that the group owns."""

    async def creating(self, changes: "Changes", _id: str, document: Document) -> Document:
        """Name what the group maps to."""
        return await _named(changes, {}, document)

    async def created(
        self, changes: "Changes", created: Resource, document: Document, members: dict[str, list[str]]
    ) -> None:
        """Give the first members what the group stands for."""
        if _is_mapped(document):
            await _assign(changes, created.id, document, frozenset(members.get(_MEMBERS, ())))

    async def changing(
        self, changes: "Changes", _current: Resource, before: Document, after: Document
    ) -> Document:
        """Name what the group maps to."""
        return await _named(changes, before, after)

    async def before_members(
        self,
        changes: "Changes",
        current: Resource,
        before: Document,
        after: Document,
        memberships: Sequence[Membership],
    ) -> Members | None:
        """Return who of those that the edits concern is a member now; everybody where the mapping changes."""
        if not _is_mapped(before) and not _is_mapped(after):
            return None
        concerned = _concerned(before, after, memberships)
        return Members(await _present(changes, current.id, concerned), concerned)

    async def changed(
        self,
        changes: "Changes",
        changed: Resource,
        before: Document,
        after: Document,
        members: Members | None,
    ) -> None:
        """Take from former members and give to new ones what the group stands for."""
        if members is None:
            return
        same = _same_meaning(before, after)
        present = await _present(changes, changed.id, members.concerned)
        gone = members.present - present if same else members.present
        fresh = present - members.present if same else present
        await _assign(changes, changed.id, after, fresh)
        await _unassign(changes, changed.id, before, gone)

    async def deleting(self, changes: "Changes", current: Resource, before: Document) -> None:
        """Take from all members what the group stood for."""
        if _is_mapped(before):
            await _unassign(changes, current.id, before, await _present(changes, current.id, None))


def _is_mapped(document: Document) -> bool:
    return (get(document, MAPPING, "kind") in _KINDS and bool(get(document, MAPPING, "mapsTo"))) or (
        get(document, MAPPING, "kind") == TEAM
    )


def _same_meaning(before: Document, after: Document) -> bool:
    """Tell whether a group stands for the same as before; a team is what the group is called."""
    if before.get(MAPPING) != after.get(MAPPING):
        return False
    return get(after, MAPPING, "kind") != TEAM or before.get("displayName") == after.get("displayName")


def _concerned(before: Document, after: Document, memberships: Sequence[Membership]) -> Ids | None:
    if not _same_meaning(before, after):
        return None
    edits = [edit for membership in memberships for edit in membership.edits]
    if any(edit.cleared or edit.condition is not None for edit in edits):
        return None
    return frozenset(target for edit in edits for target in (*edit.added, *edit.removed))


async def _present(changes: "Changes", id: str, among: Ids | None) -> Ids:
    return frozenset(await references.targets_of(changes.writer, changes.tenant_id, id, _MEMBERS, among))


async def _named(changes: "Changes", before: Document, after: Document) -> Document:
    mapping = after.get(MAPPING)
    if not mapping or mapping == before.get(MAPPING):
        return after
    kind, target = mapping.get("kind"), mapping.get("mapsTo")
    if kind not in _KINDS:
        if target:
            raise InvalidValue(f"{MAPPING}:mapsTo needs a kind that maps: {', '.join(_KINDS)}")
        return after
    assigned, permission = _KINDS[kind]
    changes.principal.require(permission)
    if target is None:
        return after
    entry = (await changes.catalogue()).table(assigned.type).find(target["value"])
    if entry is None:
        raise InvalidValue(f"{MAPPING}:mapsTo: {assigned.type} {target['value'][:80]} does not exist")
    return {**after, MAPPING: {**mapping, "mapsTo": {**target, "value": entry.id}}}


async def _assign(changes: "Changes", group_id: str, group: Document, members: Ids) -> None:
    if not members or not _is_mapped(group):
        return
    kind, target = _target(group_id, group)

    def work(document: Document) -> None:
        if kind is None:
            put(document, CONNECTOR, "teamCode", target)
        elif target not in {row["value"] for row in rows(document, kind)}:
            keep(document, kind, [*rows(document, kind), {"value": target}])

    await _each(changes, group_id, kind, sorted(members), work)


async def _unassign(changes: "Changes", group_id: str, group: Document, members: Ids) -> None:
    if not members or not _is_mapped(group):
        return
    kind, target = _target(group_id, group)

    def work(document: Document) -> None:
        if kind is None:
            if get(document, CONNECTOR, "teamCode") == target:
                put(document, CONNECTOR, "teamCode", None)
            return
        kept = [row for row in rows(document, kind) if row["value"] != target or row.get(OWNER) != group_id]
        keep(document, kind, kept)

    left = [member for member in sorted(members) if not await _handed_over(changes, group_id, group, member)]
    await _each(changes, group_id, kind, left, work)


async def _handed_over(changes: "Changes", group_id: str, group: Document, member: str) -> bool:
    """Give an assignment to another group of the member with the same meaning; tell whether there is one."""
    kind, target = _target(group_id, group)
    meaning = f'{MAPPING}:kind eq "{get(group, MAPPING, "kind")}"'
    if kind is not None:
        meaning += f' and {MAPPING}:mapsTo.value eq "{target}"'
    others = f'{meaning} and members.value eq "{member}" and id ne "{group_id}"'
    heirs = await changes.finder.find("Group", others, 1)
    if not heirs:
        return False

    def work(document: Document) -> None:
        if kind is None:
            if get(document, CONNECTOR, "teamCode") == target:
                put(document, CONNECTOR, "teamCode", heirs[0].document["displayName"])
            return
        is_own = [row["value"] == target and row.get(OWNER) == group_id for row in rows(document, kind)]
        pairs = zip(rows(document, kind), is_own, strict=True)
        keep(document, kind, [{**row, OWNER: heirs[0].id} if own else row for row, own in pairs])

    await changes.adjust(member, work, "user.update", actor=changes.call.actor)
    return True


def _target(group_id: str, group: Document) -> tuple[Kind | None, str]:
    """Return the kind and the id of what a mapped group stands for; of a team None and its name."""
    kind = get(group, MAPPING, "kind")
    if kind == TEAM:
        return None, group.get("displayName", group_id)
    return _KINDS[kind][0], get(group, MAPPING, "mapsTo")["value"]


async def _each(
    changes: "Changes",
    group_id: str,
    kind: Kind | None,
    members: Sequence[str],
    work: Callable[[Document], None],
) -> None:
    if kind is not None:
        changes.principal.require(next(permission for one, permission in _KINDS.values() if one is kind))
    for member in members:
        await changes.users.assign(member, group_id, work)
