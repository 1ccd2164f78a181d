"""The moments at which a type of resource may do something of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scim_server.lifecycle.documents import Document
from scim_server.scim.errors import InvalidValue
from scim_server.scim.patch.membership import Membership
from scim_server.scim.resources import Resource
from scim_server.services.lifecycle import USER
from scim_server.services.row_scope import is_in_scope

if TYPE_CHECKING:
    from scim_server.services.changes import Changes


@dataclass(frozen=True, slots=True)
class Members:
    """Who was a member before a change, of those that its edits concern; None concerns everybody."""

    present: frozenset[str]
    concerned: frozenset[str] | None


class Hook:
    """Does nothing at any moment; subclasses override what they need.

    Everything happens inside the transaction of the change, before or after its rows are written.
    """

    async def creating(self, _changes: "Changes", _id: str, document: Document) -> Document:
        """Return the document to store for a new resource; raises what refuses it."""
        return document

    async def created(
        self, _changes: "Changes", _created: Resource, _document: Document, _members: dict[str, list[str]]
    ) -> None:
        """Carry out what follows from a new resource; may complete what the answer shows."""

    async def changing(
        self, _changes: "Changes", _current: Resource, _before: Document, after: Document
    ) -> Document:
        """Return the document to store for a changed resource; raises what refuses it."""
        return after

    async def before_members(
        self,
        _changes: "Changes",
        _current: Resource,
        _before: Document,
        _after: Document,
        _memberships: Sequence[Membership],
    ) -> Members | None:
        """Return the members that the edits may concern and that are there now, None where nobody asks."""
        return None

    async def changed(
        self,
        _changes: "Changes",
        _changed: Resource,
        _before: Document,
        _after: Document,
        _members: Members | None,
    ) -> None:
        """Carry out what follows from a change."""

    async def deleting(self, _changes: "Changes", _current: Resource, _before: Document) -> None:
        """Note what has to be known before the rows go; raises what refuses the deletion."""

    async def deleted(self, _changes: "Changes", _current: Resource, _before: Document) -> None:
        """Carry out what follows from a deletion."""


async def _is_in_scope(changes: "Changes", user_id: str) -> bool:
    user = Resource(USER, user_id, 1, 0, 0, {})
    return await is_in_scope(changes.writer, changes.context, changes.principal, user)


async def name_user(changes: "Changes", document: Document, attribute: str = "user") -> Document:
    """Return a document whose reference to a user is its id, whatever the client called the user.

    Raises InvalidValue where nobody or more than one is called so.
    """
    reference = document.get(attribute)
    if not reference:
        return document
    found = await changes.finder.users_called(reference["value"])
    if len(found) != 1 or not await _is_in_scope(changes, found[0]):
        raise InvalidValue(f"{attribute}: User not found: {reference['value'][:80]}.")
    return {**document, attribute: {**reference, "value": found[0]}}
