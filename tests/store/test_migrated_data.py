"""What is in a store of the first revision is there after the newest one, as the code of today wants it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import scim_server.store.migrations
from benchmarks.tamper import Trail
from scim_server.scim.contents import display_of
from scim_server.scim.normalize import fold_document
from scim_server.scim.resources import ReferenceValue, Resource
from scim_server.security.principals import DEFAULT_PERMISSIONS
from scim_server.security.transparency.sealing import Sealing
from scim_server.services.lifecycle import Lifecycle
from scim_server.services.transparency.revealing import reveal
from scim_server.store import audit, references, resources
from scim_server.store.database import Database, Reader
from scim_server.store.filters.json import TENANT
from scim_server.store.upgrade import upgrade
from tests.conftest import DATABASES
from tests.scim.samples import ENTERPRISE, PROBE, USER, known

NUMBER = f"{ENTERPRISE}:employeeNumber"


def migrate(connection: sa.Connection, revision: str) -> None:
    """Bring the store to a revision."""
    configuration = Config()
    (folder,) = scim_server.store.migrations.__path__
    configuration.set_main_option("script_location", folder)
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, revision)


@pytest.fixture(params=DATABASES)
async def old(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """Give a store of the first revision."""
    url = f"sqlite:///{tmp_path}/old.db"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql_url")
        connection = await asyncpg.connect(server)
        await connection.execute("CREATE DATABASE scim_old_revision")
        await connection.close()
        url = server.rpartition("/")[0] + "/scim_old_revision" + _query(server)
    database = Database(url)
    async with database.engine.begin() as writer:
        await writer.run_sync(migrate, "0001")
    yield database
    await database.close()
    if request.param == "postgresql":
        connection = await asyncpg.connect(server)
        await connection.execute("DROP DATABASE scim_old_revision WITH (FORCE)")
        await connection.close()


def _query(url: str) -> str:
    _, mark, query = url.partition("?")
    return mark + query


async def put(
    database: Database, id: str, document: dict[str, Any], *, deleted: int | None = None, tenant: int = 1
) -> None:
    """Insert a user as the first revision did."""
    row = {
        "tenant_id": tenant,
        "id": id,
        "type": "User",
        "version": 3,
        "created": 1,
        "modified": 2,
        "deleted": deleted,
        "display": display_of(document, USER),
        "document": json.dumps(document),
        "folded": json.dumps(fold_document(document, USER)),
    }
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row).replace(":folded", _json(database))
    async with database.engine.begin() as writer:
        await writer.execute(sa.text(f"INSERT INTO resource ({names}) VALUES ({values})"), row)


def _json(database: Database) -> str:
    return "CAST(:folded AS jsonb)" if database.dialect == "postgresql" else ":folded"


async def holders(database: Database) -> list[tuple[int, str, str]]:
    """Return who holds which employee number."""
    query = sa.text(
        "SELECT tenant_id, key, resource_id FROM unique_value "
        f"WHERE type = 'User' AND attribute = '{NUMBER}' ORDER BY tenant_id, key"
    )
    async with database.engine.connect() as reader:
        return [(row[0], row[1], row[2]) for row in await reader.execute(query)]


def numbered(name: str, number: str) -> dict[str, Any]:
    """Return the document of a user with an employee number."""
    return {"userName": name, ENTERPRISE: {"employeeNumber": number}}


async def test_employee_numbers_of_live_users_become_unique_and_the_oldest_holds_a_shared_one(
    old: Database,
) -> None:
    await put(old, "1", numbered("ann", "E1 %:x'"))
    await put(old, "2", numbered("bob", "SAME"))
    await put(old, "3", numbered("cyd", "same"))
    await put(old, "4", numbered("dan", "gone"), deleted=9)
    await put(old, "5", {"userName": "eve"})
    await put(old, "6", numbered("fay", "same"), tenant=2)
    assert (await upgrade(old))[0] == "0002"
    assert await holders(old) == [(1, "e1 %:x'", "1"), (1, "same", "2"), (2, "same", "6")]


async def test_resources_are_read_as_before(old: Database) -> None:
    document = numbered("Ann", "E1")
    await put(old, "1", document)
    await upgrade(old)
    found = await old.read(lambda reader: resources.fetch(reader, 1, "User", "1"))
    assert found == Resource("User", "1", 3, 1, 2, document)


async def test_references_are_valid_without_an_end(old: Database) -> None:
    insert = "INSERT INTO reference (tenant_id, source_id, attribute, target_id, created) VALUES "
    async with old.engine.begin() as writer:
        await writer.execute(sa.text(f"{insert} (1, 'p', 'owners', 't', 1)"))
    await upgrade(old)
    owners = [known(PROBE, "owners")]
    found = await old.read(lambda reader: references.of_sources(reader, 1, ["p"], owners))
    assert found == {"p": {"owners": [ReferenceValue("t")]}}


async def test_users_of_before_have_a_status_that_filters_find(old: Database) -> None:
    await put(old, "1", {"userName": "ann", "active": True})
    await put(old, "2", {"userName": "bob", "active": False})
    await upgrade(old)
    urn = "urn:ietf:params:scim:schemas:extension:lifecycle:2.0:user"
    async with old.engine.connect() as reader:
        rows = (await reader.execute(sa.text("SELECT folded FROM resource ORDER BY id"))).all()
    found = [json.loads(row[0]) if isinstance(row[0], str) else row[0] for row in rows]
    assert [one[urn] for one in found] == [
        {"status": "active", "effectivestatus": "active"},
        {"status": "inactive", "effectivestatus": "inactive"},
    ]
    assert [one["username"] for one in found] == ["ann", "bob"]
    own = [1, 1] if old.dialect == "postgresql" else [None, None]
    assert [one.get(TENANT) for one in found] == own


async def test_clients_of_before_keep_what_they_could_do_and_get_what_their_profile_can_now(
    old: Database,
) -> None:
    base = ["user:view", "user:create", "user:update", "user:delete"]
    rows = [("admin", base), ("idp", base), ("app", ["user:view"]), ("hris", ["user:view"])]
    async with old.engine.begin() as writer:
        await writer.execute(sa.text("INSERT INTO tenant (id, name, created) VALUES (1, 'one', 1)"))
        for profile, held in rows:
            statement = sa.text(
                "INSERT INTO client (tenant_id, id, name, profile, dialect, permissions, switches, created) "
                "VALUES (1, :profile, :profile, :profile, 'generic', :held, '{}', 1)"
            )
            await writer.execute(statement, {"profile": profile, "held": json.dumps(held)})
    await upgrade(old)
    async with old.engine.connect() as reader:
        found = (await reader.execute(sa.text("SELECT profile, permissions FROM client"))).all()
    held_now = {row.profile: set(json.loads(row.permissions)) for row in found}
    assert held_now == {
        "admin": set(DEFAULT_PERMISSIONS["admin"]),
        "idp": set(DEFAULT_PERMISSIONS["idp"]),
        "app": {"user:view"},
        "hris": {"user:view"},
    }


OLD_EVENT = {
    "at": "2026-01-01T00:00:00.000000Z",
    "action": "user.update",
    "outcome": "success",
    "actor": {"value": "u1", "type": "admin", "client": "Okta"},
    "resource": {"value": "u2", "type": "User"},
    "note": "Promoted.",
    "changes": [{"path": "title", "from": "Clerk", "to": "Boss"}],
    "rules": [{"value": "R-1", "effect": "recorded", "message": "Ann may not."}],
}


async def test_events_of_before_are_split_and_chained_and_shown_as_they_were(old: Database) -> None:
    async with old.engine.begin() as writer:
        await writer.run_sync(migrate, "0007")
        await writer.execute(sa.text("INSERT INTO tenant (id, name, created) VALUES (1, 'default', 1)"))
        kind = Lifecycle.of().registry.resource_types["AuditEvent"]
        folded = fold_document(OLD_EVENT, kind)
        row = {
            "folded": json.dumps(folded),
            "document": json.dumps(OLD_EVENT),
            "client_id": "c1",
            **audit.columns_of(folded),
        }
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row).replace(":folded", _json(old))
        at = 1_767_225_600_000_000
        for own_id in ("a", "b"):
            statement = (
                f"INSERT INTO audit_event (tenant_id, id, at, {names}) VALUES (1, '{own_id}', {at}, {values})"
            )
            await writer.execute(sa.text(statement), row)
    assert "0008" in await upgrade(old)
    trail = Trail(old, Lifecycle.of())
    trail.tenant_id = 1
    assert await trail.chain() == 2
    verdict = await trail.verify()
    assert (verdict.code, verdict.bad) == (0, None)
    async with old.engine.connect() as reader:
        stored = (await reader.execute(sa.text("SELECT document, folded FROM audit_event"))).all()
    assert not any(word in str(stored) for word in ("Boss", "boss", "Promoted", "promoted", "Ann"))

    async def shown(reader: Reader) -> dict[str, Any]:
        event = await audit.fetch_event(reader, 1, "a")
        assert event is not None
        await reveal(reader, Sealing(), 1, [event])
        return event.document

    found = await old.read(shown)
    assert {name: value for name, value in found.items() if name != "privateCommit"} == OLD_EVENT
