"""Tenants, clients and tokens; resources with their unique values, references and counters."""

import os
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

Key = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Apply the revision."""
    json = JSONB() if op.get_bind().dialect.name == "postgresql" else sa.Text()
    _callers()
    _resources(json)
    op.create_table(
        "counter",
        sa.Column("tenant_id", sa.Integer, primary_key=True),
        sa.Column("name", Key, primary_key=True),
        sa.Column("slot", sa.Integer, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    secret = op.create_table(
        "secret",
        sa.Column("name", Key, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.bulk_insert(secret, [{"name": "cursor", "value": os.urandom(32)}])


def _callers() -> None:
    op.create_table(
        "tenant",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", Key, nullable=False, unique=True),
        sa.Column("created", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "client",
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
    op.create_table(
        "token",
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
    )
    op.create_index("token_of_client", "token", ["tenant_id", "client_id"])


def _resources(json: Any) -> None:
    op.create_table(
        "resource",
        sa.Column("tenant_id", sa.Integer, primary_key=True),
        sa.Column("id", Key, primary_key=True),
        sa.Column("type", Key, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("modified", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.BigInteger, nullable=True),
        sa.Column("display", sa.Text, nullable=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("folded", json, nullable=False),
    )
    live = sa.text("deleted IS NULL")
    for name, last in (("resource_walk", "id"), ("resource_modified", "modified")):
        op.create_index(
            name, "resource", ["tenant_id", "type", last], postgresql_where=live, sqlite_where=live
        )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE INDEX resource_folded ON resource USING gin (folded jsonb_path_ops)")
    op.create_table(
        "unique_value",
        sa.Column("tenant_id", sa.Integer, primary_key=True),
        sa.Column("type", Key, primary_key=True),
        sa.Column("attribute", Key, primary_key=True),
        sa.Column("key", Key, primary_key=True),
        sa.Column("resource_id", Key, nullable=False),
    )
    op.create_index("unique_value_of_resource", "unique_value", ["tenant_id", "resource_id"])
    op.create_table(
        "reference",
        sa.Column("tenant_id", sa.Integer, primary_key=True),
        sa.Column("source_id", Key, primary_key=True),
        sa.Column("attribute", Key, primary_key=True),
        sa.Column("target_id", Key, primary_key=True),
        sa.Column("payload", sa.Text, nullable=True),
        sa.Column("folded", json, nullable=True),
        sa.Column("created", sa.BigInteger, nullable=False),
    )
    op.create_index("reference_by_target", "reference", ["tenant_id", "target_id", "attribute", "source_id"])
