"""Edits of a membership that never read the members: what to add, what to take away."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from scim_server.scim.attributes import Attribute
from scim_server.scim.filters.binding import Condition


@dataclass(slots=True)
class MembershipEdit:
    """One step: optionally empty the membership or remove by condition, then remove, then add.

    `added` keeps the order in which targets were named; `removed` tells of each target whether an
    earlier operation of the request had added it. A target is never in both.
    """

    cleared: bool = False
    condition: Condition | None = None
    added: dict[str, None] = field(default_factory=dict)
    removed: dict[str, bool] = field(default_factory=dict)


@dataclass(slots=True)
class Membership:
    """The edits that one request makes to one membership attribute, in order.

    Later calls see earlier ones: adding what was removed cancels the removal and vice versa.
    """

    attribute: Attribute
    edits: list[MembershipEdit] = field(default_factory=list)

    def _last(self) -> MembershipEdit:
        if not self.edits:
            self.edits.append(MembershipEdit())
        return self.edits[-1]

    def add(self, targets: Iterable[str]) -> None:
        """Make the targets members."""
        edit = self._last()
        for target in targets:
            edit.removed.pop(target, None)
            edit.added[target] = None

    def remove(self, targets: Iterable[str]) -> None:
        """Make the targets no members."""
        edit = self._last()
        for target in targets:
            was_added = target in edit.added
            edit.added.pop(target, None)
            if not edit.cleared:
                edit.removed[target] = was_added

    def remove_where(self, condition: Condition) -> None:
        """Remove the members that satisfy a condition on value, type or display."""
        self.edits.append(MembershipEdit(condition=condition))

    def replace(self, targets: Iterable[str]) -> None:
        """Make the targets the only members."""
        self.edits = [MembershipEdit(cleared=True, added=dict.fromkeys(targets))]

    @property
    def targets(self) -> list[str]:
        """Every target that is to become a member."""
        return list(dict.fromkeys(target for edit in self.edits for target in edit.added))
