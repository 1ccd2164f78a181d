"""Who holds what: references read from their targets."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from scim_server.scim.documents import load
from scim_server.store.database import Reader, Writer
from scim_server.store.filters.json import JSON_DIALECTS, has
from scim_server.store.filters.varying import as_it_is
from scim_server.store.resources import chunks
from scim_server.store.statements import Statement, given, one_of
from scim_server.store.tables import reference, resource
from scim_server.store.validity import is_in_force, is_visible

ROLE_ASSIGNMENTS = "role:2.0:User:roleAssignments"


async def sources_of(
    reader: Reader | Writer, tenant_id: int, attribute_key: str, target_ids: Sequence[str], *, now: int
) -> list[str]:
    """Return the ids of all that point at any of the targets, each once, in their order.

    References that have yet to begin count, those that have ended do not.
    """
    found: set[str] = set()
    for part in chunks(target_ids):
        query = sa.select(reference.c.source_id).where(
            reference.c.tenant_id == tenant_id,
            reference.c.attribute == attribute_key,
            reference.c.target_id.in_(part),
            is_visible(reference, now),
        )
        found.update(source for (source,) in await reader.execute(query.distinct()))
    return sorted(found)


async def count_sources(
    reader: Reader | Writer, tenant_id: int, attribute_key: str, target_id: str, now: int
) -> int:
    """Return how many point at a target; as for sources_of, those that have yet to begin count."""
    query = sa.select(sa.func.count()).where(
        reference.c.tenant_id == tenant_id,
        reference.c.attribute == attribute_key,
        reference.c.target_id == target_id,
        is_visible(reference, now),
    )
    return (await reader.execute(query)).scalar_one()


async def other_active_holders(
    reader: Reader | Writer,
    tenant_id: int,
    target_ids: Sequence[str],
    excluding: str,
    now: int,
    limit: int = 1,
) -> list[str]:
    """Return users other than one who are active and have any of the roles in force at a moment.

    Active is what `active` says at that moment, whether or not anything ran.
    """
    json = JSON_DIALECTS[reader.dialect.name]
    query = (
        sa.select(reference.c.source_id)
        .distinct()
        .join(
            resource,
            sa.and_(resource.c.tenant_id == reference.c.tenant_id, resource.c.id == reference.c.source_id),
        )
        .where(
            reference.c.tenant_id == tenant_id,
            reference.c.attribute == ROLE_ASSIGNMENTS,
            reference.c.target_id.in_(target_ids),
            reference.c.source_id != excluding,
            is_in_force(reference, now),
            resource.c.deleted.is_(None),
            as_it_is(now, lambda folded: has(json, folded, "active", value=True)),
        )
        .order_by(reference.c.source_id)
        .limit(limit)
    )
    return [source for (source,) in await reader.execute(query)]


async def lock_holders(writer: Writer, tenant_id: int, target_ids: Sequence[str]) -> None:
    """Keep others from counting the holders of these until the transaction ends.

    Who counts after it sees what those did whom it waited for, and nobody takes one away meanwhile.
    """
    query = (
        sa.select(resource.c.id)
        .where(resource.c.tenant_id == tenant_id, resource.c.id.in_(sorted(target_ids)))
        .order_by(resource.c.id)
        .with_for_update()
    )
    await writer.execute(query)


async def heads_of(
    reader: Reader | Writer, tenant_id: int, attribute_key: str, department_ids: Sequence[str], now: int
) -> dict[str, list[tuple[str, str | None]]]:
    """Return by department id and name of the users whose assignment, in force now, marks them its head.

    Users are in the order of their ids; departments without a head are left out.
    """
    json = JSON_DIALECTS[reader.dialect.name]
    # Asked for in order of users, SQLite went through all of them: 0.4 s for 100 departments and 5,000 users.
    head = sa.select(reference.c.target_id, reference.c.source_id).where(
        reference.c.tenant_id == tenant_id,
        reference.c.attribute == attribute_key,
        is_in_force(reference, now),
        has(json, reference.c.folded, "headofdepartment", value=True),
    )
    found: dict[str, list[tuple[str, str | None]]] = {}
    for part in chunks(department_ids):
        pairs = [tuple(row) for row in await reader.execute(head.where(reference.c.target_id.in_(part)))]
        named = await _named(reader, tenant_id, sorted({user_id for _, user_id in pairs}))
        for department_id, user_id in sorted(pairs):
            if user_id in named:
                found.setdefault(department_id, []).append((user_id, named[user_id]))
    return found


async def _named(reader: Reader | Writer, tenant_id: int, ids: Sequence[str]) -> dict[str, str | None]:
    """Return the names of those resources that are live."""
    query = sa.select(resource.c.id, resource.c.display).where(
        resource.c.tenant_id == tenant_id, resource.c.deleted.is_(None)
    )
    found: dict[str, str | None] = {}
    for part in chunks(ids):
        found.update((row[0], row[1]) for row in await reader.execute(query.where(resource.c.id.in_(part))))
    return found


_OBLIGATIONS = Statement(
    lambda dialect: (
        sa.select(reference.c.target_id, resource.c.id, resource.c.document)
        .select_from(
            reference.join(
                resource,
                sa.and_(
                    resource.c.tenant_id == reference.c.tenant_id, resource.c.id == reference.c.source_id
                ),
            )
        )
        .where(
            reference.c.tenant_id == given("tenant_id"),
            reference.c.attribute == sa.literal_column("'user'"),
            one_of(dialect, reference.c.target_id, "ids"),
            resource.c.type == sa.literal_column("'Obligation'"),
            resource.c.deleted.is_(None),
            has(JSON_DIALECTS[dialect], resource.c.folded, "status", value="open"),
        )
        .order_by(resource.c.id)
    )
)


async def open_obligations(
    reader: Reader | Writer, tenant_id: int, user_ids: Sequence[str]
) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Return id and document of the open obligations of users, by user."""
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for part in chunks(user_ids):
        rows = await reader.rows(_OBLIGATIONS, tenant_id=tenant_id, ids=part)
        for user_id, own_id, document in rows:
            found.setdefault(user_id, []).append((own_id, load(document)))
    return found


async def is_active(reader: Reader | Writer, tenant_id: int, user_id: str, now: int) -> bool:
    """Tell whether a user is there and active at a moment, whether or not anything ran."""
    json = JSON_DIALECTS[reader.dialect.name]
    query = sa.select(sa.literal(1)).where(
        resource.c.tenant_id == tenant_id,
        resource.c.id == user_id,
        resource.c.deleted.is_(None),
        as_it_is(now, lambda folded: has(json, folded, "active", value=True)),
    )
    return (await reader.execute(query)).first() is not None
