"""What a caller may have lost since it was identified."""

import json

from scim_server.lifecycle.messages import message
from scim_server.scim.errors import Forbidden
from scim_server.security.principals import permissions_of, within
from scim_server.services.authentication import refuse_suspended
from scim_server.services.context import CallContext
from scim_server.store import clients
from scim_server.store.callers import Caller
from scim_server.store.database import Writer


async def unchanged(writer: Writer, call: CallContext) -> Caller | None:
    """Raise Forbidden where client or token was revoked, or lost permissions, with the request on the way.

    S2 EF4: nothing is saved then. Returns what the store says of the caller, None for the server itself.
    Raises CallerChanged where the caller was taken from memory and the store says something else.
    """
    principal, claim = call.principal, call.claim
    if principal.profile == "system":
        return None
    is_open = claim is not None and not claim.is_confirmed
    row = writer.presumed(claim) if claim is not None and is_open else None
    if row is None:
        row = await clients.guard(writer, principal.tenant_id, principal.client_id, principal.token_digest)
        if claim is not None and is_open:
            claim.confirm(row)
    if row is None:
        return None
    refuse_suspended(row)
    lent = principal.lent & permissions_of(json.loads(row.scopes)) if row.scopes else principal.lent
    granted = json.loads(row.permissions)
    lost = principal.permissions - set(granted) - lent
    if lost - within(lost, granted) or (row.client_revoked, row.revoked) != (None, None):
        raise Forbidden(message("R-PERMISSIONS"))
    return row
