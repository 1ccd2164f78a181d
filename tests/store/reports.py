"""Short ways to fill a store and to read its views."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from scim_server.schema_files import load_registry
from scim_server.scim.contents import display_of
from scim_server.scim.documents import encode
from scim_server.scim.normalize import fold_document
from scim_server.scim.resources import Resource, timestamp
from scim_server.store import clock, references, resources
from scim_server.store.database import Database, Writer
from scim_server.store.identifiers import new_id
from scim_server.store.tables import audit_event

REGISTRY = load_registry()
MADE = 1_760_000_000_123_456
"""When everything in the store was made."""
SECOND, HOUR = 1_000_000, 3_600_000_000


class Reports:
    """A store with a tenant, short ways to fill it, and its views."""

    def __init__(self, database: Database, tenant: int) -> None:
        self.database = database
        self.tenant = tenant
        self.now = clock.now()

    async def put(
        self,
        document: dict[str, Any],
        type_name: str = "User",
        phases: Sequence[tuple[int, dict[str, Any]]] = (),
        version: int = 1,
    ) -> str:
        """Store a resource made at MADE, with what time makes of it."""
        kind = REGISTRY.resource_types[type_name]
        made = Resource(type_name, new_id(), version, MADE, MADE, document)
        contents = resources.Contents(
            document,
            fold_document(document, kind),
            display_of(document, kind),
            [starts for starts, _ in phases],
            [(starts, fold_document(part, kind)) for starts, part in phases],
        )
        await self.database.write(lambda writer: resources.insert(writer, self.tenant, made, contents))
        return made.id

    async def refer(self, source: str, key: str, values: Mapping[str, dict[str, Any]]) -> None:
        """Store references made at MADE: target and what the source says of it."""
        said = {target: (payload, _lowered(payload)) for target, payload in values.items()}
        await self.database.write(
            lambda writer: references.save(writer, self.tenant, source, key, said, MADE)
        )

    async def happened(self, user: str, actor: str | None, *changes: str, outcome: str = "success") -> None:
        """Store an audit event about a user."""
        text = encode({"changes": [{"path": path} for path in changes]} if changes else {}).decode()
        row = {
            "tenant_id": self.tenant,
            "id": new_id(),
            "at": self.now,
            "action": "user.update",
            "outcome": outcome,
            "actor_id": actor,
            "actor_type": "user",
            "resource_id": user,
            "document": text,
            "folded": text,
        }
        await self.write(audit_event.insert().values(**row))

    async def write(self, statement: sa.Executable) -> None:
        """Run one statement."""

        async def work(writer: Writer) -> None:
            await writer.execute(statement)

        await self.database.write(work)

    async def rows(self, view: str) -> list[dict[str, Any]]:
        """Return the rows of a view by column, times as microseconds and dates as text."""
        async with self.database.engine.connect() as connection:
            found = await connection.exec_driver_sql(f"SELECT * FROM {view}")
            return [{name: _plain(value, name) for name, value in row.items()} for row in found.mappings()]

    async def user(self, id: str) -> dict[str, Any]:
        """Return the row of one user."""
        return next(row for row in await self.rows("user_profiles") if row["id"] == id)


def _lowered(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name.lower(): f"{value[:19]}.000000000Z" if name.endswith("At") else value
        for name, value in payload.items()
    }


def _plain(value: Any, name: str) -> Any:
    if isinstance(value, datetime):
        return timestamp((value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1))
    if isinstance(value, date):
        return value.isoformat()
    return bool(value) if name.startswith("is_") or name == "mfa_enabled" else value
