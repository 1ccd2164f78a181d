"""From an Authorization header to the principal behind it."""

import json
from collections import OrderedDict

from scim_server.dialects import DIALECTS
from scim_server.scim.errors import Forbidden, Unauthorized
from scim_server.security import tokens
from scim_server.security.principals import Principal, permissions_of
from scim_server.security.tenants import settings_of
from scim_server.store import clients as rows
from scim_server.store import holders
from scim_server.store.callers import Caller, Claim
from scim_server.store.clock import now
from scim_server.store.database import Database

_REMEMBERED = 1_000


class Authenticator:
    """Knows the principals behind tokens.

    One that was looked up is remembered, and is only a claim from then on: the statement that answers a
    request confirms it, so that revocation bites on the next one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._remembered: OrderedDict[str, tuple[Caller, Principal]] = OrderedDict()

    def remembered(self, header: str | None, *, tenant: str | None = None) -> tuple[Principal, Claim] | None:
        """Return the principal a token had when it was last looked up, with the claim to be confirmed.

        None where that is not known, or not enough. Raises Unauthorized for what is no token.
        """
        digest = tokens.digest(tokens.token_from_header(header))
        found = self._remembered.get(digest)
        if found is None:
            return None
        caller, principal = found
        is_over = caller.expires is not None and caller.expires <= now()
        if is_over or (tenant is not None and caller.tenant_name != tenant):
            return None
        return principal, Claim(digest, caller)

    async def principal(self, header: str | None, *, tenant: str | None = None) -> Principal:
        """Return the client that a request comes from, as the store has it now.

        Raises Unauthorized, and Forbidden where the tenant is suspended.

        `tenant` is the one spelled out in the URL, if any: a token of another tenant is no good there.
        """
        digest = tokens.digest(tokens.token_from_header(header))
        self._remembered.pop(digest, None)
        row = await self._database.read(lambda reader: rows.caller_of(reader, digest))
        if row is None or (tenant is not None and row.tenant_name != tenant):
            raise Unauthorized("The token is not known here.", error="invalid_token")
        if row.revoked is not None or row.client_revoked is not None:
            raise Unauthorized("The token has been revoked.", error="invalid_token")
        if row.expires is not None and row.expires <= now():
            raise Unauthorized("The token has expired.", error="invalid_token")
        refuse_suspended(row)
        if row.owner_id is not None:
            await self._note_use(row, digest)
            return principal_of(row, digest)
        principal = principal_of(row, digest)
        self._remembered[digest] = row, principal
        while len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        return principal

    async def _note_use(self, row: Caller, digest: str) -> None:
        """Refuse the token of a user who is not active now, and note that it was used."""
        moment = now()
        active = await self._database.read(
            lambda reader: holders.is_active(reader, row.tenant_id, row.owner_id or "", moment)
        )
        if not active:
            raise Unauthorized("The token has been revoked.", error="invalid_token")
        if row.last_used is None or row.last_used < moment - rows.TOUCH_EVERY:
            await self._database.write(lambda writer: rows.touch_token(writer, digest, moment))


def refuse_suspended(row: Caller) -> None:
    """Raise Forbidden where the tenant of a caller is suspended.

    It is 403 and not 401: the token is good, and a connector that asks for another one gains nothing. Only
    who holds a good token of the tenant is told.
    """
    if row.tenant_suspended is not None:
        raise Forbidden(f"The tenant {row.tenant_name} is suspended.")


def principal_of(row: Caller, digest: str = "") -> Principal:
    """Return the principal behind a caller; `digest` is that of its token, if any."""
    lent = frozenset() if row.owner_id is None else permissions_of(json.loads(row.scopes or "[]"))
    return Principal(
        tenant_id=row.tenant_id,
        tenant=row.tenant_name,
        client_id=row.client_id,
        client=row.client_name,
        profile=row.profile,
        dialect=row.dialect,
        policy=DIALECTS[row.dialect].switched(json.loads(row.switches)),
        permissions=frozenset(json.loads(row.permissions)) | lent,
        user_id=row.owner_id or row.user_id,
        row_scope=row.row_scope,
        lent=lent,
        catalogue_version=row.catalogue_version,
        settle_at=row.settle_at,
        token_digest=digest,
        settings=settings_of(row.tenant_settings),
    )
