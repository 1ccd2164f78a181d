"""Tests and values of attributes that change as time passes, read as they are at a moment."""

from collections.abc import Callable

import sqlalchemy as sa

from scim_server.store.filters.json import Expression, Test
from scim_server.store.phases import Clocked, Moment
from scim_server.store.tables import phase, resource


def as_it_is(now: Moment, test: Callable[[Expression], Test]) -> Test:
    """Return the test of a resource's folded copy as it is at a moment.

    `test` is asked for the test of a folded copy, once for the stored one and once for the phase
    that has begun. Where no boundary has passed the stored one is read alone, so that an index
    over it serves.
    """
    clocked = Clocked(now)
    rows = phase.alias()
    begun = sa.exists(_begun(rows, now, sa.literal_column("1")).where(test(rows.c.folded)))
    return sa.or_(
        sa.and_(clocked.has_not_passed, test(resource.c.folded)),
        sa.and_(clocked.has_passed, begun.correlate(resource)),
    )


def value_as_it_is(now: int, value: Callable[[Expression], Expression]) -> Expression:
    """Return a value of a resource's folded copy as it is at a moment."""
    rows = phase.alias()
    begun = _begun(rows, now, value(rows.c.folded)).correlate(resource).scalar_subquery()
    return sa.case((Clocked(now).has_passed, begun), else_=value(resource.c.folded))


def _begun(rows: sa.FromClause, now: Moment, value: Expression) -> sa.Select[tuple[object]]:
    return (
        sa.select(value)
        .select_from(rows)
        .where(
            rows.c.tenant_id == resource.c.tenant_id,
            rows.c.resource_id == resource.c.id,
            rows.c.starts <= now,
            sa.or_(rows.c.ends.is_(None), rows.c.ends > now),
        )
    )
