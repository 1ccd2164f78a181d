"""What a caller may have lost since it was identified."""

import json

from scim_server.lifecycle.messages import message
from scim_server.scim.errors import Forbidden
from scim_server.security.principals import Principal, permissions_of
from scim_server.store import clients
from scim_server.store.database import Writer


async def unchanged(writer: Writer, principal: Principal) -> None:
    """Raise Forbidden where client or token was revoked, or lost permissions, with the request on the way.

    S2 EF4: nothing is saved then.
    """
    if principal.profile == "system":
        return
    row = await clients.guard(writer, principal.tenant_id, principal.client_id, principal.token_digest)
    if row is None:
        return
    lent = principal.lent & permissions_of(json.loads(row.scopes)) if row.scopes else principal.lent
    lost = principal.permissions - set(json.loads(row.permissions)) - lent
    if lost or (row.revoked, row.token_revoked) != (None, None):
        raise Forbidden(message("R-PERMISSIONS"))
