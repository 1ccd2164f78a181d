"""Tenants that are suspended or on their way out, and what is set for one alone."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Apply the revision."""
    op.add_column("tenant", sa.Column("suspended", sa.BigInteger, nullable=True))
    op.add_column("tenant", sa.Column("deleted", sa.BigInteger, nullable=True))
    op.add_column("tenant", sa.Column("settings", sa.Text, nullable=True))
