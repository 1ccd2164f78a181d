"""The same recorded requests in an organisation with roles, departments and rules: none of them breaks."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.clients.conversation import Conversation, load_conversations
from tests.clients.runner import Replay
from tests.conftest import DATABASES
from tests.support.client import ScimClient
from tests.support.stores import PostgresStores, SqliteStores

CONVERSATIONS = [conversation for conversation in load_conversations() if not conversation.catalogue]


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a store with the sample's catalogue, once on each database."""
    stores: SqliteStores | PostgresStores
    if request.param == "sqlite":
        stores = request.getfixturevalue("sqlite_stores")
        assert isinstance(stores, SqliteStores)
        return stores.fresh(tmp_path / "scim.db", furnished=True)
    stores = request.getfixturevalue("postgres_stores")
    assert isinstance(stores, PostgresStores)
    return stores.fresh(furnished=True)


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda conversation: conversation.name)
async def test_the_recorded_request_gets_the_same_answer_under_the_rules(
    conversation: Conversation, connect: Callable[..., Awaitable[ScimClient]]
) -> None:
    client = await connect(dialect=conversation.dialect, switches=dict(conversation.switches))
    await Replay(conversation, client).run()
