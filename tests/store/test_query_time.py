"""A reading statement that takes too long is stopped, and its connection serves on."""

import pytest
import sqlalchemy as sa

from scim_server.http.responses import error_response
from scim_server.store.database import Database, Reader
from scim_server.store.failures import QueryTooLong

ENDLESS = sa.text("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c")


async def endless(reader: Reader) -> None:
    await reader.execute(ENDLESS)


async def one(reader: Reader) -> int:
    return int((await reader.execute(sa.text("SELECT 1"))).scalar_one())


async def test_a_statement_that_does_not_end_is_stopped(database_url: str) -> None:
    database = Database(database_url, pool_size=1, read_seconds=0.2)
    try:
        for _ in range(2):
            with pytest.raises(QueryTooLong):
                await database.read(endless)
            assert await database.read(one) == 1
    finally:
        await database.close()


def test_it_is_answered_as_too_much_work() -> None:
    response = error_response(QueryTooLong(), "request")
    assert response.status_code == 400
    assert b'"scimType":"tooMany"' in response.body
