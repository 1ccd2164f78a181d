"""What the reporting views are made of: expressions as text, one small strategy a database.

Everything in them is a constant of this package, nothing comes from a request.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

MANAGER = "enterprise:2.0:User:manager"
DEPARTMENTS = "department:2.0:User:departments"
LOCATIONS = "location:2.0:User:locations"
ROLES = "role:2.0:User:roleAssignments"
TENANT = {"organization_id": "t.id", "organization": "t.name"}


@dataclass(frozen=True, slots=True)
class View:
    """One view: an expression for each column, and where the rows come from."""

    columns: Mapping[str, str]
    rows: str

    @property
    def text(self) -> str:
        """The query."""
        listed = ",\n  ".join(f"{expression} AS {name}" for name, expression in self.columns.items())
        return f"SELECT\n  {listed}\n{self.rows}"


class ViewSql(Protocol):
    """What the views need of a database. `base` is an SQL expression of JSON, `path` its keys."""

    now: str
    """The moment of the query in microseconds."""
    document: str
    """The document of the row `r` of `resource`, as JSON."""
    unfolded: str
    """What FROM needs so that `document` can be used."""

    def json(self, text: str) -> str:
        """Return JSON of a column of text."""

    def text(self, base: str, *path: str) -> str:
        """Return the text at a path, NULL where there is none."""

    def integer(self, base: str, *path: str) -> str:
        """Return the whole number at a path."""

    def is_true(self, base: str, *path: str) -> str:
        """Test whether true stands at a path; never NULL."""

    def has_array(self, base: str, *path: str) -> str:
        """Test whether there is an array at a path."""

    def time(self, microseconds: str) -> str:
        """Return a time of the store."""

    def folded_time(self, base: str, *path: str) -> str:
        """Return the folded dateTime at a path."""

    def day(self, text: str) -> str:
        """Return the date that a text begins with, NULL where it begins with none."""

    def texts(self, column: str) -> str:
        """Return the texts of a column that holds a JSON array."""

    def chosen(self, name: str, *order: str) -> str:
        """Return `value` of one element of an array of the document.

        It is the element of the first kind in `order` that there is, else the first one; a kind is
        `primary` or a type.
        """


class PostgresViewSql:
    """PostgreSQL: times are timestamptz, dates date, several texts an array."""

    now = "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint"
    document = "d.body"
    unfolded = "CROSS JOIN LATERAL (SELECT r.document::jsonb AS body OFFSET 0) AS d"

    def json(self, text: str) -> str:
        """Cast to jsonb."""
        return f"{text}::jsonb"

    def text(self, base: str, *path: str) -> str:
        """Follow the path."""
        return f"({base} #>> {_keys(path)})"

    def integer(self, base: str, *path: str) -> str:
        """Cast the text."""
        return f"{self.text(base, *path)}::integer"

    def is_true(self, base: str, *path: str) -> str:
        """Compare the text."""
        return f"coalesce({self.text(base, *path)} = 'true', false)"

    def has_array(self, base: str, *path: str) -> str:
        """Ask for the type."""
        return f"jsonb_typeof({base} #> {_keys(path)}) = 'array'"

    def time(self, microseconds: str) -> str:
        """Add to the epoch; exact, as microseconds are whole numbers below 2^53."""
        return f"(timestamptz 'epoch' + {microseconds} * interval '1 microsecond')"

    def folded_time(self, base: str, *path: str) -> str:
        """Cast the text, which is in UTC."""
        return f"{self.text(base, *path)}::timestamptz"

    def day(self, text: str) -> str:
        """Count from the first of the month, so that no text fails the query."""
        first = f"make_date(substr({text}, 1, 4)::int, substr({text}, 6, 2)::int, 1)"
        day = f"({first} + (substr({text}, 9, 2)::int - 1))"
        shape = r"^(?!0000)\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
        exists = f"to_char({day}, 'YYYY-MM-DD') = substr({text}, 1, 10)"
        return f"CASE WHEN {text} ~ '{shape}' THEN CASE WHEN {exists} THEN {day} END END"

    def texts(self, column: str) -> str:
        """Gather an array."""
        return f"ARRAY(SELECT jsonb_array_elements_text({column}::jsonb))"

    def chosen(self, name: str, *order: str) -> str:
        """Sort the elements."""
        elements = f"jsonb_array_elements({self.document} -> '{name}') WITH ORDINALITY AS e(value, place)"
        return _first(f"e.value ->> 'value' FROM {elements}", [*_ranks(self, order), "e.place"])


class SqliteViewSql:
    """SQLite: times are text as SCIM writes them, dates text, truth 1 and 0, several texts a JSON array."""

    now = (
        "(CAST(strftime('%s', 'now') AS INTEGER) * 1000000"
        " + CAST(substr(strftime('%f', 'now'), 4) AS INTEGER) * 1000)"
    )
    document = "r.document"
    unfolded = ""

    def json(self, text: str) -> str:
        """JSON is text."""
        return text

    def text(self, base: str, *path: str) -> str:
        """Extract."""
        return f"json_extract({base}, {_json_path(path)})"

    def integer(self, base: str, *path: str) -> str:
        """Extract; numbers stay numbers."""
        return self.text(base, *path)

    def is_true(self, base: str, *path: str) -> str:
        """Compare with 1."""
        return f"coalesce({self.text(base, *path)} = 1, 0)"

    def has_array(self, base: str, *path: str) -> str:
        """Ask for the type."""
        return f"json_type({base}, {_json_path(path)}) = 'array'"

    def time(self, microseconds: str) -> str:
        """Write microseconds, as `meta.created` does."""
        seconds = f"strftime('%Y-%m-%dT%H:%M:%S', {microseconds} / 1000000, 'unixepoch')"
        return f"({seconds} || printf('.%06dZ', {microseconds} % 1000000))"

    def folded_time(self, base: str, *path: str) -> str:
        """Leave nanoseconds out."""
        return f"(substr({self.text(base, *path)}, 1, 26) || 'Z')"

    def day(self, text: str) -> str:
        """Have SQLite write the date again, which changes one that does not exist."""
        day = f"substr({text}, 1, 10)"
        return f"CASE WHEN {day} GLOB '????-??-??' AND date({day}, '+0 days') = {day} THEN {day} END"

    def texts(self, column: str) -> str:
        """Leave the array as it is."""
        return column

    def chosen(self, name: str, *order: str) -> str:
        """Sort the elements."""
        elements = f"json_each({self.document}, '$.{name}') AS e"
        return _first(f"json_extract(e.value, '$.value') FROM {elements}", [*_ranks(self, order), "e.key"])


def has_not_ended(sql: ViewSql) -> str:
    """Test whether the row `a` of `reference` is still there; one to come is."""
    return f"(a.valid_to IS NULL OR a.valid_to > {sql.now})"


def _ranks(sql: ViewSql, order: tuple[str, ...]) -> list[str]:
    tests = [
        sql.is_true("e.value", "primary")
        if kind == "primary"
        else f"coalesce(lower({sql.text('e.value', 'type')}) = '{kind}', 1 = 0)"
        for kind in order
    ]
    return [f"CASE WHEN {test} THEN 0 ELSE 1 END" for test in tests]


def _first(rest: str, order: list[str]) -> str:
    return f"(SELECT {rest} ORDER BY {', '.join(order)} LIMIT 1)"


def _keys(path: tuple[str, ...]) -> str:
    return "'{" + ",".join(f'"{key}"' for key in path) + "}'"


def _json_path(path: tuple[str, ...]) -> str:
    return "'$" + "".join(f'."{key}"' for key in path) + "'"


VIEW_SQL: dict[str, ViewSql] = {"postgresql": PostgresViewSql(), "sqlite": SqliteViewSql()}
