"""The operations of a PATCH applied to a canonical document (RFC 7644 §3.5.2.1 to §3.5.2.3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from scim_server.scim.attributes import Attribute, ReferenceKind
from scim_server.scim.documents import copied
from scim_server.scim.errors import InvalidPath, InvalidValue, Mutability
from scim_server.scim.normalize import Document, Normalizer
from scim_server.scim.patch import elements
from scim_server.scim.patch.members import apply_to_membership
from scim_server.scim.patch.membership import Membership
from scim_server.scim.patch.operations import Operation
from scim_server.scim.paths import Path, parse_path
from scim_server.scim.policy import Policy
from scim_server.scim.registry import ResourceType

_COMMON_READ_ONLY = frozenset({"id", "meta", "schemas"})


@dataclass(frozen=True, slots=True)
class PatchResult:
    """The document after all operations and the edits of each membership."""

    document: Document
    memberships: tuple[Membership, ...]


def apply_patch(
    document: Document,
    operations: Iterable[Operation],
    resource_type: ResourceType,
    policy: Policy,
    *,
    id: str,
    hidden: frozenset[str] = frozenset(),
) -> PatchResult:
    """Return what the operations make of a document; the given one is left as it is.

    Operations see the effect of earlier ones; an error means that none is applied. `id` is the
    resource's own, which clients like to repeat; no filter may ask about the `hidden` paths. Raises
    InvalidPath, InvalidFilter, InvalidValue, InvalidSyntax, Mutability and NoTarget as RFC 7644 §3.5.2 says.
    """
    patcher = _Patcher(copied(document), resource_type, policy, id, hidden)
    for operation in operations:
        patcher.apply(operation)
    missing = patcher.normalizer.missing_required(patcher.document)
    if missing:
        raise Mutability(f"{', '.join(missing)} is required and cannot be removed.")
    return PatchResult(patcher.document, tuple(patcher.memberships.values()))


class _Patcher:
    def __init__(
        self,
        document: Document,
        resource_type: ResourceType,
        policy: Policy,
        id: str,
        hidden: frozenset[str],
    ) -> None:
        self.document = document
        self.resource_type = resource_type
        self.policy = policy
        self.id = id
        self.hidden = hidden
        self.normalizer = Normalizer(resource_type, policy)
        self.memberships: dict[str, Membership] = {}

    def apply(self, operation: Operation) -> None:
        if operation.path is None:
            self._apply_object(operation)
        else:
            self._apply_path(operation, operation.path, explicit=True)
        self.normalizer.finish()

    def _apply_object(self, operation: Operation) -> None:
        """Apply a path-less operation: every key of the value is a path of its own."""
        for key, value in operation.value.items():
            if not self.policy.path_keys and not self._is_declared(key.lower()):
                self.normalizer.unknown.append(key[:80])
                continue
            self._apply_path(Operation(operation.name, key, value, has_value=True), key, explicit=False)

    def _is_declared(self, key: str) -> bool:
        kind = self.resource_type
        return key in kind.attributes or key in kind.extensions or key == kind.schema.id.lower()

    def _apply_path(self, operation: Operation, text: str, *, explicit: bool) -> None:
        path = parse_path(text, self.resource_type, self.policy, self.hidden)
        if path is None:
            self._unknown(text, explicit=explicit)
        elif path.extension is not None:
            self._apply_extension(operation, path.extension.id)
        elif path.attribute is not None:
            self._apply_attribute(operation, path, path.attribute, explicit=explicit)

    def _unknown(self, text: str, *, explicit: bool) -> None:
        if not explicit:
            self.normalizer.unknown.append(text[:80])
        elif not self.policy.ignore_unknown_paths:
            raise InvalidPath(f"{self.resource_type.name} has no attribute {text[:120]!r}.")

    def _apply_extension(self, operation: Operation, urn: str) -> None:
        if operation.name == "remove" and urn == self.resource_type.schema.id:
            raise InvalidPath(f"{urn} cannot be removed; remove single attributes.")
        if operation.name == "remove" or operation.value is None:
            self.document.pop(urn, None)
            return
        if not isinstance(operation.value, dict):
            raise InvalidValue(f"{urn} must be an object.")
        for key, value in operation.value.items():
            if key.lower() == "schemas":
                continue
            path = key if key.lower().startswith(urn.lower()) else f"{urn}:{key}"
            self._apply_path(Operation(operation.name, path, value, has_value=True), path, explicit=False)

    def _apply_attribute(
        self, operation: Operation, path: Path, attribute: Attribute, *, explicit: bool
    ) -> None:
        if self._is_protected(operation, path, attribute, explicit=explicit):
            return
        if attribute.reference_kind is ReferenceKind.MEMBERSHIP:
            membership = self.memberships.setdefault(attribute.storage_key, Membership(attribute))
            apply_to_membership(membership, operation, path, self.normalizer)
            return
        holder = self._holder(attribute)
        before = holder.get(attribute.name)
        after = elements.changed(operation, path, copied(before), self.normalizer)
        self._check_immutable(attribute, path, before, after)
        if after in (None, [], {}):
            holder.pop(attribute.name, None)
        else:
            holder[attribute.name] = after
        if attribute.extension is not None and not holder:
            self.document.pop(attribute.extension, None)

    def _holder(self, attribute: Attribute) -> Document:
        if attribute.extension is None:
            return self.document
        holder: Document = self.document.setdefault(attribute.extension, {})
        return holder

    def _is_protected(
        self, operation: Operation, path: Path, attribute: Attribute, *, explicit: bool
    ) -> bool:
        """Tell whether the target is readOnly and to be passed over; raises Mutability where it is not."""
        target = path.sub_attribute or attribute
        if (
            attribute.mutability != "readOnly"
            and target.mutability != "readOnly"
            and attribute.key != "schemas"
        ):
            return False
        if attribute.key == "id" and operation.value != self.id:
            raise Mutability("id is readOnly; it cannot become another one.")
        named_by_habit = not explicit or attribute.key in _COMMON_READ_ONLY
        if self.policy.ignore_read_only_in_patch and named_by_habit:
            return True
        if (
            target.parent is not None
            and attribute.mutability != "readOnly"
            and self.policy.ignore_read_only_in_patch
        ):
            return True
        raise Mutability(f"{target.path} is readOnly.")

    def _check_immutable(self, attribute: Attribute, path: Path, before: Any, after: Any) -> None:
        if attribute.mutability == "immutable" and before is not None and after != before:
            raise Mutability(f"{attribute.path} is immutable and already has a value.")
        sub = path.sub_attribute
        if sub is None or sub.mutability != "immutable" or before is None or after == before:
            return
        owned = before if isinstance(before, list) else [before]
        if any(sub.name in element for element in owned):
            raise Mutability(f"{sub.path} is immutable and already has a value.")
