"""Replays a conversation: builds its state, sends its request, holds answer and state to the outcome."""

import json
from typing import Any

import httpx2

from tests.clients.answers import require_answer
from tests.clients.checks import MISSING, require, select
from tests.clients.conversation import Conversation, Outcome, Read, Request
from tests.clients.placeholders import Values
from tests.clients.snapshots import Document, changed_attributes, require_same_identity, snapshot, totals
from tests.clients.wire import send
from tests.support.client import ScimClient

_PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_DEACTIVATION = {
    "schemas": [_PATCH_OP],
    "Operations": [{"op": "replace", "path": "active", "value": False}],
}
_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


async def exchange(client: ScimClient, values: Values, request: Request) -> httpx2.Response:
    """Send a recorded request with its placeholders filled and return the well-formed answer."""
    content = request.content
    if request.body is not None:
        content = json.dumps(values.fill(request.body), ensure_ascii=False)
    response = await send(
        client,
        request.method,
        values.fill_path(request.path),
        values.fill(dict(request.headers)),
        content.encode() if content is not None else None,
    )
    require_answer(response)
    return response


class Replay:
    """One conversation against one server; `run` does everything."""

    def __init__(self, conversation: Conversation, client: ScimClient) -> None:
        self.conversation = conversation
        self.client = client
        self.values = Values(
            conversation.name,
            {
                "token": client.token or "",
                "auth": f"Bearer {client.token}",
                "base": client.base_url,
                **conversation.values,
            },
        )
        self.paths: dict[str, str] = {}

    async def run(self) -> None:
        """Raise AssertionError where the answer or the state after it is not as the client needs it."""
        await self._arrange()
        counted = await totals(self.client)
        before = await snapshot(self.client, self.paths)
        response = await exchange(self.client, self.values, self.conversation.request)
        outcome = self.conversation.outcome(response.status_code)
        self._require_body(response, outcome)
        created = self._bind_created(response)
        await self._require_totals(counted, created, outcome)
        await self._require_state(before, outcome)
        await self._require_same_representation(response)
        await self._require_reads(response, outcome)

    async def _arrange(self) -> None:
        setup = self.conversation.setup
        for name, body in setup.users.items():
            await self._create(name, "/Users", body)
        for name, body in setup.groups.items():
            await self._create(name, "/Groups", body)
        for number in range(setup.more_users):
            await self._post("/Users", {"schemas": [_USER], "userName": f"member{number:03}@corp.example"})
        for number in range(setup.more_groups):
            await self._post("/Groups", {"schemas": [_GROUP], "displayName": f"Team {number:03}"})
        for name in setup.inactive:
            await self._accepted("PATCH", self.paths[name], _DEACTIVATION)
        for name in setup.deleted:
            await self._accepted("DELETE", self.paths[name])

    async def _create(self, name: str, endpoint: str, body: Any) -> None:
        identifier = await self._post(endpoint, self.values.fill(body))
        self.values.bind(name, identifier)
        self.paths[name] = f"{endpoint}/{identifier}"

    async def _post(self, endpoint: str, body: Any) -> str:
        response = await self._accepted("POST", endpoint, body)
        return str(response.json()["id"])

    async def _accepted(self, method: str, path: str, body: Any = None) -> httpx2.Response:
        response = await self.client.request(method, path, json=body)
        if not response.is_success:
            raise AssertionError(f"set-up: {method} {path} answered {response.status_code} {response.text!r}")
        return response

    def _require_body(self, response: httpx2.Response, outcome: Outcome) -> None:
        where = f"{self.conversation.name} answered {response.status_code}"
        require(dict(response.headers), self.values.fill(dict(outcome.headers)), where)
        if response.content:
            require(response.json(), self.values.fill(dict(outcome.body)), where)

    def _bind_created(self, response: httpx2.Response) -> str | None:
        if response.status_code != 201:
            return None
        endpoint, identifier = self.conversation.request.path, response.json()["id"]
        self.values.bind("createdId", identifier)
        self.paths["createdId"] = f"{endpoint}/{identifier}"
        return endpoint

    async def _require_totals(self, before: dict[str, int], created: str | None, outcome: Outcome) -> None:
        expected = dict(before)
        if created:
            expected[created] += 1
        for name in outcome.deleted:
            expected["/" + self.paths[name].split("/")[1]] -= 1
        after = await totals(self.client)
        if after != expected:
            raise AssertionError(f"{self.conversation.name}: {before} became {after}, not {expected}")

    async def _require_state(self, before: dict[str, Document | None], outcome: Outcome) -> None:
        after = await snapshot(self.client, {name: self.paths[name] for name in before})
        for name, document in before.items():
            self._require_change(name, document, after[name], outcome)
        for name, checks in outcome.after.items():
            await self._require_read(Read(path=self.paths[name], body=checks))
        for name, members in outcome.members.items():
            expected = {"members/*/value": {"$set": [self.values[member] for member in members]}}
            await self._require_read(Read(path=self.paths[name], body=expected))

    def _require_change(
        self, name: str, before: Document | None, after: Document | None, outcome: Outcome
    ) -> None:
        if name in outcome.may_change:
            return
        if name in outcome.deleted or before is None:
            if after is not None:
                raise AssertionError(f"{self.conversation.name}: {name} should be gone: {after!r}")
            return
        if after is None:
            raise AssertionError(f"{self.conversation.name}: {name} is gone")
        if name not in outcome.changes:
            if after != before:
                raise AssertionError(f"{self.conversation.name}: {name} changed: {before!r} -> {after!r}")
            return
        self._require_changed(name, before, after, set(outcome.changes[name]))

    def _require_changed(self, name: str, before: Document, after: Document, expected: set[str]) -> None:
        changed = changed_attributes(before, after)
        if changed != expected:
            where = f"{self.conversation.name}: {name} changed in {sorted(changed)}, not {sorted(expected)}"
            raise AssertionError(f"{where}: {before!r} -> {after!r}")
        require_same_identity(before, after, name)
        if expected - {"groups"} and before["meta"]["version"] == after["meta"]["version"]:
            raise AssertionError(f"{self.conversation.name}: {name} changed and kept its version: {after!r}")

    async def _require_same_representation(self, response: httpx2.Response) -> None:
        """Hold the resource in the answer to a write to what a read of it gives."""
        request = self.conversation.request
        if request.method == "GET" or not response.is_success or not response.content:
            return
        body = response.json()
        read = await self.client.request("GET", body["meta"]["location"].removeprefix(self.client.base_url))
        if read.json() != body:
            raise AssertionError(f"{self.conversation.name}: answered {body!r}, reads {read.json()!r}")

    async def _require_reads(self, response: httpx2.Response, outcome: Outcome) -> None:
        for read in outcome.reads:
            body = await self._require_read(read)
            answer = response.json() if response.content else {}
            if read.same and select(body, read.same) != select(answer, read.same):
                raise AssertionError(f"{self.conversation.name}: {read.path} differs in {read.same}")
            if read.disjoint:
                self._require_disjoint(select(body, read.disjoint), select(answer, read.disjoint), read.path)

    def _require_disjoint(self, one: list[str], other: list[str], path: str) -> None:
        if not one or not other or set(one) & set(other):
            raise AssertionError(f"{self.conversation.name}: {path} has {one}, the answer {other}")

    async def _require_read(self, read: Read) -> Any:
        path = self.values.fill_path(read.path)
        response = await self.client.request("GET", path)
        require_answer(response)
        if response.status_code != read.status:
            raise AssertionError(f"{self.conversation.name}: GET {path} answered {response.status_code}")
        body = response.json() if response.content else MISSING
        require(body, self.values.fill(dict(read.body)), f"{self.conversation.name}: GET {path}")
        return body
