"""What may take long on SQLite runs in a thread: the event loop serves others meanwhile."""

from collections.abc import Sequence
from typing import Any

import pytest

from scim_server.schema_files import load_registry
from scim_server.scim.attributes import Attribute, ReferenceKind
from scim_server.store import references
from scim_server.store.database import Database
from scim_server.store.sessions import SqlitePoints

GROUP = load_registry().resource_types["Group"]


@pytest.fixture
def on_the_loop(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the statements that run on the event loop's thread."""
    seen: list[str] = []
    rows = SqlitePoints.rows

    async def noted(self: SqlitePoints, text: str, arguments: Sequence[Any]) -> Sequence[Any]:
        seen.append(text)
        return await rows(self, text, arguments)

    monkeypatch.setattr(SqlitePoints, "rows", noted)
    return seen


async def read(database: Database, attributes: Sequence[Attribute]) -> None:
    await database.read(lambda reader: references.of_sources(reader, 1, ["g"], attributes))


async def test_members_are_read_in_a_thread(on_the_loop: list[str], sqlite_url: str) -> None:
    database = Database(sqlite_url)
    await read(database, GROUP.references_of(ReferenceKind.MEMBERSHIP))
    await database.close()
    assert on_the_loop == []


async def test_the_few_references_of_a_resource_are_looked_up_on_the_loop(
    on_the_loop: list[str], sqlite_url: str
) -> None:
    database = Database(sqlite_url)
    await read(database, GROUP.references_of(ReferenceKind.SINGLE_SOURCE))
    await database.close()
    assert len(on_the_loop) == 1
