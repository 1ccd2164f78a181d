"""Folded copies on PostgreSQL name their tenant, so that the index over them tells tenants apart."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Apply the revision, which writes every row anew."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("DROP INDEX resource_folded")
    op.execute("UPDATE resource SET folded = folded || jsonb_build_object('~tenant', tenant_id)")
    op.execute("UPDATE phase SET folded = folded || jsonb_build_object('~tenant', tenant_id)")
    op.execute(
        "CREATE INDEX resource_folded ON resource USING gin (folded jsonb_path_ops) WITH (fastupdate = off)"
    )
