"""A store and a server for one test under torture."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torture.__main__ import STORES, UNLIMITED
from tests.torture.stage import Server, Store


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a folder that PostgreSQL's own user may enter, with a path short enough for its socket."""
    folder = Path(tempfile.mkdtemp(prefix="torture-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT") or None))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest, place: Path) -> Iterator[Store]:
    """Give a store whose processes may be killed, once of each kind."""
    store: Store = STORES[request.param](place / "store")
    store.start()
    yield store
    store.stop()


@pytest.fixture
def server(store: Store, place: Path) -> Iterator[Server]:
    """Give a server on the store, not yet started."""
    server = Server(store, place, environment=dict(UNLIMITED))
    server.run("db", "upgrade")
    yield server
    server.die()


@pytest.fixture
def token(server: Server) -> str:
    """Return the token of a client that may do everything."""
    made = server.run("client", "create", "okta", "--dialect", "okta", "--bundle", "root", "--json")
    return str(json.loads(made)["token"])
