"""Rows of resources: read one, lock one, insert, update, mark deleted; unique values beside them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scim_server.scim.documents import encode, is_storable, load
from scim_server.scim.normalize import Document
from scim_server.scim.resources import Resource
from scim_server.store.database import LostRace, Reader, Writer
from scim_server.store.tables import Record, resource, unique_value

COLUMNS = (
    resource.c.type,
    resource.c.id,
    resource.c.version,
    resource.c.created,
    resource.c.modified,
    resource.c.document,
)
UniqueKey = tuple[str, str]
"""An attribute's path and the folded value that must be unique."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a row holds besides its identity: the document, its folded copy and a name for people."""

    document: Document
    folded: Document
    display: str | None


def resource_of(row: Record) -> Resource:
    """Return the resource of a row of COLUMNS, without references."""
    return Resource(row[0], row[1], row[2], row[3], row[4], load(row[5]))


def insert_ignoring(writer: Writer | Reader, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that passes over rows whose key exists."""
    if writer.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def _live(tenant_id: int, type_name: str, id: str) -> sa.ColumnElement[bool]:
    return sa.and_(
        resource.c.tenant_id == tenant_id,
        resource.c.id == id,
        resource.c.type == type_name,
        resource.c.deleted.is_(None),
    )


async def fetch(reader: Reader | Writer, tenant_id: int, type_name: str, id: str) -> Resource | None:
    """Return a live resource, None where there is none of that type and id."""
    if not is_storable(id):
        return None
    result = await reader.execute(sa.select(*COLUMNS).where(_live(tenant_id, type_name, id)))
    row = result.first()
    return None if row is None else resource_of(row)


async def fetch_for_update(writer: Writer, tenant_id: int, type_name: str, id: str) -> Resource | None:
    """Return a live resource and keep other writers from it until the transaction ends."""
    if not is_storable(id):
        return None
    query = sa.select(*COLUMNS).where(_live(tenant_id, type_name, id)).with_for_update()
    row = (await writer.execute(query)).first()
    return None if row is None else resource_of(row)


async def lock_targets(writer: Writer, tenant_id: int, ids: Sequence[str]) -> dict[str, str]:
    """Return id and type of the live resources among `ids` and keep them from being deleted meanwhile."""
    found: dict[str, str] = {}
    for part in chunks(ids):
        query = (
            sa.select(resource.c.id, resource.c.type)
            .where(resource.c.tenant_id == tenant_id, resource.c.id.in_(part), resource.c.deleted.is_(None))
            .order_by(resource.c.id)
            .with_for_update(read=True)
        )
        found.update((row.id, row.type) for row in await writer.execute(query))
    return found


async def insert(writer: Writer, tenant_id: int, created: Resource, contents: Contents) -> None:
    """Insert a resource's row."""
    await writer.execute(
        resource.insert().values(
            tenant_id=tenant_id,
            id=created.id,
            type=created.type,
            version=created.version,
            created=created.created,
            modified=created.modified,
            document=encode(contents.document).decode(),
            folded=encode(contents.folded).decode(),
            display=contents.display,
        )
    )


async def update(writer: Writer, tenant_id: int, changed: Resource, contents: Contents) -> None:
    """Store a resource's new contents as the version after the one that was read; raises LostRace."""
    statement = (
        resource.update()
        .where(
            resource.c.tenant_id == tenant_id,
            resource.c.id == changed.id,
            resource.c.version == changed.version - 1,
            resource.c.deleted.is_(None),
        )
        .values(
            version=changed.version,
            modified=changed.modified,
            document=encode(contents.document).decode(),
            folded=encode(contents.folded).decode(),
            display=contents.display,
        )
    )
    if (await writer.execute(statement)).rowcount != 1:
        raise LostRace(changed.id)


async def touch(writer: Writer, tenant_id: int, ids: Sequence[str], modified: int) -> None:
    """Give the next version to resources whose references changed."""
    for part in chunks(sorted(ids)):
        await writer.execute(
            resource.update()
            .where(resource.c.tenant_id == tenant_id, resource.c.id.in_(part), resource.c.deleted.is_(None))
            .values(version=resource.c.version + 1, modified=modified)
        )


async def mark_deleted(writer: Writer, tenant_id: int, id: str, moment: int) -> None:
    """Mark a resource deleted and free its unique values; the row stays."""
    await writer.execute(
        resource.update()
        .where(resource.c.tenant_id == tenant_id, resource.c.id == id)
        .values(deleted=moment, modified=moment, version=resource.c.version + 1)
    )
    await writer.execute(
        unique_value.delete().where(unique_value.c.tenant_id == tenant_id, unique_value.c.resource_id == id)
    )


async def claim_unique(
    writer: Writer, tenant_id: int, type_name: str, id: str, keys: Iterable[UniqueKey]
) -> list[UniqueKey]:
    """Claim unique values for a resource and return those that another resource holds."""
    taken: list[UniqueKey] = []
    for attribute, key in sorted(keys):
        statement = insert_ignoring(writer, unique_value).values(
            tenant_id=tenant_id, type=type_name, attribute=attribute, key=key, resource_id=id
        )
        if (await writer.execute(statement)).rowcount != 1:
            taken.append((attribute, key))
    return taken


async def release_unique(
    writer: Writer, tenant_id: int, type_name: str, id: str, keys: Iterable[UniqueKey]
) -> None:
    """Free unique values that a resource no longer has."""
    for attribute, key in sorted(keys):
        await writer.execute(
            unique_value.delete().where(
                unique_value.c.tenant_id == tenant_id,
                unique_value.c.type == type_name,
                unique_value.c.attribute == attribute,
                unique_value.c.key == key,
                unique_value.c.resource_id == id,
            )
        )


def chunks(items: Sequence[str], size: int = 1_000) -> Iterable[Sequence[str]]:
    """Yield a sequence in parts that fit one statement."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
