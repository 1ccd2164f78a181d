"""Everything of one tenant as lines of JSON, read as of one moment."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any

from orjson import Fragment

from scim_server.scim.documents import encode
from scim_server.scim.resources import timestamp
from scim_server.services.tenants import UnknownTenant
from scim_server.store import tenants as rows
from scim_server.store.clock import now
from scim_server.store.database import Database
from scim_server.store.tables import Record

FORMAT = 1
_COMPUTED = frozenset({"unique_value", "phase", "counter", "recalculation", "rate_bucket"})
"""Tables of what the others say already."""
_LEFT_OUT = frozenset({"tenant_id", "folded", "shown"})
_SECRET = ("digest", "secret", "private", "password")
"""Parts of the names of columns that nobody may carry away."""
_JSON = frozenset({"document", "payload", "permissions", "switches", "scopes", "boundaries", "settings"})


async def lines(database: Database, name: str) -> AsyncIterator[bytes]:
    """Give the lines of an export of a tenant, each with its line break, a page of rows at a time.

    The first says whose it is, one follows for each row with its `table`, and the last
    one, the manifest, has the number of each table and the SHA-256 of all bytes before it. Digests of tokens
    and other secrets are left out, and so is what can be computed from the rest. Raises UnknownTenant.
    """
    hashed, counts = hashlib.sha256(), dict[str, int]()
    async with database.snapshot() as reader:
        tenant = await rows.find(reader, name)
        if tenant is None:
            raise UnknownTenant(name)
        head = {"table": "tenant", "format": FORMAT, "at": timestamp(now()), **_plain(tenant)}
        text = _line(head)
        hashed.update(text)
        yield text
        for table in reversed(rows.tables_of_tenants()):
            if (named := f"{table.name}") in _COMPUTED:
                continue
            async for page in rows.rows_of(reader, table, tenant.id):
                text = b"".join(_line({"table": named, **_plain(row)}) for row in page)
                hashed.update(text)
                counts[named] = counts.get(named, 0) + len(page)
                yield text
    yield _line({"table": "manifest", "tenant": name, "counts": counts, "sha256": hashed.hexdigest()})


def _plain(row: Record) -> dict[str, Any]:
    """Return the columns of a row that are exported, without those that have nothing."""
    return {
        f"{column}": _value(column, value)
        for column, value in row._asdict().items()
        if value is not None and column not in _LEFT_OUT and not any(part in column for part in _SECRET)
    }


def _value(column: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return Fragment(value) if column in _JSON else value


def _line(content: dict[str, Any]) -> bytes:
    return encode(content) + b"\n"
