"""Clients and their tokens: created, listed, rotated, revoked."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from scim_server.dialects import DIALECTS
from scim_server.security import tokens
from scim_server.security.principals import (
    API_TOKENS,
    DEFAULT_PERMISSIONS,
    NARROW_PARTS,
    PERMISSIONS,
    PROFILES,
    is_permission,
)
from scim_server.services.tenants import check_name, known_tenant
from scim_server.store import clients as rows
from scim_server.store.clock import datetime_of, end_of, now
from scim_server.store.database import Database, Writer
from scim_server.store.identifiers import new_id

LIVE_TOKENS = 2
MAX_NAME = 200


NEVER = timedelta.max
"""For how long a token lasts that has no end."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long tokens and secrets last: so many days at most, unless `allow_never` lifts that."""

    days: int = 365
    allow_never: bool = False

    def end(self, asked: timedelta | None, moment: int) -> int | None:
        """Return when something made now ends, None for never; raises ValueError for more than is allowed."""
        longest = timedelta(days=self.days)
        if asked is not None and asked > longest and not self.allow_never:
            raise ValueError(
                f"A token lasts {self.days} days at most here; SCIM_TOKEN_ALLOW_NEVER lifts that."
            )
        if asked == NEVER:
            return None
        return moment + (longest if asked is None else asked) // timedelta(microseconds=1)


class ClientExists(ValueError):
    """The tenant has a client of that name."""


class UnknownClient(LookupError):
    """The tenant has no client of that name, or it is revoked."""


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token at the only moment it can be read."""

    client: str
    token: str
    prefix: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class TokenSummary:
    """What may be shown of a token."""

    prefix: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def is_live(self, moment: datetime) -> bool:
        """Tell whether the token is good at a moment."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > moment)


@dataclass(frozen=True, slots=True)
class ClientSummary:
    """A client with its opaque tokens, oldest first; `id` is what the token endpoint knows it by."""

    id: str
    name: str
    tenant: str
    profile: str
    dialect: str
    switches: dict[str, bool]
    permissions: tuple[str, ...]
    tokens: tuple[TokenSummary, ...]
    created_at: datetime
    revoked_at: datetime | None


class Clients:
    """The clients of a store."""

    def __init__(self, database: Database, lifetimes: Lifetimes | None = None) -> None:
        self._database = database
        self._lifetimes = lifetimes or Lifetimes()

    async def create(  # noqa: PLR0913 - each is an attribute of a client
        self,
        name: str,
        *,
        tenant: str = "default",
        profile: str = "idp",
        dialect: str = "generic",
        permissions: Sequence[str] | None = None,
        switches: Mapping[str, bool] | None = None,
        user: str | None = None,
        row_scope: str | None = None,
        expires_in: timedelta | None = None,
        token: str | None = None,
    ) -> IssuedToken:
        """Create a client with one token, which is returned only here; the tenant has to be there.

        `default` alone is made where it is not. `token` is one that was chosen elsewhere; such a one has no
        end where none is asked for. `user` is the id of the user that /Me stands for and whose roles the
        client acts with; `row_scope` is a filter on users outside of which it sees and changes none. Raises
        ClientExists, UnknownTenant, and ValueError for a profile, dialect, permission or switch that does not
        exist, and for a token that lasts too long.
        """
        _check(name, tenant, profile, dialect, permissions, switches)
        secret = token or tokens.new_token()
        if tokens.is_mistyped(secret):
            raise ValueError(
                "The token looks like one of this server and its checksum is wrong; copy it again."
            )
        expires = None if token and expires_in is None else self._lifetimes.end(expires_in, now())

        row = _client_row(name, profile, dialect, permissions, switches, user, row_scope)

        async def work(writer: Writer) -> IssuedToken:
            moment = now()
            tenant_id = await _insert(writer, tenant, row, moment)
            return await _issue(writer, tenant_id, row["id"], name, secret, expires, moment)

        return await self._database.write(work)

    async def register(
        self,
        name: str,
        *,
        tenant: str = "default",
        profile: str = "idp",
        dialect: str = "generic",
        permissions: Sequence[str] | None = None,
        switches: Mapping[str, bool] | None = None,
        user: str | None = None,
        row_scope: str | None = None,
    ) -> None:
        """Create a client without a token, which proves itself in another way; raises as `create` does."""
        _check(name, tenant, profile, dialect, permissions, switches)
        row = _client_row(name, profile, dialect, permissions, switches, user, row_scope)
        await self._database.write(lambda writer: _insert(writer, tenant, row, now()))

    async def ensure(self, name: str, token: str, *, tenant: str = "default") -> None:
        """Make sure that an administrator client of that name has the token.

        A client that is there gets the token in addition; a client or token that was revoked stays so. The
        token has no end: who runs the server chose it, and ends it by choosing another.
        """
        try:
            await self.create(name, tenant=tenant, profile="admin", token=token)
        except ClientExists:
            await self._database.write(lambda writer: _add_token(writer, tenant, name, token))

    async def list(self, *, tenant: str = "default") -> list[ClientSummary]:
        """Return every client of a tenant by name."""

        async def work(reader: Any) -> list[ClientSummary]:
            tenant_id = await rows.tenant_id_of(reader, tenant)
            if tenant_id is None:
                return []
            clients = await rows.clients_of(reader, tenant_id)
            owned = await rows.tokens_of(reader, tenant_id, [client.id for client in clients])
            return [
                _summary(client, tenant, [token for token in owned if token.client_id == client.id])
                for client in clients
            ]

        return await self._database.read(work)

    async def rotate(
        self, name: str, *, tenant: str = "default", expires_in: timedelta | None = None
    ) -> IssuedToken:
        """Issue a further token; the newest two stay good, so that a rotation loses no request.

        Raises UnknownClient, and ValueError for a token that lasts too long.
        """
        secret = tokens.new_token()
        expires = self._lifetimes.end(expires_in, now())

        async def work(writer: Writer) -> IssuedToken:
            moment = now()
            tenant_id, client = await known_client(writer, tenant, name)
            issued = await rows.tokens_of(writer, tenant_id, [client.id])
            await rows.revoke_tokens(writer, superseded(issued, moment), moment)
            return await _issue(writer, tenant_id, client.id, name, secret, expires, moment)

        return await self._database.write(work)

    async def revoke(self, name: str, *, tenant: str = "default") -> int:
        """Revoke a client for good, from its next request on; returns how many tokens were live.

        Raises UnknownClient.
        """

        async def work(writer: Writer) -> int:
            tenant_id, client = await known_client(writer, tenant, name)
            return await rows.revoke_client(writer, tenant_id, client.id, now())

        return await self._database.write(work)


def _check(
    name: str,
    tenant: str,
    profile: str,
    dialect: str,
    permissions: Sequence[str] | None,
    switches: Mapping[str, bool] | None,
) -> None:
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise ValueError("A client's name has 1 to 200 printable characters.")
    if name == API_TOKENS or name.startswith(f"{API_TOKENS} "):
        raise ValueError(f"The name {API_TOKENS} and those that begin with it are for the tokens of users.")
    check_name(tenant)
    for value, known, what in ((profile, PROFILES, "profile"), (dialect, DIALECTS, "dialect")):
        if value not in known:
            raise ValueError(f"There is no {what} {value}; choose one of {', '.join(known)}.")
    for permission in permissions or ():
        if not is_permission(permission):
            raise ValueError(
                f"There is no permission {permission}; choose from "
                f"{', '.join((*PERMISSIONS, *NARROW_PARTS))}, or for one type of resources as in group:view."
            )
    DIALECTS[dialect].switched(switches or {})


async def known_client(writer: Writer, tenant: str, name: str) -> tuple[int, Any]:
    """Return the tenant's id and a live client, kept from other writers; raises UnknownClient."""
    tenant_id = await rows.tenant_id_of(writer, tenant)
    client = None if tenant_id is None else await rows.lock_client(writer, tenant_id, name)
    if tenant_id is None or client is None or client.revoked is not None:
        raise UnknownClient(f"The tenant {tenant} has no live client {name}.")
    return tenant_id, client


def superseded(issued: Sequence[Any], moment: int) -> list[str]:
    """Return the digests of those live tokens or secrets, oldest first, that a further one ends."""
    live = [
        row.digest for row in issued if row.revoked is None and (row.expires is None or row.expires > moment)
    ]
    return live[: max(len(live) - (LIVE_TOKENS - 1), 0)]


async def _add_token(writer: Writer, tenant: str, name: str, token: str) -> None:
    tenant_id = await rows.tenant_id_of(writer, tenant)
    client = None if tenant_id is None else await rows.lock_client(writer, tenant_id, name)
    if tenant_id is not None and client is not None and client.revoked is None:
        await rows.insert_token(writer, _token_row(tenant_id, client.id, token, None, now()))


def _client_row(
    name: str,
    profile: str,
    dialect: str,
    permissions: Sequence[str] | None,
    switches: Mapping[str, bool] | None,
    user: str | None,
    row_scope: str | None,
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "name": name,
        "profile": profile,
        "dialect": dialect,
        "permissions": json.dumps(list(DEFAULT_PERMISSIONS[profile] if permissions is None else permissions)),
        "switches": json.dumps(dict(switches or {})),
        "user_id": user,
        "row_scope": row_scope,
    }


async def _insert(writer: Writer, tenant: str, row: dict[str, Any], moment: int) -> int:
    """Insert a client and return the id of its tenant; raises ClientExists and UnknownTenant."""
    tenant_id = await known_tenant(writer, tenant)
    if not await rows.insert_client(writer, {"tenant_id": tenant_id, "created": moment, **row}):
        raise ClientExists(f"There is a client {row['name']} already.")
    return tenant_id


def _token_row(
    tenant_id: int, client_id: str, secret: str, expires: int | None, moment: int
) -> dict[str, Any]:
    return {
        "digest": tokens.digest(secret),
        "tenant_id": tenant_id,
        "client_id": client_id,
        "prefix": tokens.prefix(secret),
        "created": moment,
        "expires": expires,
    }


async def _issue(
    writer: Writer,
    tenant_id: int,
    client_id: str,
    name: str,
    secret: str,
    expires: int | None,
    moment: int,
) -> IssuedToken:
    if not await rows.insert_token(writer, _token_row(tenant_id, client_id, secret, expires, moment)):
        raise ClientExists("Another client has this token already.")
    return IssuedToken(name, secret, tokens.prefix(secret), end_of(expires))


def _summary(client: Any, tenant: str, owned: Sequence[Any]) -> ClientSummary:
    return ClientSummary(
        id=client.id,
        name=client.name,
        tenant=tenant,
        profile=client.profile,
        dialect=client.dialect,
        switches=json.loads(client.switches),
        permissions=tuple(json.loads(client.permissions)),
        tokens=tuple(_token_summary(token) for token in owned),
        created_at=datetime_of(client.created),
        revoked_at=end_of(client.revoked),
    )


def _token_summary(token: Any) -> TokenSummary:
    return TokenSummary(
        token.prefix,
        datetime_of(token.created),
        end_of(token.expires),
        end_of(token.revoked),
        end_of(token.last_used),
    )
