"""The same recorded requests in an organisation with roles, departments and rules: none of them breaks."""

from collections.abc import Awaitable, Callable

import pytest

from tests.clients.conversation import Conversation, load_conversations
from tests.clients.runner import Replay
from tests.support.client import ScimClient

CONVERSATIONS = [conversation for conversation in load_conversations() if not conversation.catalogue]


@pytest.fixture
def database_url(furnished_database_url: str) -> str:
    """URL of the organisation's store."""
    return furnished_database_url


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda conversation: conversation.name)
async def test_the_recorded_request_gets_the_same_answer_under_the_rules(
    conversation: Conversation, connect: Callable[..., Awaitable[ScimClient]]
) -> None:
    client = await connect(dialect=conversation.dialect, switches=dict(conversation.switches))
    await Replay(conversation, client).run()
