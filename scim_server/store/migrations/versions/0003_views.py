"""Read-only views for reports."""

from alembic import op

from scim_server.store.views import statements

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Apply the revision; a later one that changes a view runs the statements again."""
    connection = op.get_bind()
    for statement in statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
