"""The tables whose rows are listed as resources, as far as filters and lists have to know them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from scim_server.scim.resources import Resource
from scim_server.store.filters.json import Expression, Test
from scim_server.store.phases import Clocked
from scim_server.store.resources import COLUMNS, resource_of
from scim_server.store.tables import Record, resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One table, with the columns that stand for common attributes.

    `selected` are the columns that `read` makes a resource of, as it is at a moment; `is_live`
    tests whether a row is to be listed, `of_type` whether as a resource of a type. `texts` and
    `moments` name the columns that hold folded texts and times of attributes, by lower-case path;
    all others are read from `folded`. Rows of a clocked table change by themselves (see store.phases).
    """

    tenant_id: Expression
    id: Expression
    created: Expression
    folded: Expression
    selected: tuple[Expression, ...]
    read: Callable[[Record, int], Resource]
    is_live: Test
    of_type: Callable[[str], Test]
    type: Expression
    is_clocked: bool = False
    texts: Mapping[str, Expression] = field(default_factory=dict)
    moments: Mapping[str, Expression] = field(default_factory=dict)

    def version(self, now: int) -> Expression:
        """Return the version that clients see at a moment."""
        return Clocked(now).version if self.is_clocked else sa.literal(1)

    def modified(self, now: int) -> Expression:
        """Return the time of the last change that clients see at a moment."""
        return Clocked(now).modified if self.is_clocked else self.created

    def modified_test(self, now: int, test: Callable[[Expression], Test]) -> Test:
        """Return a test of the time of the last change, which an index over the stored one serves."""
        if not self.is_clocked:
            return test(self.created)
        clocked = Clocked(now)
        return sa.or_(
            sa.and_(clocked.has_not_passed, test(resource.c.modified)),
            sa.and_(clocked.has_passed, test(clocked.changed)),
        )

    def sorted_by(self, now: int) -> dict[str, Expression]:
        """Return what the common attributes are sorted by."""
        return {
            "id": self.id,
            "meta.created": self.created,
            "meta.lastModified": self.modified(now),
            "meta.version": self.version(now) if self.is_clocked else self.id,
            "meta.resourceType": self.type,
            "meta.location": self.id,
        }


RESOURCES = Source(
    tenant_id=resource.c.tenant_id,
    id=resource.c.id,
    created=resource.c.created,
    folded=resource.c.folded,
    selected=COLUMNS,
    read=resource_of,
    is_live=resource.c.deleted.is_(None),
    of_type=lambda name: resource.c.type == name,
    type=resource.c.type,
    is_clocked=True,
)
