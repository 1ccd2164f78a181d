"""Runs migrations on the connection that store.upgrade hands over."""

from alembic import context

from scim_server.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
