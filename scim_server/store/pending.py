"""Rows of references that wait: a source named something of a type that is not in the store yet."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from scim_server.store.database import Writer
from scim_server.store.resources import chunks, insert_ignoring
from scim_server.store.statements import Statement, given, one_of
from scim_server.store.tables import pending_reference


async def wait(
    writer: Writer, tenant_id: int, source_id: str, attribute: str, type_name: str, keys: Iterable[str]
) -> None:
    """Note that an attribute of a source waits for resources of a type under their folded names."""
    rows = [
        {
            "tenant_id": tenant_id,
            "type": type_name,
            "key": key,
            "source_id": source_id,
            "attribute": attribute,
        }
        for key in sorted(set(keys))
    ]
    if rows:
        await writer.execute(insert_ignoring(writer, pending_reference), rows)


_FORGET = Statement(
    lambda _dialect: (
        pending_reference.delete()
        .where(
            pending_reference.c.tenant_id == given("tenant_id"),
            pending_reference.c.source_id == given("source_id"),
        )
        .returning(sa.literal_column("1"))
    )
)
_WAITING = Statement(
    lambda dialect: sa.select(pending_reference.c.source_id, pending_reference.c.attribute).where(
        pending_reference.c.tenant_id == given("tenant_id"),
        pending_reference.c.type == given("type"),
        one_of(dialect, pending_reference.c.key, "keys"),
    )
)


_ANY = Statement(
    lambda _dialect: (
        sa.select(sa.literal_column("1"))
        .where(pending_reference.c.tenant_id == given("tenant_id"), pending_reference.c.type == given("type"))
        .limit(sa.literal_column("1"))
    )
)


async def is_any_waited_for(writer: Writer, tenant_id: int, type_name: str) -> bool:
    """Tell whether anything waits for a resource of a type."""
    return bool(await writer.rows(_ANY, tenant_id=tenant_id, type=type_name))


async def forget(writer: Writer, tenant_id: int, source_id: str) -> None:
    """Remove all that a source waits for."""
    await writer.rows(_FORGET, tenant_id=tenant_id, source_id=source_id)


async def found(writer: Writer, tenant_id: int, type_name: str, keys: Sequence[str]) -> None:
    """Remove that anything waits for a resource under any of its folded names."""
    for part in chunks(keys):
        await writer.execute(
            pending_reference.delete().where(
                pending_reference.c.tenant_id == tenant_id,
                pending_reference.c.type == type_name,
                pending_reference.c.key.in_(part),
            )
        )


async def waiting(
    writer: Writer, tenant_id: int, type_name: str, keys: Sequence[str]
) -> list[tuple[str, str]]:
    """Return source and attribute of everything that waits for a resource of any of the names."""
    found: set[tuple[str, str]] = set()
    for part in chunks(keys):
        rows = await writer.rows_beside(_WAITING, tenant_id=tenant_id, type=type_name, keys=part)
        found.update((source_id, attribute) for source_id, attribute in rows)
    return sorted(found)
