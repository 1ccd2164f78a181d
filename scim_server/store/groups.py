"""The groups that resources are in, directly and through other groups."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from scim_server.scim.resources import ReferenceValue
from scim_server.store import clock
from scim_server.store.database import Reader, Writer
from scim_server.store.references import MEMBERS
from scim_server.store.resources import chunks
from scim_server.store.statements import Statement, given, one_of
from scim_server.store.tables import reference, resource
from scim_server.store.validity import is_visible


def _of_members(dialect: str) -> sa.Select[Any]:
    return (
        sa.select(reference.c.target_id, reference.c.source_id)
        .where(
            reference.c.tenant_id == given("tenant_id"),
            one_of(dialect, reference.c.target_id, "ids"),
            reference.c.attribute == sa.literal_column(f"'{MEMBERS}'"),
            is_visible(reference, given("now", sa.BigInteger())),
        )
        .order_by(reference.c.target_id, reference.c.source_id)
    )


def _outer(dialect: str) -> sa.Select[Any]:
    group = resource.alias()
    inner = _of_members(dialect).order_by(None).subquery()
    return (
        sa.select(group.c.id, group.c.type, group.c.display, group.c.deleted, inner.c.source_id)
        .select_from(group.outerjoin(inner, inner.c.target_id == group.c.id))
        .where(group.c.tenant_id == given("tenant_id"), one_of(dialect, group.c.id, "ids"))
    )


_OF_MEMBERS = Statement(_of_members)
_OUTER = Statement(_outer)
"""Groups with the groups they are in, if any. One level at a time: of a recursive query PostgreSQL expects so
many rows that it reads every membership of the tenant, which took 150 ms of 100,000 users."""


async def groups_of(
    reader: Reader | Writer, tenant_id: int, ids: Sequence[str], *, now: int | None = None
) -> dict[str, list[ReferenceValue]]:
    """Return the groups each resource is in: direct ones, and indirect ones through nested groups."""
    moment = clock.now() if now is None else now
    direct: dict[str, list[str]] = {}
    for part in chunks(ids):
        for member, group in await reader.rows(_OF_MEMBERS, tenant_id=tenant_id, ids=part, now=moment):
            direct.setdefault(member, []).append(group)
    shown: dict[str, tuple[str, str | None]] = {}
    outer: dict[str, set[str]] = {}
    further = {group for own in direct.values() for group in own}
    while further:
        for part in chunks(sorted(further)):
            for group, kind, display, deleted, around in await reader.rows(
                _OUTER, tenant_id=tenant_id, ids=part, now=moment
            ):
                outer.setdefault(group, set()).update([around] if around else [])
                if deleted is None:
                    shown[group] = (kind, display)
        further = {group for own in outer.values() for group in own if group not in outer}
    found: dict[str, list[ReferenceValue]] = {}
    for member, own in direct.items():
        indirect = sorted(_around(own, outer) - set(own))
        for kind, groups in (("direct", own), ("indirect", indirect)):
            values = [ReferenceValue(group, *shown[group], kind=kind) for group in groups if group in shown]
            if values:
                found.setdefault(member, []).extend(values)
    return found


def _around(groups: Sequence[str], outer: Mapping[str, set[str]]) -> set[str]:
    """Return all groups that some groups are in, directly or not."""
    found: set[str] = set()
    further = set(groups)
    while further:
        further = {around for group in further for around in outer.get(group, ())} - found
        found |= further
    return found
