"""The rule that every statement is bound to one tenant, and that it finds those that are not."""

import ast
from typing import Any

import pytest
import sqlalchemy as sa

from scim_server.store.database import Database
from scim_server.store.tables import metadata
from tests.house.sources import ROOT, sources
from tests.support.isolation import untied
from tests.support.watching import ACROSS, TABLES, faults

BOUND = {
    "a parameter": "SELECT * FROM resource WHERE resource.tenant_id = $1::INTEGER AND id = $2",
    "no alias": "SELECT * FROM resource WHERE tenant_id = ?",
    "the other way round": "SELECT * FROM resource AS r WHERE ? = r.tenant_id",
    "in parentheses": "SELECT * FROM resource WHERE (tenant_id = ? AND (id = ? OR id = ?))",
    "a join": "SELECT 1 FROM resource AS r JOIN reference AS f ON f.tenant_id = r.tenant_id "
    "WHERE r.tenant_id = ?",
    "a chain": "SELECT 1 FROM token t, client c, resource r "
    "WHERE t.tenant_id = c.tenant_id AND c.tenant_id = r.tenant_id AND r.tenant_id = ?",
    "a subquery": "SELECT 1 FROM resource r WHERE r.tenant_id = ? "
    "AND EXISTS (SELECT 1 FROM reference f WHERE f.tenant_id = r.tenant_id)",
    "each of a union": "SELECT id FROM resource WHERE tenant_id = ? "
    "UNION ALL SELECT id FROM token WHERE tenant_id = ?",
    "a change": "UPDATE resource SET version = ? WHERE tenant_id = ? AND id = ?",
    "a deletion": "DELETE FROM reference WHERE reference.tenant_id = ? RETURNING 1",
    "an insertion": "INSERT INTO policy (tenant_id, document) VALUES (?, ?) "
    "ON CONFLICT (tenant_id) DO UPDATE SET x = ?",
    "inside WITH": "WITH w0 AS (DELETE FROM resource WHERE tenant_id = $1 RETURNING 1) "
    "SELECT count(*) FROM w0",
    "the tenants themselves": "SELECT name FROM tenant WHERE EXISTS "
    "(SELECT 1 FROM resource WHERE resource.tenant_id = tenant.id)",
    "no table of tenants": "SELECT * FROM secret",
    "distinct from": "SELECT 1 FROM token WHERE tenant_id = ? AND token.expires IS NOT DISTINCT FROM ?",
}  # fmt: skip
LOOSE = {
    "nothing": "SELECT * FROM resource",
    "an id alone": "SELECT * FROM resource WHERE id = ?",
    "either": "SELECT * FROM resource WHERE tenant_id = ? OR id = ?",
    "either, inside": "SELECT * FROM resource WHERE id = ? AND (tenant_id = ? OR version = ?)",
    "another operator": "SELECT * FROM resource WHERE tenant_id > ?",
    "itself": "SELECT * FROM resource WHERE tenant_id = tenant_id",
    "a join without": "SELECT 1 FROM resource r JOIN reference f ON f.source_id = r.id WHERE r.tenant_id = ?",
    "a join of two that nothing binds": "SELECT 1 FROM resource r "
    "JOIN reference f ON f.tenant_id = r.tenant_id",
    "a comma": "SELECT 1 FROM resource r, reference f WHERE r.tenant_id = ?",
    "a subquery": "SELECT 1 FROM resource r WHERE r.tenant_id = ? "
    "AND r.id IN (SELECT source_id FROM reference)",
    "the second of a union": "SELECT id FROM resource WHERE tenant_id = ? UNION SELECT id FROM token",
    "a change": "UPDATE resource SET version = ? WHERE id = ?",
    "a change that sets it": "UPDATE resource SET tenant_id = ? WHERE id = ?",
    "a deletion": "DELETE FROM reference",
    "an insertion": "INSERT INTO policy (document) VALUES (?)",
    "an insertion of what is read": "INSERT INTO recalculation (tenant_id, resource_id) "
    "SELECT 1, id FROM resource",
    "inside WITH": "WITH w0 AS (DELETE FROM resource WHERE id = $1 RETURNING 1) SELECT count(*) FROM w0",
    "all tenants": "SELECT 1 FROM resource r JOIN tenant ON tenant.id = r.tenant_id WHERE r.id = ?",
    "a quoted name": 'SELECT * FROM "resource" WHERE "id" = ?',
    "a text that says so": "SELECT * FROM resource WHERE id = 'tenant_id = 1'",
}  # fmt: skip


@pytest.mark.parametrize("text", BOUND.values(), ids=BOUND)
def test_what_is_bound_to_one_tenant_passes(text: str) -> None:
    assert untied(text, TABLES) == []


@pytest.mark.parametrize("text", LOOSE.values(), ids=LOOSE)
def test_what_could_reach_another_tenant_is_found(text: str) -> None:
    assert untied(text, TABLES) != []


def test_every_table_with_a_tenant_is_looked_after() -> None:
    assert {name for name, table in metadata.tables.items() if "tenant_id" in table.c} <= TABLES


@pytest.mark.parametrize("pattern", ACROSS)
def test_what_may_cross_tenants_says_why(pattern: str) -> None:
    assert len(ACROSS[pattern]) > 20


def test_a_statement_on_the_list_is_not_a_fault() -> None:
    assert faults("DELETE FROM token WHERE token.expires < ? OR token.revoked < ?") == []
    assert faults("DELETE FROM token WHERE token.client_id = ?") != []


async def test_a_function_of_the_store_that_forgets_the_tenant_is_found(
    database: Database, watched: list[str]
) -> None:
    text = "async def forgets(reader):\n    return await reader.execute(query)\n"
    names: dict[str, Any] = {
        "query": sa.select(metadata.tables["resource"].c.id, sa.literal_column(f"'{database.dialect}'"))
    }
    exec(compile(text, str(ROOT / "scim_server" / "store" / "listing.py"), "exec"), names)  # noqa: S102 - made here
    before = len(watched)
    await database.read(names["forgets"])
    found = watched[before:]
    del watched[before:]
    assert [fault.partition(":")[0] for fault in found] == ["resource"]


_SPEAKING = ("sessions", "writers", "database", "savepoint", "upgrade", "chain", "roles")


def test_no_other_module_speaks_to_a_driver() -> None:
    ways = {"driver", "sqlite", "exec_driver_sql", "stream"}
    found = {
        file.path
        for file in sources("scim_server/store", "scim_server/services")
        if "migrations" not in file.path
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Attribute) and node.attr in ways and "services/jwks" not in file.path
    }
    known = {f"scim_server/store/{name}.py" for name in _SPEAKING}
    assert found <= known | {"scim_server/store/statements.py"}
