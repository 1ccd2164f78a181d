"""Whatever order writes come in: what is stored for reading says what reading in full says."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_server.app import create_app
from scim_server.lifecycle.urns import DEPARTMENT, ENTERPRISE
from scim_server.security.principals import PERMISSIONS
from scim_server.services.clients import Clients
from scim_server.settings import Settings
from scim_server.store.database import Database
from tests.support.catalogue import create_department
from tests.support.client import ScimClient
from tests.support.people import add, remove, replace
from tests.support.stores import PostgresStores, SqliteStores
from tests.support.two_paths import DIALECTS, TwoPaths

USERS, GROUPS, DEPARTMENTS = range(3), range(3), range(2)
Write = tuple[str, int, int]
WRITES: st.SearchStrategy[Write] = st.one_of(
    st.tuples(st.sampled_from(["title", "delete", "put"]), st.sampled_from(USERS), st.integers(0, 2)),
    st.tuples(st.just("manager"), st.sampled_from(USERS), st.sampled_from(USERS)),
    st.tuples(st.just("active"), st.sampled_from(USERS), st.integers(0, 1)),
    st.tuples(st.sampled_from(["join", "leave"]), st.sampled_from(GROUPS), st.sampled_from(USERS)),
    st.tuples(st.sampled_from(["nest", "unnest"]), st.sampled_from(GROUPS), st.sampled_from(GROUPS)),
    st.tuples(st.sampled_from(["name", "dissolve"]), st.sampled_from(GROUPS), st.integers(0, 2)),
    st.tuples(st.sampled_from(["assign", "unassign"]), st.sampled_from(USERS), st.sampled_from(DEPARTMENTS)),
    st.tuples(st.sampled_from(["call", "close"]), st.sampled_from(DEPARTMENTS), st.integers(0, 2)),
)
TITLES = ("Guide", "nobody", '\u0001 \u001e "é"')


class World:
    """Three users, three groups and two departments, made again where they were deleted."""

    def __init__(self, scim: ScimClient, admin: ScimClient, paths: TwoPaths) -> None:
        self.scim, self.admin, self.paths = scim, admin, paths
        self.users: dict[int, str] = {}
        self.groups: dict[int, str] = {}
        self.departments: dict[int, str] = {}

    async def fill(self) -> None:
        """Make what is not there."""
        for number in DEPARTMENTS:
            if number not in self.departments:
                self.departments[number] = await create_department(self.admin, f"department{number}")
        for number in USERS:
            if number not in self.users:
                self.users[number] = (await self.scim.create_user(f"user{number}"))["id"]
        for number in GROUPS:
            if number not in self.groups:
                self.groups[number] = (await self.scim.create_group(f"Group {number}"))["id"]

    async def write(self, kind: str, first: int, second: int) -> None:
        """Do one thing, which may be refused."""
        done: dict[str, Callable[[], Awaitable[Any]]] = {
            "title": lambda: self._user(first, replace("title", TITLES[second])),
            "delete": lambda: self._delete("/Users", self.users, first),
            "put": lambda: self.scim.put(
                f"/Users/{self.users[first]}", {"userName": f"user{first}", "nickName": TITLES[second]}
            ),
            "manager": lambda: self._user(
                first, replace(f"{ENTERPRISE}:manager", {"value": self.users[second]})
            ),
            "active": lambda: self._user(first, replace("active", bool(second))),
            "join": lambda: self._group(first, add("members", [{"value": self.users[second]}])),
            "leave": lambda: self._group(first, remove(f'members[value eq "{self.users[second]}"]')),
            "nest": lambda: self._group(first, add("members", [{"value": self.groups[second]}])),
            "unnest": lambda: self._group(first, remove(f'members[value eq "{self.groups[second]}"]')),
            "name": lambda: self._group(first, replace("displayName", f"{first} {TITLES[second]}")),
            "dissolve": lambda: self._delete("/Groups", self.groups, first),
            "assign": lambda: self._user(
                first, add(f"{DEPARTMENT}:departments", [{"value": self.departments[second]}])
            ),
            "unassign": lambda: self._user(
                first, remove(f'{DEPARTMENT}:departments[value eq "{self.departments[second]}"]')
            ),
            "call": lambda: self.admin.patch(
                f"/Departments/{self.departments[first]}", replace("displayName", f"{first} {TITLES[second]}")
            ),
            "close": lambda: self._delete("/Departments", self.departments, first),
        }
        answer = await done[kind]()
        assert answer.status_code < 500, (kind, answer.text)

    async def _user(self, number: int, operation: dict[str, Any]) -> httpx2.Response:
        return await self.scim.patch(f"/Users/{self.users[number]}", operation)

    async def _group(self, number: int, operation: dict[str, Any]) -> httpx2.Response:
        return await self.scim.patch(f"/Groups/{self.groups[number]}", operation)

    async def _delete(self, path: str, known: dict[int, str], number: int) -> httpx2.Response:
        answer = await self.admin.delete(f"{path}/{known[number]}")
        if answer.status_code == 204:
            del known[number]
        return answer


async def _writes_read_the_same(url: str, writes: list[Write]) -> None:
    database = Database(url)
    application = create_app(Settings(database_url=url))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        await stack.enter_async_context(application.router.lifespan_context(application))
        clients = Clients(database)

        async def client(name: str, dialect: str = "generic", profile: str = "idp") -> ScimClient:
            issued = await clients.create(
                name, dialect=dialect, profile=profile, permissions=list(PERMISSIONS)
            )
            transport = httpx2.ASGITransport(app=application)
            return await stack.enter_async_context(
                ScimClient("http://scim.test/scim/v2", issued.token, transport)
            )

        paths = TwoPaths({name: await client(name, name) for name in DIALECTS})
        world = World(paths.clients["generic"], await client("admin", profile="admin"), paths)
        for write in writes:
            await world.fill()
            await world.write(*write)
            await paths.agree_on(*world.users.values())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes=st.lists(WRITES, min_size=4, max_size=12))
def test_after_any_writes_users_read_the_same_on_sqlite(
    sqlite_stores: SqliteStores, tmp_path_factory: Any, writes: list[Write]
) -> None:
    url = sqlite_stores.fresh(tmp_path_factory.mktemp("random") / "scim.db")
    asyncio.run(_writes_read_the_same(url, writes))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes=st.lists(WRITES, min_size=4, max_size=12))
def test_after_any_writes_users_read_the_same_on_postgresql(
    postgres_stores: PostgresStores, writes: list[Write]
) -> None:
    asyncio.run(_writes_read_the_same(postgres_stores.fresh(), writes))
