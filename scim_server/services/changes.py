"""Creating, replacing, patching and deleting one resource inside a transaction that the caller owns."""

from collections.abc import Callable, Sequence
from typing import Any

from scim_server.lifecycle.catalogue import Catalogue
from scim_server.lifecycle.change import SYSTEM, Actor
from scim_server.lifecycle.documents import Document, differences
from scim_server.lifecycle.judgement import Finding, mode_of
from scim_server.scim.attributes import Attribute, ReferenceKind
from scim_server.scim.contents import put_references, take_memberships, with_defaults, without_secrets
from scim_server.scim.errors import NotFound
from scim_server.scim.normalize import Normalizer
from scim_server.scim.patch.apply import apply_patch
from scim_server.scim.patch.membership import Membership
from scim_server.scim.patch.operations import Operation
from scim_server.scim.preconditions import check_if_match
from scim_server.scim.registry import Registry, ResourceType
from scim_server.scim.replace import mentioned_memberships, replaced, stated_schemas
from scim_server.scim.resources import Resource
from scim_server.security.principals import (
    CHANGING,
    CHANGING_USERS,
    CREATING,
    REMOVING,
    Principal,
)
from scim_server.services import audit, guard
from scim_server.services.completion import hidden_paths
from scim_server.services.context import CallContext
from scim_server.services.hooks import hook_for
from scim_server.services.lifecycle import SEEN_UNDER, USER, Lifecycle
from scim_server.services.lookups import Finder
from scim_server.services.persistence import Persistence
from scim_server.services.row_scope import check_changeable, is_in_scope_to_change
from scim_server.services.user_changes import UserChanges
from scim_server.store import references, resources
from scim_server.store.callers import Caller
from scim_server.store.clock import now
from scim_server.store.database import Writer
from scim_server.store.fetching import fetch_locked
from scim_server.store.filters.compiler import FilterContext
from scim_server.store.identifiers import new_id


def not_found(resource_type: ResourceType, id: str) -> NotFound:
    """Return the error for an id that names nothing."""
    return NotFound(f"{resource_type.name} not found: {id[:80]} is not here.")


class Changes:
    """The changes of one transaction, made for one principal.

    `expected` maps ids that the transaction is going to make to their types, so that references
    to them are accepted before they are there. `report` collects what a dry run shows. `caller` is what the
    store says of the client in this transaction, once it was asked.
    """

    def __init__(
        self,
        writer: Writer,
        registry: Registry,
        lifecycle: Lifecycle,
        call: CallContext,
        context: FilterContext,
        expected: dict[str, str] | None = None,
    ) -> None:
        self.writer = writer
        self.registry = registry
        self.lifecycle = lifecycle
        self.call = call
        self.context = context
        self.moment = now()
        self.report: list[audit.Event] = []
        self.persistence = Persistence(writer, registry, call.principal, context, self.moment, expected or {})
        self.finder = Finder(writer, context, call.principal.client_id)
        self.users = UserChanges(self)
        self.holders: list[str] = []
        self.shown: Document = {}
        self._own_catalogue: Catalogue | None = None
        self.caller: Caller | None = None

    @property
    def principal(self) -> Principal:
        """The client behind the request."""
        return self.call.principal

    @property
    def tenant_id(self) -> int:
        """The tenant of the transaction."""
        return self.call.principal.tenant_id

    async def catalogue(self) -> Catalogue:
        """Return the tenant's catalogue as this transaction sees it.

        What a transaction has changed itself it sees alone: others must not before the commit.
        """
        if self._own_catalogue is not None:
            return self._own_catalogue
        version = None if self.caller is None else self.caller.catalogue_version
        return await self.lifecycle.catalogue(self.writer, self.tenant_id, version)

    def catalogue_changed(self, catalogue: Catalogue) -> None:
        """Note what the catalogue is now that this transaction has changed it or the policies."""
        self._own_catalogue = catalogue

    async def create(self, resource_type: ResourceType, data: Any, *, id: str | None = None) -> Resource:
        """Create a resource from a POST body; `id` is given where a Bulk request fixed it before.

        Raises Forbidden, InvalidSyntax, InvalidValue with every violation, and Uniqueness.
        """
        await self.permit(resource_type, CREATING)
        own_id = id or new_id()
        if resource_type.name == USER:
            return await self.users.create(own_id, await self.users.normalized(data))
        document = Normalizer(resource_type, self.principal.policy).resource(data)
        document, members = take_memberships(with_defaults(document, resource_type), resource_type)
        hook = hook_for(resource_type.name)
        document = await hook.creating(self, own_id, document)
        created = await self.persistence.insert(
            resource_type, own_id, document, _memberships(resource_type, members)
        )
        action = audit.action_of(resource_type, "create")
        changes = _shown(document, members)
        await self.record(audit.Event(action, resource_type.name, own_id, None, changes))
        await hook.created(self, created, document, members)
        return created

    async def replace(
        self, resource_type: ResourceType, id: str, data: Any, *, if_match: str | None = None
    ) -> Resource:
        """Replace a resource by a PUT body; a body that says nothing new leaves the version.

        Raises NotFound, PreconditionFailed, and as `create`; Mutability for immutable attributes.
        """
        await self.permit(resource_type, CHANGING, id)
        current = await self.locked(resource_type, id, if_match)
        policy = self.principal.policy
        stated = Normalizer(resource_type, policy).resource(data)
        stated, members = take_memberships(stated, resource_type)
        before = await self._seen(resource_type, current)
        after = replaced(before, stated, resource_type, policy, stated_schemas(data))
        mentioned = mentioned_memberships(data, resource_type)
        memberships = []
        for attribute in resource_type.references_of(ReferenceKind.MEMBERSHIP):
            key = attribute.storage_key
            if key in mentioned or not policy.keep_omitted_in_replace:
                memberships.append(Membership(attribute))
                memberships[-1].replace(members.get(key, []))
        if resource_type.name == USER:
            return await self.users.change(current, before, after, states_active="active" in stated)
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
        await self.permit(resource_type, CHANGING, id)
        current = await self.locked(resource_type, id, if_match)
        before = await self._seen(resource_type, current)
        hidden = hidden_paths(self.principal, resource_type)
        policy = self.principal.policy
        result = apply_patch(before, operations, resource_type, policy, id=current.id, hidden=hidden)
        if resource_type.name == USER:
            return await self.users.patch(current, before, result.document, operations, resource_type)
        return await self._store(resource_type, current, before, result.document, list(result.memberships))

    async def delete(self, resource_type: ResourceType, id: str, *, if_match: str | None = None) -> None:
        """Delete a resource and every reference to it; raises NotFound and PreconditionFailed."""
        await self.permit(resource_type, REMOVING, id)
        current = await self.locked(resource_type, id, if_match)
        if resource_type.name == USER:
            await self.users.delete(current)
            return
        hook = hook_for(resource_type.name)
        before = put_references(current, resource_type)
        await hook.deleting(self, current, before)
        await self.remove(resource_type, current)
        action = audit.action_of(resource_type, "delete")
        await self.record(audit.Event(action, resource_type.name, current.id, before, None))
        await hook.deleted(self, current, before)

    async def remove(self, resource_type: ResourceType, current: Resource) -> None:
        """Mark a resource deleted, drop the references from and to it, and touch what pointed at it."""
        await resources.mark_deleted(
            self.writer, self.tenant_id, current.id, self.moment, self.principal.user_id
        )
        sources = await references.forget(self.writer, self.tenant_id, current.id)
        await resources.touch(self.writer, self.tenant_id, sources, self.moment)
        await self.persistence.count(resource_type, -1)

    def own_kind(self, name: str) -> ResourceType:
        """Return a resource type as the client's tenant has it, without what is private to others."""
        return self.registry.of_tenant(self.principal.settings.private_schemas).resource_types[name]

    async def permit(self, resource_type: ResourceType, work: str, id: str | None = None) -> None:
        """Raise Forbidden unless the client may do this to a type, now as when it was identified.

        Raises NotFound for a resource outside of what the client is confined to.
        """
        partly = set(CHANGING_USERS) & self.principal.permissions
        if not (resource_type.name == USER and work == CHANGING and partly):
            self.principal.require_for(resource_type.name, work)
        check_changeable(self.principal, resource_type)
        if self.caller is None:
            self.caller = await guard.unchanged(self.writer, self.call)
        if id is not None:
            await is_in_scope_to_change(self, resource_type, id)

    async def record(self, event: audit.Event) -> None:
        """Write an event to the audit trail, without what is never returned, and keep it for a dry run."""
        kind = self.registry.resource_types.get(event.type)
        if kind is not None:
            event.before, event.after = (
                one and without_secrets(one, kind) for one in (event.before, event.after)
            )
        event.subject = event.subject or audit.user_of(event)
        self.report.append(event)
        await audit.record(self.writer, self.registry, self.call, event, self.moment)

    async def enforces(self, rule_id: str) -> bool:
        """Tell whether a rule refuses what the client does against it."""
        rule = next(rule for rule in self.lifecycle.engine.rules if rule.id == rule_id)
        return mode_of(rule, self.principal.profile, (await self.catalogue()).policies) == "enforce"

    async def adjust(
        self,
        id: str,
        work: Callable[[Document], None],
        action: str,
        *,
        actor: Actor = SYSTEM,
        findings: Sequence[Finding] = (),
        tells: Sequence[tuple[str, Document]] = (),
    ) -> Resource | None:
        """Change the facts of a user from within; None where it is not there (see UserChanges.adjust)."""
        return await self.users.adjust(id, work, action, actor=actor, findings=findings, tells=tells)

    async def create_internally(self, type_name: str, document: Document) -> Resource:
        """Create a resource that follows from another change, with its event; no permission is asked."""
        resource_type = self.registry.resource_types[type_name]
        hook, own_id = hook_for(type_name), new_id()
        document = await hook.creating(self, own_id, document)
        created = await self.persistence.insert(resource_type, own_id, document)
        action = audit.action_of(resource_type, "create")
        await self.record(audit.Event(action, type_name, own_id, None, document))
        await hook.created(self, created, document, {})
        return created

    async def store_internally(
        self, resource_type: ResourceType, current: Resource, after: Document
    ) -> Resource:
        """Store what another change makes of a resource, with its audit event; no permission is asked."""
        before = put_references(current, resource_type)
        changed, _ = await self.persistence.update(resource_type, current, before, after)
        if changed is not current:
            action = audit.action_of(resource_type, "update")
            await self.record(audit.Event(action, current.type, current.id, before, after))
        return changed

    async def locked(self, resource_type: ResourceType, id: str, if_match: str | None = None) -> Resource:
        """Return a resource with its own references and keep other writers from it; raises NotFound."""
        found = await self.find_locked(resource_type, id)
        if found is None:
            raise not_found(resource_type, id)
        check_if_match(if_match, found.etag, "User data" if resource_type.name == USER else "Data")
        return found

    async def find_locked(self, resource_type: ResourceType, id: str) -> Resource | None:
        """Return a resource as `locked` does, None where it is not there."""
        owned = resource_type.references_of(ReferenceKind.SINGLE_SOURCE)
        return await fetch_locked(self.writer, self.tenant_id, resource_type.name, id, owned, now=self.moment)

    async def _seen(self, resource_type: ResourceType, current: Resource) -> Document:
        """Return a resource's document as a client sees it now."""
        stored = put_references(current, resource_type)
        if resource_type.name != USER:
            return stored
        catalogue = await self.catalogue()
        is_as_stored = current.version == current.stored_version
        if is_as_stored and stored.get(SEEN_UNDER) == catalogue.version:
            return stored
        return await self.users.seen(stored)

    async def _store(
        self,
        resource_type: ResourceType,
        current: Resource,
        before: Document,
        after: Document,
        memberships: list[Membership],
    ) -> Resource:
        hook = hook_for(resource_type.name)
        after = await hook.changing(self, current, before, after)
        members = await hook.before_members(self, current, before, after, memberships)
        changed, edited = await self.persistence.update(resource_type, current, before, after, memberships)
        if changed is current:
            return current
        action = audit.action_of(resource_type, "update")
        event = audit.Event(action, resource_type.name, current.id, before, after)
        if edited:
            shown = without_secrets(after, resource_type)
            event.changes = [*differences(before, shown), *_edits(memberships)]
        await self.record(event)
        await hook.changed(self, changed, before, after, members)
        return changed


def _memberships(resource_type: ResourceType, members: dict[str, list[str]]) -> list[Membership]:
    return [
        membership
        for attribute in resource_type.references_of(ReferenceKind.MEMBERSHIP)
        if (membership := _replacement(attribute, members.get(attribute.storage_key, [])))
    ]


def _replacement(attribute: Attribute, targets: list[str]) -> Membership | None:
    if not targets:
        return None
    membership = Membership(attribute)
    membership.add(targets)
    return membership


def _shown(document: Document, members: dict[str, list[str]]) -> Document:
    return {**document, **members}


def _edits(memberships: Sequence[Membership]) -> list[tuple[str, Any, Any]]:
    """Return the membership edits as changes of the audit trail: what was taken away, what was added."""
    return [
        (membership.attribute.path, list(edit.removed) or None, list(edit.added) or None)
        for membership in memberships
        for edit in membership.edits
    ]
