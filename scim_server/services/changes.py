"""Creating, replacing, patching and deleting one resource inside a transaction that the caller owns."""

from dataclasses import dataclass, field
from typing import Any

from scim_server.scim.attributes import ReferenceKind
from scim_server.scim.contents import (
    References,
    display_of,
    put_references,
    take_memberships,
    take_references,
    unique_keys,
    with_defaults,
    without_secrets,
)
from scim_server.scim.errors import NotFound, Uniqueness
from scim_server.scim.identifiers import canonical_id
from scim_server.scim.normalize import Document, Normalizer, fold_document
from scim_server.scim.patch.apply import apply_patch
from scim_server.scim.patch.membership import Membership
from scim_server.scim.patch.operations import Operation
from scim_server.scim.preconditions import check_if_match
from scim_server.scim.registry import Registry, ResourceType
from scim_server.scim.replace import mentioned_memberships, replaced, stated_schemas
from scim_server.scim.resources import ReferenceValue, Resource
from scim_server.security.principals import CREATE, DELETE, UPDATE, Principal
from scim_server.services.memberships import MembershipWriter
from scim_server.store import counters, references, resources
from scim_server.store.clock import now
from scim_server.store.database import Writer
from scim_server.store.filters.compiler import FilterContext
from scim_server.store.identifiers import new_id


def not_found(resource_type: ResourceType, id: str) -> NotFound:
    """Return the error for an id that names nothing."""
    return NotFound(f"{resource_type.name} {id[:80]} is not here.")


@dataclass(slots=True)
class Changes:
    """The changes of one transaction, made for one principal.

    `expected` maps ids that the transaction is going to make to their types, so that references
    to them are accepted before they are there.
    """

    writer: Writer
    registry: Registry
    principal: Principal
    context: FilterContext
    expected: dict[str, str] = field(default_factory=dict)

    async def create(self, resource_type: ResourceType, data: Any, *, id: str | None = None) -> Resource:
        """Create a resource from a POST body; `id` is given where a Bulk request fixed it before.

        Raises Forbidden, InvalidSyntax, InvalidValue with every violation, and Uniqueness.
        """
        self.principal.require(CREATE)
        document = Normalizer(resource_type, self.principal.policy).resource(data)
        document = without_secrets(with_defaults(document, resource_type), resource_type)
        document, members = take_memberships(document, resource_type)
        plain, owned = take_references(document, resource_type)
        moment = now()
        created = Resource(resource_type.name, id or new_id(), 1, moment, moment, plain)
        await self._claim(resource_type, created.id, unique_keys(plain, resource_type))
        await resources.insert(
            self.writer, self.principal.tenant_id, created, self._contents(plain, resource_type)
        )
        await self._save_references(created, {}, owned, moment)
        memberships = [
            membership
            for attribute in resource_type.references_of(ReferenceKind.MEMBERSHIP)
            if (membership := _replacement(attribute, members.get(attribute.storage_key, [])))
        ]
        await self._members().apply(created, memberships, moment, is_new=True)
        await counters.count_live(self.writer, self.principal.tenant_id, resource_type.name, 1)
        return created

    async def replace(
        self, resource_type: ResourceType, id: str, data: Any, *, if_match: str | None = None
    ) -> Resource:
        """Replace a resource by a PUT body; a body that says nothing new leaves the version.

        Raises NotFound, PreconditionFailed, and as `create`; Mutability for immutable attributes.
        """
        self.principal.require(UPDATE)
        current = await self._locked(resource_type, id, if_match)
        policy = self.principal.policy
        stated = Normalizer(resource_type, policy).resource(data)
        stated, members = take_memberships(stated, resource_type)
        before = put_references(current, resource_type)
        after = replaced(before, stated, resource_type, policy, stated_schemas(data))
        mentioned = mentioned_memberships(data, resource_type)
        memberships = []
        for attribute in resource_type.references_of(ReferenceKind.MEMBERSHIP):
            key = attribute.storage_key
            if key in mentioned or not policy.keep_omitted_in_replace:
                memberships.append(Membership(attribute))
                memberships[-1].replace(members.get(key, []))
        return await self._store(resource_type, current, before, after, memberships)

    async def patch(
        self,
        resource_type: ResourceType,
        id: str,
        operations: list[Operation],
        *,
        if_match: str | None = None,
    ) -> Resource:
        """Apply PATCH operations, all or none; operations that change nothing leave the version.

        Raises NotFound, PreconditionFailed, and as scim.patch.apply.apply_patch; Uniqueness.
        """
        self.principal.require(UPDATE)
        current = await self._locked(resource_type, id, if_match)
        before = put_references(current, resource_type)
        result = apply_patch(before, operations, resource_type, self.principal.policy, id=current.id)
        return await self._store(resource_type, current, before, result.document, list(result.memberships))

    async def delete(self, resource_type: ResourceType, id: str, *, if_match: str | None = None) -> None:
        """Delete a resource and every reference to it; raises NotFound and PreconditionFailed."""
        self.principal.require(DELETE)
        tenant_id = self.principal.tenant_id
        current = await self._locked(resource_type, id, if_match)
        moment = now()
        await resources.mark_deleted(self.writer, tenant_id, current.id, moment)
        sources = await references.forget(self.writer, tenant_id, current.id)
        await resources.touch(self.writer, tenant_id, sources, moment)
        await counters.count_live(self.writer, tenant_id, resource_type.name, -1)

    async def _locked(self, resource_type: ResourceType, id: str, if_match: str | None) -> Resource:
        tenant_id = self.principal.tenant_id
        current = await resources.fetch_for_update(
            self.writer, tenant_id, resource_type.name, canonical_id(id)
        )
        if current is None:
            raise not_found(resource_type, id)
        check_if_match(if_match, current.etag)
        owned = resource_type.references_of(ReferenceKind.SINGLE_SOURCE)
        found = await references.of_sources(self.writer, tenant_id, [current.id], owned)
        current.references = found.get(current.id, {})
        return current

    async def _store(
        self,
        resource_type: ResourceType,
        current: Resource,
        before: Document,
        after: Document,
        memberships: list[Membership],
    ) -> Resource:
        """Write what differs between two documents and the membership edits, as one new version."""
        moment = max(now(), current.modified + 1)
        after = without_secrets(after, resource_type)
        old, old_references = take_references(before, resource_type)
        new, new_references = take_references(after, resource_type)
        edited = await self._members().apply(current, memberships, moment)
        if not edited and old == new and old_references == new_references:
            return current
        await self._claim(
            resource_type, current.id, unique_keys(new, resource_type), held=unique_keys(old, resource_type)
        )
        changed = Resource(
            current.type, current.id, current.version + 1, current.created, moment, new, current.references
        )
        await resources.update(
            self.writer, self.principal.tenant_id, changed, self._contents(new, resource_type)
        )
        await self._save_references(changed, old_references, new_references, moment)
        return changed

    def _members(self) -> MembershipWriter:
        return MembershipWriter(self.writer, self.registry, self.principal, self.context, self.expected)

    def _contents(self, document: Document, resource_type: ResourceType) -> resources.Contents:
        return resources.Contents(
            document, fold_document(document, resource_type), display_of(document, resource_type)
        )

    async def _claim(
        self,
        resource_type: ResourceType,
        id: str,
        wanted: set[resources.UniqueKey],
        *,
        held: set[resources.UniqueKey] | None = None,
    ) -> None:
        tenant_id, before = self.principal.tenant_id, held or set()
        taken = await resources.claim_unique(self.writer, tenant_id, resource_type.name, id, wanted - before)
        if taken:
            attributes = ", ".join(attribute for attribute, _ in taken)
            raise Uniqueness(f"Another {resource_type.name} has this {attributes}.")
        await resources.release_unique(self.writer, tenant_id, resource_type.name, id, before - wanted)

    async def _save_references(
        self, resource: Resource, before: References, after: References, moment: int
    ) -> None:
        resource.references = {
            key: [ReferenceValue(target, payload=payload) for target, (payload, _) in values.items()]
            for key, values in after.items()
        }
        for key in sorted(set(before) | set(after)):
            if before.get(key) != after.get(key):
                values = after.get(key, {})
                await references.save(self.writer, self.principal.tenant_id, resource.id, key, values, moment)


def _replacement(attribute: Any, targets: list[str]) -> Membership | None:
    if not targets:
        return None
    membership = Membership(attribute)
    membership.add(targets)
    return membership
