"""Recorded requests to a server whose folder of schemas publishes roles."""

from pathlib import Path

import pytest

from scim_server.settings import Settings
from tests.clients.conversation import Conversation, load_conversations
from tests.clients.exchanges import Connect, call
from tests.clients.runner import Replay

CATALOGUE = Path(__file__).parent / "catalogue"
ROLE = "urn:ietf:params:scim:schemas:core:2.0:Role"
CONVERSATIONS = [conversation for conversation in load_conversations() if conversation.catalogue]


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, schema_folders=(CATALOGUE,))


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda conversation: conversation.name)
async def test_the_recorded_request_finds_the_published_roles(
    conversation: Conversation, connect: Connect
) -> None:
    client = await connect(dialect=conversation.dialect)
    for value in ("auditor", "viewer"):
        created = await call(
            client, "POST", "/Roles", {"schemas": [ROLE], "value": value, "display": value.title()}
        )
        assert created.status_code == 201
    await Replay(conversation, client).run()
