"""Connections: kept open for reuse, read and written through by SQLAlchemy or by compiled statements."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVarTuple, overload
from urllib.parse import quote

import asyncpg
import sqlalchemy as sa
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.selectable import TypedReturnsRows

from scim_server.store.failures import is_disconnect
from scim_server.store.statements import Statement

Columns = TypeVarTuple("Columns")

Row = Any
"""A row of a compiled statement: its columns by position."""
Observer = Callable[[str, Sequence[Any], int], None]
"""Told of a statement: its text, its parameters, how many rows it returned or changed."""
_SECONDS_TO_WAIT = 10.0


class Session:
    """One open connection in autocommit mode: SQLAlchemy's, and the driver's own below it."""

    __slots__ = ("driver", "sql")

    def __init__(self, sql: AsyncConnection, driver: Any) -> None:
        self.sql = sql
        self.driver = driver

    @property
    def sqlite(self) -> sqlite3.Connection:
        """SQLite's own connection, for this thread, while nothing else is asked of the session."""
        connection: sqlite3.Connection = self.driver._conn  # noqa: SLF001 - aiosqlite gives no other way to it
        return connection

    async def discard(self) -> None:
        """Close the connection for good, whatever state it is in, and without waiting for the other end."""
        if isinstance(self.driver, asyncpg.Connection):
            self.driver.terminate()
        await self.sql.invalidate()
        await self.sql.close()


class Pool:
    """Hands out the session used last, so that what the driver prepared is at hand, and opens `size` at most.

    SQLAlchemy's own pool wraps and resets a connection at every use, which costs as much as a look-up.
    """

    def __init__(self, engine: AsyncEngine, size: int) -> None:
        self._engine = engine
        self._room = size
        self.observer: Observer | None = None
        self._idle: list[Session] = []
        self._waiting: deque[asyncio.Future[Session | None]] = deque()

    async def take(self) -> Session:
        """Return a session that nobody else has; raises sqlalchemy.exc.TimeoutError where none comes free."""
        if self._idle:
            return self._idle.pop()
        while self._room <= 0:
            session = await self._turn()
            if session is not None:
                return session
        return await self._open()

    async def _open(self) -> Session:
        self._room -= 1
        try:
            connection = await self._engine.connect()
            driver = (await connection.get_raw_connection()).driver_connection
        except BaseException:
            self._make_room()
            raise
        return Session(connection, driver)

    async def _turn(self) -> Session | None:
        """Wait, the longest waiting first, for a session, or None where there is room to open one."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(_SECONDS_TO_WAIT):
                found: Session | None = await turn
        except BaseException as error:
            self._decline(turn)
            if isinstance(error, TimeoutError):
                raise PoolTimeout("every connection is in use") from error
            raise
        return found

    def _decline(self, turn: asyncio.Future[Session | None]) -> None:
        """Pass on what was given to somebody who no longer waits."""
        if turn in self._waiting:
            self._waiting.remove(turn)
        elif turn.done() and not turn.cancelled() and (session := turn.result()) is not None:
            self.give(session)

    def give(self, session: Session) -> None:
        """Take a session back, or hand it to the one who has waited longest."""
        if not self._hand_over(session):
            self._idle.append(session)

    async def drop(self, session: Session) -> None:
        """Close a session that may not be used again, and those that wait, which may have died with it."""
        suspects, self._idle = [session, *self._idle], []
        for suspect in suspects:
            try:
                await suspect.discard()
            finally:
                self._make_room()

    def _make_room(self) -> None:
        self._room += 1
        self._hand_over(None)

    def _hand_over(self, session: Session | None) -> bool:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(session)
                return True
        return False

    async def close(self) -> None:
        """Close every session that is not in use, and the engine."""
        while self._idle:
            await self._idle.pop().sql.close()
        await self._engine.dispose()


class Connection:
    """What a piece of work reads and writes through; its session is taken from the pool at first use."""

    def __init__(self, pool: Pool, dialect: sa.Dialect) -> None:
        self.dialect = dialect
        self._pool = pool
        self._session: Session | None = None

    async def session(self) -> Session:
        """Return the session of this piece of work."""
        if self._session is None:
            self._session = await self._pool.take()
        return self._session

    async def release(self, *, is_sound: bool) -> None:
        """Give the session back, or close it where it is not sound."""
        session, self._session = self._session, None
        if session is None:
            return
        if is_sound:
            self._pool.give(session)
        else:
            await self._pool.drop(session)

    @overload
    async def execute(
        self, statement: TypedReturnsRows[*Columns], parameters: Any = None
    ) -> sa.CursorResult[*Columns]: ...

    @overload
    async def execute(
        self, statement: sa.Executable, parameters: Any = None
    ) -> sa.CursorResult[*tuple[Any, ...]]: ...

    async def execute(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[Any]:
        """Run a SQLAlchemy statement."""
        return await (await self.session()).sql.execute(statement, parameters)

    async def exec_driver_sql(self, text: str, parameters: Any = None) -> sa.CursorResult[*tuple[Any, ...]]:
        """Run SQL as the driver takes it."""
        return await (await self.session()).sql.exec_driver_sql(text, parameters)

    async def rows(self, statement: Statement, **values: Any) -> Sequence[Row]:
        """Run a compiled statement and return its rows."""
        return await self.rows_from(await self.session(), statement, values)

    async def rows_from(
        self, session: Session, statement: Statement, values: dict[str, Any]
    ) -> Sequence[Row]:
        """Run a compiled statement in a session and return its rows."""
        compiled = statement.compiled(self.dialect.name)
        arguments, driver = compiled.arguments(values), session.driver
        if self.dialect.name == "sqlite":
            found: Sequence[Row] = await driver.execute_fetchall(compiled.text, arguments)
        else:
            found = await driver.fetch(compiled.text, *arguments)
        self.note(compiled.text, arguments, found)
        return found

    async def rows_of_many(self, statement: Statement, **values: Any) -> Sequence[Row]:
        """Run a compiled statement that may return many rows: on SQLite never on the event loop's thread."""
        return await Connection.rows_from(self, await self.session(), statement, values)

    def note(self, text: str, arguments: Sequence[Any], found: Sequence[Row]) -> None:
        """Tell the observer, where there is one."""
        if self._pool.observer is not None:
            self._pool.observer(text, arguments, len(found))

    async def row(self, statement: Statement, **values: Any) -> Row | None:
        """Run a compiled statement and return its first row, None where there is none."""
        found = await self.rows(statement, **values)
        return found[0] if found else None

    async def claimed_row(self, statement: Statement, **values: Any) -> Row | None:
        """Return the first row of a query whose first column is never NULL; see Reader.claimed_rows."""
        found = await self.claimed_rows(statement, **values)
        return found[0] if found else None

    async def claimed_rows(self, statement: Statement, **values: Any) -> Sequence[Row]:
        """Run a compiled query, with nothing to confirm."""
        return await self.rows(statement, **values)


class Points(Protocol):
    """Connections for look-ups by compiled statements, outside any transaction."""

    async def rows(self, text: str, arguments: Sequence[Any]) -> Sequence[Row]:
        """Run a statement and return its rows."""

    async def close(self) -> None:
        """Close the connections."""


class SqlitePoints:
    """A SQLite connection used on the event loop's own thread, for look-ups that take microseconds.

    Crossing to a worker thread and back costs several times what such a look-up does; anything that
    may take long must not come here, since nothing else runs meanwhile.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    async def rows(self, text: str, arguments: Sequence[Any]) -> Sequence[Row]:
        """Run a statement at once; raises sqlite3.Error."""
        if self._connection is None:
            self._connection = self._open()
        return self._connection.execute(text, arguments).fetchall()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(f"file:{quote(self._path)}?mode=rw", uri=True, isolation_level=None)
        connection.execute("PRAGMA busy_timeout = 100")
        return connection

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PostgresPoints:
    """PostgreSQL connections that plan a statement once, whatever its parameters.

    Left to itself PostgreSQL plans a look-up with an array, or of JSON, anew each time, which takes three
    times as long as carrying it out.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def rows(self, text: str, arguments: Sequence[Any]) -> Sequence[Row]:
        """Run a statement on a connection of its own; raises what asyncpg does."""
        session = await self._pool.take()
        try:
            found: Sequence[Row] = await session.driver.fetch(text, *arguments)
        except BaseException as error:
            if isinstance(error, Exception) and not is_disconnect(error):
                self._pool.give(session)
            else:
                await self._pool.drop(session)
            raise
        self._pool.give(session)
        return found

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.close()
