"""The tables. Every key and index begins with the tenant, so that the tables distribute by it."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData()

Record = Any
"""A row of a query, with its columns as attributes."""

Key = sa.String().with_variant(sa.String(collation="C"), "postgresql")
"""Text that is compared byte by byte on both databases."""
Json = sa.Text().with_variant(JSONB(none_as_null=True), "postgresql")
"""A JSON value to search in; read and written as text."""
Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

tenant = sa.Table(
    "tenant",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", Key, nullable=False, unique=True),
    sa.Column("created", sa.BigInteger, nullable=False),
)

client = sa.Table(
    "client",
    metadata,
    sa.Column("tenant_id", sa.Integer, sa.ForeignKey("tenant.id"), primary_key=True),
    sa.Column("id", Key, primary_key=True),
    sa.Column("name", Key, nullable=False),
    sa.Column("profile", Key, nullable=False),
    sa.Column("dialect", Key, nullable=False),
    sa.Column("permissions", sa.Text, nullable=False),
    sa.Column("switches", sa.Text, nullable=False),
    sa.Column("user_id", Key, nullable=True),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("revoked", sa.BigInteger, nullable=True),
    sa.UniqueConstraint("tenant_id", "name", name="client_name"),
)

token = sa.Table(
    "token",
    metadata,
    sa.Column("digest", Key, primary_key=True),
    sa.Column("tenant_id", sa.Integer, nullable=False),
    sa.Column("client_id", Key, nullable=False),
    sa.Column("prefix", Key, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("expires", sa.BigInteger, nullable=True),
    sa.Column("revoked", sa.BigInteger, nullable=True),
    sa.ForeignKeyConstraint(
        ["tenant_id", "client_id"], ["client.tenant_id", "client.id"], name="token_client"
    ),
    sa.Index("token_of_client", "tenant_id", "client_id"),
)

resource = sa.Table(
    "resource",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True),
    sa.Column("id", Key, primary_key=True),
    sa.Column("type", Key, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("modified", sa.BigInteger, nullable=False),
    sa.Column("deleted", sa.BigInteger, nullable=True),
    sa.Column("display", sa.Text, nullable=True),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("folded", Json, nullable=False),
    sa.Index(
        "resource_walk",
        "tenant_id",
        "type",
        "id",
        postgresql_where=sa.text("deleted IS NULL"),
        sqlite_where=sa.text("deleted IS NULL"),
    ),
    sa.Index(
        "resource_modified",
        "tenant_id",
        "type",
        "modified",
        postgresql_where=sa.text("deleted IS NULL"),
        sqlite_where=sa.text("deleted IS NULL"),
    ),
)

unique_value = sa.Table(
    "unique_value",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True),
    sa.Column("type", Key, primary_key=True),
    sa.Column("attribute", Key, primary_key=True),
    sa.Column("key", Key, primary_key=True),
    sa.Column("resource_id", Key, nullable=False),
    sa.Index("unique_value_of_resource", "tenant_id", "resource_id"),
)

reference = sa.Table(
    "reference",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True),
    sa.Column("source_id", Key, primary_key=True),
    sa.Column("attribute", Key, primary_key=True),
    sa.Column("target_id", Key, primary_key=True),
    sa.Column("payload", sa.Text, nullable=True),
    sa.Column("folded", Json, nullable=True),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Index("reference_by_target", "tenant_id", "target_id", "attribute", "source_id"),
)

counter = sa.Table(
    "counter",
    metadata,
    sa.Column("tenant_id", sa.Integer, primary_key=True),
    sa.Column("name", Key, primary_key=True),
    sa.Column("slot", sa.Integer, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)

secret = sa.Table(
    "secret",
    metadata,
    sa.Column("name", Key, primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)
