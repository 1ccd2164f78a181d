"""Obligations: what is open and hangs on a user, told by the applications."""

from typing import TYPE_CHECKING

from scim_server.lifecycle.documents import Document
from scim_server.services.hooks.base import Hook, name_user

if TYPE_CHECKING:
    from scim_server.services.changes import Changes


class ObligationHook(Hook):
    """Opens an obligation, which blocks the deletion of its user where nothing else is said."""

    async def creating(self, changes: "Changes", _id: str, document: Document) -> Document:
        """Name the user and open the obligation."""
        named = await name_user(changes, document)
        return {"status": "open", "blocks": ["delete"], **named}
