"""What deleted rows leave on the disk."""

import sqlalchemy as sa

from scim_server.store.database import Database


async def empty_log(database: Database) -> bool:
    """Write SQLite's write-ahead log into the store and empty it; False where somebody else is in the way.

    Rows that were deleted are overwritten in the store itself (`secure_delete`), and stay in the log until
    then. On PostgreSQL this is the work of VACUUM, and nothing is done here.
    """
    if database.dialect != "sqlite":
        return True
    async with database.engine.connect() as connection:
        row = (await connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))).one()
    return int(row[0]) == 0
