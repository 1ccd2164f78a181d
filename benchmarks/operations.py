"""The operations: what is asked of this server, and what the bare handlers do for the same purpose."""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import quote

from benchmarks.loader import request
from benchmarks.people import DEPARTMENTS, ENTERPRISE, TITLES, number, user, user_name

BASE = "/scim/v2"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
Maker = Callable[["World"], bytes]
THOUSAND = 1_000


@dataclass(slots=True)
class World:
    """What the requests are about: the users and groups that the store was filled with.

    `ids` are the users' in their order, `groups` maps a number of members to the id of a group.
    """

    token: str
    entra: str
    ids: list[str]
    groups: dict[int, str] = field(default_factory=dict)
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    fresh: Iterator[int] = field(default_factory=lambda: count(time.time_ns() // 1_000_000 % 10**7 * 100))
    turn: int = 0

    @property
    def size(self) -> int:
        """How many users there are."""
        return len(self.ids)

    def any_id(self) -> str:
        """Return the id of some user."""
        return self.ids[self.chance.randrange(len(self.ids))]

    def any_number(self) -> int:
        """Return the number of some user."""
        return self.chance.randrange(len(self.ids))


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table: the request to this server, that to the bare handlers, and the ratio to reach.

    `undone` are requests that take the effect of the others back: each is preceded by one, which does not
    count. `each` is what a request counts for. `beside` is a request to this server that the rate is
    compared with, in place of the bare handlers'.
    """

    name: str
    ours: Maker
    bare: Maker | None = None
    least: float | None = None
    connections: int = 16
    undone: tuple[Maker, Maker] | None = None
    each: int = 1
    beside: Maker | None = None

    @property
    def is_counted(self) -> bool:
        """Whether its statements are: those of a Bulk depend on what is in it."""
        return self.each == 1


def _body(value: Any) -> bytes:
    return json.dumps(value).encode()


def _get(path: Callable[[World], str], headers: Mapping[str, str] | None = None) -> Maker:
    return lambda world: request("GET", BASE + path(world), world.token, headers=headers)


def _plain(method: str, path: Callable[[World], str], *, says: Callable[[World], Any] | None = None) -> Maker:
    def made(world: World) -> bytes:
        return request(method, path(world), "none", None if says is None else _body(says(world)))

    return made


def _sent(
    method: str, path: Callable[[World], str], says: Callable[[World], Any], *, by: str = "token"
) -> Maker:
    return lambda world: request(method, BASE + path(world), getattr(world, by), _body(says(world)))


def _filtered(made: Callable[[World], str], size: int = 100) -> Maker:
    return _get(lambda world: f"/Users?filter={quote(made(world))}&startIndex=1&count={size}")


def _found(attribute: str, made: Callable[[int], str]) -> Maker:
    return _plain("GET", lambda w: f"/find?attribute={attribute}&key={quote(made(w.any_number()))}")


def _contains(made: Callable[[World], Any]) -> Maker:
    return _plain("GET", lambda world: f"/search?contains={quote(json.dumps(made(world)))}")


def _patch(*operations: Mapping[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": list(operations)}


def _active(world: World) -> dict[str, Any]:
    world.turn += 1
    return _patch({"op": "replace", "value": {"active": (world.turn // world.size) % 2 == 1}})


def _in_turn(world: World) -> str:
    return f"/Users/{world.ids[world.turn % world.size]}"


def _entra(world: World) -> dict[str, Any]:
    n = next(world.fresh)
    return _patch(
        {"op": "Replace", "path": "title", "value": f"{TITLES[n % len(TITLES)]} {n}"},
        {"op": "Replace", "path": 'phoneNumbers[type eq "work"].value', "value": f"+49 40 {n}"},
        {"op": "Replace", "path": f"{ENTERPRISE}:costCenter", "value": f"CC{n % 1000}"},
    )


def _put(world: World) -> dict[str, Any]:
    n = world.any_number()
    world.turn = n
    return {**user(n), "id": world.ids[n], "nickName": f"N{next(world.fresh)}"}


def _replaced(world: World) -> bytes:
    body = _body(_put(world))
    return request("PUT", f"{BASE}/Users/{world.ids[world.turn]}", world.token, body)


def _bulk(size: int) -> Callable[[World], Any]:
    def made(world: World) -> Any:
        posts = [
            {
                "method": "POST",
                "path": "/Users",
                "bulkId": f"b{n}",
                "data": user(next(world.fresh), prefix="new"),
            }
            for n in range(size)
        ]
        return {"schemas": [BULK], "Operations": posts}

    return made


def _membership(size: int, operation: str) -> Maker:
    """Return a request that adds or removes one member: of a pool that is no member of the group."""

    def made(world: World) -> bytes:
        value = [{"value": world.ids[-1 - world.chance.randrange(min(400, world.size // 2))]}]
        said = _patch({"op": operation, "path": "members", "value": value})
        return request("PATCH", f"{BASE}/Groups/{world.groups[size]}", world.token, _body(said))

    return made


def _thousand(size: int, operation: str) -> tuple[Maker, Maker]:
    """Return requests that add or remove the last thousand users, to this server and to the bare handlers."""

    def made(world: World) -> bytes:
        value = [{"value": own_id} for own_id in world.ids[-THOUSAND:]]
        said = _patch({"op": operation, "path": "members", "value": value})
        return request("PATCH", f"{BASE}/Groups/{world.groups[size]}", world.token, _body(said))

    method = "PUT" if operation == "add" else "DELETE"
    bare = _plain(method, lambda w: f"/groups/{w.groups[size]}", says=lambda w: w.ids[-THOUSAND:])
    return made, bare


def _of_thousands(size: int) -> list[Operation]:
    add, remove = _thousand(size, "add"), _thousand(size, "remove")
    return [
        Operation(f"add 1,000 members to {size:,}", *add, 0.40, connections=1, undone=remove),
        Operation(f"remove 1,000 members of {size:,}", *remove, 0.40, connections=1, undone=add),
    ]


def _group(own_id: str) -> Maker:
    return _get(lambda _world: f"/Groups/{own_id}?excludedAttributes=members")


_MEMBER_BARE = _plain(
    "PUT", lambda w: f"/groups/{w.groups[min(w.groups)]}/{w.any_id()}", says=lambda _world: {"op": "add"}
)
_CHANGE_BARE = _plain("PATCH", lambda w: f"/users/{w.any_id()}", says=_entra)
_LIST_BARE = _plain("GET", lambda w: f"/users?after={w.any_id()}")
_POST = _sent("POST", lambda _world: "/Users", lambda world: user(next(world.fresh), prefix="new"))
_GET_BARE = _plain("GET", lambda w: f"/users/{w.any_id()}")


def operations(world: World) -> list[Operation]:
    """Return the rows for a store."""
    rows = [
        Operation("GET user", _get(lambda w: f"/Users/{w.any_id()}"), _GET_BARE, 0.60),
        Operation(
            "GET user, 304",
            _get(lambda w: f"/Users/{w.any_id()}", {"if-none-match": 'W/"1"'}),
            lambda w: request("GET", f"/users/{w.any_id()}", "none", headers={"if-none-match": 'W/"1"'}),
            0.60,
        ),
        Operation(
            "filter userName",
            _filtered(lambda w: f'userName eq "{user_name(w.any_number())}"'),
            _found("userName", user_name),
            0.50,
        ),
        Operation(
            "filter externalId",
            _filtered(lambda w: f'externalId eq "00u{number(w.any_number())}"'),
            _found("userName", user_name),
            0.50,
        ),
        Operation(
            "filter work e-mail",
            _filtered(lambda w: f'emails[type eq "work"].value eq "{user_name(w.any_number())}"'),
            _found("userName", user_name),
            0.50,
        ),
        Operation(
            "filter title, page of 100",
            _filtered(lambda w: f'title eq "{w.chance.choice(TITLES)}"', 100),
            _contains(lambda w: {"title": w.chance.choice(TITLES).lower()}),
            0.33,
        ),
        Operation(
            "filter department, page of 100",
            _filtered(lambda w: f'{ENTERPRISE}:department eq "{w.chance.choice(DEPARTMENTS)}"', 100),
            _contains(lambda w: {ENTERPRISE.lower(): {"department": w.chance.choice(DEPARTMENTS).lower()}}),
            0.33,
        ),
        Operation(
            "filter costCenter, page of 100",
            _filtered(lambda w: f'{ENTERPRISE}:costCenter eq "CC{w.chance.randrange(997):03d}"', 100),
            _contains(lambda w: {ENTERPRISE.lower(): {"costcenter": f"cc{w.chance.randrange(997):03d}"}}),
            0.33,
        ),
        Operation(
            "list, first page of 100", _get(lambda _w: "/Users?startIndex=1&count=100"), _LIST_BARE, 0.50
        ),
        Operation(
            "POST user",
            _POST,
            _plain("POST", lambda _w: "/users", says=lambda w: user(next(w.fresh), prefix="new")),
            0.40,
        ),
        Operation(
            "PATCH active (Okta)",
            lambda w: request("PATCH", BASE + _in_turn(w), w.token, _body(_active(w))),
            _CHANGE_BARE,
            0.40,
        ),
        Operation(
            "PATCH three operations (Entra)",
            _sent("PATCH", lambda w: f"/Users/{w.any_id()}", _entra, by="entra"),
            _CHANGE_BARE,
            0.40,
        ),
        Operation("PUT user", _replaced, _CHANGE_BARE, 0.40),
    ]
    for size, group_id in world.groups.items():
        rows += [
            Operation(f"add a member of {size:,}", _membership(size, "add"), _MEMBER_BARE, 0.40),
            Operation(f"remove a member of {size:,}", _membership(size, "remove"), _MEMBER_BARE, 0.40),
            Operation(
                f"GET group of {size:,} without members",
                _group(group_id),
                _GET_BARE,
            ),
        ]
    for size in world.groups:
        rows += _of_thousands(size)
    bulk = _sent("POST", lambda _w: "/Bulk", _bulk(THOUSAND))
    rows.append(
        Operation("Bulk of 1,000 creates", bulk, least=2.0, connections=1, each=THOUSAND, beside=_POST)
    )
    return rows
