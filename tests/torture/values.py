"""Filters, paths, documents and values that are nearly right, made from the schemas."""

import json
import random
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from scim_server.schema_files import load_registry
from scim_server.scim.attributes import Attribute
from scim_server.scim.registry import ResourceType

_OPERATORS = ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "EQ", "eqq", "pr", "")
ODD_TEXTS = (
    "",
    "a",
    "\x00",
    "\ud800",
    "\U0001f600",
    "ß" * 40,
    "%",
    "_",
    "\\",
    '"',
    "'; DROP TABLE resource; --",
    "true",
    "null",
    "x" * 5_000,
    "2026-02-30T00:00:00Z",
    "2026-01-01T00:00:00Z",
    "-0",
    "1e999",
    "urn:ietf:params:scim:schemas:core:2.0:User",
    "..",
    "bulkId:1",
    "\u202e",
    "﷽",
)
_ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    2**63,
    2**64,
    1e308,
    0.1,
    [],
    {},
    [[]],
    [{}],
    {"": ""},
    [None],
    "x",
)
_PATCHES = ("add", "replace", "remove", "Add", "move", "")


class Values:
    """Draws filters, paths, documents and values; ids and cursors that the server gave are drawn again.

    `ids` are by the endpoint that they are good at.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.types = list(load_registry().resource_types.values())
        self._attributes = {kind.name: dict(_paths(kind)) for kind in self.types}
        self._paths = {name: list(paths) for name, paths in self._attributes.items()}
        self._writable = {name: list(_writable(paths)) for name, paths in self._attributes.items()}
        self.ids: dict[str, list[str]] = {}
        self.cursors: list[str] = []
        self._count = 0

    def _kind(self) -> ResourceType:
        return self._random.choice(self.types) if self._random.random() < 0.5 else self.types[0]

    def _id(self, kind: ResourceType) -> str:
        chance = self._random
        if chance.random() < 0.9 and (known := self._known_id(kind)) is not None:
            return known
        return quote(chance.choice(ODD_TEXTS).encode("utf-8", "replace")[:80]) or "x"

    def _known_id(self, kind: ResourceType | None = None) -> str | None:
        """Return an id that the server gave, of a type if one is named."""
        endpoint = kind.endpoint if kind is not None else self._random.choice([*self.ids, ""])
        known = self.ids.get(endpoint)
        return self._random.choice(known) if known else None

    def _path(self, kind: ResourceType) -> str:
        chance = self._random
        if chance.random() < 0.04:
            return chance.choice(ODD_TEXTS)[:100]
        path = chance.choice(self._paths[kind.name])
        if chance.random() < 0.1:
            path = f"{path}[{self._filter(kind, 1)}]{chance.choice(('', '.value', '.type', '.', '.x'))}"
        return path.swapcase() if chance.random() < 0.1 else path

    def _written(self, kind: ResourceType) -> str:
        """Return a path that clients may write, by chance any other."""
        if self._random.random() < 0.85:
            return self._random.choice(self._writable[kind.name])
        return self._path(kind)

    def _literal(self) -> str:
        chance = self._random
        drawn = chance.random()
        if drawn < 0.5:
            return json.dumps(chance.choice(("ann", "work", "x@example.com", "SALES", "1", *ODD_TEXTS)))
        if drawn < 0.9:
            return chance.choice(("true", "false", "null", "1", "-1.5", "1e5", "99999999999999999999"))
        return chance.choice(("'x'", "x", '"', '"\\', "01", "--1", "{}", "(1)"))

    def _filter(self, kind: ResourceType, depth: int) -> str:
        chance = self._random
        drawn = chance.random()
        if depth <= 0 or drawn < 0.6:
            operator = chance.choice(_OPERATORS[:9]) if chance.random() < 0.9 else chance.choice(_OPERATORS)
            if operator == "pr" or chance.random() < 0.1:
                return f"{self._path(kind)} pr"
            path = self._path(kind)
            attribute = self._attributes[kind.name].get(path)
            if attribute is not None and attribute.type != "complex" and chance.random() < 0.8:
                return f"{path} {operator} {json.dumps(self._of_type(attribute))}"
            return f"{path} {operator} {self._literal()}"
        if drawn < 0.85:
            joint = chance.choice((" and ", " or ", " AND ", "and", " xor "))
            return joint.join(self._filter(kind, depth - 1) for _ in range(chance.randint(1, 3)))
        if drawn < 0.95:
            return f"not ({self._filter(kind, depth - 1)})"
        return chance.choice(("(", ")", "((", "not", "", "()")) + self._filter(kind, depth - 1)

    def _query(self, kind: ResourceType) -> dict[str, Any]:
        chance = self._random
        query: dict[str, Any] = {}
        if chance.random() < 0.7:
            query["filter"] = self._filter(kind, chance.randint(0, 3))
        for name in ("attributes", "excludedAttributes"):
            if chance.random() < 0.15:
                query[name] = ",".join(self._path(kind) for _ in range(chance.randint(1, 4)))
        if chance.random() < 0.2:
            query["sortBy"] = self._path(kind)
            query["sortOrder"] = chance.choice(("ascending", "descending", "up", ""))
        if chance.random() < 0.4:
            query["count"] = chance.choice((0, 1, 5, 10, -1, 100, 10**9, "x", 10**30, ""))
        if chance.random() < 0.2:
            query["startIndex"] = chance.choice((0, 1, 2, 50, -5, 10**9, 10**30, "x"))
        if chance.random() < 0.1:
            query["cursor"] = self._cursor()
        if chance.random() < 0.03:
            query[chance.choice(("dryRun", "", "filter ", "$top", "FILTER"))] = chance.choice(ODD_TEXTS)
        return query

    def _cursor(self) -> str:
        chance = self._random
        if not self.cursors or chance.random() < 0.2:
            return chance.choice(ODD_TEXTS)[:200]
        cursor = chance.choice(self.cursors)
        if chance.random() < 0.5:
            return cursor
        where = chance.randrange(len(cursor))
        return cursor[:where] + chance.choice("AZaz09-_=") + cursor[where + 1 :]

    def _put(self, document: dict[str, Any], kind: ResourceType, path: str) -> None:
        urn, name = "", path
        if path.startswith("urn:"):
            urn, _, name = path.rpartition(":")
        inside = document.setdefault(urn, {}) if urn else document
        if isinstance(inside, dict):
            inside[name.partition(".")[0]] = self._fitting(kind, path.partition(".")[0])

    def _fitting(self, kind: ResourceType, path: str) -> Any:
        """Return a value that an attribute may well have, or by chance any other."""
        attribute = self._attributes[kind.name].get(path)
        if attribute is None or self._random.random() < 0.25:
            return self._value(3)
        value = self._of_type(attribute)
        return [value] if attribute.multi_valued else value

    def _of_type(self, attribute: Attribute) -> Any:
        chance = self._random
        if attribute.type == "complex":
            parts = list(attribute.sub_attributes.values())
            chosen = chance.sample(parts, min(len(parts), chance.randint(1, 3)))
            return {part.name: self._of_type(part) for part in chosen}
        if attribute.type == "string" and attribute.canonical_values:
            return chance.choice(list(attribute.canonical_values.values()))
        return {
            "boolean": chance.random() < 0.5,
            "integer": chance.randint(0, 100),
            "decimal": chance.randint(0, 10_000) / 100,
            "dateTime": f"20{chance.randint(10, 60)}-0{chance.randint(1, 9)}-01T00:00:00Z",
            "reference": f"/Users/{self._known_id() or 'x'}",
            "binary": "AAEC",
        }.get(attribute.type, (self._known_id() or "x") if chance.random() < 0.4 else "work")

    def _value(self, depth: int) -> Any:
        chance = self._random
        drawn = chance.random()
        if depth <= 0 or drawn < 0.35:
            return chance.choice(ODD_TEXTS)
        if drawn < 0.55:
            return chance.choice(_ODD_VALUES)
        names = ("value", "type", "primary", "display", "$ref", "x")
        inner = {name: self._value(depth - 1) for name in chance.sample(names, chance.randint(0, 3))}
        if chance.random() < 0.3:
            inner["value"] = self._known_id()
        return (
            inner if drawn < 0.7 else [inner, *(self._value(depth - 1) for _ in range(chance.randint(0, 2)))]
        )

    def _spoiled(self, document: Any) -> Any:
        """Return a message with a member missing, doubled in another case, or of another type."""
        chance = self._random
        if not isinstance(document, dict) or not document or chance.random() < 0.5:
            return document
        name = chance.choice(list(document))
        spoiled = dict(document)
        action = chance.randrange(4)
        if action == 0:
            del spoiled[name]
        elif action == 1:
            spoiled[name.upper()] = spoiled[name]
        elif action == 2:
            spoiled[name] = self._value(2)
        else:
            return [document]
        return spoiled

    def _operations(self, kind: ResourceType) -> list[Any]:
        chance = self._random
        operations: list[Any] = []
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
            operation: dict[str, Any] = {"op": chance.choices(_PATCHES, (30, 30, 20, 15, 3, 2))[0]}
            if chance.random() < 0.85:
                operation["path"] = self._written(kind)
            if chance.random() < 0.85:
                operation["value"] = self._fitting(kind, str(operation.get("path", "")))
            operations.append(self._spoiled(operation) if chance.random() < 0.1 else operation)
        return operations

    def _document(self, kind: ResourceType) -> Any:
        self._count += 1
        chance = self._random
        name = f"fuzz-{self._count}-{chance.getrandbits(24):06x}"
        document: dict[str, Any] = {
            "schemas": [kind.schema.id],
            "userName": name,
            "displayName": name,
            "value": name,
            "code": name,
            "name": {"givenName": "Ann", "familyName": "Lee"},
            "emails": [{"value": f"{name}@example.com", "type": "work"}],
            "type": "office",
        }
        for _ in range(chance.choice((0, 0, 0, 1, 2, 4))):
            self._put(document, kind, self._written(kind))
        return self._spoiled(document) if chance.random() < 0.15 else document


def _paths(kind: ResourceType) -> Iterator[tuple[str, Attribute | None]]:
    """Give every path of a type: attributes, sub-attributes, and those of its extensions with their URN."""
    for attribute in kind.attributes.values():
        yield from _with_parts(attribute, "")
    for urn, extension in kind.extensions.items():
        yield urn, None
        for attribute in extension.attributes.values():
            yield from _with_parts(attribute, f"{urn}:")


def _with_parts(attribute: Attribute, prefix: str) -> Iterator[tuple[str, Attribute]]:
    yield f"{prefix}{attribute.name}", attribute
    for part in attribute.sub_attributes.values():
        yield f"{prefix}{attribute.name}.{part.name}", part


def _writable(paths: Mapping[str, Attribute | None]) -> Iterator[str]:
    for path, attribute in paths.items():
        over = attribute.parent if attribute is not None else None
        if attribute is not None and "readOnly" not in {attribute.mutability, over and over.mutability}:
            yield path
