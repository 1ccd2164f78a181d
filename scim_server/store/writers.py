"""Connections that write, inside a transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_server.store.callers import Caller, Claim
from scim_server.store.deferred import Deferred, run_in_order, together
from scim_server.store.failures import LostRace
from scim_server.store.sessions import Connection, Pool, Row, Session
from scim_server.store.statements import Compiled, Statement

_MUCH = 150
"""Statements that are worth sending while the next ones are computed: about those of 15 new users."""
Note = Callable[[str, Sequence[Any], Sequence[Row]], None]
_FEW = 24
"""Statements that go to the database as one, which PostgreSQL plans once; more are sent kind by kind."""


@dataclass(frozen=True, slots=True)
class Lock:
    """Reading rows that others must not change meanwhile: taking a lock, or reading and confirming later.

    `confirming` returns a row, locked, for each one that is still as it was read; `read` returns what it is
    given besides, from the rows that were read.
    """

    taking: Statement
    reading: Statement
    confirming: Statement
    read: Callable[[Sequence[Row]], Mapping[str, Any]]


class Writer(Connection):
    """A connection inside a write transaction that the service commits.

    Statements whose rows nobody waits for may be deferred: they go to the database together, before the
    next statement that is not deferred and before the commit. On PostgreSQL a few are one statement then, in
    which none may change a row that another one changes; many, or `in_order`, follow each other.
    """

    def __init__(self, pool: Pool, dialect: sa.Dialect) -> None:
        super().__init__(pool, dialect)
        self._deferred: list[Deferred] = []
        self._kinds: set[Compiled] = set()
        self._written: set[str] = set()
        self._in_order = False
        self._on_its_way: asyncio.Task[Sequence[Deferred]] | None = None

    def defer(
        self,
        statement: Statement,
        values: dict[str, Any],
        *,
        expects: int | None = None,
        otherwise: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Run a statement that returns a row for each row it changes, later.

        Where these are not as many as it `expects`, `otherwise` says why; without it that is LostRace.
        """
        compiled = statement.compiled(self.dialect.name)
        self._deferred.append(Deferred(compiled, compiled.arguments(values), expects, otherwise))
        self._kinds.add(compiled)

    def has_deferred(self, statement: Statement) -> bool:
        """Tell whether a statement is deferred; one that may change the same row must not follow it there."""
        return statement.compiled(self.dialect.name) in self._kinds

    def in_order(self) -> None:
        """Have what is deferred follow each other, as it may change one row twice."""
        self._in_order = True

    async def writes(self, id: str) -> None:
        """Note that what is going to be deferred writes the row of a resource, after what did so before."""
        if id in self._written:
            await self.flush()
        self._written.add(id)

    async def rows_from(
        self, session: Session, statement: Statement, values: dict[str, Any]
    ) -> Sequence[Row]:
        """Run a compiled statement, which has to be a look-up or change few rows, and return its rows.

        On SQLite that is on the event loop's thread, so that a transaction crosses to another one to begin
        and to commit, and not for every statement.
        """
        if self.dialect.name != "sqlite":
            return await super().rows_from(session, statement, values)
        compiled = statement.compiled("sqlite")
        arguments = compiled.arguments(values)
        found = session.sqlite.execute(compiled.text, arguments).fetchall()
        self.note(compiled.text, arguments, found)
        return found

    async def session(self) -> Session:
        """Return the session, with nothing deferred."""
        session = await self._free_session()
        if self._deferred:
            await self._flush(session)
        return session

    async def _free_session(self) -> Session:
        """Return the session when what was on its way has arrived; raises what went wrong with that."""
        if self._on_its_way is not None:
            on_its_way, self._on_its_way = self._on_its_way, None
            await _explain(await on_its_way)
        return await Connection.session(self)

    async def flush_meanwhile(self) -> None:
        """Send what is deferred once it is much, and go on: the database works while the next is computed.

        What goes wrong is raised by what comes next. Call it often, as this is when answers are taken.
        """
        if len(self._deferred) > _MUCH and self.dialect.name != "sqlite":
            session = await self._free_session()
            self._on_its_way = asyncio.ensure_future(_in_turn(session, self._taken()[0], self.note))
        if self._on_its_way is not None:
            await asyncio.sleep(0)

    async def _flush(
        self, session: Session, last: tuple[Statement, dict[str, Any]] | None = None
    ) -> Row | None:
        """Run what is deferred, on PostgreSQL with a last query, whose row is returned."""
        deferred, is_long = self._taken()
        row: Row | None = None
        if self.dialect.name == "sqlite":
            counts: Sequence[int] = await self._one_by_one(session, deferred, is_long=is_long)
        elif is_long and last is None:
            await _explain(await _in_turn(session, deferred, self.note))
            return None
        else:
            counts, row = await self._together(session, deferred, last)
        for one, count in zip(deferred, counts, strict=True):
            self.note(one.compiled.text, one.arguments, range(count))
            if one.expects is not None and count != one.expects:
                await _explain([one])
        return row

    async def _one_by_one(
        self, session: Session, deferred: Sequence[Deferred], *, is_long: bool
    ) -> Sequence[int]:
        """Run statements on SQLite, many in one crossing to its thread; returns numbers of rows."""
        if not is_long:
            return run_in_order(session.sqlite, deferred)
        counts: Sequence[int] = await session.driver._execute(run_in_order, session.sqlite, deferred)  # noqa: SLF001 - one crossing for all
        return counts

    def _taken(self) -> tuple[list[Deferred], bool]:
        """Return what is deferred, which is nothing from now on, and whether it has to go in order."""
        deferred, is_long = self._deferred, self._in_order or len(self._deferred) > _FEW
        self._deferred, self._in_order = [], False
        self._kinds.clear()
        self._written.clear()
        return deferred, is_long

    async def _together(
        self,
        session: Session,
        deferred: Sequence[Deferred],
        last: tuple[Statement, dict[str, Any]] | None,
        *,
        is_sure: bool = False,
    ) -> tuple[Sequence[int], Row | None]:
        """Run statements and a query as one of PostgreSQL; returns numbers of rows, and the query's row."""
        query = None if last is None else Deferred.of(*last, self.dialect.name)
        text, arguments = together(deferred, query, is_sure=is_sure)
        found = await session.driver.fetchrow(text, *arguments)
        number = len(deferred)
        if query is None:
            return found[:number], None
        self.note(query.compiled.text, query.arguments, range(1))
        return found[:number], found[number:]

    @property
    def waits_for_locks(self) -> bool:
        """Whether a row that is read for a change may have to be waited for."""
        return self.dialect.name != "sqlite"

    async def rows_beside(self, statement: Statement, **values: Any) -> Sequence[Row]:
        """Return the rows of a compiled query that reads nothing of what is deferred, which stays so."""
        return await self.rows_from(await self._free_session(), statement, values)

    async def locked_rows(self, lock: Lock, **values: Any) -> Sequence[Row]:
        """Return rows that nobody else changes before this is over."""
        return await self.rows(lock.taking, **values)

    def needs_transaction(self) -> None:
        """Note that what is to come is more than can be written by one statement."""

    def overwrites(self, id: str) -> None:
        """Note that a deferred statement makes sure itself that the row locked by an id is as it was read."""

    async def count_changed(self, statement: Statement, presumed: int, **values: Any) -> int:  # noqa: ARG002 - for attempts
        """Run a statement that returns a row for each row it changes, and return how many those are.

        What can be undone at the end may take it that there are as many as `presumed`.
        """
        return len(await self.rows(statement, **values))

    def presumed(self, claim: Claim) -> Caller | None:  # noqa: ARG002 - for attempts
        """Return the caller of a claim where that can be confirmed at the end, else None."""
        return None

    async def last_row(self, query: Statement, **values: Any) -> Row:
        """Run what is deferred together with a query for one row that reads nothing of it; returns the row.

        Its column `good` tells whether the rest says all; an attempt in which it does not is given up.
        """
        if self.dialect.name == "sqlite" or not self._deferred or self._in_order:
            row = await self.row(query, **values)
        else:
            row = await self._flush(await self._free_session(), (query, values))
        assert row is not None  # noqa: S101 - it is a query for one row
        return row

    async def flush(self) -> None:
        """Run what is deferred now; raises LostRace."""
        await self.session()

    async def forget(self) -> None:
        """Drop what is deferred, and wait for what is on its way, as what it belongs to is taken back."""
        self._taken()
        on_its_way, self._on_its_way = self._on_its_way, None
        if on_its_way is not None:
            await asyncio.wait([on_its_way])
            on_its_way.exception()


async def _in_turn(session: Session, deferred: Sequence[Deferred], note: Note) -> Sequence[Deferred]:
    """Run statements kind by kind, each kind without waiting for answers in between.

    Returns the statements of the first kind that changed another number of rows than expected.
    """
    kinds: dict[str, list[Deferred]] = {}
    for one in deferred:
        kinds.setdefault(one.compiled.text, []).append(one)
    for text, same in kinds.items():
        rows = await session.driver.fetchmany(text, [one.arguments for one in same])
        for one in same:
            note(text, one.arguments, range(1))
        expected = [one.expects for one in same if one.expects is not None]
        if len(expected) == len(same) and sum(expected) != len(rows):
            return same
    return ()


async def _explain(failed: Sequence[Deferred]) -> None:
    """Raise why statements changed another number of rows than expected; LostRace where nobody knows."""
    for one in failed:
        if one.otherwise is not None:
            await one.otherwise()
    if failed:
        raise LostRace(failed[0].compiled.text[:40])
