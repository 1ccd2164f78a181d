"""Two roles of PostgreSQL: one owns the tables, the other is the server's and cannot rewrite the audit."""

import re

import sqlalchemy as sa

from scim_server.store.database import Database
from scim_server.store.tables import metadata

NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_APPENDED = ("audit_event", "audit_private", "audit_chain", "audit_node", "audit_checkpoint")
_OF_AUDIT = {
    **dict.fromkeys(_APPENDED, "SELECT, INSERT"),
    "audit_cut": "SELECT",
    "audit_head": "SELECT, INSERT, UPDATE",
    "audit_queue": "SELECT, INSERT, DELETE",
    "audit_key": "SELECT, INSERT, DELETE",
    "audit_publication": "SELECT, INSERT, UPDATE",
}
"""What the server needs of the audit trail. Retention, which removes events, is the owner's to run."""


def statements(owner: str, application: str, tables: list[str], views: list[str]) -> list[str]:
    """Return the SQL that makes both roles and gives each what it needs; names have to be NAME."""
    found = [*_created(owner), *_created(application)]
    found += [f"GRANT USAGE ON SCHEMA public TO {application}", f"GRANT ALL ON SCHEMA public TO {owner}"]
    for table in tables:
        rights = _OF_AUDIT.get(table, "SELECT, INSERT, UPDATE, DELETE")
        found += [
            f"ALTER TABLE {table} OWNER TO {owner}",
            f"REVOKE ALL ON {table} FROM PUBLIC, {application}",
            f"GRANT {'SELECT' if table == 'alembic_version' else rights} ON {table} TO {application}",
        ]
    for view in views:
        found += [f"ALTER VIEW {view} OWNER TO {owner}", f"GRANT SELECT ON {view} TO {application}"]
    found.append(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {application}")
    return found


def _created(role: str) -> list[str]:
    exists = f"SELECT FROM pg_roles WHERE rolname = '{role}'"
    return [f"DO $$ BEGIN IF NOT EXISTS ({exists}) THEN CREATE ROLE {role} NOLOGIN; END IF; END $$"]


async def objects(database: Database) -> tuple[list[str], list[str]]:
    """Return the names of the tables and of the views of the store."""

    def names(connection: sa.Connection) -> tuple[list[str], list[str]]:
        inspector = sa.inspect(connection)
        ours = {*metadata.tables, "alembic_version"}
        found = [name for name in sorted(inspector.get_table_names()) if name in ours]
        return found, sorted(inspector.get_view_names())

    async with database.engine.connect() as connection:
        return await connection.run_sync(names)


async def apply(database: Database, found: list[str]) -> None:
    """Run the statements in one transaction; whoever connects has to be allowed to make roles."""
    async with database.engine.begin() as connection:
        for statement in found:
            await connection.exec_driver_sql(statement)
