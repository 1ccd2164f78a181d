"""What is asked at every change or by every client is answered by an index, among many rows."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa

from scim_server.store import audit, clients, deleted, people, references, resources
from scim_server.store.database import Database, Reader, Writer
from scim_server.store.filters.compiler import FilterContext
from scim_server.store.filters.json import JSON_DIALECTS, TENANT
from scim_server.store.listing import Lister, Selection
from scim_server.store.tables import audit_event, reference, resource, token, unique_value
from tests.scim.samples import REGISTRY, USER, bound

NUMBER = 4_000
URN = "urn:ietf:params:scim:schemas:extension:"
VARYING = frozenset({"active", f"{URN.lower()}lifecycle:2.0:user:effectivestatus"})
EVENT = REGISTRY.resource_types["AuditEvent"]
Work = Callable[[Reader], Awaitable[object]]


def user_row(number: int) -> dict[str, Any]:
    """Return the row of a user; every 40th is deleted, every 50th has a boundary."""
    folded = {
        "username": f"u{number}",
        "active": number % 2 == 0,
        "externalid": f"x{number}",
        "emails": [{"value": f"u{number}@x.test", "primary": True}],
        f"{URN}connector:2.0:user": {"ssoidentifier": f"s{number}", "teamcode": f"t{number % 200}"},
        f"{URN}lifecycle:2.0:user": {"effectivestatus": "locked" if number % 200 == 7 else "active"},
        TENANT: 1,
    }
    return {
        "tenant_id": 1,
        "id": f"{number:06}",
        "type": "User",
        "version": 1,
        "created": number,
        "modified": number,
        "deleted": number if number % 40 == 0 else None,
        "next_change": number if number % 50 == 1 else None,
        "document": "{}",
        "folded": json.dumps(folded),
    }


def reference_row(number: int) -> dict[str, Any]:
    """Return the row of an assignment; every 50th ends."""
    return {
        "tenant_id": 1,
        "source_id": f"{number:06}",
        "attribute": "a",
        "target_id": "t",
        "created": 1,
        "valid_to": number if number % 50 == 1 else None,
    }


def event_row(number: int) -> dict[str, Any]:
    """Return the row of an audit event."""
    return {
        "tenant_id": 1,
        "id": f"{number:06}",
        "at": number,
        "action": f"action{number % 100}",
        "outcome": "success",
        "actor_id": f"{number % 100}",
        "actor_type": "user",
        "resource_id": f"r{number % 100}",
        "document": "{}",
        "folded": "{}",
    }


def token_row(number: int) -> dict[str, Any]:
    """Return the row of a token of a user."""
    return {
        "digest": f"{number:064}",
        "tenant_id": 1,
        "client_id": "c",
        "prefix": f"p{number}",
        "created": number,
        "owner_id": f"{number:06}",
    }


def name_row(number: int) -> dict[str, Any]:
    """Return the row of a user name."""
    name = f"u{number}"
    return {
        "tenant_id": 1,
        "type": "User",
        "attribute": "userName",
        "key": name,
        "resource_id": f"{number:06}",
    }


FILLED = {
    resource: user_row,
    reference: reference_row,
    audit_event: event_row,
    unique_value: name_row,
    token: token_row,
}
CLIENT = {
    "tenant_id": 1,
    "id": "c",
    "name": "c",
    "profile": "admin",
    "dialect": "generic",
    "permissions": "[]",
    "switches": "{}",
    "created": 1,
}


@pytest.fixture
async def filled(database: Database) -> Database:
    """Give a store with many rows that the planner knows of."""

    async def work(writer: Writer) -> None:
        assert await clients.ensure_tenant(writer, "one", 1) == 1
        assert await clients.insert_client(writer, CLIENT)
        for table, row_of in FILLED.items():
            await writer.execute(table.insert(), [row_of(number) for number in range(NUMBER)])

    async def tidied(reader: Reader) -> None:
        await reader.execute(sa.text("ANALYZE" if database.dialect == "sqlite" else "VACUUM ANALYZE"))

    await database.write(work)
    await database.read(tidied)
    return database


async def plans(database: Database, work: Work) -> str:
    """Return how the database goes about the statements of a piece of work."""
    statements: list[tuple[str, Any]] = []

    def note(statement: str, parameters: Any, _rows: int) -> None:
        statements.append((statement, tuple(parameters)))

    with database.observed(note):
        await database.read(work)
    explain = "EXPLAIN QUERY PLAN" if database.dialect == "sqlite" else "EXPLAIN"

    async def explained(reader: Reader) -> str:
        lines = []
        for statement, parameters in statements:
            rows = await reader.exec_driver_sql(f"{explain} {statement}", parameters)
            lines += [str(row[-1]) for row in rows]
        return "\n".join(lines)

    return await database.read(explained)


def context(dialect: str) -> FilterContext:
    """Return what filters are compiled with."""
    locations = dict.fromkeys(REGISTRY.resource_types, "https://x.test/")
    return FilterContext(JSON_DIALECTS[dialect], 1, REGISTRY, locations, VARYING, NUMBER)


def users(filter: str) -> Callable[[str], Work]:
    """Return the work of listing the users that satisfy a filter."""
    selection = Selection(((USER, bound(filter, USER)),))
    return lambda dialect: lambda reader: Lister(context(dialect), selection).page(reader, limit=100)


def events(filter: str) -> Callable[[str], Work]:
    """Return the work of listing the audit events that satisfy a filter."""
    selection = Selection(((EVENT, bound(filter, EVENT)),))
    return lambda dialect: (
        lambda reader: audit.AuditLister(context(dialect), selection).page(reader, limit=100)
    )


# What is asked, and the index that answers on each database; what many have SQLite walks through in the
# order of the list rather than sort.
ASKED: dict[str, tuple[Callable[[str], Work], dict[str, str]]] = {
    "a user by name who is active": (
        users('active eq true and userName eq "u7"'),
        {"sqlite": "unique_value", "postgresql": "unique_value_pkey"},
    ),
    "an address of users who are active": (
        users('emails.value eq "u7@x.test" and active eq true'),
        {"sqlite": "folded_value", "postgresql": "resource_folded"},
    ),
    "a user by single sign-on": (
        users(f'{URN}connector:2.0:User:ssoIdentifier eq "s7"'),
        {"sqlite": "unique_value", "postgresql": "unique_value_pkey"},
    ),
    "the users of a pod": (
        users(f'{URN}connector:2.0:User:teamCode eq "t7"'),
        {"sqlite": "folded_value", "postgresql": "resource_folded"},
    ),
    "the users of a status": (
        users(f'{URN}lifecycle:2.0:User:effectiveStatus eq "locked"'),
        {"sqlite": "folded_value", "postgresql": "resource_folded"},
    ),
    "the tokens of a user": (
        lambda _dialect: lambda reader: clients.tokens_created_since(reader, 1, "000007", 0),
        {"sqlite": "token_of_owner", "postgresql": "token_of_owner"},
    ),
    "the token behind a request": (
        lambda _dialect: lambda reader: clients.caller_of(reader, f"{7:064}"),
        {"sqlite": "sqlite_autoindex_token", "postgresql": "token_pkey"},
    ),
    "users changed lately": (
        users('meta.lastModified gt "1970-01-01T00:00:00.003990Z"'),
        {"postgresql": "resource_modified"},
    ),
    "who has an address": (
        lambda _dialect: lambda reader: people.email_holders(reader, 1, ["u7@x.test"], ""),
        {"sqlite": "folded_value", "postgresql": "resource_folded"},
    ),
    "a deleted user by externalId": (
        lambda _dialect: lambda reader: deleted.find_deleted_by(reader, 1, "User", "externalId", "x40"),
        {"sqlite": "folded_value", "postgresql": "resource_"},
    ),
    "what is due": (
        lambda _dialect: lambda reader: resources.due(reader, 1, NUMBER, 10),
        {"sqlite": "resource_due", "postgresql": "resource_due"},
    ),
    "the events of a resource": (
        events('resource.value eq "r7"'),
        {"sqlite": "audit_event_by_resource_id", "postgresql": "audit_event_by_resource_id"},
    ),
    "the events of an actor": (
        events('actor.value eq "7"'),
        {"sqlite": "audit_event_by_actor_id", "postgresql": "audit_event_by_actor_id"},
    ),
    "the events of a kind": (
        events('action eq "action7"'),
        {"sqlite": "audit_event_by_action", "postgresql": "audit_event_by_action"},
    ),
    "the events of a time": (
        events('at gt "1970-01-01T00:00:00.003990Z"'),
        {"postgresql": "audit_event_by_at"},
    ),
}


@pytest.mark.parametrize("name", [name for name, (_, index) in ASKED.items() if "sqlite" in index])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_sqlite_answers_by_index(filled: Database, name: str) -> None:
    await _check(filled, name)


async def _check(database: Database, name: str) -> None:
    asked, index = ASKED[name]
    plan = await plans(database, asked(database.dialect))
    assert index[database.dialect] in plan, (name, plan)
    assert "Seq Scan on resource" not in plan
    assert "Seq Scan on audit_event" not in plan
    assert "SCAN resource" not in plan
    assert "SCAN audit_event" not in plan


@pytest.mark.proves("DBS-06")
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_postgresql_answers_by_index(filled: Database) -> None:
    for name in ASKED:
        await _check(filled, name)


async def test_ended_references_are_found_by_index(filled: Database) -> None:
    query = sa.select(reference.c.source_id).where(reference.c.tenant_id == 1, reference.c.valid_to <= 100)

    async def work(reader: Reader) -> None:
        await reader.execute(query.order_by(reference.c.valid_to).limit(10))

    assert "reference_ending" in await plans(filled, work)
    removed = await filled.write(lambda writer: references.remove_expired(writer, 1, 100, 10))
    assert [source for source, _, _ in removed] == ["000001", "000051"]
