"""Clients and their tokens: created, listed, rotated, revoked."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from scim_server.dialects import DIALECTS
from scim_server.security import tokens
from scim_server.security.principals import DEFAULT_PERMISSIONS, PERMISSIONS, PROFILES
from scim_server.services.tenants import check_name, known_tenant
from scim_server.store import clients as rows
from scim_server.store.clock import now
from scim_server.store.database import Database, Writer
from scim_server.store.identifiers import new_id

LIVE_TOKENS = 2
MAX_NAME = 200


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


@dataclass(frozen=True, slots=True)
class ClientSummary:
    """A client with its tokens, oldest first."""

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

    def __init__(self, database: Database) -> None:
        self._database = database

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

        `default` alone is made where it is not. `user` is the id of the user that /Me stands for and whose
        roles the client acts with; `row_scope` is a filter on users outside of which it sees and changes
        none. Raises ClientExists, UnknownTenant, and ValueError for a profile, dialect, permission or switch
        that does not exist.
        """
        _check(name, tenant, profile, dialect, permissions, switches)
        secret = token or tokens.new_token()

        async def work(writer: Writer) -> IssuedToken:
            moment = now()
            tenant_id = await known_tenant(writer, tenant)
            client_id = new_id()
            created = await rows.insert_client(
                writer,
                {
                    "tenant_id": tenant_id,
                    "id": client_id,
                    "name": name,
                    "profile": profile,
                    "dialect": dialect,
                    "permissions": json.dumps(
                        list(DEFAULT_PERMISSIONS[profile] if permissions is None else permissions)
                    ),
                    "switches": json.dumps(dict(switches or {})),
                    "user_id": user,
                    "row_scope": row_scope,
                    "created": moment,
                },
            )
            if not created:
                raise ClientExists(f"There is a client {name} already.")
            return await _issue(writer, tenant_id, client_id, name, secret, expires_in, moment)

        return await self._database.write(work)

    async def ensure(self, name: str, token: str, *, tenant: str = "default") -> None:
        """Make sure that an administrator client of that name has the token.

        A client that is there gets the token in addition; a client or token that was revoked stays so.
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

        Raises UnknownClient.
        """
        secret = tokens.new_token()

        async def work(writer: Writer) -> IssuedToken:
            moment = now()
            tenant_id, client = await _known(writer, tenant, name)
            live = [
                token.digest
                for token in await rows.tokens_of(writer, tenant_id, [client.id])
                if token.revoked is None and (token.expires is None or token.expires > moment)
            ]
            await rows.revoke_tokens(writer, live[: max(len(live) - (LIVE_TOKENS - 1), 0)], moment)
            return await _issue(writer, tenant_id, client.id, name, secret, expires_in, moment)

        return await self._database.write(work)

    async def revoke(self, name: str, *, tenant: str = "default") -> int:
        """Revoke a client for good, from its next request on; returns how many tokens were live.

        Raises UnknownClient.
        """

        async def work(writer: Writer) -> int:
            tenant_id, client = await _known(writer, tenant, name)
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
    check_name(tenant)
    for value, known, what in ((profile, PROFILES, "profile"), (dialect, DIALECTS, "dialect")):
        if value not in known:
            raise ValueError(f"There is no {what} {value}; choose one of {', '.join(known)}.")
    for permission in permissions or ():
        if permission not in PERMISSIONS:
            raise ValueError(f"There is no permission {permission}; choose from {', '.join(PERMISSIONS)}.")
    DIALECTS[dialect].switched(switches or {})


async def _known(writer: Writer, tenant: str, name: str) -> tuple[int, Any]:
    tenant_id = await rows.tenant_id_of(writer, tenant)
    client = None if tenant_id is None else await rows.lock_client(writer, tenant_id, name)
    if tenant_id is None or client is None or client.revoked is not None:
        raise UnknownClient(f"The tenant {tenant} has no live client {name}.")
    return tenant_id, client


async def _add_token(writer: Writer, tenant: str, name: str, token: str) -> None:
    tenant_id = await rows.tenant_id_of(writer, tenant)
    client = None if tenant_id is None else await rows.lock_client(writer, tenant_id, name)
    if tenant_id is not None and client is not None and client.revoked is None:
        await rows.insert_token(writer, _token_row(tenant_id, client.id, token, None, now()))


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
    expires_in: timedelta | None,
    moment: int,
) -> IssuedToken:
    expires = None if expires_in is None else moment + int(expires_in.total_seconds() * 1_000_000)
    if not await rows.insert_token(writer, _token_row(tenant_id, client_id, secret, expires, moment)):
        raise ClientExists("Another client has this token already.")
    return IssuedToken(name, secret, tokens.prefix(secret), _optional_moment(expires))


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)


def _optional_moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _moment(microseconds)


def _summary(client: Any, tenant: str, owned: Sequence[Any]) -> ClientSummary:
    return ClientSummary(
        name=client.name,
        tenant=tenant,
        profile=client.profile,
        dialect=client.dialect,
        switches=json.loads(client.switches),
        permissions=tuple(json.loads(client.permissions)),
        tokens=tuple(_token_summary(token) for token in owned),
        created_at=_moment(client.created),
        revoked_at=_optional_moment(client.revoked),
    )


def _token_summary(token: Any) -> TokenSummary:
    return TokenSummary(
        token.prefix,
        _moment(token.created),
        _optional_moment(token.expires),
        _optional_moment(token.revoked),
    )
