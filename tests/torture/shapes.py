"""Requests that are nearly right: something is wrong in some place, or in none."""

import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from scim_server.scim.registry import ResourceType
from tests.support.client import PATCH_SCHEMA
from tests.torture.values import Values
from tests.torture.writers import BULK_SCHEMA

SEARCH_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
_ENTITY_TAGS = ('W/"1"', 'W/"2"', '"1"', "*", 'W/"', "1", ", ,", 'W/"1", W/"2"', "\x7f", "x" * 3_000)
_MEDIA_TYPES = (
    "application/scim+json",
    "application/json",
    "application/json; charset=utf-8",
    "application/json; charset=utf-16",
    "text/xml",
    "multipart/form-data",
    "",
    ";",
    "application/",
    "x" * 500,
)
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "get")


class Shapes(Values):
    """Draws requests."""

    def __init__(self, seed: int, tokens: Sequence[str]) -> None:
        super().__init__(seed)
        self._tokens = tokens

    def request(self) -> tuple[str, bytes]:
        """Return the kind of a request, and its bytes."""
        chance = self._random
        make: Callable[[], tuple[str, str, Any]] = chance.choices(
            (
                self._list,
                self._search,
                self._one,
                self._create,
                self._replace,
                self._patch,
                self._bulk,
                self._walk,
                self._astray,
            ),
            (20, 10, 10, 12, 8, 25, 5, 5, 5),
        )[0]
        method, target, body = make()
        content = None if body is None else self._encoded(body)
        return make.__name__, self._wire(method, target, content)

    def _wire(self, method: str, target: str, content: bytes | None) -> bytes:
        chance = self._random
        lines = [f"{method} {target} HTTP/1.1", "host: fuzz.test", *self._authorization()]
        if content is not None:
            kind = "application/scim+json" if chance.random() < 0.95 else chance.choice(_MEDIA_TYPES)
            lines += [f"content-type: {kind}", f"content-length: {len(content)}"]
        if chance.random() < 0.1:
            name = chance.choice(("if-match", "if-none-match", "x-request-id", "accept", "prefer"))
            lines.append(f"{name}: {chance.choice(_ENTITY_TAGS)}")
        head = "\r\n".join(lines).encode("latin-1", "replace")
        return head + b"\r\n\r\n" + (content or b"")

    def _authorization(self) -> list[str]:
        chance = self._random
        if chance.random() < 0.98:
            return [f"authorization: Bearer {chance.choice(self._tokens)}"]
        odd = (
            "",
            "Bearer",
            "Bearer ",
            "Basic eDp4",
            "Basic ====",
            "Bearer x",
            "Digest a=b",
            "Bearer " + "x" * 5_000,
        )
        return [f"authorization: {chance.choice(odd)}" for _ in range(chance.choice((0, 1, 2)))]

    def _encoded(self, body: Any) -> bytes:
        content = json.dumps(body).encode()
        if self._random.random() < 0.93:
            return content
        data = bytearray(content)
        for _ in range(self._random.randint(1, 4)):
            where = self._random.randrange(len(data) + 1)
            action = self._random.randrange(4)
            if action == 0:
                data[where:where] = self._random.choice(
                    (b'"', b"{", b"[", b"}", b",", b"\x00", b"\xff", b"1e9")
                )
            elif action == 1:
                del data[where : where + self._random.randint(1, 9)]
            elif action == 2 and where < len(data):
                data[where] = self._random.randrange(256)
            else:
                data = data[:where] + data
        return bytes(data)

    def _asked(self, kind: ResourceType) -> str:
        pairs = [(name, str(value)) for name, value in self._query(kind).items()]
        if pairs and self._random.random() < 0.03:
            pairs.append(self._random.choice(pairs))
        return "&".join(f"{_percent(name)}={_percent(value)}" for name, value in pairs)

    def _list(self) -> tuple[str, str, Any]:
        kind = self._kind()
        endpoint = kind.endpoint if self._random.random() < 0.93 else ""
        return "GET", f"/scim/v2{endpoint}?{self._asked(kind)}", None

    def _search(self) -> tuple[str, str, Any]:
        kind = self._kind()
        message = {"schemas": [SEARCH_SCHEMA], **self._query(kind)}
        return "POST", f"/scim/v2{kind.endpoint}/.search", self._spoiled(message)

    def _walk(self) -> tuple[str, str, Any]:
        kind = self._kind()
        return "GET", f"/scim/v2{kind.endpoint}?cursor={_percent(self._cursor())}&count=3", None

    def _one(self) -> tuple[str, str, Any]:
        kind = self._kind()
        method = self._random.choices(("GET", "DELETE", "HEAD"), (85, 10, 5))[0]
        return method, f"/scim/v2{kind.endpoint}/{self._id(kind)}?{self._asked(kind)}", None

    def _create(self) -> tuple[str, str, Any]:
        kind = self._kind()
        return "POST", f"/scim/v2{kind.endpoint}", self._document(kind)

    def _replace(self) -> tuple[str, str, Any]:
        kind = self._kind()
        return "PUT", f"/scim/v2{kind.endpoint}/{self._id(kind)}", self._document(kind)

    def _patch(self) -> tuple[str, str, Any]:
        kind = self._kind()
        message = {"schemas": [PATCH_SCHEMA], "Operations": self._operations(kind)}
        body = self._spoiled(message) if self._random.random() < 0.1 else message
        return "PATCH", f"/scim/v2{kind.endpoint}/{self._id(kind)}", body

    def _bulk(self) -> tuple[str, str, Any]:
        chance = self._random
        operations = [self._operation(number) for number in range(chance.choice((0, 1, 2, 4, 8)))]
        message: dict[str, Any] = {"schemas": [BULK_SCHEMA], "Operations": operations}
        if chance.random() < 0.3:
            message["failOnErrors"] = chance.choice((0, 1, 2, -1, "1", None))
        return "POST", "/scim/v2/Bulk", self._spoiled(message) if chance.random() < 0.1 else message

    def _operation(self, number: int) -> Any:
        """Return an operation of a Bulk request; it may point at any other one, at itself, or at none."""
        chance, kind = self._random, self._kind()
        method = chance.choice(("POST", "POST", "PUT", "PATCH", "DELETE", "GET", "post"))
        other = f"bulkId:{chance.randint(0, 8)}"
        path = kind.endpoint
        if method.upper() != "POST" or chance.random() < 0.05:
            path = f"{path}/{other if chance.random() < 0.3 else self._id(kind)}"
        data: Any = self._document(kind)
        if method == "PATCH":
            data = {"schemas": [PATCH_SCHEMA], "Operations": self._operations(kind)}
        elif isinstance(data, dict) and chance.random() < 0.5:
            member = {"value": other}
            data["members" if kind.name == "Group" else "manager"] = (
                [member] if kind.name == "Group" else member
            )
        operation = {"method": method, "path": path, "bulkId": str(number), "data": data}
        return self._spoiled(operation) if chance.random() < 0.1 else operation

    def _astray(self) -> tuple[str, str, Any]:
        """Return a request for something that is not there, or by a method that is not."""
        chance = self._random
        kind = self._kind()
        places = (
            f"/scim/v2{kind.endpoint}",
            "/scim/v2/Me",
            "/scim/v2/Schemas",
            "/scim/v2/ResourceTypes/x",
            "/scim/v2/nope",
            "/t/default/scim/v2/Users",
            "/t/%00/scim/v2/Users",
            "/scim/v2/%2e%2e/Users",
            "//scim//v2//Users//",
            "/scim/v2/Users/%ff%fe",
            "/oauth/token",
            "/.well-known/oauth-authorization-server",
            "/" + "x" * 2_000,
            "*",
        )
        method = chance.choice(_METHODS)
        body = self._value(2) if chance.random() < 0.5 else None
        return method, chance.choice(places), body


def _percent(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")
