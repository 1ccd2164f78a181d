"""Access tokens beside opaque ones, secrets and keys of clients, signing keys, outside issuers."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

Key = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Apply the revision."""
    for name in ("kind", "issuer_id"):
        op.add_column("token", sa.Column(name, Key, nullable=True))
    op.add_column("token", sa.Column("narrowed", sa.Text, nullable=True))
    of_issuer = sa.text("issuer_id IS NOT NULL")
    op.create_index(
        "token_of_issuer",
        "token",
        ["tenant_id", "issuer_id"],
        postgresql_where=of_issuer,
        sqlite_where=of_issuer,
    )
    _credentials()
    _issuers()
    op.create_table(
        "signing_key",
        sa.Column("kid", Key, primary_key=True),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("retires", sa.BigInteger, nullable=True),
        sa.Column("key", sa.Text, nullable=False),
    )


def _credentials() -> None:
    op.create_table(
        "client_secret",
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
    )
    op.create_index("client_secret_of_client", "client_secret", ["tenant_id", "client_id"])
    op.create_table(
        "client_key",
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
    op.create_table(
        "assertion",
        sa.Column("tenant_id", sa.Integer, primary_key=True),
        sa.Column("client_id", Key, primary_key=True),
        sa.Column("digest", Key, primary_key=True),
        sa.Column("expires", sa.BigInteger, nullable=False),
    )
    op.create_index("assertion_ending", "assertion", ["tenant_id", "expires"])


def _issuers() -> None:
    op.create_table(
        "issuer",
        sa.Column("tenant_id", sa.Integer, sa.ForeignKey("tenant.id"), primary_key=True),
        sa.Column("id", Key, primary_key=True),
        sa.Column("name", Key, nullable=False),
        sa.Column("issuer", Key, nullable=False),
        sa.Column("audience", Key, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("tenant_id", "name", name="issuer_name"),
    )
    op.create_index("issuer_by_url", "issuer", ["issuer", "tenant_id"])
