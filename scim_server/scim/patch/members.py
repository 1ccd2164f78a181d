"""PATCH operations on a membership, translated into edits without knowing the members."""

from typing import Any

from scim_server.scim.errors import InvalidValue, Mutability, NoTarget
from scim_server.scim.filters.binding import AllOf, AnyOf, Condition, Predicate
from scim_server.scim.identifiers import canonical_id
from scim_server.scim.normalize import Normalizer
from scim_server.scim.patch.membership import Membership
from scim_server.scim.patch.operations import Operation
from scim_server.scim.paths import Path


def apply_to_membership(
    membership: Membership, operation: Operation, path: Path, normalizer: Normalizer
) -> None:
    """Add one operation to a membership's edits.

    A remove with a value list removes only what it lists, where the policy allows that form; a
    filter in brackets always decides alone. Raises InvalidValue, Mutability and NoTarget.
    """
    by_id = (
        path.condition is not None and path.sub_attribute is not None and path.sub_attribute.key == "value"
    )
    if path.sub_attribute is not None and not (operation.name == "remove" and by_id):
        if not normalizer.policy.ignore_read_only_in_patch:
            raise Mutability(
                f"{path.sub_attribute.path} cannot be changed; remove the member and add another."
            )
        return
    if path.condition is not None:
        _by_condition(membership, operation, path.condition, normalizer)
    elif operation.name == "remove":
        _remove(membership, operation, normalizer)
    elif operation.name == "replace":
        membership.replace(_targets(membership, operation.value, normalizer))
    else:
        membership.add(_targets(membership, operation.value, normalizer))


def _targets(membership: Membership, value: Any, normalizer: Normalizer) -> list[str]:
    normalized = normalizer.value(membership.attribute, value)
    normalizer.finish()
    return [element["value"] for element in normalized or ()]


def _remove(membership: Membership, operation: Operation, normalizer: Normalizer) -> None:
    if operation.value is None:
        membership.replace(())
        return
    if not normalizer.policy.remove_by_value:
        path = f'{membership.attribute.name}[value eq "..."]'
        raise InvalidValue(f"remove takes no value; name the members in the path, as {path}.")
    membership.remove(_targets(membership, operation.value, normalizer))


def _by_condition(
    membership: Membership, operation: Operation, condition: Condition, normalizer: Normalizer
) -> None:
    named = named_targets(condition)
    if operation.name == "remove":
        if named is None:
            membership.remove_where(condition)
        else:
            membership.remove(named)
        return
    if named is None or not normalizer.policy.create_on_value_path:
        raise NoTarget(
            f"{membership.attribute.name}[...] selects members; {operation.name} cannot change them."
        )
    replacement = _targets(membership, operation.value, normalizer) if operation.value else []
    if replacement and operation.name == "replace":
        membership.remove(named)
    membership.add(replacement or named)


def named_targets(condition: Condition) -> list[str] | None:
    """Return the targets that a condition of `value eq` tests joined by `or` names, None for others."""
    if isinstance(condition, Predicate):
        if condition.operator == "eq" and condition.attribute.key == "value":
            return [canonical_id(condition.value)]
        return None
    if isinstance(condition, AnyOf) or (isinstance(condition, AllOf) and len(condition.operands) == 1):
        named = [named_targets(operand) for operand in condition.operands]
        if all(targets is not None for targets in named):
            return [target for targets in named for target in targets or ()]
    return None
