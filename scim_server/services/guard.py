"""What a caller may have lost since it was identified."""

import json

from scim_server.lifecycle.messages import message
from scim_server.scim.errors import Forbidden
from scim_server.security.principals import Principal
from scim_server.store import clients
from scim_server.store.database import Writer


async def unchanged(writer: Writer, principal: Principal) -> None:
    """Raise Forbidden where the client was revoked, or lost permissions, while its request was on the way.

    S2 EF4: nothing is saved then.
    """
    if principal.profile == "system":
        return
    row = await clients.guard(writer, principal.tenant_id, principal.client_id)
    if row is None:
        return
    lost = principal.permissions - set(json.loads(row.permissions)) - principal.lent
    if row.revoked is not None or lost:
        raise Forbidden(message("R-PERMISSIONS"))
