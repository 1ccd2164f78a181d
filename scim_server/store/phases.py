"""Rows of phases: what time alone will make of a resource, from each of its boundaries on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_server.scim.normalize import Document
from scim_server.store.database import Writer
from scim_server.store.filters.json import folded_text
from scim_server.store.tables import phase, resource

Moment = int | sa.BindParameter[int]
"""A time in microseconds, or the parameter of a statement that is one."""
Phase = tuple[int, Document]
"""The moment it starts, and the folded copy of the attributes that vary in time."""


@dataclass(frozen=True, slots=True)
class Clocked:
    """The effective version and time of change of a row of the resource table, in SQL.

    Each boundary that has passed made a version (RFC 7643 §3.1, `meta.version`), and each has its
    row of `phase`.
    """

    now: Moment

    @property
    def has_passed(self) -> sa.ColumnElement[bool]:
        """Whether a boundary of the row has passed; true or false, never NULL."""
        return sa.and_(resource.c.next_change.is_not(None), resource.c.next_change <= self.now)

    @property
    def has_not_passed(self) -> sa.ColumnElement[bool]:
        """The opposite of `has_passed`."""
        return sa.or_(resource.c.next_change.is_(None), resource.c.next_change > self.now)

    @property
    def passed(self) -> sa.ColumnElement[int]:
        """How many boundaries of the row have passed."""
        counted: sa.ColumnElement[int] = self._of_passed(sa.func.count(phase.c.starts))
        return sa.case((self.has_passed, counted), else_=0)

    @property
    def version(self) -> sa.ColumnElement[int]:
        """The effective version."""
        return resource.c.version + self.passed

    @property
    def modified(self) -> sa.ColumnElement[int]:
        """The effective time of change, in microseconds."""
        return sa.case((self.has_passed, self.changed), else_=resource.c.modified)

    @property
    def changed(self) -> sa.ColumnElement[int]:
        """The effective time of change of a row of which a boundary has passed."""
        last = sa.func.coalesce(self._of_passed(sa.func.max(phase.c.starts)), 0)
        return sa.case((last > resource.c.modified, last), else_=resource.c.modified)

    def _of_passed(self, value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        query = sa.select(value).where(
            phase.c.tenant_id == resource.c.tenant_id,
            phase.c.resource_id == resource.c.id,
            phase.c.starts <= self.now,
        )
        return query.correlate(resource).scalar_subquery()


async def add_phases(writer: Writer, tenant_id: int, id: str, phases: Sequence[Phase]) -> None:
    """Store the phases of a resource that has none; each lasts until the next one starts."""
    ends = [starts for starts, _ in phases[1:]]
    rows = [
        {
            "tenant_id": tenant_id,
            "resource_id": id,
            "starts": starts,
            "ends": end,
            "folded": folded_text(writer.dialect.name, folded, tenant_id),
        }
        for (starts, folded), end in zip(phases, [*ends, None], strict=True)
    ]
    await writer.execute(phase.insert(), rows)


async def remove_phases(writer: Writer, tenant_id: int, id: str) -> None:
    """Remove the phases of a resource."""
    await writer.execute(phase.delete().where(phase.c.tenant_id == tenant_id, phase.c.resource_id == id))
