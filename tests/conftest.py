"""Fixtures of all tests: fresh stores on both databases, the application, clients, real servers."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import httpx2
import hypothesis
import pytest
from starlette.applications import Starlette

from scim_server.security.principals import PERMISSIONS
from scim_server.settings import Settings
from scim_server.store.database import Database
from tests.support.client import ScimClient
from tests.support.postgres import URL_VARIABLE, postgres_server
from tests.support.server import UNLIMITED, LiveServer
from tests.support.stores import PostgresStores, SqliteStores
from tests.support.watching import watching

DATABASES = ("sqlite", "postgresql")

# Where CI is set the examples are the same in every run: what a change broke is then its own doing.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")

Connect = Callable[..., Awaitable[ScimClient]]


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """Keep the settings of whoever runs the tests out of them, and let tests make any number of requests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("SCIM_") and name != URL_VARIABLE:
                patch.delenv(name)
        for name in UNLIMITED:
            patch.setenv(name, "0")
        yield


@pytest.fixture(scope="session", autouse=True)
def watched() -> Iterator[list[str]]:
    """Have every statement of the store looked at that could reach the rows of another tenant."""
    with watching() as found:
        yield found


@pytest.fixture(autouse=True)
def isolated(watched: list[str]) -> Iterator[None]:
    """Fail a test in which the store runs a statement that is not bound to one tenant."""
    before = len(watched)
    yield
    assert watched[before:] == []


@pytest.fixture(scope="session")
def sqlite_stores(tmp_path_factory: pytest.TempPathFactory) -> SqliteStores:
    """Empty SQLite stores."""
    return SqliteStores(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_stores() -> Iterator[PostgresStores]:
    """Empty PostgreSQL stores on a server that runs for this test process."""
    with postgres_server() as url:
        stores = PostgresStores(url)
        yield stores
        stores.drop()


@pytest.fixture
def sqlite_url(sqlite_stores: SqliteStores, tmp_path: Path) -> str:
    """URL of an empty SQLite store."""
    return sqlite_stores.fresh(tmp_path / "scim.db")


@pytest.fixture
def postgresql_url(postgres_stores: PostgresStores) -> str:
    """URL of an empty PostgreSQL store."""
    return postgres_stores.fresh()


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of an empty store, once on each database."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=DATABASES)
def furnished_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a store with the sample's catalogue, once on each database."""
    if request.param == "sqlite":
        files: SqliteStores = request.getfixturevalue("sqlite_stores")
        return files.fresh(tmp_path / "scim.db", furnished=True)
    stores: PostgresStores = request.getfixturevalue("postgres_stores")
    return stores.fresh(furnished=True)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Give the store of the test as the services see it."""
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Return the settings of the application; a test module may override them."""
    return Settings(database_url=database_url, audit_interval_seconds=0)


@pytest.fixture
async def application(settings: Settings) -> AsyncIterator[Starlette]:
    """Give the application with its lifespan running."""
    from scim_server.app import create_app  # tests of pure functions start without it

    application = create_app(settings)
    async with application.router.lifespan_context(application):
        yield application


@pytest.fixture
async def connect(application: Starlette, database: Database) -> AsyncIterator[Connect]:
    """Give a function that makes a client of its own and speaks for it, in this process."""
    async with AsyncExitStack() as stack:
        yield _factory(
            stack,
            database,
            lambda token: ScimClient(
                "http://scim.test/scim/v2", token, httpx2.ASGITransport(app=application)
            ),
        )


@pytest.fixture
async def scim(connect: Connect) -> ScimClient:
    """Give a connector of the generic dialect that may do everything."""
    return await connect(profile="idp", permissions=list(PERMISSIONS))


@pytest.fixture
async def admin(connect: Connect) -> ScimClient:
    """Give an administrator's client, which may do everything and is refused what the rules refuse people."""
    return await connect(profile="admin", permissions=list(PERMISSIONS))


@pytest.fixture
def live_server(database_url: str, tmp_path: Path) -> Iterator[LiveServer]:
    """Give a server process of its own on the store of the test."""
    server = LiveServer.start(database_url, tmp_path)
    yield server
    server.stop()


@pytest.fixture
async def live_connect(live_server: LiveServer, database: Database) -> AsyncIterator[Connect]:
    """Give a function that makes a client of its own and speaks for it, over HTTP."""
    async with AsyncExitStack() as stack:
        yield _factory(stack, database, lambda token: ScimClient(live_server.base_url, token))


def _factory(stack: AsyncExitStack, database: Database, speak: Callable[[str], ScimClient]) -> Connect:
    from scim_server.services.clients import NEVER, Clients, Lifetimes

    clients = Clients(database, Lifetimes(allow_never=True))
    numbers = count(1)

    async def connect(
        dialect: str = "generic",
        profile: str = "idp",
        switches: dict[str, bool] | None = None,
        permissions: list[str] | None = None,
        user: str | None = None,
        row_scope: str | None = None,
    ) -> ScimClient:
        name = f"client-{next(numbers)}"
        issued = await clients.create(
            name,
            dialect=dialect,
            profile=profile,
            switches=switches,
            permissions=permissions,
            user=user,
            row_scope=row_scope,
            expires_in=NEVER,  # however far a test moves the clock
        )
        return await stack.enter_async_context(speak(issued.token))

    return connect
