"""Rows of what clients prove themselves with, of assertions that were used, and of signing keys."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from scim_server.store.database import Reader, Writer
from scim_server.store.resources import insert_ignoring
from scim_server.store.tables import (
    Record,
    assertion,
    client,
    client_key,
    client_secret,
    secret,
    signing_key,
    tenant,
    token,
)

ACCESS, ISSUER = "access", "issuer"
"""Kinds of tokens that are not opaque: issued by the token endpoint, and verified ones of outside issuers."""
_CLIENT = (
    client.c.tenant_id,
    client.c.id.label("client_id"),
    client.c.name.label("client_name"),
    client.c.profile,
    client.c.dialect,
    client.c.permissions,
    client.c.revoked.label("client_revoked"),
    tenant.c.name.label("tenant_name"),
)


def _of_client(table: sa.Table) -> sa.Join:
    own = sa.and_(client.c.tenant_id == table.c.tenant_id, client.c.id == table.c.client_id)
    return table.join(client, own).join(tenant, tenant.c.id == client.c.tenant_id)


async def secret_holder(reader: Reader, digest: str) -> Record | None:
    """Return the client of a secret's digest, with when the secret ends; None for an unknown one."""
    query = (
        sa.select(*_CLIENT, client_secret.c.expires, client_secret.c.revoked)
        .select_from(_of_client(client_secret))
        .where(client_secret.c.digest == digest)
    )
    return (await reader.execute(query)).first()


async def key_holders(reader: Reader, client_id: str) -> Sequence[Record]:
    """Return the keys of the client of an id, each with its client."""
    query = (
        sa.select(*_CLIENT, client_key.c.key)
        .select_from(_of_client(client_key))
        .where(client_key.c.client_id == client_id)
        .order_by(client_key.c.created)
    )
    return (await reader.execute(query)).all()


async def insert_secret(writer: Writer, row: dict[str, Any]) -> None:
    """Insert a client's secret."""
    await writer.execute(client_secret.insert().values(**row))


async def secrets_of(reader: Reader | Writer, tenant_id: int, client_ids: Sequence[str]) -> Sequence[Record]:
    """Return the secrets of clients, oldest first."""
    query = (
        sa.select(client_secret)
        .where(client_secret.c.tenant_id == tenant_id, client_secret.c.client_id.in_(client_ids))
        .order_by(client_secret.c.created, client_secret.c.digest)
    )
    return (await reader.execute(query)).all()


async def revoke_secrets(writer: Writer, tenant_id: int, digests: Sequence[str], moment: int) -> None:
    """Revoke secrets of a tenant's clients."""
    chosen = sa.and_(client_secret.c.tenant_id == tenant_id, client_secret.c.digest.in_(digests))
    await writer.execute(client_secret.update().where(chosen).values(revoked=moment))


async def insert_key(writer: Writer, row: dict[str, Any]) -> bool:
    """Insert a client's public key; returns whether it had not got it before."""
    return (await writer.execute(insert_ignoring(writer, client_key).values(**row))).rowcount == 1


async def keys_of(reader: Reader | Writer, tenant_id: int, client_id: str) -> Sequence[Record]:
    """Return the public keys of a client, oldest first."""
    own = sa.and_(client_key.c.tenant_id == tenant_id, client_key.c.client_id == client_id)
    query = sa.select(client_key).where(own).order_by(client_key.c.created, client_key.c.thumbprint)
    return (await reader.execute(query)).all()


async def remove_key(writer: Writer, tenant_id: int, client_id: str, thumbprint: str) -> int:
    """Remove a client's public key; returns how many there were."""
    own = sa.and_(
        client_key.c.tenant_id == tenant_id,
        client_key.c.client_id == client_id,
        client_key.c.thumbprint == thumbprint,
    )
    return (await writer.execute(client_key.delete().where(own))).rowcount


async def use_assertion(writer: Writer, tenant_id: int, client_id: str, digest: str, expires: int) -> bool:
    """Note that a client used an assertion; returns whether it was for the first time."""
    row = {"tenant_id": tenant_id, "client_id": client_id, "digest": digest, "expires": expires}
    return (await writer.execute(insert_ignoring(writer, assertion).values(**row))).rowcount == 1


async def is_used(reader: Reader, tenant_id: int, client_id: str, digest: str) -> bool:
    """Tell whether a client used an assertion already."""
    own = assertion.c
    query = sa.select(own.digest).where(
        own.tenant_id == tenant_id, own.client_id == client_id, own.digest == digest
    )
    return (await reader.execute(query)).first() is not None


async def tidy(writer: Writer, moment: int) -> int:
    """Remove assertions and signing keys whose time is over; returns how many."""
    ended = await writer.execute(assertion.delete().where(assertion.c.expires < moment))
    retired = await writer.execute(signing_key.delete().where(signing_key.c.retires < moment))
    return ended.rowcount + retired.rowcount


async def revoke_tokens_of_issuer(writer: Writer, tenant_id: int, issuer_id: str, moment: int) -> int:
    """Revoke every token that an outside issuer signed; returns how many were live."""
    own = sa.and_(token.c.tenant_id == tenant_id, token.c.issuer_id == issuer_id, token.c.revoked.is_(None))
    return (await writer.execute(token.update().where(own).values(revoked=moment))).rowcount


async def signing_keys(reader: Reader | Writer, moment: int) -> Sequence[Record]:
    """Return the signing keys that are published, the one in use last."""
    live = sa.or_(signing_key.c.retires.is_(None), signing_key.c.retires > moment)
    query = sa.select(signing_key).where(live).order_by(signing_key.c.created, signing_key.c.kid)
    return (await reader.execute(query)).all()


async def lock_signing_keys(writer: Writer) -> None:
    """Keep every other server from changing the signing keys until the transaction ends."""
    await writer.execute(sa.select(secret.c.name).where(secret.c.name == "cursor").with_for_update())


async def insert_signing_key(writer: Writer, row: dict[str, Any]) -> None:
    """Insert a signing key."""
    await writer.execute(signing_key.insert().values(**row))


async def retire_signing_keys(writer: Writer, retires: int) -> None:
    """Set when the keys in use are no longer published."""
    in_use = signing_key.c.retires.is_(None)
    await writer.execute(signing_key.update().where(in_use).values(retires=retires))
