"""Statements compiled once: on the hot path SQL is text that the driver keeps prepared.

Building a SQLAlchemy statement, finding its compiled form and running it costs several times what
the database needs to answer a look-up by key; docs/performance.md has the figures.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.sql.expression import Executable

Values = Mapping[str, Any]
_DIALECTS: dict[str, Any] = {
    "postgresql": asyncpg.dialect(),  # type: ignore[no-untyped-call]
    "sqlite": sqlite.dialect(paramstyle="qmark"),
}


class Statement:
    """One statement with named parameters, compiled at its first use on each database."""

    def __init__(self, statement: Executable, *, sqlite: Executable | None = None) -> None:
        """Take a statement whose parameters are sa.bindparam; `sqlite` is the one for that database."""
        self._statements = {"postgresql": statement, "sqlite": statement if sqlite is None else sqlite}
        self._compiled: dict[str, Compiled] = {}

    def compiled(self, dialect: str) -> "Compiled":
        """Return the form for a database."""
        found = self._compiled.get(dialect)
        if found is None:
            found = self._compiled[dialect] = Compiled(self._statements[dialect], dialect)
        return found


class Compiled:
    """The text of a statement for one database, and how its parameters are laid out."""

    __slots__ = ("_constants", "_names", "text")

    def __init__(self, statement: Executable, dialect: str) -> None:
        compiled = statement.compile(dialect=_DIALECTS[dialect])  # type: ignore[attr-defined]
        self.text = str(compiled)
        self._names: Sequence[str] = tuple(compiled.positiontup or ())
        self._constants = {
            name: compiled.params[name] for name in self._names if not compiled.binds[name].required
        }

    def arguments(self, values: Values) -> list[Any]:
        """Return the parameters in their order; raises KeyError for one that is not given."""
        if not self._constants:
            return [values[name] for name in self._names]
        constants = self._constants
        return [constants[name] if name in constants else values[name] for name in self._names]


def given(name: str, type_: Any = None) -> sa.BindParameter[Any]:
    """Return a parameter of a Statement."""
    return sa.bindparam(name, type_=type_, required=True)
