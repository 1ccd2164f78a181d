"""The store contract on PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from scim_server.store.database import Database
from tests.contract.suite import StoreContract


class TestPostgresqlStore(StoreContract):
    """PostgreSQL."""

    @pytest.fixture
    async def database(self, postgresql_url: str) -> AsyncIterator[Database]:
        """Give an empty store."""
        database = Database(postgresql_url)
        yield database
        await database.close()
