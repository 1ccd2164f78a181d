"""A store filled: a first thousand people by Bulk over HTTP, the others as copies of these rows in SQL.

The copies are what the server would have written for them: same columns, same JSON, other names and ids.
Only the reports-to lines stay within the first thousand.
"""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.loader import body_of, drive, request
from benchmarks.operations import BASE, BULK, GROUP
from benchmarks.people import SPAN, user

FIRST = 1_000
_ID = {
    "postgresql": (
        "left(lpad(to_hex({ms}), 12, '0'), 8) || '-' || right(lpad(to_hex({ms}), 12, '0'), 4)"
        " || '-7' || substr(r.id, 16, 20)"
    ),
    "sqlite": (
        "substr(printf('%012x', {ms}), 1, 8) || '-' || substr(printf('%012x', {ms}), 9, 4)"
        " || '-7' || substr(r.id, 16, 20)"
    ),
}
_SERIES = {
    "postgresql": "generate_series(1, {blocks}) AS k(n)",
    "sqlite": "(WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < {blocks})"
    " SELECT n FROM k) AS k",
}
_DIGITS = {"postgresql": "lpad(({n})::text, 9, '0')", "sqlite": "printf('%09d', {n})"}
_CAST = {"postgresql": "::jsonb", "sqlite": ""}
_TEXT = {"postgresql": "::text", "sqlite": ""}
_BASE_MS = 1_800_000_000_000
Execute = Callable[[str], Any]


async def first_people(port: int, token: str) -> tuple[list[str], float]:
    """Create the first thousand people by one Bulk request; returns their ids and how many a second."""
    posts = [
        {"method": "POST", "path": "/Users", "bulkId": f"b{n}", "data": user(n, manager=_boss(n))}
        for n in range(FIRST)
    ]
    body = json.dumps({"schemas": [BULK], "Operations": posts}).encode()
    sent = [request("POST", f"{BASE}/Bulk", token, body)]
    started = time.perf_counter()
    _, (answer,) = await drive(port, lambda: sent.pop() if sent else None, connections=1, seconds=600, keep=1)
    seconds = time.perf_counter() - started
    operations = json.loads(body_of(answer))["Operations"]
    refused = [one for one in operations if one["status"] != "201"]
    if refused:
        raise RuntimeError(f"the first people were refused: {refused[0]}")
    return [one["location"].rsplit("/", 1)[1] for one in operations], FIRST / seconds


def _boss(n: int) -> str | None:
    return f"bulkId:b{n // SPAN}" if n else None


async def create_group(port: int, token: str, name: str, members: Sequence[str]) -> str:
    """Create a group over HTTP and return its id."""
    body = {"schemas": [GROUP], "displayName": name, "members": [{"value": one} for one in members]}
    sent = [request("POST", f"{BASE}/Groups", token, json.dumps(body).encode())]
    _, (answer,) = await drive(port, lambda: sent.pop() if sent else None, connections=1, seconds=60, keep=1)
    return str(json.loads(body_of(answer))["id"])


def copies(dialect: str, users: int) -> list[str]:
    """Return the statements that bring a store with the first people to a number of users."""
    blocks = users // FIRST - 1
    if blocks < 1:
        return []
    series = _SERIES[dialect].format(blocks=blocks)
    old = "substr(u.key, 5, 9)"
    number = f"CAST({old} AS INTEGER) + k.n * {FIRST}"
    new = _DIGITS[dialect].format(n=number)
    own = _ID[dialect].format(ms=f"(CAST({_BASE_MS} AS BIGINT) + ({number}))")
    cast, text = _CAST[dialect], _TEXT[dialect]
    renamed = f"replace(replace({{}}, {old}, {new}), r.id, {own})"
    source = (
        "resource r JOIN unique_value u ON u.tenant_id = r.tenant_id AND u.resource_id = r.id"
        f" AND u.attribute = 'userName' AND u.key LIKE 'user%' CROSS JOIN {series}"
    )
    return [
        (
            "INSERT INTO resource"
            " (tenant_id, id, type, version, created, modified, display, document, folded, shown)"
            f" SELECT r.tenant_id, {own}, r.type, 1, r.created + k.n, r.modified + k.n, r.display,"
            f" {renamed.format('r.document')}, {renamed.format(f'r.folded{text}')}{cast},"
            f" {renamed.format('r.shown')}"
            f" FROM {source} WHERE r.type = 'User'"
        ),
        (
            "INSERT INTO reference"
            " (tenant_id, source_id, attribute, target_id, payload, folded, created, owner)"
            f" SELECT r.tenant_id, {own}, f.attribute, f.target_id, f.payload, f.folded, f.created, f.owner"
            f" FROM {source} JOIN reference f ON f.tenant_id = r.tenant_id AND f.source_id = r.id"
            " WHERE r.type = 'User'"
        ),
        (
            "INSERT INTO unique_value (tenant_id, type, attribute, key, resource_id)"
            f" SELECT v.tenant_id, v.type, v.attribute, replace(v.key, {old}, {new}), {own}"
            f" FROM {source} JOIN unique_value v ON v.tenant_id = r.tenant_id AND v.resource_id = r.id"
            " WHERE r.type = 'User'"
        ),
        (
            f"UPDATE counter SET value = value + {blocks * FIRST} WHERE name = 'live:User'"
            " AND slot = (SELECT min(slot) FROM counter WHERE name = 'live:User')"
        ),
    ]


def memberships(group_id: str, size: int) -> str:
    """Return the statement that makes the first so many users members of a group."""
    return (
        "INSERT INTO reference (tenant_id, source_id, attribute, target_id, created)"
        f" SELECT tenant_id, '{group_id}', 'members', id, 1 FROM resource WHERE type = 'User'"
        f" AND deleted IS NULL ORDER BY id LIMIT {size} ON CONFLICT DO NOTHING"
    )


def bare(dialect: str) -> list[str]:
    """Return the statements that give the bare handlers the same people."""
    return [
        "INSERT INTO bare_user SELECT id, 1, document FROM resource WHERE type IN ('User', 'Group')",
        (
            "INSERT INTO bare_key SELECT 'userName', key, resource_id FROM unique_value"
            " WHERE attribute = 'userName'"
        ),
        "INSERT INTO bare_member SELECT source_id, target_id FROM reference WHERE attribute = 'members'",
        "VACUUM ANALYZE" if dialect == "postgresql" else "ANALYZE",
    ]
