"""Statements compiled once: on the hot path SQL is text that the driver keeps prepared.

Building a SQLAlchemy statement, finding its compiled form and running it costs several times what
the database needs to answer a look-up by key; docs/performance.md has the figures.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.sql.expression import Executable

Values = dict[str, Any]
_DIALECTS: dict[str, Any] = {
    "postgresql": asyncpg.dialect(),  # type: ignore[no-untyped-call]
    "sqlite": sqlite.dialect(paramstyle="qmark"),
}


class Texts(sa.ARRAY[str]):
    """A list of texts as one parameter: an array on PostgreSQL, JSON on SQLite."""

    cache_ok = True

    def __init__(self) -> None:
        super().__init__(sa.Text)


def one_of(dialect: str, column: sa.ColumnElement[str], name: str) -> sa.ColumnElement[bool]:
    """Test whether a column has one of the texts of a parameter."""
    texts = given(name, Texts())
    if dialect == "postgresql":
        return column == sa.any_(texts)
    return column.in_(sa.select(sa.func.json_each(texts).table_valued("value").c.value))


def insert_into(dialect: str, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT of a database, to say what happens to a row whose key exists."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


class Statement:
    """One statement with named parameters, compiled at its first use on each database."""

    def __init__(self, build: Callable[[str], Executable]) -> None:
        """Take what builds the statement for a dialect, with `given` for its parameters."""
        self._build = build
        self._compiled: dict[str, Compiled] = {}
        self._after: dict[Statement, Statement] = {}

    def beside(self, other: "Statement") -> "Statement":
        """Return a statement for this one's row and, after its columns, each row of another or nothing."""
        if other not in self._after:
            self._after[other] = self._joined(other)
        return self._after[other]

    def _joined(self, other: "Statement") -> "Statement":
        def build(dialect: str) -> Executable:
            own, others = (each.select(dialect).subquery() for each in (self, other))
            return sa.select(own, others).select_from(own.outerjoin(others, sa.true()))

        return Statement(build)

    def select(self, dialect: str) -> sa.Select[Any]:
        """Return the query, which it has to be, as a part of another one."""
        statement = self._build(dialect)
        assert isinstance(statement, sa.Select)  # noqa: S101 - only queries stand beside another
        return statement

    def compiled(self, dialect: str) -> "Compiled":
        """Return the form for a database."""
        found = self._compiled.get(dialect)
        if found is None:
            found = self._compiled[dialect] = Compiled(self._build(dialect), dialect)
        return found


class Compiled:
    """The text of a statement for one database, and how its parameters are laid out."""

    __slots__ = ("_constants", "_encoded", "_names", "only_reads", "text")

    def __init__(self, statement: Executable, dialect: str) -> None:
        compiled = statement.compile(dialect=_DIALECTS[dialect])  # type: ignore[attr-defined]
        self.text = str(compiled)
        self.only_reads = (
            isinstance(statement, sa.Select | sa.CompoundSelect) and statement._for_update_arg is None  # noqa: SLF001
        )
        self._names: Sequence[str] = tuple(compiled.positiontup or ())
        self._constants = {
            name: compiled.params[name] for name in self._names if not compiled.binds[name].required
        }
        lists = [name for name in self._names if isinstance(compiled.binds[name].type, Texts)]
        self._encoded: Sequence[str] = lists if dialect == "sqlite" else ()

    def arguments(self, values: Values) -> list[Any]:
        """Return the parameters in their order; raises KeyError for one that is not given."""
        given = values | self._constants if self._constants else values
        if self._encoded:
            given = given | {name: json.dumps(list(given[name])) for name in self._encoded}
        return [given[name] for name in self._names]


def given(name: str, type_: Any = None) -> sa.BindParameter[Any]:
    """Return a parameter of a Statement."""
    return sa.bindparam(name, type_=type_, required=True)
