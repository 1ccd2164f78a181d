"""JSON access in SQL: one small strategy a database, everything else is shared."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from scim_server.scim.attributes import Attribute
from scim_server.scim.documents import encode
from scim_server.scim.normalize import Document

TENANT = "~tenant"
"""Where folded copies of resources name their tenant; no attribute has such a name."""
Expression = sa.ColumnElement[Any]
Test = sa.ColumnElement[bool]

_ORDER: dict[str, Callable[[Expression, Any], Test]] = {
    "gt": lambda own, asked: own > asked,
    "ge": lambda own, asked: own >= asked,
    "lt": lambda own, asked: own < asked,
    "le": lambda own, asked: own <= asked,
}


class JsonDialect(Protocol):
    """What the filter compiler needs of a database's JSON functions.

    `path` is a sequence of keys of the folded document; keys come from schemas, never from a
    request. Every test is true or false, never NULL.
    """

    def scalar(self, base: Expression, path: Sequence[str], attribute: Attribute) -> Expression:
        """Return the value at a path as an SQL scalar, NULL where there is none."""

    def present(self, base: Expression, path: Sequence[str]) -> Test:
        """Test whether there is a value at a path."""

    def elements(self, base: Expression, path: Sequence[str]) -> sa.TableValuedAlias:
        """Return the values of the array at a path as rows with a column `value`."""

    def element(self, rows: sa.TableValuedAlias) -> Expression:
        """Return the value of a row of `elements`, to look into with `scalar`."""

    def bare(self, rows: sa.TableValuedAlias, attribute: Attribute) -> Expression:
        """Return the value of a row of `elements` as an SQL scalar, for arrays of simple values."""

    def of_tenant(self, folded: Document, tenant_id: int) -> Document:
        """Return the folded copy of a resource as it is stored, or an example to look for in such copies."""

    def contains(self, base: Expression, example: Any) -> Test | None:
        """Test by index whether the document contains an example, None where no index could serve."""

    def part(self, own: Expression, operator: str, text: str) -> Test:
        """Test co, sw or ew of a text that is not empty."""


def compare(json: JsonDialect, own: Expression, operator: str, value: Any) -> Test:
    """Return the two-valued test of a scalar against a folded value."""
    there = own.is_not(None)
    if operator == "eq":
        return sa.and_(there, own == value)
    if operator in _ORDER:
        return sa.and_(there, _ORDER[operator](own, value))
    if value == "":
        return there
    return sa.and_(there, json.part(own, operator, value))


def contains_by_index(
    json: JsonDialect, base: Expression, example: Document, tenant_id: int | None
) -> Test | None:
    """Return the test of `contains` on a copy that names its tenant, or on one that has none."""
    return json.contains(base, example if tenant_id is None else json.of_tenant(example, tenant_id))


def has(json: JsonDialect, base: Expression, key: str, value: Any, *, tenant_id: int | None = None) -> Test:
    """Test whether a document has a value that is not complex under a top-level key.

    With the tenant of a resource its index tells them apart.
    """
    indexed = contains_by_index(json, base, {key: value}, tenant_id)
    if indexed is not None:
        return indexed
    own: Expression = sa.func.json_extract(base, _sqlite_path([key]))
    return sa.and_(own.is_not(None), own == value)


class SqliteJson:
    """JSON functions of SQLite over text."""

    def scalar(self, base: Expression, path: Sequence[str], attribute: Attribute) -> Expression:
        """Return json_extract; booleans come as 1 and 0."""
        return sa.func.json_extract(base, _sqlite_path(path), type_=_sql_type(attribute))

    def present(self, base: Expression, path: Sequence[str]) -> Test:
        """Test json_type."""
        return sa.func.json_type(base, _sqlite_path(path)).is_not(None)

    def elements(self, base: Expression, path: Sequence[str]) -> sa.TableValuedAlias:
        """Return json_each."""
        return sa.func.json_each(base, _sqlite_path(path)).table_valued("value")

    def element(self, rows: sa.TableValuedAlias) -> Expression:
        """Return the element's JSON text."""
        return rows.c.value

    def bare(self, rows: sa.TableValuedAlias, attribute: Attribute) -> Expression:
        """Return the element itself."""
        return sa.type_coerce(rows.c.value, _sql_type(attribute))

    def of_tenant(self, folded: Document, _tenant_id: int) -> Document:
        """Return it as it is; the index of values has a column for the tenant."""
        return folded

    def contains(self, base: Expression, example: Any) -> Test | None:
        """SQLite has no index over a whole document."""

    def part(self, own: Expression, operator: str, text: str) -> Test:
        """Compare with instr and substr; SQLite's LIKE would ignore the case of ASCII letters."""
        if operator == "co":
            return sa.func.instr(own, text) > 0
        if operator == "sw":
            return sa.func.substr(own, 1, len(text)) == text
        return sa.func.substr(own, -len(text)) == text


class PostgresJson:
    """JSON operators of PostgreSQL over jsonb."""

    def scalar(self, base: Expression, path: Sequence[str], attribute: Attribute) -> Expression:
        """Return the text at a path in C collation, cast for integers."""
        return self._typed(base.op("#>>")(_postgres_path(path)), attribute)

    def _typed(self, text: Expression, attribute: Attribute) -> Expression:
        if attribute.type == "integer":
            return sa.cast(text, sa.BigInteger)
        if attribute.type == "boolean":
            return sa.cast(text, sa.Boolean)
        return sa.collate(sa.type_coerce(text, sa.String), "C")

    def present(self, base: Expression, path: Sequence[str]) -> Test:
        """Test the path operator."""
        return base.op("#>")(_postgres_path(path)).is_not(None)

    def elements(self, base: Expression, path: Sequence[str]) -> sa.TableValuedAlias:
        """Return jsonb_array_elements."""
        array = base.op("#>", return_type=JSONB())(_postgres_path(path))
        return sa.func.jsonb_array_elements(array).table_valued(sa.column("value", JSONB()))

    def element(self, rows: sa.TableValuedAlias) -> Expression:
        """Return the element as jsonb."""
        return rows.c.value

    def bare(self, rows: sa.TableValuedAlias, attribute: Attribute) -> Expression:
        """Return the element's text."""
        return self._typed(rows.c.value.op("#>>")(sa.literal_column("'{}'::text[]")), attribute)

    def of_tenant(self, folded: Document, tenant_id: int) -> Document:
        """Add the tenant: an index of containment has room for the document alone.

        What other tenants have in common with the example costs next to nothing then.
        """
        return {**folded, TENANT: tenant_id}

    def contains(self, base: Expression, example: Any) -> Test | None:
        """Test containment, which the GIN index serves."""
        literal = sa.cast(sa.bindparam(None, encode(example).decode(), sa.Text), JSONB())
        return base.op("@>", is_comparison=True)(literal)

    def part(self, own: Expression, operator: str, text: str) -> Test:
        """Compare with LIKE; the text's own wildcards are escaped."""
        escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        pattern = {"co": f"%{escaped}%", "sw": f"{escaped}%", "ew": f"%{escaped}"}[operator]
        return own.like(pattern, escape="\\")


def _sql_type(attribute: Attribute) -> sa.types.TypeEngine[Any]:
    if attribute.type == "integer":
        return sa.BigInteger()
    return sa.Boolean() if attribute.type == "boolean" else sa.String()


def _sqlite_path(path: Sequence[str]) -> Expression:
    return sa.literal_column("'$" + "".join(f'."{key}"' for key in path).replace("'", "''") + "'")


def _postgres_path(path: Sequence[str]) -> Expression:
    keys = ",".join('"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"' for key in path)
    return sa.literal_column("'{" + keys.replace("'", "''") + "}'::text[]")


JSON_DIALECTS: dict[str, JsonDialect] = {"sqlite": SqliteJson(), "postgresql": PostgresJson()}


def folded_text(dialect: str, folded: Document, tenant_id: int) -> str:
    """Return as JSON what `of_tenant` makes of a folded copy, or of an example, on a database."""
    return encode(JSON_DIALECTS[dialect].of_tenant(folded, tenant_id)).decode()
