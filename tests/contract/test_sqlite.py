"""The store contract on SQLite."""

from collections.abc import AsyncIterator

import pytest

from scim_server.store.database import Database
from tests.contract.suite import StoreContract


class TestSqliteStore(StoreContract):
    """SQLite."""

    @pytest.fixture
    async def database(self, sqlite_url: str) -> AsyncIterator[Database]:
        """Give an empty store."""
        database = Database(sqlite_url)
        yield database
        await database.close()
