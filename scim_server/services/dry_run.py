"""Dry runs: what a change would do, found out by doing it and taking it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scim_server.lifecycle.documents import Document, differences
from scim_server.scim.resources import Resource
from scim_server.security.principals import Principal
from scim_server.services.audit import Event
from scim_server.services.completion import without_notes
from scim_server.services.context import CallContext

if TYPE_CHECKING:
    from scim_server.services.changes import Changes

DRY_RUN_URN = "urn:scim-server:api:messages:2.0:DryRun"


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do: the resource as it would be (None for a deletion), and every event."""

    resource: Resource | None
    events: Sequence[Event]

    @property
    def verdicts(self) -> list[Document]:
        """What the rules say."""
        return [
            {"rule": finding.rule, "effect": finding.effect, "message": finding.message}
            for event in self.events
            for finding in event.findings
        ]

    def changes(self, principal: Principal) -> list[Document]:
        """Return what would change, as far as a client is shown it: path, from and to."""
        found: list[Document] = []
        for event in self.events:
            for path, old, new in event.changes or differences(event.before or {}, event.after or {}):
                sides: dict[str, Any] = {"from": old, "to": new}
                present = {name: value for name, value in sides.items() if value is not None}
                shown = without_notes(principal, event.type, path, present)
                if shown is not None:
                    found.append({"resource": event.id, "path": path, **shown})
        return found


class DryRun(Exception):
    """Takes a transaction back and carries what it would have done."""

    def __init__(self, preview: Preview) -> None:
        super().__init__("dry run")
        self.preview = preview


def raise_if_dry(call: CallContext, changes: "Changes", changed: Resource | None) -> None:
    """Raise DryRun where the call only asks what would happen."""
    if call.is_dry_run:
        raise DryRun(Preview(changed, tuple(changes.report)))
