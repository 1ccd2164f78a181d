"""Rows of tenants, clients and tokens."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from scim_server.store.callers import OF_CLIENT, OF_TOKEN, Caller
from scim_server.store.database import Reader, Writer
from scim_server.store.resources import insert_ignoring
from scim_server.store.statements import Statement, given
from scim_server.store.tables import Record, client, secret, tenant, token

TOUCH_EVERY = 300_000_000
"""Microseconds between two notes of a token's use."""


async def caller_of(reader: Reader, digest: str) -> Caller | None:
    """Return token, client and tenant of a token's digest, None for an unknown one."""
    row = await reader.row(OF_TOKEN, digest=digest)
    return None if row is None else Caller._make(row)


async def caller_by_client(reader: Reader | Writer, tenant_id: int, client_id: str) -> Caller | None:
    """Return a client and its tenant without a token, None for an unknown one."""
    row = await reader.row(OF_CLIENT, tenant_id=tenant_id, client_id=client_id)
    return None if row is None else Caller._make(row)


async def guard(writer: Writer, tenant_id: int, client_id: str, digest: str = "") -> Caller | None:
    """Return what the store says of a caller now, in one statement; None for an unknown client.

    Without a digest of a token of the client it is about the client alone.
    """
    row = await writer.row(OF_TOKEN, digest=digest) if digest else None
    if row is not None and (found := Caller._make(row)).client_id == client_id:
        return found
    return await caller_by_client(writer, tenant_id, client_id)


async def tenant_id_of(reader: Reader | Writer, name: str) -> int | None:
    """Return the id of a tenant, None for an unknown one and for one that is being deleted."""
    query = sa.select(tenant.c.id).where(tenant.c.name == name, tenant.c.deleted.is_(None))
    return (await reader.execute(query)).scalar()


async def ensure_tenant(writer: Writer, name: str, moment: int) -> int:
    """Return the id of a tenant, which is made where it is not there."""
    await writer.execute(insert_ignoring(writer, tenant).values(name=name, created=moment))
    query = sa.select(tenant.c.id).where(tenant.c.name == name)
    return int((await writer.execute(query)).scalar_one())


async def insert_client(writer: Writer, row: dict[str, Any]) -> bool:
    """Insert a client; returns whether its name was free."""
    return (await writer.execute(insert_ignoring(writer, client).values(**row))).rowcount == 1


async def insert_token(writer: Writer, row: dict[str, Any]) -> bool:
    """Insert a token; returns whether its digest was new."""
    return (await writer.execute(insert_ignoring(writer, token).values(**row))).rowcount == 1


async def clients_of(reader: Reader | Writer, tenant_id: int, name: str | None = None) -> Sequence[Record]:
    """Return the clients of a tenant by name, or the one of that name."""
    query = sa.select(client).where(client.c.tenant_id == tenant_id).order_by(client.c.name)
    if name is not None:
        query = query.where(client.c.name == name)
    return (await reader.execute(query)).all()


async def tokens_of(reader: Reader | Writer, tenant_id: int, client_ids: Sequence[str]) -> Sequence[Record]:
    """Return the opaque tokens of clients, oldest first."""
    query = (
        sa.select(token)
        .where(token.c.tenant_id == tenant_id, token.c.client_id.in_(client_ids), token.c.kind.is_(None))
        .order_by(token.c.created, token.c.digest)
    )
    return (await reader.execute(query)).all()


async def lock_client(writer: Writer, tenant_id: int, name: str) -> Record | None:
    """Return a client and keep other writers from it until the transaction ends."""
    query = sa.select(client).where(client.c.tenant_id == tenant_id, client.c.name == name).with_for_update()
    return (await writer.execute(query)).first()


async def revoke_tokens(writer: Writer, digests: Sequence[str], moment: int) -> int:
    """Revoke tokens and return how many were live."""
    statement = (
        token.update().where(token.c.digest.in_(digests), token.c.revoked.is_(None)).values(revoked=moment)
    )
    return (await writer.execute(statement)).rowcount


async def touch_tokens(writer: Writer, digests: Sequence[str], moment: int) -> None:
    """Note that tokens are in use, where the last note is older than TOUCH_EVERY."""
    is_old = sa.or_(token.c.last_used.is_(None), token.c.last_used < moment - TOUCH_EVERY)
    await writer.execute(token.update().where(token.c.digest.in_(digests), is_old).values(last_used=moment))


def _of_owner(tenant_id: int, owner_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(token.c.tenant_id == tenant_id, token.c.owner_id == owner_id)


_REVOKE_OF_OWNER = Statement(
    lambda _dialect: (
        token.update()
        .where(
            token.c.tenant_id == given("own_tenant"),
            token.c.owner_id == given("own_id"),
            token.c.revoked.is_(None),
        )
        .values(revoked=given("revoked"), revoked_by=given("revoked_by"))
        .returning(sa.literal_column("1"))
    )
)


async def revoke_tokens_of_owner(
    writer: Writer, tenant_id: int, owner_id: str, moment: int, by: str | None
) -> None:
    """Revoke every token that a user owns and note by whom, with what else is deferred."""
    values = {"own_tenant": tenant_id, "own_id": owner_id, "revoked": moment, "revoked_by": by}
    writer.defer(_REVOKE_OF_OWNER, values)


async def tokens_created_since(reader: Reader | Writer, tenant_id: int, owner_id: str, since: int) -> int:
    """Return how many tokens of a user were made at a moment or after it, revoked ones included."""
    made = sa.and_(_of_owner(tenant_id, owner_id), token.c.kind.is_(None), token.c.created >= since)
    return (await reader.execute(sa.select(sa.func.count()).select_from(token).where(made))).scalar_one()


async def revoke_client(writer: Writer, tenant_id: int, client_id: str, moment: int) -> int:
    """Revoke a client and all its tokens; returns how many tokens were live."""
    owned = sa.and_(client.c.tenant_id == tenant_id, client.c.id == client_id)
    await writer.execute(client.update().where(owned).values(revoked=moment))
    statement = (
        token.update()
        .where(token.c.tenant_id == tenant_id, token.c.client_id == client_id, token.c.revoked.is_(None))
        .values(revoked=moment)
    )
    return (await writer.execute(statement)).rowcount


async def remove_ended_tokens(writer: Writer, before: int, access_before: int) -> int:
    """Remove tokens that ended before a moment, access tokens that did before another; returns how many."""
    ended = sa.or_(
        token.c.expires < before,
        token.c.revoked < before,
        sa.and_(token.c.kind.is_not(None), token.c.expires < access_before),
    )
    return (await writer.execute(token.delete().where(ended))).rowcount


async def secret_of(reader: Reader, name: str) -> bytes:
    """Return a secret that all replicas share."""
    value: bytes = (await reader.execute(sa.select(secret.c.value).where(secret.c.name == name))).scalar_one()
    return value


async def revoke_token_of(
    writer: Writer, tenant_id: int, resource_id: str, moment: int, by: str | None
) -> int:
    """Revoke the token that an ApiToken resource describes and note by whom; returns how many were live."""
    own = sa.and_(token.c.tenant_id == tenant_id, token.c.id == resource_id, token.c.revoked.is_(None))
    statement = token.update().where(own).values(revoked=moment, revoked_by=by)
    return (await writer.execute(statement)).rowcount


async def describe_token(writer: Writer, tenant_id: int, resource_id: str, facts: Mapping[str, str]) -> None:
    """Write name and scopes of the token that an ApiToken resource describes."""
    own = sa.and_(token.c.tenant_id == tenant_id, token.c.id == resource_id)
    await writer.execute(token.update().where(own).values(**facts))


async def tokens_by_id(
    reader: Reader | Writer, tenant_id: int, resource_ids: Sequence[str]
) -> dict[str, Record]:
    """Return the tokens that ApiToken resources describe, by the resource's id."""
    query = sa.select(token).where(token.c.tenant_id == tenant_id, token.c.id.in_(resource_ids))
    return {row.id: row for row in await reader.execute(query)}
