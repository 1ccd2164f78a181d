"""Recorded requests to a server that has roles."""

import pytest

from scim_server.security.principals import PERMISSIONS
from tests.clients.conversation import Conversation, load_conversations
from tests.clients.exchanges import Connect, call
from tests.clients.runner import Replay

ROLE = "urn:ietf:params:scim:schemas:core:2.0:Role"
CONVERSATIONS = [conversation for conversation in load_conversations() if conversation.catalogue]


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda conversation: conversation.name)
async def test_the_recorded_request_finds_the_published_roles(
    conversation: Conversation, connect: Connect
) -> None:
    client = await connect(dialect=conversation.dialect, permissions=list(PERMISSIONS))
    for value in ("auditor", "viewer"):
        role = {"schemas": [ROLE], "value": value, "display": value.title(), "supported": True}
        created = await call(client, "POST", "/Roles", role)
        assert created.status_code == 201
    await Replay(conversation, client).run()
