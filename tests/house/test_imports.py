"""Imports go one way, and libraries stay in their rooms."""

import pytest

from tests.house.sources import PRODUCT, Source, source, sources

_BELOW_SERVICES = {"lifecycle", "store", "security", "events", "dialects", "scim", "schema_files"}

# What each part of the product may import of the others.
MAY_IMPORT = {
    "__init__": set[str](),
    "scim": set[str](),
    "settings": set[str](),
    "dialects": {"scim"},
    "schema_files": {"scim"},
    "security": {"scim"},
    "store": {"scim"},
    "lifecycle": {"scim"},
    "events": {"scim"},
    "services": _BELOW_SERVICES,
    "http": {"services", "settings"} | _BELOW_SERVICES,
    "cli": {"app", "services", "settings"} | _BELOW_SERVICES,
    "app": {"http", "services", "settings"} | _BELOW_SERVICES,
    "extensions": {"lifecycle", "scim"},
}
# Which parts may import a library; every other part may not.
ROOMS = {
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "aiosqlite": {"store"},
    "asyncpg": {"store"},
    "starlette": {"http", "app", "cli"},
    "uvicorn": {"cli"},
    "typer": {"cli"},
    "structlog": {"http", "app", "services", "events", "cli"},
}
PURE = {"scim", "dialects"}
OUTSIDE_WORLD = {
    "os",
    "io",
    "socket",
    "asyncio",
    "subprocess",
    "threading",
    "time",
    "sqlite3",
    "urllib.request",
}


def wrong_directions(file: Source) -> list[str]:
    allowed = MAY_IMPORT[file.layer] | {file.layer}
    found = []
    for name in file.imports():
        package, _, rest = name.partition(".")
        layer = rest.partition(".")[0] if package == "scim_server" else package
        if package in PRODUCT and layer not in allowed and name != "scim_server":
            found.append(f"{file.path}: {name}")
    return found


def strays(file: Source) -> list[str]:
    found = []
    for name in file.imports():
        rooms = ROOMS.get(name.partition(".")[0])
        touches = any(f"{name}.".startswith(f"{module}.") for module in OUTSIDE_WORLD)
        if (rooms is not None and file.layer not in rooms) or (file.layer in PURE and touches):
            found.append(f"{file.path}: {name}")
    return found


def test_imports_go_one_way() -> None:
    assert [line for file in sources(*PRODUCT) for line in wrong_directions(file)] == []


def test_libraries_stay_in_their_rooms_and_the_protocol_touches_nothing_outside() -> None:
    assert [line for file in sources(*PRODUCT) for line in strays(file)] == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("scim_server/scim/paths.py", "from scim_server.store.database import Database"),
        ("scim_server/store/rows.py", "import scim_server.services.clients"),
        ("scim_server/store/rows.py", "from scim_server import services"),
        ("scim_server/services/clients.py", "def work():\n    from scim_server.http import routes"),
        ("scim_server/app.py", "from scim_server.cli import main"),
        ("scim_server/store/rows.py", "from ..services import clients"),
        ("extensions/roles.py", "from scim_server.store import tables"),
        ("scim_server/http/routes.py", "import extensions.roles"),
    ],
)
def test_an_import_in_the_wrong_direction_is_found(path: str, text: str) -> None:
    assert wrong_directions(source(path, text)) != []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("scim_server/services/clients.py", "import sqlalchemy as sa"),
        ("scim_server/services/clients.py", "from starlette.responses import Response"),
        ("scim_server/scim/values.py", "from os import environ"),
        ("scim_server/dialects/okta.py", "from urllib import request"),
        ("scim_server/cli/db.py", "import asyncpg"),
    ],
)
def test_a_library_out_of_its_room_is_found(path: str, text: str) -> None:
    assert strays(source(path, text)) != []
