"""Every recorded request, on both databases: its answer, what it changed and what it left alone."""

from collections.abc import Awaitable, Callable

import pytest

from tests.clients.conversation import Conversation, load_conversations
from tests.clients.runner import Replay
from tests.support.client import ScimClient

CONVERSATIONS = [conversation for conversation in load_conversations() if not conversation.catalogue]


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda conversation: conversation.name)
async def test_the_recorded_request_gets_the_answer_and_the_outcome_its_client_needs(
    conversation: Conversation, connect: Callable[..., Awaitable[ScimClient]]
) -> None:
    client = await connect(dialect=conversation.dialect, switches=dict(conversation.switches))
    await Replay(conversation, client).run()


def test_every_conversation_has_a_name_of_its_own() -> None:
    names = [conversation.name for conversation in CONVERSATIONS]
    assert len(set(names)) == len(names)
