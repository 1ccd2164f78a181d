"""Documents into rows: unique values claimed, references saved, memberships edited, versions counted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from scim_server.lifecycle.messages import message
from scim_server.lifecycle.urns import ENTERPRISE
from scim_server.scim.contents import (
    References,
    display_of,
    put_references,
    take_references,
    unique_keys,
    without_secrets,
)
from scim_server.scim.errors import Uniqueness
from scim_server.scim.normalize import Document, fold_document
from scim_server.scim.patch.membership import Membership
from scim_server.scim.registry import Registry, ResourceType
from scim_server.scim.resources import ReferenceValue, Resource
from scim_server.security.principals import Principal
from scim_server.services.memberships import MembershipWriter
from scim_server.store import counters, references, resources
from scim_server.store.database import Writer
from scim_server.store.filters.compiler import FilterContext

Boundaries = Sequence[tuple[int, Document]]
"""Moments to come, in microseconds, with the complete document from then on."""
Show = Callable[[Resource], str | None]
"""Returns what is stored of a resource for reading (see scim.shown)."""
_TAKEN: Mapping[str, str] = {f"{ENTERPRISE}:employeeNumber": "R-EMPID-UNIQ"}


def _unshown(_resource: Resource) -> str | None:
    return None


@dataclass(slots=True)
class Persistence:
    """Writes resources of one tenant inside a transaction that the caller owns.

    `expected` maps ids that the transaction is going to make to their types, so that references to them
    are accepted before they are there. `pieces` are what is stored for reading of the resources that were
    written last, None where that does not say all of it; `versions` are the last ones of what was changed.
    """

    writer: Writer
    registry: Registry
    principal: Principal
    context: FilterContext
    moment: int
    expected: dict[str, str] = field(default_factory=dict)
    pieces: dict[str, str | None] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)

    async def insert(
        self,
        resource_type: ResourceType,
        id: str,
        document: Document,
        memberships: Sequence[Membership] = (),
        boundaries: Boundaries = (),
        show: Show = _unshown,
    ) -> Resource:
        """Insert a resource with its complete document; raises InvalidValue.

        Uniqueness is raised before the next statement that is not deferred, or before the commit.
        """
        plain, owned = take_references(without_secrets(document, resource_type), resource_type)
        created = Resource(resource_type.name, id, 1, self.moment, self.moment, plain, _values(owned, {}))
        keys = unique_keys(plain, resource_type)
        await resources.claim_later(
            self.writer, self.principal.tenant_id, resource_type.name, id, keys, _refusing(resource_type)
        )
        contents = self.contents(plain, resource_type, boundaries, self._pieces(created, boundaries, show))
        await resources.insert(self.writer, self.principal.tenant_id, created, contents)
        await self._save_references(created, {}, owned, is_new=True)
        await self.members().apply(created, memberships, self.moment, is_new=True)
        await self.count(resource_type, 1)
        return created

    async def update(
        self,
        resource_type: ResourceType,
        current: Resource,
        before: Document,
        after: Document,
        memberships: Sequence[Membership] = (),
        boundaries: Boundaries = (),
        show: Show = _unshown,
    ) -> tuple[Resource, int]:
        """Write what differs between two complete documents and the membership edits as one new version.

        Returns the resource, which keeps its version where nothing differs, and the number of members that
        came or went. Raises InvalidValue, and as `insert` Uniqueness and LostRace.
        """
        moment = max(self.moment, current.modified + 1)
        after = without_secrets(after, resource_type)
        edited = await self.members().apply(current, memberships, moment)
        if not edited and before == after:
            return current, 0
        old, old_references = take_references(before, resource_type)
        new, new_references = take_references(after, resource_type)
        held, wanted = (unique_keys(one, resource_type) for one in (old, new))
        changed = Resource(
            current.type,
            current.id,
            current.version + 1,
            current.created,
            moment,
            new,
            _values(new_references, current.references),
            stored_version=current.stored_version,
            is_timed=current.is_timed,
        )
        contents = self.contents(new, resource_type, boundaries, self._pieces(changed, boundaries, show))
        tenant_id, kind = self.principal.tenant_id, resource_type.name
        await resources.update(self.writer, tenant_id, changed, contents)
        refuse = _refusing(resource_type)
        await resources.claim_later(self.writer, tenant_id, kind, current.id, wanted - held, refuse)
        await resources.release_unique(self.writer, tenant_id, kind, current.id, held - wanted)
        await self._save_references(changed, old_references, new_references)
        self.versions[changed.id] = changed.version
        return changed, edited

    async def keep_up(
        self, resource_type: ResourceType, current: Resource, after: Document, boundaries: Boundaries
    ) -> None:
        """Store what time has made of a resource, under the version that clients see already.

        Raises LostRace.
        """
        plain, owned = take_references(without_secrets(after, resource_type), resource_type)
        _, held = take_references(put_references(current, resource_type), resource_type)
        kept = replace(current, document=plain)
        contents = self.contents(plain, resource_type, boundaries)
        await resources.update(self.writer, self.principal.tenant_id, kept, contents)
        await self._save_references(kept, held, owned)

    def members(self) -> MembershipWriter:
        """Return what edits memberships."""
        return MembershipWriter(self.writer, self.registry, self.principal, self.context, self.expected)

    def _pieces(self, resource: Resource, boundaries: Boundaries, show: Show) -> str | None:
        """Return what is stored of a resource for reading, and keep it for the answer."""
        self.pieces[resource.id] = None if boundaries else show(resource)
        return self.pieces[resource.id]

    def contents(
        self,
        document: Document,
        resource_type: ResourceType,
        boundaries: Boundaries = (),
        shown: str | None = None,
    ) -> resources.Contents:
        """Return what the row holds of a document without references, now and later."""
        phases = [
            (
                starts,
                _only(fold_document(take_references(later, resource_type)[0], resource_type), self.context),
            )
            for starts, later in boundaries
        ]
        return resources.Contents(
            document,
            fold_document(document, resource_type),
            display_of(document, resource_type),
            [starts for starts, _ in boundaries],
            phases,
            shown,
        )

    async def claim(self, resource_type: ResourceType, id: str, wanted: set[resources.UniqueKey]) -> None:
        """Claim unique values; raises Uniqueness."""
        tenant_id = self.principal.tenant_id
        taken = await resources.claim_unique(self.writer, tenant_id, resource_type.name, id, wanted)
        if taken:
            _refusing(resource_type)(taken)

    async def count(self, resource_type: ResourceType, change: int) -> None:
        """Note that a resource came or went."""
        await counters.count_live(self.writer, self.principal.tenant_id, resource_type.name, change)

    async def _save_references(
        self, resource: Resource, before: References, after: References, *, is_new: bool = False
    ) -> None:
        for key in sorted(set(before) | set(after)):
            if before.get(key) != after.get(key):
                values = after.get(key, {})
                tenant_id = self.principal.tenant_id
                await references.save(
                    self.writer, tenant_id, resource.id, key, values, self.moment, is_new=is_new
                )


def _values(owned: References, held: Mapping[str, list[ReferenceValue]]) -> dict[str, list[ReferenceValue]]:
    """Return references as they are read later: those that were there in their order, new ones by target."""
    found = {}
    for key, values in owned.items():
        place = {value.target: number for number, value in enumerate(held.get(key, ()))}
        targets = sorted(values, key=lambda target: (place.get(target, len(place)), target))
        found[key] = [ReferenceValue(target, payload=values[target][0]) for target in targets]
    return found


def _refusing(resource_type: ResourceType) -> Callable[[Sequence[resources.UniqueKey]], None]:
    """Return what raises Uniqueness for the values that others hold."""

    def refuse(taken: Sequence[resources.UniqueKey]) -> None:
        raise Uniqueness("; ".join(_taken(resource_type, [attribute for attribute, _ in taken])))

    return refuse


def _taken(resource_type: ResourceType, attributes: Sequence[str]) -> list[str]:
    said = [message(_TAKEN[attribute]) for attribute in attributes if attribute in _TAKEN]
    others = [attribute for attribute in attributes if attribute not in _TAKEN]
    return [*said, *([f"Another {resource_type.name} has this {', '.join(others)}."] if others else [])]


def _only(folded: Document, context: FilterContext) -> Document:
    """Return the part of a folded document that varies with time."""
    kept: Document = {}
    for name, value in folded.items():
        if isinstance(value, dict) and name.startswith("urn:"):
            inner = {key: part for key, part in value.items() if f"{name}:{key}" in context.varying}
            if inner:
                kept[name] = inner
        elif name in context.varying:
            kept[name] = value
    return kept
