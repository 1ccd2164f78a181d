"""Clients that write without rest, and remember what the server said it had done."""

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.support.client import GROUP_SCHEMA, MEDIA_TYPE, PATCH_SCHEMA, USER_SCHEMA
from tests.torture.stage import TortureFailed

BULK_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
_SLOWEST = 30.0
_REFUSED_BY_FAULT = frozenset({503})
_BULK = 5


@dataclass(slots=True)
class Known:
    """What a client knows of a user it made: the title and version it was told, and what may be besides.

    `titles` are those of changes that got no answer: done or not, the server could not say.
    """

    title: str = ""
    version: int = 1
    titles: set[str] = field(default_factory=set)
    is_gone: bool = False
    may_be_gone: bool = False


@dataclass(slots=True)
class Group:
    """A client's group: who is known to be in it, and of whom that is not known."""

    id: str
    members: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Ledger:
    """What all clients know together, and how the requests ended."""

    users: dict[str, Known] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    @property
    def acknowledged(self) -> int:
        """How many changes the server said were done."""
        return sum(count for status, count in self.statuses.items() if status.startswith("2"))


class Writer:
    """One client: makes users one by one and in bulk, changes, groups and deletes them."""

    def __init__(self, name: str, base_url: str, token: str, ledger: Ledger, seed: int) -> None:
        self._name, self._ledger = name, ledger
        self._own: list[str] = []
        self._group: Group | None = None
        self._count = 0
        self._random = random.Random(seed)
        self._http = httpx2.AsyncClient(
            base_url=base_url,
            headers={"authorization": f"Bearer {token}", "content-type": MEDIA_TYPE},
            timeout=_SLOWEST,
            trust_env=False,
        )

    async def write_until(self, end: float) -> None:
        """Write until a moment of the monotonic clock."""
        async with self._http:
            while time.monotonic() < end:
                await self._write()

    async def _write(self) -> None:
        self._count += 1
        if len(self._own) < 2:
            await self._create()
            return
        if self._group is None:
            await self._form()
            return
        work = self._random.choices(
            (self._create, self._rename, self._bulk, self._join, self._leave, self._delete),
            (30, 40, 5, 10, 5, 10),
        )[0]
        await work()

    async def _send(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer, None where there was none or the server said that it could not just now."""
        started = time.monotonic()
        try:
            answer = await self._http.request(
                method, path, content=None if body is None else json.dumps(body)
            )
        except httpx2.TransportError as error:
            self._ledger.statuses[type(error).__name__] += 1
            await asyncio.sleep(0.05)
            return None
        took = time.monotonic() - started
        self._ledger.slowest = max(self._ledger.slowest, took)
        self._ledger.statuses[str(answer.status_code)] += 1
        if answer.status_code in _REFUSED_BY_FAULT:
            if not answer.headers.get("retry-after", "").isdecimal():
                raise TortureFailed(f"{method} {path}: 503 without Retry-After in whole seconds.")
            await asyncio.sleep(0.05)
            return None
        if answer.status_code >= 500 or answer.status_code in {401, 403}:
            raise TortureFailed(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer

    def _person(self) -> dict[str, Any]:
        name = f"{self._name}-{self._count}-{self._random.getrandbits(32):08x}@example.com"
        return {
            "schemas": [USER_SCHEMA],
            "userName": name,
            "name": {"givenName": "Ann", "familyName": "Lee"},
            "emails": [{"value": name, "type": "work", "primary": True}],
        }

    async def _create(self) -> None:
        answer = await self._send("POST", "/Users", self._person())
        if answer is not None and answer.status_code == 201:
            self._keep(answer.json()["id"])

    def _keep(self, id: str) -> None:
        self._own.append(id)
        self._ledger.users[id] = Known()

    async def _bulk(self) -> None:
        operations = []
        for number in range(_BULK):
            self._count += 1
            operation = {"method": "POST", "path": "/Users", "bulkId": str(number), "data": self._person()}
            operations.append(operation)
        answer = await self._send("POST", "/Bulk", {"schemas": [BULK_SCHEMA], "Operations": operations})
        if answer is not None and answer.status_code == 200:
            for operation in answer.json()["Operations"]:
                if operation["status"] == "201":
                    self._keep(operation["location"].rpartition("/")[2])

    async def _rename(self) -> None:
        user, title = self._random.choice(self._own), f"title-{self._name}-{self._count}"
        known = self._ledger.users[user]
        known.titles.add(title)
        body = _patch({"op": "replace", "path": "title", "value": title})
        answer = await self._send("PATCH", f"/Users/{user}", body)
        if answer is not None and answer.status_code == 200:
            known.title, known.titles = title, {title}
            known.version = int(answer.json()["meta"]["version"].strip('W/"'))

    async def _form(self) -> None:
        body = {"schemas": [GROUP_SCHEMA], "displayName": f"group {self._name} {self._count}"}
        answer = await self._send("POST", "/Groups", body)
        if answer is not None and answer.status_code == 201:
            self._group = Group(answer.json()["id"])
            self._ledger.groups.append(self._group)

    async def _join(self) -> None:
        await self._change_membership(self._random.choice(self._own), joins=True)

    async def _leave(self) -> None:
        if self._group is not None and self._group.members:
            await self._change_membership(self._random.choice(sorted(self._group.members)), joins=False)

    async def _change_membership(self, id: str, *, joins: bool) -> None:
        group = self._group
        if group is None:
            return
        operation = (
            {"op": "add", "path": "members", "value": [{"value": id}]}
            if joins
            else {"op": "remove", "path": f'members[value eq "{id}"]'}
        )
        answer = await self._send("PATCH", f"/Groups/{group.id}", _patch(operation))
        if answer is None:
            group.unknown.add(id)
        elif answer.status_code in {200, 204}:
            group.unknown.discard(id)
            group.members = group.members | {id} if joins else group.members - {id}

    async def _delete(self) -> None:
        user = self._random.choice(self._own)
        known = self._ledger.users[user]
        known.may_be_gone = True
        answer = await self._send("DELETE", f"/Users/{user}")
        if answer is not None and answer.status_code in {204, 404}:
            known.is_gone = True
        self._own.remove(user)
        if self._group is not None:
            self._group.members.discard(user)
            self._group.unknown.add(user)


def _patch(operation: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH_SCHEMA], "Operations": [operation]}


async def write(base_url: str, token: str, ledger: Ledger, end: float, *, clients: int, seed: int) -> None:
    """Let several clients write until a moment of the monotonic clock; raises TortureFailed."""
    writers = [
        Writer(f"c{seed}-{number}", base_url, token, ledger, seed * 1_000 + number)
        for number in range(clients)
    ]
    await asyncio.gather(*(writer.write_until(end) for writer in writers))
