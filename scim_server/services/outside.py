"""Tokens that outside issuers signed: verified once, and a row of their client's from then on."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scim_server.scim.documents import is_storable
from scim_server.scim.filters.binding import bind_filter
from scim_server.scim.filters.grammar import parse_filter
from scim_server.scim.policy import Policy
from scim_server.scim.registry import Registry
from scim_server.security import jwts, tokens
from scim_server.security.jwts import BadJwt, Jwt, PublicKey, UnknownKey
from scim_server.security.principals import is_permission
from scim_server.services.context import filter_context
from scim_server.services.issuers import Trust, trust_of
from scim_server.services.jwks import KeySets
from scim_server.services.lookups import quoted
from scim_server.services.settlement import system_call
from scim_server.store import clients, issuers
from scim_server.store.clock import now
from scim_server.store.database import Database, Reader, Writer
from scim_server.store.listing import Lister, Selection

_SECOND = 1_000_000
_NOT_TRUSTED = "the token is not trusted here (issuer, audience, or several tenants would take it)"
"""What is said before a signature was verified: no more than anybody may know of a tenant."""
LONGEST = 3_600 * _SECOND
"""How long a token is taken without a look at the keys of its issuer."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verified token stands for: a client of a tenant, perhaps less than it may do, perhaps a user."""

    tenant_id: int
    tenant: str
    issuer_id: str
    client: Any
    narrowed: tuple[str, ...] | None
    user_id: str | None
    expires: int


class OutsideTokens:
    """Judges the tokens of the issuers that tenants trust."""

    def __init__(self, database: Database, registry: Registry, keys: KeySets) -> None:
        self._database = database
        self._registry = registry
        self._keys = keys

    async def admit(self, token: str, tenant: str | None) -> None:
        """Verify a token and make it one of its client, good until it ends or LONGEST is over.

        Raises BadJwt for one that is not to be trusted, ServiceUnavailable where that cannot be said.
        """
        found = await self.verified(jwts.read(token), tenant)
        digest, moment = tokens.digest(token), now()
        row = {
            "digest": digest,
            "tenant_id": found.tenant_id,
            "client_id": found.client.id,
            "prefix": f"jwt:{digest[:8]}",
            "created": moment,
            "expires": min(found.expires, moment + LONGEST),
            "issuer_id": found.issuer_id,
            "owner_id": found.user_id,
            "narrowed": None if found.narrowed is None else json.dumps(found.narrowed),
        }

        async def work(writer: Writer) -> None:
            if not await issuers.lock_issuer(writer, found.tenant_id, found.issuer_id):
                raise BadJwt(_NOT_TRUSTED)
            await issuers.keep_token(writer, row)

        await self._database.write(work)

    async def verified(self, jwt: Jwt, tenant: str | None) -> Verified:
        """Return what a token stands for; raises BadJwt and ServiceUnavailable.

        Where the URL names no tenant, only one may trust the issuer for the token's audience.
        """
        named = jwt.text("iss") or ""
        if not is_storable(named) or not is_storable(tenant or ""):
            raise BadJwt(_NOT_TRUSTED)
        rows = await self._database.read(lambda reader: issuers.issuers_called(reader, named, tenant))
        if not rows:
            raise BadJwt(_NOT_TRUSTED)
        meant = [(row, trust_of(row)) for row in rows if _is_meant(jwt, row.audience)]
        if not meant:
            raise BadJwt(_NOT_TRUSTED)
        if len({row.tenant_id for row, _ in meant}) > 1:
            raise BadJwt(_NOT_TRUSTED)
        refusal = BadJwt("the token names no client")
        for row, trust in meant:
            try:
                return await self._by(row, trust, jwt)
            except BadJwt as error:
                refusal = error
        raise refusal

    async def _by(self, row: Any, trust: Trust, jwt: Jwt) -> Verified:
        await self._check_signature(trust, jwt)
        ends = int(jwts.check_times(jwt, now() / _SECOND) * _SECOND) + jwts.SKEW_SECONDS * _SECOND
        name = _client_name(trust, jwt)

        async def work(reader: Reader) -> Verified:
            found = await clients.clients_of(reader, row.tenant_id, name)
            if not found or found[0].revoked is not None:
                raise BadJwt("the token names no client")
            user = await self._user(reader, row, trust, jwt)
            return Verified(
                row.tenant_id, row.tenant_name, row.id, found[0], _narrowed(trust, jwt), user, ends
            )

        return await self._database.read(work)

    async def _check_signature(self, trust: Trust, jwt: Jwt) -> None:
        """Verify with the keys that are known, and with newer ones where none of these will do."""
        keys = await self._keys.keys(trust.issuer, trust.jwks_url)
        fetched = self._keys.fetched_at(trust.issuer, trust.jwks_url)
        try:
            _verify(jwt, keys, trust)
        except UnknownKey:
            keys = await self._keys.keys(trust.issuer, trust.jwks_url, newer_than=fetched)
            _verify(jwt, keys, trust)

    async def _user(self, reader: Reader, row: Any, trust: Trust, jwt: Jwt) -> str | None:
        """Return the id of the one user whom a claim names; raises BadJwt where there is not exactly one."""
        if trust.user_claim is None:
            return None
        value = jwt.text(trust.user_claim)
        if value is None:
            raise BadJwt("the token names no user")
        kind = self._registry.resource_types["User"]
        condition = bind_filter(parse_filter(f"{trust.user_attribute} eq {quoted(value)}"), kind, Policy())
        call = system_call(row.tenant_id, row.tenant_name)
        context = filter_context(self._database, self._registry, call)
        found = await Lister(context, Selection(((kind, condition),))).page(reader, limit=2)
        if len(found) != 1:
            raise BadJwt("the token names no user")
        return str(found[0].resource.id)


def _verify(jwt: Jwt, keys: Sequence[PublicKey], trust: Trust) -> None:
    jwts.verify(jwt, keys, trust.algorithms)


def _is_meant(jwt: Jwt, audience: str) -> bool:
    try:
        jwts.check_audience(jwt, {audience})
    except BadJwt:
        return False
    return True


def _client_name(trust: Trust, jwt: Jwt) -> str:
    value = jwt.text(trust.client_claim)
    name = trust.clients.get(value) if trust.clients and value is not None else value
    if name is None or not is_storable(name):
        raise BadJwt("the token names no client")
    return name


def _narrowed(trust: Trust, jwt: Jwt) -> tuple[str, ...] | None:
    """Return the permissions that the claim names, if there is to be one: a list, or words of a text."""
    if trust.narrow_claim is None:
        return None
    value = jwt.claims.get(trust.narrow_claim)
    words = value.split() if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(word for word in dict.fromkeys(words) if isinstance(word, str) and is_permission(word))
