"""The database behind one seam: engines, readers that never write, writers that hold a transaction."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NewType, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

T = TypeVar("T")

Reader = NewType("Reader", AsyncConnection)
"""A connection in autocommit mode; functions that take one only read."""
Writer = NewType("Writer", AsyncConnection)
"""A connection inside a write transaction that the service commits."""

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}
_ATTEMPTS = 8
_DEADLINE = "deadline"
_STEPS_BETWEEN_LOOKS = 200_000
_QUERY_CANCELLED = "57014"
READ_SECONDS = 30.0
_JSON_AS_TEXT: dict[str, Any] = {"json_serializer": str, "json_deserializer": str}
_UNREACHABLE_STATES = ("08", "28", "3D", "53300", "57P")
"""SQLSTATE classes: connection lost, not let in, no such database, too many connections, shutting down."""
_RETRIED_STATES = frozenset({"40001", "40P01", "55P03"})
BUSY_TIMEOUT_MILLISECONDS = 5_000


class DatabaseUnavailable(Exception):
    """The database does not answer; the same call may succeed later."""


class QueryTooLong(Exception):
    """A reading statement was stopped because it took longer than it may."""


class LostRace(Exception):
    """Another writer changed the row between its read and this write; the unit of work may be tried again."""


class Database:
    """One SQLite file or PostgreSQL database, with a pool for reading and one for writing."""

    def __init__(self, url: str, *, pool_size: int = 10, read_seconds: float = READ_SECONDS) -> None:
        """Prepare the engines; nothing is opened before first use. Raises ValueError for other databases.

        `read_seconds` is how long one reading statement may take.
        """
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        if backend not in _DRIVERS:
            raise ValueError(f"{backend} is not supported; use sqlite:///file.db or postgresql://host/name")
        self.dialect = "sqlite" if backend == "sqlite" else "postgresql"
        self.url = parsed.set(drivername=_DRIVERS[backend])
        self._read_seconds = read_seconds
        self._write_lock = asyncio.Lock()
        self._writing: set[asyncio.Future[Any]] = set()
        if self.dialect == "sqlite":
            self._read_engine = self._sqlite_engine(pool_size)
            event.listen(self._read_engine.sync_engine, "connect", _limit_sqlite)
            self._write_engine = self._sqlite_engine(1)
        else:
            shared: dict[str, Any] = {
                "pool_size": pool_size,
                "max_overflow": 0,
                "pool_timeout": 10,
                "hide_parameters": True,
                **_JSON_AS_TEXT,
            }
            self._read_engine = create_async_engine(
                self.url,
                isolation_level="AUTOCOMMIT",
                pool_reset_on_return=None,
                connect_args={"server_settings": {"statement_timeout": str(int(read_seconds * 1_000))}},
                **shared,
            )
            self._write_engine = create_async_engine(self.url, **shared)

    def _sqlite_engine(self, pool_size: int) -> AsyncEngine:
        engine = create_async_engine(
            self.url,
            isolation_level="AUTOCOMMIT",
            pool_reset_on_return=None,
            poolclass=sa.AsyncAdaptedQueuePool,
            pool_size=pool_size,
            max_overflow=0,
            hide_parameters=True,
        )
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        return engine

    @property
    def engine(self) -> AsyncEngine:
        """The engine that migrations run on."""
        return self._write_engine

    async def close(self) -> None:
        """Close every connection, after the transactions that are under way."""
        if self._writing:
            await asyncio.wait(self._writing)
        await self._read_engine.dispose()
        await self._write_engine.dispose()

    async def read(self, work: Callable[[Reader], Awaitable[T]]) -> T:
        """Run reading work on a connection; a connection that turned out dead is replaced once.

        Raises DatabaseUnavailable where no connection can be had.
        """
        try:
            return await self._read_once(work)
        except Exception as error:
            if not is_disconnect(error):
                raise
        try:
            return await self._read_once(work)
        except Exception as error:
            if not is_disconnect(error):
                raise
            raise DatabaseUnavailable(str(error)) from error

    async def _read_once(self, work: Callable[[Reader], Awaitable[T]]) -> T:
        async with self._read_engine.connect() as connection:
            if self.dialect == "sqlite" and connection.sync_connection is not None:
                connection.sync_connection.info[_DEADLINE][0] = time.monotonic() + self._read_seconds
            try:
                return await work(Reader(connection))
            except DBAPIError as error:
                if _was_interrupted(error):
                    raise QueryTooLong(str(error)) from error
                raise

    @asynccontextmanager
    async def _writer(self) -> AsyncIterator[Writer]:
        if self.dialect == "postgresql":
            async with self._write_engine.connect() as connection, connection.begin():
                yield Writer(connection)
            return
        async with self._write_lock, self._write_engine.connect() as connection:
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield Writer(connection)
            except BaseException:
                await connection.exec_driver_sql("ROLLBACK")
                raise
            await connection.exec_driver_sql("COMMIT")

    async def write(self, work: Callable[[Writer], Awaitable[T]]) -> T:
        """Run work in one transaction and commit it, or roll it back where it raises.

        Work that loses a race (LostRace, serialization failure, deadlock) is run again from the
        start, so it must have no effect outside the transaction; work whose commit got no answer is
        not, since it may have been done. Cancelling the caller does not cut the transaction off: it
        ends by itself, since a connection given up halfway would keep SQLite locked. Raises
        DatabaseUnavailable.
        """
        task = asyncio.ensure_future(self._write(work))
        self._writing.add(task)
        task.add_done_callback(self._written)
        return await asyncio.shield(task)

    def _written(self, task: asyncio.Future[Any]) -> None:
        """Forget a transaction that ended, taking note of a failure no cancelled caller waits for."""
        self._writing.discard(task)
        if not task.cancelled():
            task.exception()

    async def _write(self, work: Callable[[Writer], Awaitable[T]]) -> T:
        for attempt in range(1, _ATTEMPTS + 1):
            worked = False
            try:
                async with self._writer() as writer:
                    result = await work(writer)
                    worked = True
            except Exception as error:
                gone = is_disconnect(error)
                if not gone and not _may_retry(error):
                    raise
                if (
                    "database is locked" in str(error)
                    or attempt == _ATTEMPTS
                    or (gone and (worked or attempt > 1))
                ):
                    raise DatabaseUnavailable(str(error)) from error
                await asyncio.sleep(0 if gone else 0.005 * attempt)
            else:
                return result
        raise AssertionError("unreachable")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"busy_timeout = {BUSY_TIMEOUT_MILLISECONDS}",
        "temp_store = MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _limit_sqlite(connection: Any, record: Any) -> None:
    """Have SQLite ask every so many steps whether the time of the reading work is up."""
    deadline = record.info[_DEADLINE] = [float("inf")]

    def is_over() -> int:
        return time.monotonic() > deadline[0]

    connection.run_async(lambda driver: driver.set_progress_handler(is_over, _STEPS_BETWEEN_LOOKS))


def _was_interrupted(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    return state == _QUERY_CANCELLED or str(error.orig) == "interrupted"


def is_disconnect(error: BaseException) -> bool:
    """Tell whether an error means that the database could not be reached or went away."""
    if isinstance(error, PoolTimeout | ConnectionError | OSError):
        return True
    if not isinstance(error, DBAPIError):
        return str(getattr(error, "sqlstate", "")).startswith(_UNREACHABLE_STATES)
    state = getattr(error.orig, "sqlstate", None) or ""
    text = str(error.orig)
    return (
        error.connection_invalidated
        or state.startswith(_UNREACHABLE_STATES)
        or "unable to open database file" in text
        or "connection is closed" in text
        or isinstance(getattr(error.orig, "__cause__", None), OSError)
    )


def _may_retry(error: BaseException) -> bool:
    if isinstance(error, LostRace):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return state in _RETRIED_STATES or "database is locked" in str(error.orig)
