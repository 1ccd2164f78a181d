"""Buckets of permits that every server on the store takes requests' turns from."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Apply the revision; what is in the table may be lost at any time, so PostgreSQL logs none of it."""
    is_postgresql = op.get_context().dialect.name == "postgresql"
    key = sa.String(collation="C") if is_postgresql else sa.String()
    op.create_table(
        "rate_bucket",
        sa.Column("tenant_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", key, primary_key=True),
        sa.Column("permits", sa.Double, nullable=False),
        sa.Column("granted", sa.Double, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        prefixes=["UNLOGGED"] if is_postgresql else [],
    )
