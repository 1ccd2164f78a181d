"""What a piece of work costs the database: statements executed and rows that came back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from scim_server.store.database import Database


@dataclass
class Cost:
    """The statements in their order, and for each how many rows it returned or changed."""

    statements: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)

    def of(self, table: str) -> list[str]:
        """Return the statements that name a table."""
        return [text for text in self.statements if _names(text, table)]

    def rows_of(self, table: str) -> list[int]:
        """Return how many rows each statement that names a table returned or changed."""
        paired = zip(self.statements, self.rows, strict=True)
        return [rows for text, rows in paired if _names(text, table)]


def _names(statement: str, table: str) -> bool:
    return f" {table}" in statement.replace("\n", " ")


@contextmanager
def counted(database: Database) -> Iterator[Cost]:
    """Give the cost of what is done meanwhile."""
    cost = Cost()

    def note(statement: str, _parameters: Any, rows: int) -> None:
        cost.statements.append(statement)
        cost.rows.append(rows)

    with database.observed(note):
        yield cost
