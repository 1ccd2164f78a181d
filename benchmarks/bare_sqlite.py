"""The limit on SQLite: Starlette handlers that call sqlite3 directly, as durable as the server.

Reads run on the event loop's thread, and so do writes, since nothing else is there to wait for them.
"""

import json
import os
import sqlite3
from typing import Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_JSON = "application/scim+json"


def _connect() -> sqlite3.Connection:
    path = os.environ["BENCH_DATABASE_URL"].removeprefix("sqlite:///")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


_connection = _connect()


def _one(query: str, *values: Any) -> Any:
    return _connection.execute(query, values).fetchone()


def _written(*statements: tuple[str, tuple[Any, ...]]) -> None:
    _connection.execute("BEGIN IMMEDIATE")
    for text, values in statements:
        _connection.execute(text, values)
    _connection.execute("COMMIT")


async def _healthz(_request: Request) -> Response:
    return Response(b"{}", media_type=_JSON)


async def _get(request: Request) -> Response:
    row = _one("SELECT version, document FROM bare_user WHERE id = ?", request.path_params["id"])
    tag = f'W/"{row[0]}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"etag": tag})
    return Response(row[1], media_type=_JSON, headers={"etag": tag})


async def _find(request: Request) -> Response:
    query = (
        "SELECT u.document FROM bare_key k JOIN bare_user u ON u.id = k.id"
        " WHERE k.attribute = ? AND k.key = ?"
    )
    row = _one(query, request.query_params["attribute"], request.query_params["key"])
    return Response(f'{{"Resources":[{row[0]}]}}', media_type=_JSON)


async def _search(request: Request) -> Response:
    path, value = "$", json.loads(request.query_params["contains"])
    while isinstance(value, dict):
        ((name, value),) = value.items()
        path += f'."{name}"'
    query = (
        "SELECT document FROM resource WHERE tenant_id = 1 AND type = 'User' AND deleted IS NULL"
        " AND json_extract(folded, ?) = ? ORDER BY id LIMIT 100"
    )
    rows = _connection.execute(query, (path, value)).fetchall()
    return Response(f'{{"Resources":[{",".join(row[0] for row in rows)}]}}', media_type=_JSON)


async def _list(request: Request) -> Response:
    query = "SELECT document FROM bare_user WHERE id > ? ORDER BY id LIMIT 100"
    rows = _connection.execute(query, (request.query_params["after"],)).fetchall()
    return Response(f'{{"Resources":[{",".join(row[0] for row in rows)}]}}', media_type=_JSON)


async def _post(request: Request) -> Response:
    document, own_id = (await request.body()).decode(), uuid4().hex
    _written(
        ("INSERT INTO bare_user VALUES (?, 1, ?)", (own_id, document)),
        ("INSERT INTO bare_key VALUES ('userName', ?, ?)", (own_id, own_id)),
        ("INSERT INTO bare_event VALUES (?, ?)", (uuid4().hex, document)),
    )
    return Response(document, status_code=201, media_type=_JSON)


async def _change(request: Request) -> Response:
    said, own_id = (await request.body()).decode(), request.path_params["id"]
    row = _one("SELECT version, document FROM bare_user WHERE id = ?", own_id)
    _written(
        ("UPDATE bare_user SET version = ?, document = ? WHERE id = ?", (row[0] + 1, row[1], own_id)),
        ("INSERT INTO bare_event VALUES (?, ?)", (uuid4().hex, said)),
    )
    return Response(row[1], media_type=_JSON)


async def _member(request: Request) -> Response:
    said = (await request.body()).decode()
    group_id, user_id = request.path_params["group"], request.path_params["user"]
    changed = (
        "INSERT OR IGNORE INTO bare_member VALUES (?, ?)"
        if request.method == "PUT"
        else "DELETE FROM bare_member WHERE group_id = ? AND user_id = ?"
    )
    _written(
        (changed, (group_id, user_id)),
        ("UPDATE bare_user SET version = version + 1 WHERE id = ?", (group_id,)),
        ("INSERT INTO bare_event VALUES (?, ?)", (uuid4().hex, said)),
    )
    return Response(status_code=204)


async def _members(request: Request) -> Response:
    said = (await request.body()).decode()
    group_id = request.path_params["group"]
    changed = (
        "INSERT OR IGNORE INTO bare_member SELECT ?, value FROM json_each(?)"
        if request.method == "PUT"
        else "DELETE FROM bare_member WHERE group_id = ? AND user_id IN (SELECT value FROM json_each(?))"
    )
    _written(
        (changed, (group_id, said)),
        ("UPDATE bare_user SET version = version + 1 WHERE id = ?", (group_id,)),
        ("INSERT INTO bare_event VALUES (?, ?)", (uuid4().hex, said)),
    )
    return Response(status_code=204)


app = Starlette(
    routes=[
        Route("/healthz", _healthz),
        Route("/users/{id}", _get),
        Route("/users/{id}", _change, methods=["PATCH"]),
        Route("/users", _list),
        Route("/users", _post, methods=["POST"]),
        Route("/find", _find),
        Route("/search", _search),
        Route("/groups/{group}", _members, methods=["PUT", "DELETE"]),
        Route("/groups/{group}/{user}", _member, methods=["PUT", "DELETE"]),
    ],
)
