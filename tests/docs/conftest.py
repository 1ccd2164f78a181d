"""Fixtures of the documentation tests: what `make run` leaves a reader with."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.docs.documents import ROOT, document
from tests.support.server import LiveServer

Run = Callable[[str], LiveServer]


@pytest.fixture
def make_run(database_url: str, tmp_path: Path) -> Iterator[Run]:
    """Give a function that starts what `make run` starts, with the files a document tells to write.

    The working folder is the server's `log.parent`; it has `.venv`, `samples` and `var/token` as a clone has.
    """
    servers = []

    def start(path: str) -> LiveServer:
        for name, text in document(path).files.items():
            file = tmp_path / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])
        (tmp_path / "samples").symlink_to(ROOT / "samples")
        folders = [ROOT / "tests" / "data" / "device", *tmp_path.glob("acme")]
        server = LiveServer.start(
            database_url,
            tmp_path,
            arguments=("--sample",),
            environment={"SCIM_SCHEMA_FOLDERS": ":".join(map(str, folders))},
        )
        servers.append(server)
        kept = tmp_path / "var" / "token"
        if not kept.exists():
            kept.parent.mkdir(exist_ok=True)
            kept.symlink_to(tmp_path / "token")
        return server

    yield start
    for server in servers:
        server.stop()
