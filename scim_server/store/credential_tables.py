"""The tables of what clients prove themselves with, and of whom else is trusted to speak for them."""

import sqlalchemy as sa

from scim_server.store.columns import Key, metadata

client_secret = sa.Table(
    "client_secret",
    metadata,
    sa.Column("digest", Key, primary_key=True),
    sa.Column("tenant_id", sa.Integer, nullable=False),
    sa.Column("client_id", Key, nullable=False),
    sa.Column("prefix", Key, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("expires", sa.BigInteger, nullable=True),
    sa.Column("revoked", sa.BigInteger, nullable=True),
    sa.ForeignKeyConstraint(
        ["tenant_id", "client_id"], ["client.tenant_id", "client.id"], name="client_secret_client"
    ),
    sa.Index("client_secret_of_client", "tenant_id", "client_id"),
)
"""Found by its digest, like a token, before the tenant is known."""

client_key = sa.Table(
    "client_key",
    metadata,
    sa.Column("client_id", Key, primary_key=True),
    sa.Column("thumbprint", Key, primary_key=True),
    sa.Column("tenant_id", sa.Integer, nullable=False),
    sa.Column("kid", Key, nullable=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.ForeignKeyConstraint(
        ["tenant_id", "client_id"], ["client.tenant_id", "client.id"], name="client_key_client"
    ),
)
"""Found by the id of its client, which is unique in the world, before the tenant is known."""

assertion = sa.Table(
    "assertion",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True),
    sa.Column("client_id", Key, primary_key=True),
    sa.Column("digest", Key, primary_key=True),
    sa.Column("expires", sa.BigInteger, nullable=False),
    sa.Index("assertion_ending", "tenant_id", "expires"),
)

signing_key = sa.Table(
    "signing_key",
    metadata,
    sa.Column("kid", Key, primary_key=True),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("retires", sa.BigInteger, nullable=True),
    sa.Column("key", sa.Text, nullable=False),
)

issuer = sa.Table(
    "issuer",
    metadata,
    sa.Column("tenant_id", sa.Integer, sa.ForeignKey("tenant.id"), primary_key=True),
    sa.Column("id", Key, primary_key=True),
    sa.Column("name", Key, nullable=False),
    sa.Column("issuer", Key, nullable=False),
    sa.Column("audience", Key, nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("tenant_id", "name", name="issuer_name"),
    sa.Index("issuer_by_url", "issuer", "tenant_id"),
)
"""Found by the issuer that a token names, before the tenant is known."""
