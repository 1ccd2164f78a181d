"""The server works as a role of PostgreSQL that cannot rewrite the audit trail."""

from collections.abc import AsyncIterator

import asyncpg
import httpx2
import pytest
from sqlalchemy.engine import make_url

from benchmarks.tamper import Trail
from scim_server import cli
from scim_server.app import create_app
from scim_server.http.server import Server
from scim_server.security.principals import PERMISSIONS
from scim_server.security.transparency.notes import Signer
from scim_server.services.clients import Clients
from scim_server.services.settlement import system_call
from scim_server.services.transparency.checkpoints import Checkpoints
from scim_server.services.transparency.erasure import erase
from scim_server.settings import Settings
from scim_server.store import roles
from scim_server.store.database import Database
from tests.services.transparency.conftest import LIFECYCLE
from tests.support.client import ScimClient

APPLICATION, OWNER = "scim_test_app", "scim_test_owner"


@pytest.fixture
async def limited(postgresql_url: str) -> AsyncIterator[str]:
    """Give the URL of a store for the application's role; the owner of the tables is as before afterwards."""
    database = Database(postgresql_url)
    tables, views = await roles.objects(database)
    await roles.apply(database, roles.statements(OWNER, APPLICATION, tables, views))
    connection = await asyncpg.connect(postgresql_url)
    await connection.execute(f"ALTER ROLE {APPLICATION} LOGIN PASSWORD 'limited'")
    own = make_url(postgresql_url).set(username=APPLICATION, password="limited")
    yield own.render_as_string(hide_password=False)
    await database.close()
    await connection.execute(f"REASSIGN OWNED BY {OWNER} TO CURRENT_USER")
    for role in (APPLICATION, OWNER):
        await connection.execute(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")
    await connection.close()


async def test_the_server_does_all_its_work_under_the_role(limited: str) -> None:
    settings = Settings(database_url=limited, audit_interval_seconds=0)
    application = create_app(settings)
    async with application.router.lifespan_context(application):
        server: Server = application.state.server
        issued = await Clients(server.database).create("own", permissions=list(PERMISSIONS))
        transport = httpx2.ASGITransport(app=application)
        async with ScimClient("http://scim.test/scim/v2", issued.token, transport) as client:
            user = (await client.create_user("ann"))["id"]
            await client.patch_ok(f"/Users/{user}", {"op": "replace", "path": "title", "value": "Boss"})
            assert (await server.keeper.run_once())["chained"] == 2
            made = await Checkpoints(server.database, Signer.generate("log")).make(1, "default")
            assert made is not None
            found = await client.find("/AuditEvents", f'resource.value eq "{user}"')
            assert {"path": "title", "to": "Boss"} in found[-1]["changes"]
            call = system_call(1, "default")
            sealing, registry = Trail(server.database, LIFECYCLE).sealing, LIFECYCLE.registry
            assert (await erase(server.database, registry, sealing, call, user)).receipt is not None
            assert (await client.get("/audit/verify")).json()["intact"]
            assert (await client.delete(f"/Users/{user}")).status_code == 204


@pytest.mark.parametrize("table", ["audit_event", "audit_private", "audit_chain", "audit_checkpoint"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET tenant_id = 7",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
        "DROP TABLE {}",
    ],
)
async def test_the_role_may_not_rewrite(statement: str, table: str, limited: str) -> None:
    connection = await asyncpg.connect(limited)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement.format(table))
    finally:
        await connection.close()


async def test_the_role_may_not_switch_triggers_off_for_itself(limited: str) -> None:
    connection = await asyncpg.connect(limited)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("SET session_replication_role = replica")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("INSERT INTO audit_cut VALUES (1, 1, 1, '', '', '')")
    finally:
        await connection.close()


def test_the_command_prints_the_statements(postgresql_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "roles", "--app-role", "other_app", "--database-url", postgresql_url]) == 0
    printed = capsys.readouterr().out
    assert "GRANT SELECT, INSERT ON audit_event TO other_app;" in printed
    assert cli.run(["db", "roles", "--app-role", "a b", "--database-url", postgresql_url]) == 2


def test_sqlite_has_no_roles(sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "roles", "--database-url", sqlite_url]) == 1
    assert "SQLite has no roles" in capsys.readouterr().err
