"""From an Authorization header to the principal behind it."""

import json
from collections import OrderedDict
from typing import TYPE_CHECKING

from scim_server.dialects import DIALECTS
from scim_server.scim.errors import Forbidden, Unauthorized
from scim_server.security import jwts, tokens
from scim_server.security.jwts import BadJwt
from scim_server.security.principals import Principal, permissions_of, within
from scim_server.security.tenants import settings_of
from scim_server.store import clients as rows
from scim_server.store import holders
from scim_server.store.callers import Caller, Claim
from scim_server.store.clock import now
from scim_server.store.database import Database

if TYPE_CHECKING:
    from scim_server.services.failed_attempts import FailedAttempts
    from scim_server.services.outside import OutsideTokens

_REMEMBERED = 1_000
_REVOKED = "The token has been revoked."


class BadToken(Unauthorized):
    """A token that is not good; `reason` is one of failed_attempts.REASONS, `tenant` its own if known."""

    def __init__(self, reason: str, detail: str, tenant: str | None = None) -> None:
        super().__init__(detail, error="invalid_token")
        self.reason = reason
        self.tenant = tenant


class Authenticator:
    """Knows the principals behind tokens.

    One that was looked up is remembered, and is only a claim from then on: the statement that answers a
    request confirms it, so that revocation bites on the next one.
    """

    def __init__(
        self,
        database: Database,
        failures: "FailedAttempts | None" = None,
        outside: "OutsideTokens | None" = None,
    ) -> None:
        """Look tokens up in the database; without `outside` no token of an outside issuer is taken."""
        self._database = database
        self._failures = failures
        self._outside = outside
        self._remembered: OrderedDict[str, tuple[Caller, Principal]] = OrderedDict()
        self._noted: OrderedDict[str, int] = OrderedDict()
        self._used: set[str] = set()

    def remembered(self, header: str | None, *, tenant: str | None = None) -> tuple[Principal, Claim] | None:
        """Return the principal a token had when it was last looked up, with the claim to be confirmed.

        None where that is not known, or not enough. Raises Unauthorized for what is no token.
        """
        digest = tokens.digest(tokens.token_from_header(header))
        found = self._remembered.get(digest)
        if found is None:
            return None
        (caller, principal), moment = found, now()
        is_over = caller.expires is not None and caller.expires <= moment
        if is_over or (tenant is not None and caller.tenant_name != tenant):
            return None
        self._note_use(digest, moment)
        return principal, Claim(digest, caller)

    async def principal(
        self, header: str | None, *, tenant: str | None = None, source: str = "unknown"
    ) -> Principal:
        """Return the client that a request comes from, as the store has it now.

        Raises Unauthorized, and Forbidden where the tenant is suspended.

        `tenant` is the one spelled out in the URL, if any: a token of another tenant is no good there. A
        source that failed too often is refused without a look, by TooManyRequests, except with a token that
        was good before. Raises ServiceUnavailable where nothing can be said of a token.
        """
        token = tokens.token_from_header(header)
        digest = tokens.digest(token)
        self._remembered.pop(digest, None)
        if self._failures is not None and digest not in self._noted:
            self._failures.check(source, tenant)
        try:
            return await self._principal(token, digest, tenant)
        except BadToken as error:
            if error.reason != "elsewhere":
                self._noted.pop(digest, None)
            if self._failures is not None:
                self._failures.failed(error.reason, source, error.tenant or tenant)
            raise

    async def _principal(self, token: str, digest: str, tenant: str | None) -> Principal:
        row = await self._caller(token, digest, tenant)
        if tenant is not None and row.tenant_name != tenant:
            raise BadToken("elsewhere", "The token is not known here.")
        if row.revoked is not None or row.client_revoked is not None:
            raise BadToken("revoked", _REVOKED, row.tenant_name)
        moment = now()
        if row.expires is not None and row.expires <= moment:
            raise BadToken("expired", "The token has expired.", row.tenant_name)
        refuse_suspended(row)
        if row.owner_id is not None:
            await self._check_owner(row, digest, moment)
            return principal_of(row, digest)
        self._note_use(digest, moment)
        principal = principal_of(row, digest)
        self._remembered[digest] = row, principal
        while len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        return principal

    async def _caller(self, token: str, digest: str, tenant: str | None) -> Caller:
        """Return what the store says of a token, after verifying one that an outside issuer signed."""
        if tokens.is_mistyped(token):
            raise BadToken("mistyped", "The token is not known here.")
        row = await self._database.read(lambda reader: rows.caller_of(reader, digest))
        has_ended = row is not None and row.expires is not None and row.expires <= now()
        if (row is None or has_ended) and self._outside is not None and jwts.looks_like_jwt(token):
            try:
                await self._outside.admit(token, tenant)
            except BadJwt as error:
                if row is None:
                    raise BadToken("untrusted", f"The token is refused: {error}.") from error
            else:
                row = await self._database.read(lambda reader: rows.caller_of(reader, digest))
        if row is None:
            raise BadToken("unknown", "The token is not known here.")
        return row

    async def _check_owner(self, row: Caller, digest: str, moment: int) -> None:
        """Refuse the token of a user who is not active now, and note at once that it was used."""
        active = await self._database.read(
            lambda reader: holders.is_active(reader, row.tenant_id, row.owner_id or "", moment)
        )
        if not active:
            raise BadToken("owner", _REVOKED, row.tenant_name)
        if self._note_use(digest, moment):
            await self.record_uses()

    def _note_use(self, digest: str, moment: int) -> bool:
        """Note that a token was used, to be recorded soon; returns whether that is due."""
        noted = self._noted.get(digest)
        if noted is not None and moment - noted <= rows.TOUCH_EVERY:
            return False
        self._noted.pop(digest, None)
        self._noted[digest] = moment
        self._used.add(digest)
        while len(self._noted) > _REMEMBERED:
            self._noted.popitem(last=False)
        return True

    def forget(self) -> None:
        """Look every token up again at its next use, as a server does that has just begun to serve it."""
        self._remembered.clear()

    async def record_uses(self) -> None:
        """Write down which tokens were used, each about once in TOUCH_EVERY, in one statement."""
        used, self._used = sorted(self._used), set()
        if used:
            await self._database.write(lambda writer: rows.touch_tokens(writer, used, now()))


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
    own = frozenset(json.loads(row.permissions))
    narrowed = None if row.narrowed is None else frozenset(json.loads(row.narrowed))
    return Principal(
        tenant_id=row.tenant_id,
        tenant=row.tenant_name,
        client_id=row.client_id,
        client=row.client_name,
        profile=row.profile,
        dialect=row.dialect,
        policy=DIALECTS[row.dialect].switched(json.loads(row.switches)),
        permissions=(own if narrowed is None else within(narrowed, own)) | lent,
        user_id=row.owner_id or row.user_id,
        row_scope=row.row_scope,
        lent=lent,
        narrowed=narrowed,
        catalogue_version=row.catalogue_version,
        settle_at=row.settle_at,
        token_digest=digest,
        settings=settings_of(row.tenant_settings),
    )
