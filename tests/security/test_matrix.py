"""Every route, every permission, own and other tenant, in and out of the scope: nothing opens by accident."""

from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from itertools import count, product
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from scim_server.http.routes import routes
from scim_server.schema_files import load_registry
from scim_server.security.principals import NARROW_PARTS, PERMISSIONS
from scim_server.services.clients import Clients
from scim_server.settings import Settings
from scim_server.store.database import Database
from tests.conftest import Connect
from tests.security.matrix import (
    INSIDE,
    KINDS,
    OTHER,
    OUTSIDE,
    OUTSIDE_OF_SCIM,
    OVER_ALL,
    OWN,
    PARTS,
    PLACES,
    ROWS,
    SCOPE,
    Kind,
    Row,
    Stage,
)
from tests.support.catalogue import load_catalogue
from tests.support.client import ScimClient
from tests.support.tenants import token_of

NARROW = tuple(f"{kind.singular}:{verb}" for kind in KINDS for verb in ("view", "create", "update", "delete"))
EVERY_PERMISSION = tuple(dict.fromkeys((*PERMISSIONS, *NARROW_PARTS, *NARROW)))
BASES = ("/scim/v2", "/t/{tenant}/scim/v2")
ME = "/Me"
Found = dict[tuple[str, str, str, str], tuple[int, int]]


def split(path: str) -> tuple[str, str]:
    """Return the base of a route, if any, and the rest."""
    base = next((base for base in reversed(BASES) if path.startswith(base)), "")
    return base, path.removeprefix(base)


def known() -> Iterator[tuple[str, str]]:
    """Give every method and path that the tables know, at both bases."""
    yield from OUTSIDE_OF_SCIM
    for method, path in (*ROWS, *OVER_ALL):
        yield from ((method, f"{base}{path}") for base in BASES)


def served() -> set[tuple[str, str]]:
    """Return every method and path of the application."""
    found: list[Route] = routes(load_registry())
    return {(method, route.path) for route in found for method in route.methods or () if method != "HEAD"}


def test_every_route_has_an_entry() -> None:
    assert served() == set(known())


class Actors:
    """Clients with exactly these permissions, in the places from which a request may come."""

    def __init__(self, stack: AsyncExitStack, application: Starlette, database: Database) -> None:
        self._stack, self._application, self._clients = stack, application, Clients(database)
        self._numbers = count()
        self._made: dict[tuple[frozenset[str], str, str | None], ScimClient] = {}

    async def make(self, held: frozenset[str], place: str, user: str | None) -> ScimClient:
        """Return the client of these permissions in a place; `user` is whom it is bound to."""
        key = held, place, user
        if key not in self._made:
            self._made[key] = await self._new(*key)
        return self._made[key]

    async def _new(self, held: frozenset[str], place: str, user: str | None) -> ScimClient:
        issued = await self._clients.create(
            f"actor-{next(self._numbers)}",
            tenant="other" if place == OTHER else "default",
            profile="admin",
            permissions=sorted(held),
            row_scope=SCOPE if place in {INSIDE, OUTSIDE} else None,
            user=user,
        )
        transport = httpx2.ASGITransport(app=self._application)
        speaking = ScimClient("http://scim.test/scim/v2", issued.token, transport)
        return await self._stack.enter_async_context(speaking)


class Theatre:
    """What the requests are about: a user in the scope and one outside, and whatever is about them."""

    def __init__(self, admin: ScimClient, users: Mapping[str, str]) -> None:
        self._admin = admin
        self._numbers = count()
        self.users = users

    def stage(self, place: str) -> Stage:
        """Return where a request from a place plays: only who is out of the scope meets the other side."""
        side = "out" if place == OUTSIDE else "in"
        return Stage(side, self.users[side], numbers=self._numbers)

    async def target(self, kind: Kind, stage: Stage) -> str:
        """Return the id of a new resource of a type."""
        if kind.create is None:
            found = await self._admin.find(kind.path, f'resource.value eq "{stage.user}"')
            return str(found[0]["id"])
        made = await self._admin.post(kind.path, kind.create(stage))
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    async def whole(self, path: str, stage: Stage) -> Any:
        """Return a resource as it is, to be put back; a user with another title."""
        found = await self._admin.read(path)
        return {**found, "title": stage.name} if path.startswith("/Users") else found


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Return settings that do not slow whoever fails as often as these tests do."""
    return Settings(database_url=database_url, failed_attempts_per_minute=100_000)


@pytest.fixture
async def theatre(connect: Connect, admin: ScimClient, database: Database) -> Theatre:
    """Give the users, active ones, made by a connector."""
    await load_catalogue(database, policies={"tokens": {"per_hour": 10_000}})
    await token_of(database, "other")
    idp = await connect(profile="idp", permissions=list(PERMISSIONS))
    users = {side: (await idp.create_user(f"{side}-user"))["id"] for side in ("in", "out")}
    await admin.get("/Users")
    return Theatre(admin, users)


def sets_of(row: Row) -> list[frozenset[str]]:
    """Return the sets of permissions to try: each alone, each that opens the door, and that less any one."""
    tried = [frozenset({permission}) for permission in EVERY_PERMISSION]
    for opening in row.needs:
        tried += [opening, *(opening - {each} for each in opening), opening | {"user:bulk_update"}]
    return list(dict.fromkeys(tried))


def expected(row: Row, held: frozenset[str], place: str) -> int:
    """Return the status that the table says."""
    is_opened = any(opening <= held for opening in row.needs)
    is_absent = row.is_of_user and bool(held & PARTS) and row.answers[place] == 404
    return row.answers[place] if is_opened or is_absent else 403


@pytest.mark.proves("ACT-01", "ACT-02")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_each_permission_opens_what_the_table_says_and_nothing_else(
    kind: Kind, theatre: Theatre, application: Starlette, database: Database
) -> None:
    wrong: Found = {}
    async with AsyncExitStack() as stack:
        actors = Actors(stack, application, database)
        for (method, path), row in ROWS.items():
            if path.startswith((f"{kind.path}/", kind.path)) and split_kind(path) == kind.path:
                await _try_row(kind, method, path, row, theatre, actors, wrong)
    assert wrong == {}


def split_kind(path: str) -> str:
    """Return the endpoint that a path begins with."""
    return f"/{path.split('/')[1]}"


async def _try_row(
    kind: Kind, method: str, path: str, row: Row, theatre: Theatre, actors: Actors, wrong: Found
) -> None:
    targets: dict[str, str] = {}
    for place in PLACES:
        for held in sets_of(row):
            stage = theatre.stage(place)
            if "{id" in path:
                if stage.side not in targets:
                    targets[stage.side] = await theatre.target(kind, stage)
                stage.target = targets[stage.side]
            client = await actors.make(held, place, None)
            response = await _send(client, method, path, row, stage, theatre)
            _compare(wrong, (method, path, place), held, response.status_code, expected(row, held, place))
            if method == "DELETE" and response.status_code == 204:
                targets.pop(stage.side)
            _check_content(response, place, theatre)


def _compare(
    wrong: Found, entry: tuple[str, str, str], held: frozenset[str], status: int, awaited: int
) -> None:
    """Note an answer that is not the awaited one: of a method, path and place, for who holds this."""
    if status != awaited:
        wrong[(*entry, " ".join(sorted(held)))] = (status, awaited)


def _check_content(response: httpx2.Response, place: str, theatre: Theatre) -> None:
    """Make sure that an answer says nothing of users whom its reader cannot see."""
    if response.status_code != 200:
        return
    if place == OTHER:
        assert not any(user in response.text for user in theatre.users.values())
    elif place == INSIDE:
        assert theatre.users["out"] not in response.text


async def _send(
    client: ScimClient, method: str, path: str, row: Row, stage: Stage, theatre: Theatre
) -> httpx2.Response:
    address = path.replace("{id:resource}", stage.target)
    body = row.body(stage) if row.body else None
    if method == "PUT":
        body = await theatre.whole(address, stage)
    return await client.request(method, address, json=body)


@pytest.mark.proves("ACT-01", "ACT-02")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.create], ids=lambda kind: kind.name)
async def test_bulk_opens_for_each_operation_what_the_door_itself_opens(
    kind: Kind, theatre: Theatre, application: Starlette, database: Database
) -> None:
    wrong: Found = {}
    async with AsyncExitStack() as stack:
        actors = Actors(stack, application, database)
        for (method, path), row in ROWS.items():
            if split_kind(path) == kind.path and method != "GET" and not path.endswith(".search"):
                await _try_bulk(kind, method, path, row, theatre, actors, wrong)
    assert wrong == {}


async def _try_bulk(
    kind: Kind, method: str, path: str, row: Row, theatre: Theatre, actors: Actors, wrong: Found
) -> None:
    for place in PLACES:
        for held in (frozenset({"audit:read"}), *row.needs, *(need - {min(need)} for need in row.needs)):
            stage = theatre.stage(place)
            if "{id" in path:
                stage.target = await theatre.target(kind, stage)
            client = await actors.make(held, place, None)
            address = path.replace("{id:resource}", stage.target)
            data = (
                await theatre.whole(address, stage)
                if method == "PUT"
                else row.body(stage)
                if row.body
                else None
            )
            operation = {"method": method, "path": address, "bulkId": "1", "data": data}
            schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]
            answer = await client.post("/Bulk", {"schemas": schemas, "Operations": [operation]})
            status = int(answer.json()["Operations"][0]["status"])
            awaited = expected(row, held, place)
            awaited = 200 if (method, awaited) == ("PATCH", 204) else awaited
            _compare(wrong, (method, path, place), held, status, awaited)


async def test_the_audit_trail_is_verified_by_who_may_verify_it(
    theatre: Theatre, application: Starlette, database: Database
) -> None:
    wrong: Found = {}
    async with AsyncExitStack() as stack:
        actors = Actors(stack, application, database)
        for (method, path), row in ROWS.items():
            if split_kind(path) != "/audit":
                continue
            for place, held in product(PLACES, sets_of(row)):
                client = await actors.make(held, place, None)
                response = await client.request(method, path.replace("{id}", theatre.users["in"]))
                awaited = expected(row, held, place)
                _compare(wrong, (method, path, place), held, response.status_code, awaited)
    assert wrong == {}


@pytest.mark.proves("ACT-02")
async def test_who_a_client_is_bound_to_is_served_as_any_user_is(
    theatre: Theatre, application: Starlette, database: Database
) -> None:
    wrong: Found = {}
    async with AsyncExitStack() as stack:
        actors = Actors(stack, application, database)
        for (method, path), row in ROWS.items():
            if path != ME:
                continue
            for place in PLACES:
                stage = theatre.stage(place)
                for held in sets_of(row):
                    client = await actors.make(held, place, stage.user)
                    body = row.body(stage) if row.body else None
                    if method == "PUT":
                        body = await theatre.whole(f"/Users/{stage.user}", stage)
                    response = await client.request(method, ME, json=body)
                    awaited = expected(row, held, place)
                    _compare(wrong, (method, path, place), held, response.status_code, awaited)
    assert wrong == {}


@pytest.mark.parametrize("method_and_path", [key for key in ROWS if ROWS[key].needs == (frozenset(),)])
async def test_discovery_is_for_whoever_has_a_token(
    method_and_path: tuple[str, str], theatre: Theatre, application: Starlette, database: Database
) -> None:
    method, path = method_and_path
    row = ROWS[method_and_path]
    address = _filled(path, "")
    async with AsyncExitStack() as stack:
        actors = Actors(stack, application, database)
        found = {}
        for place in PLACES:
            client = await actors.make(frozenset(), place, None)
            body = row.body(theatre.stage(place)) if row.body else None
            found[place] = (await client.request(method, address, json=body)).status_code
        assert found == row.answers


async def test_a_list_over_every_type_shows_what_the_client_may_list(
    theatre: Theatre, application: Starlette, database: Database
) -> None:
    for kind in KINDS:
        if kind.create is not None and kind.name != "User":
            await theatre.target(kind, theatre.stage(OUTSIDE))
    searching = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "count": 1_000}
    wrong = {}
    async with AsyncExitStack() as stack:
        actors = Actors(stack, application, database)
        for permission, place in product(EVERY_PERMISSION, PLACES):
            client = await actors.make(frozenset({permission}), place, None)
            awaited = _listed(permission, place)
            for answer in (await client.get("/"), await client.post("/.search", searching)):
                found = answer.json().get("Resources", answer.status_code)
                if isinstance(found, list):
                    found = {one["meta"]["resourceType"] for one in found}
                if found != awaited:
                    wrong[permission, place] = (found, awaited)
    assert wrong == {}


def _listed(permission: str, place: str) -> set[str] | int:
    """Return the types that a client sees in the list over all types, 403 where it may list none."""
    allowed = [
        kind
        for kind in KINDS
        if permission in {kind.view, f"{kind.singular}:view"}
        and kind.name != "AuditEvent"
        and (place in {OWN, OTHER} or not kind.is_about_users)
    ]
    if not allowed:
        return 403
    return set() if place == OTHER else {kind.name for kind in allowed}


async def test_no_route_answers_without_a_token_or_with_one_of_another_tenant(
    theatre: Theatre, application: Starlette, database: Database
) -> None:
    wrong = {}
    async with AsyncExitStack() as stack:
        actors = Actors(stack, application, database)
        other = await actors.make(frozenset(PERMISSIONS), OTHER, None)
        speaking = httpx2.ASGITransport(app=application)
        nobody = await stack.enter_async_context(ScimClient("http://scim.test/scim/v2", None, speaking))
        forged = await stack.enter_async_context(ScimClient("http://scim.test/scim/v2", "nope", speaking))
        for method, path in (*ROWS, *OVER_ALL):
            row = ROWS.get((method, path))
            stage = theatre.stage(OWN)
            address = _filled(path, stage.user)
            body = row.body(stage) if row is not None and row.body else {} if method != "GET" else None
            found = [
                (await nobody.request(method, address, json=body)).status_code,
                (await forged.request(method, address, json=body)).status_code,
                (
                    await other.request(method, f"http://scim.test/t/default/scim/v2{address}", json=body)
                ).status_code,
            ]
            if found != [200 if row is not None and row.is_public else 401, 401, 401]:
                wrong[method, path] = found
    assert wrong == {}


def _filled(path: str, id: str) -> str:
    """Return the path of a route with something in its places."""
    core = "urn:ietf:params:scim:schemas:core:2.0:User"
    return (
        path.replace("{id:resource}", id).replace("{id}", id).replace("{name}", "User").replace("{urn}", core)
    )
