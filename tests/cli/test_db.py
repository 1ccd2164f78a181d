"""`scim-server db`, and what the other commands do with a store of another revision."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from scim_server import cli
from scim_server.store.upgrade import head_revision
from tests.cli.conftest import Run


def execute(url: str, statement: str) -> None:
    async def work() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(work())


@pytest.fixture
def stale_url(postgresql_url: str) -> str:
    execute(postgresql_url, "UPDATE alembic_version SET version_num = '0000'")
    return postgresql_url


@pytest.fixture
def empty_url(postgresql_url: str) -> str:
    execute(postgresql_url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return postgresql_url


def test_check_accepts_the_newest_revision(run_on: Run) -> None:
    head = head_revision()
    assert run_on("db", "check", "--json").json() == {"revision": head, "needed": head, "current": True}


def test_upgrade_has_nothing_to_do_at_the_newest_revision(run_on: Run) -> None:
    assert run_on("db", "upgrade", "--json").json() == {"applied": [], "revision": head_revision()}


def test_upgrade_builds_an_empty_postgresql_store(run: Run, empty_url: str) -> None:
    applied = run("db", "upgrade", "--json", "--database-url", empty_url).json()["applied"]
    assert applied[-1] == head_revision()
    assert run("db", "check", "--database-url", empty_url).code == 0


def test_upgrade_creates_a_sqlite_store_and_its_folder(run: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/scim.db"
    assert run("db", "upgrade", "--json", "--database-url", url).json()["applied"][-1] == head_revision()
    assert run("db", "check", "--database-url", url).code == 0


def test_check_creates_nothing(run: Run, tmp_path: Path) -> None:
    complaint = run("db", "check", "--database-url", f"sqlite:///{tmp_path}/scim.db").complaint()
    assert "empty" in complaint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command", [("serve", "--port", "0"), ("worker", "--once"), ("client", "list"), ("db", "check")]
)
def test_a_stale_postgresql_store_is_refused_with_the_command_that_mends_it(
    run: Run, stale_url: str, command: tuple[str, ...]
) -> None:
    complaint = run(*command, "--database-url", stale_url).complaint()
    assert "revision 0000" in complaint
    assert complaint.endswith("run: scim-server db upgrade")


def test_an_empty_postgresql_store_is_refused_by_serve(run: Run, empty_url: str) -> None:
    assert "scim-server db upgrade" in run("serve", "--port", "0", "--database-url", empty_url).complaint()


@pytest.mark.parametrize(
    "command",
    [("serve", "--port", "0"), ("worker", "--once"), ("client", "list"), ("db", "check"), ("db", "upgrade")],
)
@pytest.mark.parametrize(
    "url", ["postgresql://nobody:secret@127.0.0.1:1/scim", "sqlite:////proc/nowhere/scim.db"]
)
def test_a_store_that_cannot_be_reached_is_one_line_without_the_password(
    run: Run, command: tuple[str, ...], url: str
) -> None:
    assert "secret" not in run(*command, "--database-url", url).complaint()


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("client", "list"), ("db", "check")])
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://scim:hunter2@127.0.0.1:1/scim",
        "postgresql://scim:hun/ter2@127.0.0.1:1/scim",
        "postgresql://scim@127.0.0.1:1/scim?password=hunter2",
    ],
)
def test_a_password_is_not_taken_where_the_list_of_processes_shows_it(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...], url: str
) -> None:
    assert cli.run((*command, f"--database-url={url}")) == 2
    said = capsys.readouterr().err
    assert "SCIM_DATABASE_URL" in said
    assert "ter2" not in said
