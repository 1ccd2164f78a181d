"""Connections that only read."""

import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from scim_server.store.callers import OF_TOKEN, WIDTH, Claim
from scim_server.store.sessions import Connection, Points, Pool, Row, Session
from scim_server.store.statements import Statement

DEADLINE = "deadline"
"""Where a SQLite connection keeps until when it may read."""


class Reader(Connection):
    """A connection in autocommit mode; functions that take one only read."""

    def __init__(
        self,
        pool: Pool,
        dialect: sa.Dialect,
        points: Points,
        seconds: float,
        claim: Claim | None = None,
    ) -> None:
        """Read through a session of a pool, and look up through `points`; statements may take `seconds`.

        `claim` is confirmed by the first statement that can, before anything read is used.
        """
        super().__init__(pool, dialect)
        self._points = points
        self._seconds = seconds
        self._claim = claim

    async def session(self) -> Session:
        """Return the session of this piece of work, whose time begins to run on SQLite."""
        session = await super().session()
        if self.dialect.name == "sqlite" and session.sql.sync_connection is not None:
            session.sql.sync_connection.info[DEADLINE][0] = time.monotonic() + self._seconds
        return session

    async def rows(self, statement: Statement, **values: Any) -> Sequence[Row]:
        """Run a compiled statement, which has to be a look-up, and return its rows."""
        compiled = statement.compiled(self.dialect.name)
        arguments = compiled.arguments(values)
        found = await self._points.rows(compiled.text, arguments)
        self.note(compiled.text, arguments, found)
        return found

    async def claimed_rows(self, statement: Statement, **values: Any) -> Sequence[Row]:
        """Run a compiled query whose first column is never NULL, and return its rows, which are few.

        A claim that is open is confirmed first, on PostgreSQL by the same statement: SQLite may leave out the
        order of what stands beside the claim. Raises CallerChanged.
        """
        if self.dialect.name == "sqlite":
            await self.confirm()
        return await self._beside_claim(statement, values)

    async def claimed_row(self, statement: Statement, **values: Any) -> Row | None:
        """Return the only row of such a query; the claim is confirmed by the same statement."""
        found = await self._beside_claim(statement, values)
        return found[0] if found else None

    async def _beside_claim(self, statement: Statement, values: dict[str, Any]) -> Sequence[Row]:
        claim = self.open_claim
        if claim is None:
            return await self.rows(statement, **values)
        found = await self.rows(OF_TOKEN.beside(statement), digest=claim.digest, **values)
        claim.confirm(found[0][:WIDTH] if found else None)
        return [row[WIDTH:] for row in found if row[WIDTH] is not None]

    @property
    def open_claim(self) -> Claim | None:
        """The claim, where it has yet to be confirmed."""
        return None if self._claim is None or self._claim.is_confirmed else self._claim

    async def confirm(self) -> None:
        """Confirm the claim, where one is open; raises CallerChanged."""
        claim = self.open_claim
        if claim is not None:
            claim.confirm(await self.row(OF_TOKEN, digest=claim.digest))
