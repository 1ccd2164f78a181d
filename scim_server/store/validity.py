"""When a reference holds: from `valid_from` on, and no more at `valid_to`, both in microseconds."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from scim_server.scim.values import WrongValue, fold_date_time
from scim_server.store.clock import microseconds_of


def is_visible(rows: sa.FromClause, now: int | sa.BindParameter[int]) -> sa.ColumnElement[bool]:
    """Test whether rows of references have not ended; those to come are visible."""
    return sa.or_(rows.c.valid_to.is_(None), rows.c.valid_to > now)


def is_in_force(rows: sa.FromClause, now: int) -> sa.ColumnElement[bool]:
    """Test whether rows of references have begun and not ended."""
    return sa.and_(is_visible(rows, now), sa.or_(rows.c.valid_from.is_(None), rows.c.valid_from <= now))


def moment_of(payload: Mapping[str, Any], name: str) -> int | None:
    """Return a dateTime of what a source says of a reference, None where it says none."""
    text = payload.get(name)
    if not isinstance(text, str):
        return None
    try:
        return microseconds_of(fold_date_time(text))[0]
    except WrongValue:
        return None
