"""Membership edits carried out: targets checked, cycles refused, rows added and removed."""

from collections.abc import Sequence

from scim_server.scim.attributes import Attribute
from scim_server.scim.errors import InvalidValue, NoTarget
from scim_server.scim.patch.membership import Membership, MembershipEdit
from scim_server.scim.registry import Registry
from scim_server.scim.resources import Resource
from scim_server.security.principals import Principal
from scim_server.store import references, resources
from scim_server.store.database import Writer
from scim_server.store.filters.compiler import FilterContext

_SHOWN = 10


class MembershipWriter:
    """Carries out the membership edits of one resource in one transaction.

    `expected` names resources by id and type that the same transaction is about to make, which is
    how the circular references of a Bulk request come into being (RFC 7644 §3.7.1).
    """

    def __init__(
        self,
        writer: Writer,
        registry: Registry,
        principal: Principal,
        context: FilterContext,
        expected: dict[str, str],
    ) -> None:
        self._writer = writer
        self._registry = registry
        self._principal = principal
        self._context = context
        self._expected = expected

    async def apply(
        self, resource: Resource, memberships: Sequence[Membership], moment: int, *, is_new: bool = False
    ) -> int:
        """Apply the edits in order and return how many references were added or removed.

        Nothing that is stored can point at a new resource, so no cycle is looked for then.

        Raises InvalidValue naming every target that is not there or of a wrong type, and for a
        group that would come to contain itself; nothing is to be committed then.
        """
        changes = 0
        for membership in memberships:
            allowed = await self._allowed(resource, membership, is_new=is_new)
            for edit in membership.edits:
                changes += await self._apply_edit(resource, membership, edit, allowed, moment)
        return changes

    async def _apply_edit(
        self,
        resource: Resource,
        membership: Membership,
        edit: MembershipEdit,
        allowed: set[str],
        moment: int,
    ) -> int:
        tenant_id, key = self._principal.tenant_id, membership.attribute.storage_key
        added = [target for target in edit.added if target in allowed]
        changes = 0
        if edit.cleared:
            changes += await references.keep_only(self._writer, tenant_id, resource.id, key, added)
        if edit.condition is not None:
            changes += await references.remove_where(
                self._writer, self._context, resource.id, membership.attribute, edit.condition
            )
        if edit.removed:
            changes += await self._remove(resource, membership.attribute, edit)
        if added:
            changes += await references.add(self._writer, tenant_id, resource.id, key, added, moment)
        return changes

    async def _remove(self, resource: Resource, attribute: Attribute, edit: MembershipEdit) -> int:
        tenant_id, key = self._principal.tenant_id, attribute.storage_key
        named = [target for target, was_added in edit.removed.items() if not was_added]
        added_before = [target for target, was_added in edit.removed.items() if was_added]
        gone = await references.remove(self._writer, tenant_id, resource.id, key, named)
        if gone < len(named) and not self._principal.policy.remove_absent:
            raise NoTarget(f"{attribute.path} has no such member.")
        return gone + await references.remove(self._writer, tenant_id, resource.id, key, added_before)

    async def _allowed(self, resource: Resource, membership: Membership, *, is_new: bool) -> set[str]:
        """Return the targets to be added that may be; each is kept from being deleted meanwhile."""
        targets = membership.targets
        if not targets:
            return set()
        looked_up = [target for target in targets if target not in self._expected]
        found = await resources.lock_targets(self._writer, self._principal.tenant_id, looked_up)
        found |= {target: self._expected[target] for target in targets if target in self._expected}
        self._refuse_unknown(membership.attribute, targets, found)
        self._refuse_types(membership.attribute, found)
        await self._refuse_cycle(resource, membership.attribute, found, is_new=is_new)
        return set(found)

    def _refuse_unknown(self, attribute: Attribute, targets: Sequence[str], found: dict[str, str]) -> None:
        unknown = [target for target in targets if target not in found]
        if unknown and not self._principal.policy.skip_unknown_members:
            shown = ", ".join(unknown[:_SHOWN]) + (
                f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
            )
            raise InvalidValue(f"{attribute.path}: there is no resource with the id {shown}.")

    def _refuse_types(self, attribute: Attribute, found: dict[str, str]) -> None:
        own = self._registry.of_tenant(self._principal.settings.private_schemas)
        types = own.member_types(attribute)
        wrong = [f"{target} ({kind})" for target, kind in found.items() if kind not in types]
        if wrong:
            raise InvalidValue(
                f"{attribute.path} takes {', '.join(sorted(types))}, not {', '.join(wrong[:_SHOWN])}."
            )

    async def _refuse_cycle(
        self, resource: Resource, attribute: Attribute, found: dict[str, str], *, is_new: bool
    ) -> None:
        nested = [
            target for target, kind in found.items() if kind == resource.type and target not in self._expected
        ]
        if resource.id in found:
            raise InvalidValue(f"{attribute.path}: {resource.id} cannot contain itself.")
        if not nested or is_new:
            return
        tenant_id = self._principal.tenant_id
        await references.hold_nesting(self._writer, tenant_id)
        if await references.is_reachable(self._writer, tenant_id, attribute.storage_key, nested, resource.id):
            inner = ", ".join(nested[:_SHOWN])
            raise InvalidValue(
                f"{attribute.path}: {inner} already contains {resource.id}; that would be a cycle."
            )
