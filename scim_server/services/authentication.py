"""From an Authorization header to the principal behind it."""

import json

from scim_server.dialects import DIALECTS
from scim_server.scim.errors import Unauthorized
from scim_server.security import tokens
from scim_server.security.principals import Principal, permissions_of
from scim_server.store import clients as rows
from scim_server.store import holders
from scim_server.store.clock import now
from scim_server.store.database import Database
from scim_server.store.tables import Record


class Authenticator:
    """Looks tokens up in the store on every request, so that revocation bites on the next one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def principal(self, header: str | None, *, tenant: str | None = None) -> Principal:
        """Return the client that a request comes from; raises Unauthorized.

        `tenant` is the one spelled out in the URL, if any: a token of another tenant is no good there.
        """
        digest = tokens.digest(tokens.token_from_header(header))
        row = await self._database.read(lambda reader: rows.caller_of(reader, digest))
        if row is None or (tenant is not None and row.tenant_name != tenant):
            raise Unauthorized("The token is not known here.", error="invalid_token")
        if row.revoked is not None or row.client_revoked is not None:
            raise Unauthorized("The token has been revoked.", error="invalid_token")
        if row.expires is not None and row.expires <= now():
            raise Unauthorized("The token has expired.", error="invalid_token")
        lent = frozenset() if row.owner_id is None else permissions_of(json.loads(row.scopes))
        if row.owner_id is not None:
            await self._note_use(row, digest)
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
        )

    async def _note_use(self, row: Record, digest: str) -> None:
        """Refuse the token of a user who is not active now, and note that it was used."""
        moment = now()
        active = await self._database.read(
            lambda reader: holders.is_active(reader, row.tenant_id, row.owner_id, moment)
        )
        if not active:
            raise Unauthorized("The token has been revoked.", error="invalid_token")
        if row.last_used is None or row.last_used < moment - rows.TOUCH_EVERY:
            await self._database.write(lambda writer: rows.touch_token(writer, digest, moment))
