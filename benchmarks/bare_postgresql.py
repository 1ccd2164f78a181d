"""The limit on PostgreSQL: Starlette handlers that do the least SQL by asyncpg, with nothing checked.

The tables have a primary key each and no other index than the one that a read needs.
"""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_JSON = "application/scim+json"
TABLES = """
DROP TABLE IF EXISTS bare_user, bare_key, bare_member, bare_event;
CREATE TABLE bare_user (id text PRIMARY KEY, version int NOT NULL, document text NOT NULL);
CREATE TABLE bare_key (attribute text, key text, id text NOT NULL, PRIMARY KEY (attribute, key));
CREATE TABLE bare_member (group_id text, user_id text, PRIMARY KEY (group_id, user_id));
CREATE TABLE bare_event (id text PRIMARY KEY, document text NOT NULL);
"""


async def _reset(_connection: Any) -> None:
    """Leave the connection as it is: nothing here changes its state."""


def _pool(request: Request) -> asyncpg.Pool:
    pool: asyncpg.Pool = request.app.state.pool
    return pool


async def _healthz(_request: Request) -> Response:
    return Response(b"{}", media_type=_JSON)


async def _get(request: Request) -> Response:
    async with _pool(request).acquire() as connection:
        row = await connection.fetchrow(
            "SELECT version, document FROM bare_user WHERE id = $1", request.path_params["id"]
        )
    tag = f'W/"{row[0]}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"etag": tag})
    return Response(row[1], media_type=_JSON, headers={"etag": tag})


async def _find(request: Request) -> Response:
    query = (
        "SELECT u.document FROM bare_key k JOIN bare_user u ON u.id = k.id "
        "WHERE k.attribute = $1 AND k.key = $2"
    )
    parameters = request.query_params
    async with _pool(request).acquire() as connection:
        row = await connection.fetchrow(query, parameters["attribute"], parameters["key"])
    return Response(f'{{"Resources":[{row[0]}]}}', media_type=_JSON)


async def _search(request: Request) -> Response:
    query = (
        "SELECT document FROM resource WHERE tenant_id = 1 AND type = 'User' AND deleted IS NULL "
        "AND folded @> $1::jsonb ORDER BY id LIMIT 100"
    )
    async with _pool(request).acquire() as connection:
        rows = await connection.fetch(query, request.query_params["contains"])
    return Response(f'{{"Resources":[{",".join(row[0] for row in rows)}]}}', media_type=_JSON)


async def _list(request: Request) -> Response:
    query = "SELECT document FROM bare_user WHERE id > $1 ORDER BY id LIMIT 100"
    async with _pool(request).acquire() as connection:
        rows = await connection.fetch(query, request.query_params["after"])
    return Response(f'{{"Resources":[{",".join(row[0] for row in rows)}]}}', media_type=_JSON)


async def _post(request: Request) -> Response:
    document = (await request.body()).decode()
    own_id = uuid4().hex
    async with _pool(request).acquire() as connection, connection.transaction():
        await connection.execute("INSERT INTO bare_user VALUES ($1, 1, $2)", own_id, document)
        await connection.execute("INSERT INTO bare_key VALUES ('userName', $1, $1)", own_id)
        await connection.execute("INSERT INTO bare_event VALUES ($1, $2)", uuid4().hex, document)
    return Response(document, status_code=201, media_type=_JSON)


async def _change(request: Request) -> Response:
    said = (await request.body()).decode()
    own_id = request.path_params["id"]
    async with _pool(request).acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "SELECT version, document FROM bare_user WHERE id = $1 FOR UPDATE", own_id
        )
        await connection.execute(
            "UPDATE bare_user SET version = $2, document = $3 WHERE id = $1", own_id, row[0] + 1, row[1]
        )
        await connection.execute("INSERT INTO bare_event VALUES ($1, $2)", uuid4().hex, said)
    return Response(row[1], media_type=_JSON)


async def _note(connection: Any, group_id: str, said: str) -> None:
    """Give a group its next version, and note what was said."""
    await connection.execute("UPDATE bare_user SET version = version + 1 WHERE id = $1", group_id)
    await connection.execute("INSERT INTO bare_event VALUES ($1, $2)", uuid4().hex, said)


async def _member(request: Request) -> Response:
    said = (await request.body()).decode()
    group_id, user_id = request.path_params["group"], request.path_params["user"]
    async with _pool(request).acquire() as connection, connection.transaction():
        if request.method == "PUT":
            await connection.execute(
                "INSERT INTO bare_member VALUES ($1, $2) ON CONFLICT DO NOTHING", group_id, user_id
            )
        else:
            await connection.execute(
                "DELETE FROM bare_member WHERE group_id = $1 AND user_id = $2", group_id, user_id
            )
        await _note(connection, group_id, said)
    return Response(status_code=204)


async def _members(request: Request) -> Response:
    ids = json.loads(await request.body())
    group_id = request.path_params["group"]
    async with _pool(request).acquire() as connection, connection.transaction():
        if request.method == "PUT":
            await connection.execute(
                "INSERT INTO bare_member SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING", group_id, ids
            )
        else:
            await connection.execute(
                "DELETE FROM bare_member WHERE group_id = $1 AND user_id = ANY($2)", group_id, ids
            )
        await _note(connection, group_id, json.dumps(ids))
    return Response(status_code=204)


@asynccontextmanager
async def _lifespan(application: Starlette) -> AsyncIterator[None]:
    async with asyncpg.create_pool(
        os.environ["BENCH_DATABASE_URL"], min_size=10, max_size=10, reset=_reset
    ) as pool:
        application.state.pool = pool
        yield


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
    lifespan=_lifespan,
)
