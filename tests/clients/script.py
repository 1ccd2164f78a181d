"""A client's part in a sequence: recorded requests sent one after the other to a running server."""

from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import quote

import httpx2

from tests.clients.answers import require_answer
from tests.clients.conversation import Conversation, load_conversations
from tests.clients.placeholders import Values
from tests.clients.runner import exchange
from tests.support.client import ScimClient

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@cache
def _recorded() -> dict[str, Conversation]:
    return {conversation.name: conversation for conversation in load_conversations()}


class Script:
    """Sends recorded requests as one client; `values` carries ids from answer to request."""

    def __init__(self, client: ScimClient, **values: str) -> None:
        self.client = client
        known = {"token": client.token or "", "auth": f"Bearer {client.token}", "base": client.base_url}
        self.values = Values("sequence", {**known, **values})

    async def send(
        self, name: str, *, path: str | None = None, body: Any = None, bind: str | None = None
    ) -> httpx2.Response:
        """Send the recorded request and return its answer, whose status the client can work with.

        `path` and `body` stand in for the recorded ones where the request is another of the same
        kind; `bind` names the placeholder that takes the id of the resource in the answer.
        """
        conversation = _recorded()[name]
        request = replace(
            conversation.request,
            path=path or conversation.request.path,
            body=conversation.request.body if body is None else body,
        )
        response = await exchange(self.client, self.values, request)
        conversation.outcome(response.status_code)
        if bind:
            self.values.bind(bind, response.json()["id"])
        return response

    async def patch(self, name: str, *operations: dict[str, Any], path: str | None = None) -> httpx2.Response:
        """Send a PATCH of these operations with the headers and the target of the recorded request."""
        return await self.send(name, path=path, body={"schemas": [PATCH_OP], "Operations": list(operations)})

    async def read(self, path: str) -> Any:
        """Return the body of a GET that answers 200."""
        response = await self.client.request("GET", self.values.fill_path(path))
        require_answer(response)
        assert response.status_code == 200, response.text
        return response.json()

    async def members(self, path: str) -> set[str]:
        """Return the ids of a group's members, each of which is listed once."""
        values = [member["value"] for member in (await self.read(path)).get("members", [])]
        assert len(values) == len(set(values)), values
        return set(values)


def equality(endpoint: str, attribute: str, value: str) -> str:
    """Return the look-up of a resource as most clients write it, fully percent-encoded."""
    text = f'{attribute} eq "{value}"'
    return f"{endpoint}?filter={quote(text, safe='')}"
