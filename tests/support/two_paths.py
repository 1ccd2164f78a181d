"""Users read twice: from the pieces stored for reading, and in full. Nobody may see a difference."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from scim_server.security.principals import PERMISSIONS
from scim_server.services import provisioning, search
from tests.support.client import ScimClient

DIALECTS = ("okta", "entra", "generic")
_IN_EVERY_WAY = ("okta", "generic")
"""A quiet dialect and a loud one; what else they differ in is about writing."""
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
Json = dict[str, Any]
Answer = tuple[str, int, str | None, Any]
"""Which request, the status, the entity tag and the body."""
FILTERS = (
    'title eq "Guide"',
    'title eq "nobody"',
    'emails[type eq "work"].value eq "ann@example.com"',
    "active eq true",
    "active eq false",
    f'{ENTERPRISE}:department eq "Sales"',
)


@contextmanager
def in_full() -> Iterator[None]:
    """Have users read in full meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (provisioning, search):
            patch.setattr(module, "is_shown", lambda *_: False)
        yield


class TwoPaths:
    """Reads the users of a store as clients of several dialects do, on both paths."""

    def __init__(self, clients: dict[str, ScimClient]) -> None:
        """Read for these clients, by dialect."""
        self.clients = clients

    @classmethod
    async def of(cls, connect: Callable[..., Awaitable[ScimClient]]) -> "TwoPaths":
        """Return what reads for clients of its own that may do everything."""
        every = list(PERMISSIONS)
        return cls({name: await connect(dialect=name, permissions=every) for name in DIALECTS})

    async def agree(self) -> list[Json]:
        """Check that both paths answer the same, and return all users as the generic client sees them."""
        users: list[Json] = []
        for dialect in _IN_EVERY_WAY:
            client = self.clients[dialect]
            users = (await client.read("/Users", count=1_000))["Resources"]
            fast = [answer async for answer in _answers(client, users)]
            with in_full():
                slow = [answer async for answer in _answers(client, users)]
            for one, other in zip(fast, slow, strict=True):
                assert one == other, dialect
        await self.agree_on(*(user["id"] for user in users))
        return users

    async def agree_on(self, *ids: str) -> None:
        """Check that both paths answer the same of single users and of the plain list, in every dialect."""
        for dialect, client in self.clients.items():
            for path in (*(f"/Users/{own_id}" for own_id in ids), "/Users"):
                fast = answered(path, await client.get(path))
                with in_full():
                    assert fast == answered(path, await client.get(path)), dialect

    async def is_what_is_read(self, client: ScimClient, response: httpx2.Response) -> Json:
        """Check that what a write answered is what is read in full after it, and return it."""
        assert response.status_code in (200, 201), response.text
        body: Json = response.json()
        with in_full():
            read = await client.get(f"/Users/{body['id']}")
        assert (body, response.headers["etag"]) == (read.json(), read.headers["etag"])
        return body


def answered(path: str, response: httpx2.Response) -> Answer:
    """Return what a response says."""
    return path, response.status_code, response.headers.get("etag"), response.json()


async def _answers(client: ScimClient, users: list[Json]) -> AsyncIterator[Answer]:
    """Yield the answers to all kinds of reading that are answered from pieces."""
    for user in users:
        path = f"/Users/{user['id']}"
        yield answered(path, await client.get(path))
    named = [f'userName eq "{_quoted(user["userName"])}"' for user in users]
    for text in (*FILTERS, *named):
        yield answered(text, await client.get("/Users", filter=text))
    for number in range(1, len(users) + 2):
        yield answered(f"from {number}", await client.get("/Users", startIndex=number, count=2))
    for condition in (None, "active eq true"):
        async for answer in _by_cursor(client, condition):
            yield answer
    yield answered("all", await client.get("/Users"))
    yield answered("counted", await client.get("/Users", count=0))
    for body in ({}, {"filter": FILTERS[0]}, {"filter": "active eq true", "count": 1, "startIndex": 2}):
        for path in ("/.search", "/Users/.search"):
            yield answered(f"{path} {body}", await client.post(path, {"schemas": [_SEARCH], **body}))


async def _by_cursor(client: ScimClient, text: str | None) -> AsyncIterator[Answer]:
    """Yield the pages of a walk by cursor, without the cursors, which are sealed."""
    cursor: str | None = ""
    while cursor is not None:
        query: Json = {"cursor": cursor, "count": 2, **({"filter": text} if text else {})}
        found = answered(f"by cursor {text}", await client.get("/Users", **query))
        cursor = found[-1].pop("nextCursor", None)
        yield found


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
