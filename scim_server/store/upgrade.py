"""The schema of the store: which revision it is at, and how it gets to the newest."""

from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from scim_server.store.database import Database

_MIGRATIONS = Path(__file__).parent / "migrations"


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(_MIGRATIONS))
    return configuration


@cache
def head_revision() -> str:
    """Return the revision that this version of the server needs."""
    return str(ScriptDirectory.from_config(_configuration()).get_current_head())


def _is_there(database: Database) -> bool:
    """Tell whether there is a store to look into; SQLite would make an empty file by looking."""
    path = database.url.database
    return database.dialect != "sqlite" or not path or Path(path).exists()


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


async def stored_revision(database: Database) -> str | None:
    """Return the revision the store is at, None for an empty one. Raises where it cannot be reached."""
    if not _is_there(database):
        return None
    async with database.engine.connect() as connection:
        return await connection.run_sync(_revision)


async def upgrade(database: Database) -> list[str]:
    """Bring the store to the newest revision and return the revisions applied, oldest first."""
    if database.dialect == "sqlite" and database.url.database:
        Path(database.url.database).parent.mkdir(parents=True, exist_ok=True)

    def run(connection: sa.Connection) -> list[str]:
        before = _revision(connection)
        configuration = _configuration()
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")
        scripts = ScriptDirectory.from_config(configuration)
        passed = scripts.iterate_revisions("head", before or "base")
        return [script.revision for script in passed if script.revision != before][::-1]

    async with database.engine.begin() as connection:
        if database.dialect == "postgresql":
            for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
                await connection.exec_driver_sql(f"SET LOCAL {name} = 0")  # a migration takes its time
        return await connection.run_sync(run)
