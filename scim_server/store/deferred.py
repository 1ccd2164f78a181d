"""Statements that go to the database together: one on PostgreSQL, one crossing to the thread on SQLite."""

import re
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from scim_server.store.statements import Compiled

_PARAMETER = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class Deferred:
    """A statement that returns a row for each row it changes, how many that have to be, and what if not."""

    compiled: Compiled
    arguments: Sequence[Any]
    expects: int | None = None
    otherwise: Callable[[], Awaitable[None]] | None = None


def together(deferred: Sequence[Deferred]) -> tuple[str, list[Any]]:
    """Return one statement of PostgreSQL that does all of it, with the number of rows of each as its row."""
    arguments = [argument for one in deferred for argument in one.arguments]
    return _joined(tuple((one.compiled.text, len(one.arguments)) for one in deferred)), arguments


@lru_cache(maxsize=512)
def _joined(statements: tuple[tuple[str, int], ...]) -> str:
    parts, offset = [], 0
    for number, (text, width) in enumerate(statements):
        parts.append(f"w{number} AS ({_shifted(text, offset)})")
        offset += width
    counts = ", ".join(
        f"(SELECT count(*) FROM w{number})"  # noqa: S608 - a name made here
        for number in range(len(parts))
    )
    return f"WITH {', '.join(parts)} SELECT {counts}"


def _shifted(text: str, offset: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + offset}", text)


def run_in_order(connection: sqlite3.Connection, deferred: Sequence[Deferred]) -> list[int]:
    """Run statements one after the other and return the number of rows of each."""
    return [len(connection.execute(one.compiled.text, one.arguments).fetchall()) for one in deferred]
