"""Access tokens for clients that prove who they are (RFC 6749 §4.4, RFC 7523 §2.2, RFC 9068)."""

import hmac
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scim_server.dialects import DIALECTS
from scim_server.scim.documents import is_storable
from scim_server.security import jwts, signing, tokens
from scim_server.security.jwts import BadJwt, Jwt
from scim_server.security.oauth import OAuthError, TokenRequest, invalid_client, invalid_request, narrowed
from scim_server.security.principals import Principal, within
from scim_server.security.tenants import settings_of
from scim_server.services.failed_attempts import FailedAttempts
from scim_server.services.outside import OutsideTokens, Verified
from scim_server.services.rates import Headers, RateLimiter
from scim_server.services.signing_keys import SigningKeys
from scim_server.store import clients, issuers, tenants
from scim_server.store import oauth as rows
from scim_server.store.clock import now
from scim_server.store.database import Database, Writer
from scim_server.store.identifiers import new_id

_SECOND = 1_000_000
LONGEST_ASSERTION = 300
_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class Grant:
    """An access token with what has to be said of it, who got it, and the headers of its answer."""

    token: str
    expires_in: int
    scope: str
    tenant: str
    client: str
    headers: Headers


@dataclass(frozen=True, slots=True)
class _Proven:
    """A client that proved who it is; an assertion of its own has an id, which is good once."""

    tenant_id: int
    tenant: str
    client_id: str
    client: str
    profile: str
    dialect: str
    permissions: frozenset[str]
    assertion: str | None = None
    until: int = 0
    issuer_id: str | None = None
    narrowed: tuple[str, ...] | None = None
    user_id: str | None = None


class TokenEndpoint:
    """Issues access tokens."""

    def __init__(
        self,
        database: Database,
        keys: SigningKeys,
        outside: OutsideTokens,
        failures: FailedAttempts,
        limiter: RateLimiter,
        seconds: int,
    ) -> None:
        """Issue tokens that last so many seconds."""
        self._database = database
        self._keys = keys
        self._outside = outside
        self._failures = failures
        self._limiter = limiter
        self._seconds = seconds
        self._proven: OrderedDict[tuple[str, str], int] = OrderedDict()

    async def grant(
        self,
        request: TokenRequest,
        *,
        issuer: str,
        audiences: Sequence[str],
        resource: str,
        tenant: str | None,
        source: str,
    ) -> Grant:
        """Return an access token for what a request proves; raises OAuthError and TooManyRequests.

        It counts as any request of the client that has proved who it is.

        `audiences` are the names of this server that an assertion may be made for, `tenant` is the one of the
        URL. A client that proved itself from a source before is not slowed by failures of others, until as
        many in its own name fail there.
        """
        known = (source, request.client_id or "")
        if known not in self._proven:
            self._failures.check(source, tenant)
        try:
            proven = await self._proven_by(request, audiences, tenant)
            headers = await self._admit(proven)
            held = proven.permissions
            if proven.narrowed is not None:
                held = within(proven.narrowed, held)
            scope = narrowed(request.scope, held)
            limit = scope if scope is not None else proven.narrowed
            granted = await self._issue(
                proven, limit, sorted(held if scope is None else scope), issuer, resource, headers
            )
        except OAuthError as error:
            if error.code == "invalid_client":
                self._failures.failed("client", source, tenant)
                self._note_failure(known)
            raise
        if request.client_id:
            self._proven[known] = 0
            self._proven.move_to_end(known)
        while len(self._proven) > _REMEMBERED:
            self._proven.popitem(last=False)
        return granted

    def _note_failure(self, known: tuple[str, str]) -> None:
        """Count a failure in the name of a client that proved itself; after too many it did not."""
        if known in self._proven:
            self._proven[known] += 1
            if self._proven[known] >= self._failures.limit:
                del self._proven[known]

    async def _admit(self, proven: _Proven) -> Headers:
        """Count the request; raises TooManyRequests where the client or its tenant makes too many."""
        tenant = await self._database.read(lambda reader: tenants.find(reader, proven.tenant))
        principal = Principal(
            proven.tenant_id,
            proven.tenant,
            proven.client_id,
            proven.client,
            proven.profile,
            proven.dialect,
            DIALECTS[proven.dialect],
            proven.permissions,
            proven.user_id,
            settings=settings_of(None if tenant is None else tenant.settings),
        )
        return await self._limiter.admit(principal)

    async def _proven_by(
        self, request: TokenRequest, audiences: Sequence[str], tenant: str | None
    ) -> _Proven:
        if request.assertion is not None:
            return await self._by_assertion(request, audiences, tenant)
        return await self._by_secret(request.client_id or "", request.secret or "", tenant)

    async def _by_secret(self, client_id: str, secret: str, tenant: str | None) -> _Proven:
        refused = invalid_client("The client is not known, or its secret is wrong or has ended.")
        if tokens.is_mistyped(secret):
            raise refused
        digest = tokens.digest(secret)
        row = await self._database.read(lambda reader: rows.secret_holder(reader, digest))
        if row is None or not hmac.compare_digest(row.client_id.encode(), client_id.encode()):
            raise refused
        has_ended = row.revoked is not None or (row.expires is not None and row.expires <= now())
        if has_ended or row.client_revoked is not None or tenant not in (None, row.tenant_name):
            raise refused
        return _proven(row)

    async def _by_assertion(
        self, request: TokenRequest, audiences: Sequence[str], tenant: str | None
    ) -> _Proven:
        """Return the client of an assertion, which it signed itself, or an outside issuer for it."""
        try:
            jwt = jwts.read(request.assertion or "")
            subject = jwt.text("sub")
            if subject is not None and jwt.text("iss") == subject:
                return await self._by_own_key(jwt, subject, request.client_id, audiences, tenant)
            return _federated(await self._outside.verified(jwt, tenant), request.client_id)
        except BadJwt as error:
            raise invalid_client(f"The assertion is refused: {error}.") from error

    async def _by_own_key(
        self, jwt: Jwt, subject: str, client_id: str | None, audiences: Sequence[str], tenant: str | None
    ) -> _Proven:
        """Return the client that signed an assertion (RFC 7523 §3); raises BadJwt."""
        if not audiences:
            raise invalid_request("This server takes no assertions: its SCIM_PUBLIC_URL is not set.")
        if client_id not in (None, subject):
            raise BadJwt("sub is not the client_id")
        if not is_storable(subject):
            raise BadJwt("the client is not known")
        found = await self._database.read(lambda reader: rows.key_holders(reader, subject))
        live = [row for row in found if row.client_revoked is None and tenant in (None, row.tenant_name)]
        keys = [key for row in live if (key := jwts.public_key(json.loads(row.key))) is not None]
        jwts.verify(jwt, keys, jwts.ALGORITHMS)
        jwts.check_audience(jwt, audiences)
        ends = jwts.check_times(jwt, now() / _SECOND, longest=LONGEST_ASSERTION)
        jti = jwt.text("jti")
        if jti is None:
            raise BadJwt("it has no id (jti)")
        holder, digest = live[0], tokens.digest(jti)
        if await self._database.read(lambda reader: rows.is_used(reader, holder.tenant_id, subject, digest)):
            raise BadJwt("it was used before (jti)")
        until = int((ends + 2 * jwts.SKEW_SECONDS) * _SECOND)
        return _proven(holder, assertion=digest, until=until)

    async def _issue(
        self,
        proven: _Proven,
        scope: Sequence[str] | None,
        effective: Sequence[str],
        issuer: str,
        resource: str,
        headers: Headers,
    ) -> Grant:
        key, moment = await self._keys.current(), now()
        seconds = moment // _SECOND
        claims = {
            "iss": issuer,
            "sub": proven.client_id,
            "client_id": proven.client_id,
            "aud": resource,
            "iat": seconds,
            "exp": seconds + self._seconds,
            "jti": new_id(),
            "scope": " ".join(effective),
        }
        token = signing.access_token(key, claims)
        digest = tokens.digest(token)
        row = {
            "digest": digest,
            "tenant_id": proven.tenant_id,
            "client_id": proven.client_id,
            "prefix": f"at:{digest[:8]}",
            "created": moment,
            "expires": (seconds + self._seconds) * _SECOND,
            "kind": rows.ACCESS,
            "issuer_id": proven.issuer_id,
            "owner_id": proven.user_id,
            "narrowed": None if scope is None else json.dumps(list(scope)),
        }

        async def work(writer: Writer) -> None:
            tenant = await tenants.find(writer, proven.tenant)
            if tenant is None or tenant.suspended is not None:
                raise OAuthError("unauthorized_client", f"The tenant {proven.tenant} is suspended.")
            if proven.assertion is not None and not await rows.use_assertion(
                writer, proven.tenant_id, proven.client_id, proven.assertion, proven.until
            ):
                raise invalid_client("The assertion is refused: it was used before (jti).")
            if proven.issuer_id is not None and not await issuers.lock_issuer(
                writer, proven.tenant_id, proven.issuer_id
            ):
                raise invalid_client("The assertion is refused: its issuer is not trusted.")
            await clients.insert_token(writer, row)

        await self._database.write(work)
        return Grant(token, self._seconds, " ".join(effective), proven.tenant, proven.client, headers)


def _proven(row: Any, *, assertion: str | None = None, until: int = 0) -> _Proven:
    return _Proven(
        row.tenant_id,
        row.tenant_name,
        row.client_id,
        row.client_name,
        row.profile,
        row.dialect,
        frozenset(json.loads(row.permissions)),
        assertion,
        until,
    )


def _federated(found: Verified, client_id: str | None) -> _Proven:
    """Return the client that an outside issuer's token speaks for; raises BadJwt for another one."""
    if client_id not in (None, found.client.id, found.client.name):
        raise BadJwt("it is not for the client_id")
    return _Proven(
        found.tenant_id,
        found.tenant,
        found.client.id,
        found.client.name,
        found.client.profile,
        found.client.dialect,
        frozenset(json.loads(found.client.permissions)),
        issuer_id=found.issuer_id,
        narrowed=found.narrowed,
        user_id=found.user_id,
    )
