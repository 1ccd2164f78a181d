"""Changes tried without a transaction, as most of them need none.

Reads are look-ups in autocommit mode, and everything written goes to the database as one statement, which is
as whole as a transaction. That statement makes sure of what was read for it: rows are as they were, under
a lock from then on, the caller is who it was. Where anything is otherwise, or work needs more than look-ups
before it writes, the attempt has changed nothing and the same work is done in a transaction. It saves four
round trips of seven; docs/performance.md has the figures.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa

from scim_server.store.callers import OF_TOKEN, STILL, Caller, Claim
from scim_server.store.deferred import Deferred
from scim_server.store.sessions import Connection, Points, Pool, Row, Session
from scim_server.store.statements import Statement
from scim_server.store.writers import Lock, Writer


class TransactionNeeded(Exception):
    """An attempt came to nothing and changed nothing; the work has to be done in a transaction."""


class Attempt(Writer):
    """A writer without a transaction, for work that ends with what it writes (see the module).

    `may_be_done` tells whether what it writes was sent, `is_done` whether it is written; nothing may follow
    then. Raises TransactionNeeded for what it cannot do.
    """

    def __init__(self, pool: Pool, dialect: sa.Dialect, points: Points) -> None:
        """Look up through `points`, and write through a session of a pool."""
        super().__init__(pool, dialect)
        self._points = points
        self._read: dict[Hashable, Deferred] = {}
        self._claim: Claim | None = None
        self.may_be_done = self.is_done = False

    @property
    def waits_for_locks(self) -> bool:
        """False: nothing is locked before the end."""
        return False

    async def session(self) -> Session:
        """Raise TransactionNeeded: what is not a compiled statement may do anything."""
        raise TransactionNeeded

    async def rows(self, statement: Statement, **values: Any) -> Sequence[Row]:
        """Run a compiled query, before anything is deferred, and return its rows."""
        if self._deferred:
            raise TransactionNeeded
        return await self.rows_beside(statement, **values)

    async def rows_beside(self, statement: Statement, **values: Any) -> Sequence[Row]:
        """Run a compiled query and return its rows."""
        compiled = statement.compiled(self.dialect.name)
        if not compiled.only_reads or self.may_be_done:
            raise TransactionNeeded
        arguments = compiled.arguments(values)
        found = await self._points.rows(compiled.text, arguments)
        self.note(compiled.text, arguments, found)
        return found

    async def locked_rows(self, lock: Lock, **values: Any) -> Sequence[Row]:
        """Read rows and confirm at the end that they are still as they were."""
        found = await self.rows(lock.reading, **values)
        if found:
            known = Deferred.of(
                lock.confirming, values | dict(lock.read(found)), self.dialect.name, len(found)
            )
            self._read[values.get("id", len(self._read))] = known
        return found

    def needs_transaction(self) -> None:
        """Raise TransactionNeeded, before more is computed in vain."""
        raise TransactionNeeded

    def overwrites(self, id: str) -> None:
        """Leave it to the statement deferred last to make sure that a row is as it was read.

        It goes first, so that those who change the same thing queue for that row and for nothing before it.
        """
        self._read.pop(id, None)
        self._deferred.insert(0, self._deferred.pop())

    async def count_changed(self, statement: Statement, presumed: int, **values: Any) -> int:
        """Defer a statement, taking it that it changes as many rows as is presumed."""
        self.defer(statement, values, expects=presumed)
        return presumed

    def presumed(self, claim: Claim) -> Caller | None:
        """Return the caller of a claim, which is confirmed at the end."""
        self._claim = claim
        return claim.caller

    async def flush(self) -> None:
        """Raise TransactionNeeded where anything is deferred, as what comes next is to see it."""
        if self._deferred:
            raise TransactionNeeded

    async def last_row(self, query: Statement, **values: Any) -> Row:
        """Write what is deferred and return the row of a query that reads nothing of it."""
        row = await self._write((query, values))
        assert row is not None  # noqa: S101 - it is a query for one row
        return row

    async def finish(self) -> None:
        """Write what is deferred, if last_row has not; without anything to write confirm the caller."""
        if self._deferred:
            await self._write(None)
        elif self._claim is not None and not self._claim.is_confirmed:
            self._claim.confirm(await self.row(OF_TOKEN, digest=self._claim.digest))

    async def _write(self, last: tuple[Statement, dict[str, Any]] | None) -> Row | None:
        written, is_long = self._taken()
        if is_long:
            raise TransactionNeeded
        deferred = [*written, *self._read.values()]
        claim = self._claim
        if claim is not None:
            values = {"digest": claim.digest, **claim.caller._asdict()}
            deferred.append(Deferred.of(STILL, values, self.dialect.name, 1))
        session = await Connection.session(self)
        self.may_be_done = True
        counts, row = await self._together(session, deferred, last, is_sure=True)
        self.is_done = True
        for one, count in zip(deferred, counts, strict=True):
            self.note(one.compiled.text, one.arguments, range(count))
        if claim is not None:
            claim.is_confirmed = True
        return row


class Turns:
    """Lets work about one thing go one after the other in this process, and work about others meanwhile."""

    def __init__(self) -> None:
        self._locks: dict[Hashable, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, thing: Hashable) -> AsyncIterator[None]:
        """Wait for the turn of work about a thing, in the order of arrival."""
        lock, users = self._locks.get(thing, (asyncio.Lock(), 0))
        self._locks[thing] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks.pop(thing)
            if users > 1:
                self._locks[thing] = (lock, users - 1)
