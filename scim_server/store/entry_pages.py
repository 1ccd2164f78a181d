"""Pages of the resources that have an entry of SQLite's index, and how many these are.

The index has the ids of a value in their order, so that a page costs what it shows, wherever it is and
however many there are.
"""

from functools import partial
from typing import Any

import sqlalchemy as sa

from scim_server.store.showing import FEW, NOW, OWN, live, own_groups
from scim_server.store.statements import Statement, given
from scim_server.store.tables import folded_value, phase_value, resource

MANY = 1_000
"""Results that are counted with a page; more are counted apart."""
_AFTER = given("after")


def _entries() -> sa.Select[Any]:
    """Return the query for the live resources with the entry."""
    return sa.select(folded_value.c.resource_id.label("id")).where(
        folded_value.c.tenant_id == given("tenant_id"),
        folded_value.c.type == given("type"),
        folded_value.c.deleted == sa.literal_column("0"),
        folded_value.c.path == given("path"),
        folded_value.c.key == given("key"),
    )


def _begun() -> sa.Select[Any]:
    """Return the query for those that have it as they are now, of which a boundary has passed."""
    has_begun = sa.exists(
        sa.select(sa.literal_column("1")).where(
            phase_value.c.tenant_id == resource.c.tenant_id,
            phase_value.c.resource_id == resource.c.id,
            phase_value.c.starts <= NOW,
            sa.or_(phase_value.c.ends.is_(None), phase_value.c.ends > NOW),
            phase_value.c.path == given("path"),
            phase_value.c.key == given("key"),
        )
    )
    return _changed().where(has_begun.correlate(resource))


def _changed() -> sa.Select[Any]:
    return sa.select(resource.c.id).where(*live(), resource.c.next_change <= NOW)


def _ids(*, is_varying: bool, is_after: bool = False) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """Return the query for the ids, as stored or, where they vary in time, as they are now."""
    stored, begun = _entries(), _begun()
    if is_after:
        stored, begun = stored.where(folded_value.c.resource_id > _AFTER), begun.where(resource.c.id > _AFTER)
    if not is_varying:
        return stored
    return stored.where(folded_value.c.resource_id.not_in(_changed())).union_all(begun)


def _page(dialect: str, *, is_varying: bool, is_counted: bool) -> sa.Select[Any]:
    """Return a query for a page, with the groups where it is small, and the number of results up to MANY."""
    page = _ids(is_varying=is_varying, is_after=True).order_by(sa.literal_column("id"))
    page = page.limit(given("limit", sa.Integer())).offset(given("offset", sa.BigInteger()))
    chosen = page.cte("chosen")
    size = sa.select(sa.func.count()).select_from(chosen).scalar_subquery()
    groups = sa.case((size <= sa.literal_column(str(FEW)), own_groups(dialect)))
    some = _ids(is_varying=is_varying).limit(sa.literal_column(str(MANY))).subquery()
    number = sa.select(sa.func.count()).select_from(some).scalar_subquery() if is_counted else sa.null()
    return (
        sa.select(*OWN, groups.label("groups"), number.label("number"))
        .where(resource.c.tenant_id == given("tenant_id"), resource.c.id.in_(sa.select(chosen.c.id)))
        .order_by(resource.c.id)
    )


def _number(_dialect: str, *, is_varying: bool) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(_ids(is_varying=is_varying).subquery())


def _candidates(dialect: str) -> sa.Select[Any]:
    """Return a query for the first resources with the entry, and their folded copies."""
    ids = _entries().order_by(folded_value.c.resource_id).limit(given("limit", sa.Integer()))
    return (
        sa.select(*OWN, own_groups(dialect).label("groups"), resource.c.folded)
        .where(resource.c.tenant_id == given("tenant_id"), resource.c.id.in_(ids))
        .order_by(resource.c.id)
    )


_BOTH = (False, True)
ENTRY_PAGES = {
    (is_varying, is_counted): Statement(partial(_page, is_varying=is_varying, is_counted=is_counted))
    for is_varying in _BOTH
    for is_counted in _BOTH
}
ENTRY_NUMBERS = {one: Statement(partial(_number, is_varying=one)) for one in _BOTH}
CANDIDATES = Statement(_candidates)
