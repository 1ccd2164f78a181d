"""The database behind one seam: engines, readers that never write, writers that hold a transaction."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from scim_server.store.attempts import Attempt, TransactionNeeded, Turns
from scim_server.store.callers import Claim
from scim_server.store.failures import (
    DatabaseUnavailable,
    LostRace,
    QueryTooLong,
    is_disconnect,
    is_locked,
    may_retry,
    took_too_long,
    was_interrupted,
)
from scim_server.store.readers import DEADLINE, Reader
from scim_server.store.sessions import Observer, Points, Pool, PostgresPoints, Row, SqlitePoints
from scim_server.store.statements import Statement
from scim_server.store.writers import Writer

__all__ = ["Database", "Reader", "Writer"]

T = TypeVar("T")


_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}
_ATTEMPTS = 8
_STEPS_BETWEEN_LOOKS = 200_000
_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
READ_SECONDS = 30.0
_PLANNED_ONCE = {
    "plan_cache_mode": "force_generic_plan",
    "max_parallel_workers_per_gather": "0",
    "lock_timeout": "100",
}
"""Settings of look-ups and attempts. An attempt waits for nobody, in milliseconds: so many might wait that
no connection is left to read through."""
_JSON_AS_TEXT: dict[str, Any] = {"json_serializer": str, "json_deserializer": str}
BUSY_TIMEOUT_MILLISECONDS = 5_000
WRITE_SECONDS = 30.0
_WRITING = {"lock_timeout": "10000", "idle_in_transaction_session_timeout": "60000"}
"""How long a transaction may wait for a lock, and for its next statement, in milliseconds; it ends in 503."""
_SECONDS_TO_CONNECT = 5.0
_GRACE = 2.0
"""Seconds after which PostgreSQL is given up that should have ended a statement by itself and is silent."""


class Database:
    """One SQLite file or PostgreSQL database, with a pool for reading and one for writing."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        read_seconds: float = READ_SECONDS,
        write_seconds: float = WRITE_SECONDS,
    ) -> None:
        """Prepare the engines; nothing is opened before first use. Raises ValueError for other databases.

        `read_seconds` is how long one reading statement may take, `write_seconds` one of a transaction.
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
        self._turns = Turns()
        self._read_engine, self._write_engine = (
            (self._sqlite_engine(), self._sqlite_engine())
            if self.dialect == "sqlite"
            else (
                self._postgresql_engine(read_seconds),
                self._postgresql_engine(write_seconds, _WRITING),
            )
        )
        self._unlimited = self._write_engine if self.dialect == "sqlite" else self._postgresql_engine()
        if self.dialect == "sqlite":
            event.listen(self._read_engine.sync_engine, "connect", _limit_sqlite)
        self._readers = Pool(self._read_engine, pool_size)
        self._writers = Pool(self._write_engine, 1 if self.dialect == "sqlite" else pool_size)
        self._attempts = self._writers
        self._points: Points
        if self.dialect == "sqlite":
            self._points = SqlitePoints(self.url.database or "")
        else:
            self._attempts = Pool(self._postgresql_engine(read_seconds, _PLANNED_ONCE), pool_size)
            self._points = PostgresPoints(self._attempts)

    def _sqlite_engine(self) -> AsyncEngine:
        engine = self._engine(connect_args={"check_same_thread": False})
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        return engine

    def _postgresql_engine(
        self, seconds: float | None = None, settings: Mapping[str, str] | None = None
    ) -> AsyncEngine:
        """Return an engine whose statements take so many seconds at most, on both ends of the connection.

        Compiling queries to machine code, which `jit` is, takes longer than they do.
        """
        chosen = {"jit": "off", **(settings or {})}
        limits: dict[str, Any] = {"timeout": _SECONDS_TO_CONNECT}
        if seconds is not None:
            chosen["statement_timeout"] = str(int(seconds * 1_000))
            limits["command_timeout"] = seconds + _GRACE
        return self._engine(connect_args={"server_settings": chosen, **limits}, **_JSON_AS_TEXT)

    def _engine(self, **options: Any) -> AsyncEngine:
        """Return an engine whose connections are in autocommit mode; the pools here keep them."""
        return create_async_engine(
            self.url,
            isolation_level="AUTOCOMMIT",
            poolclass=sa.NullPool,
            hide_parameters=True,
            **options,
        )

    @property
    def engine(self) -> AsyncEngine:
        """The engine of migrations, without limits; on PostgreSQL each connection is one transaction."""
        if self.dialect == "sqlite":
            return self._write_engine
        return self._unlimited.execution_options(isolation_level="READ COMMITTED")

    @contextmanager
    def observed(self, observer: Observer) -> Iterator[None]:
        """Tell an observer of every statement that is run meanwhile."""

        def note(_connection: Any, cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
            fetched = getattr(cursor, "_rows", None) or ()
            observer(statement, parameters, max(int(cursor.rowcount or 0), len(fetched)))

        engines = [self._read_engine.sync_engine, self._write_engine.sync_engine]
        for engine in engines:
            event.listen(engine, "after_cursor_execute", note)
        pools = (self._readers, self._writers, self._attempts)
        for pool in pools:
            pool.observer = observer
        try:
            yield
        finally:
            for pool in pools:
                pool.observer = None
            for engine in engines:
                event.remove(engine, "after_cursor_execute", note)

    async def close(self) -> None:
        """Close every connection, after the transactions that are under way."""
        if self._writing:
            await asyncio.wait(self._writing)
        await self._readers.close()
        await self._writers.close()
        await self._points.close()

    async def read(self, work: Callable[[Reader], Awaitable[T]], claim: Claim | None = None) -> T:
        """Run reading work on a connection; a connection that turned out dead is replaced once.

        A claim is confirmed before a result is returned. Raises CallerChanged where it does not hold, and
        DatabaseUnavailable where no connection can be had.
        """
        try:
            return await self._read_once(work, claim)
        except Exception as error:
            if not is_disconnect(error):
                raise
            if took_too_long(error):
                raise DatabaseUnavailable(str(error)) from error
        try:
            return await self._read_once(work, claim)
        except Exception as error:
            if not is_disconnect(error):
                raise
            raise DatabaseUnavailable(str(error)) from error

    async def _read_once(self, work: Callable[[Reader], Awaitable[T]], claim: Claim | None) -> T:
        reader = Reader(self._readers, self._read_engine.dialect, self._points, self._read_seconds, claim)
        is_sound = False
        try:
            result = await work(reader)
            await reader.confirm()
            is_sound = True
        except Exception as error:
            is_sound = not is_disconnect(error)
            if was_interrupted(error):
                raise QueryTooLong(str(error)) from error
            raise
        finally:
            await reader.release(is_sound=is_sound)
        return result

    async def at_once(self, statement: Statement, **values: Any) -> Sequence[Row]:
        """Run one compiled statement by itself, with nothing to take back, and return its rows."""
        compiled = statement.compiled(self.dialect)
        return await self._points.rows(compiled.text, compiled.arguments(values))

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Reader]:
        """Give a reader that sees the store as of one moment, however long it takes.

        Only `execute` reads so; compiled statements are looked up elsewhere.
        """
        reader = Reader(self._readers, self._read_engine.dialect, self._points, float("inf"))
        is_sound = False
        try:
            driver = (await reader.session()).driver
            await driver.execute("BEGIN" if self.dialect == "sqlite" else _SNAPSHOT)
            try:
                yield reader
            finally:
                await driver.execute("ROLLBACK")
            is_sound = True
        finally:
            await reader.release(is_sound=is_sound)

    @asynccontextmanager
    async def _writer(self) -> AsyncIterator[Writer]:
        writer = Writer(self._writers, self._write_engine.dialect)
        if self.dialect == "postgresql":
            async with self._transaction(writer, "BEGIN"):
                yield writer
            return
        async with self._write_lock, self._transaction(writer, "BEGIN IMMEDIATE"):
            yield writer

    @asynccontextmanager
    async def _transaction(self, writer: Writer, begin: str) -> AsyncIterator[None]:
        """Begin, and commit or roll back; a session whose transaction did not end properly is closed."""
        is_sound = False
        try:
            driver = (await writer.session()).driver
            await driver.execute(begin)
            try:
                yield
                await writer.flush()
            except BaseException as error:
                await writer.forget()
                if not took_too_long(error):
                    await driver.execute("ROLLBACK")
                    is_sound = True
                raise
            await driver.execute("COMMIT")
            is_sound = True
        finally:
            await writer.release(is_sound=is_sound)

    async def write(
        self, work: Callable[[Writer], Awaitable[T]], *, tries: Hashable = None, is_once: bool = False
    ) -> T:
        """Run work in one transaction and commit it, or roll it back where it raises.

        Work that loses a race (LostRace, serialization failure, deadlock) is run again from the
        start, so it must have no effect outside the transaction; work whose commit got no answer is
        not, since it may have been done. Cancelling the caller does not cut the transaction off: it
        ends by itself, since a connection given up halfway would keep SQLite locked. Raises
        DatabaseUnavailable.

        Work that `tries`, and names what it is about, is tried without a transaction first on PostgreSQL (see
        Attempt), one piece of work after the other about the same. Work that `is_once` is not run again, and
        raises LostRace where it loses a race.
        """
        task = asyncio.ensure_future(self._write(work, tries, is_once=is_once))
        self._writing.add(task)
        task.add_done_callback(self._written)
        return await asyncio.shield(task)

    def _written(self, task: asyncio.Future[Any]) -> None:
        """Forget a transaction that ended, taking note of a failure no cancelled caller waits for."""
        self._writing.discard(task)
        if not task.cancelled():
            task.exception()

    async def _write(self, work: Callable[[Writer], Awaitable[T]], tries: Hashable, *, is_once: bool) -> T:
        if tries is not None and self.dialect == "postgresql":
            async with self._turns.of(tries):
                try:
                    return await self._attempt(work)
                except TransactionNeeded:
                    return await self._transact(work)
        return await self._transact(work, is_once=is_once)

    async def _attempt(self, work: Callable[[Writer], Awaitable[T]]) -> T:
        """Run work without a transaction; raises TransactionNeeded whatever goes wrong before its end."""
        attempt = Attempt(self._attempts, self._write_engine.dialect, self._points)
        is_sound = False
        try:
            result = await work(attempt)
            await attempt.finish()
            is_sound = True
        except Exception as error:
            is_sound = not is_disconnect(error)
            if attempt.is_done:
                raise RuntimeError("nothing may follow what an attempt has written") from error
            if took_too_long(error) or (attempt.may_be_done and not is_sound):
                raise DatabaseUnavailable(str(error)) from error
            raise TransactionNeeded from error
        finally:
            await attempt.release(is_sound=is_sound)
        return result

    async def _transact(self, work: Callable[[Writer], Awaitable[T]], *, is_once: bool = False) -> T:
        for attempt in range(1, _ATTEMPTS + 1):
            worked = False
            try:
                async with self._writer() as writer:
                    result = await work(writer)
                    worked = True
            except Exception as error:
                gone = is_disconnect(error)
                if not gone and not may_retry(error):
                    raise
                if is_once and not gone and not is_locked(error):
                    raise LostRace(str(error)) from error
                is_over = attempt == _ATTEMPTS or is_locked(error) or took_too_long(error)
                if is_over or (gone and (worked or attempt > 1)):
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
        "secure_delete = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _limit_sqlite(connection: Any, record: Any) -> None:
    """Have SQLite ask every so many steps whether the time of the reading work is up."""
    deadline = record.info[DEADLINE] = [float("inf")]

    def is_over() -> int:
        return time.monotonic() > deadline[0]

    connection.run_async(lambda driver: driver.set_progress_handler(is_over, _STEPS_BETWEEN_LOOKS))
