"""Statements that go to the database together, on PostgreSQL as one."""

import re
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from scim_server.store.statements import Compiled, Statement

_PARAMETER = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class Deferred:
    """A statement that returns a row for each row it changes, how many that have to be, and what if not."""

    compiled: Compiled
    arguments: Sequence[Any]
    expects: int | None = None
    otherwise: Callable[[], Awaitable[None]] | None = None

    @classmethod
    def of(
        cls, statement: Statement, values: dict[str, Any], dialect: str, expects: int | None = None
    ) -> "Deferred":
        """Return a statement with its parameters, for a database."""
        compiled = statement.compiled(dialect)
        return cls(compiled, compiled.arguments(values), expects)


def together(
    deferred: Sequence[Deferred], query: Deferred | None = None, *, is_sure: bool = False
) -> tuple[str, list[Any]]:
    """Return one statement of PostgreSQL that does all of it; its row is the number of rows of each.

    After these come the columns of a query for one row. What `is_sure` fails, and changes nothing, where any
    number is not the one expected, or the column `good` of the query is not true.
    """
    arguments = [argument for one in deferred for argument in one.arguments]
    statements = tuple((one.compiled.text, len(one.arguments)) for one in deferred)
    expected = tuple(one.expects for one in deferred) if is_sure else ()
    if query is None:
        return _joined(statements, expected, None), arguments
    return _joined(statements, expected, query.compiled.text), [*arguments, *query.arguments]


@lru_cache(maxsize=512)
def _joined(
    statements: tuple[tuple[str, int], ...], expected: tuple[int | None, ...], query: str | None
) -> str:
    parts, offset = [], 0
    for number, (text, width) in enumerate(statements):
        parts.append(f"w{number} AS ({_shifted(text, offset)})")
        offset += width
    counts = [f"(SELECT count(*) FROM w{number})" for number in range(len(parts))]  # noqa: S608 - names made here
    shown = ", ".join(counts)
    conditions = [
        f"{count} = {number}"
        for count, number in zip(counts, expected or [None] * len(counts), strict=True)
        if number is not None
    ]
    source = ""
    if query is not None:
        parts.append(f"q AS ({_shifted(query, offset)})")
        shown, source = f"{shown}, q.*", " FROM q"
        conditions += ["(SELECT good FROM q)"] if expected else []
    if conditions:
        source += f" WHERE 1 / CASE WHEN {' AND '.join(conditions)} THEN 1 ELSE 0 END = 1"
    return f"WITH {', '.join(parts)} SELECT {shown}{source}"


def _shifted(text: str, offset: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + offset}", text)


def run_in_order(connection: sqlite3.Connection, deferred: Sequence[Deferred]) -> list[int]:
    """Run statements one after the other and return the number of rows of each."""
    return [len(connection.execute(one.compiled.text, one.arguments).fetchall()) for one in deferred]
