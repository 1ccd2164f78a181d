"""Lists of resources as clients see them by default, in the order of their ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from scim_server.scim.attributes import Attribute, ReferenceKind
from scim_server.scim.documents import encode, is_storable
from scim_server.store.database import Reader
from scim_server.store.filters import common
from scim_server.store.filters.compiler import FilterContext, is_unique
from scim_server.store.filters.contents import example_of
from scim_server.store.listing import Selection, live_count
from scim_server.store.sessions import Row as Columns
from scim_server.store.showing import (
    BY_KEY,
    FEW,
    GATHERED,
    GROUPS,
    MANY,
    PAGES,
    WALKS,
    Found,
    found_in,
    together_in,
)
from scim_server.store.tables import resource


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A resource of a page; `sort_key` is there for what lists in another order."""

    resource: Found
    sort_key: None = None


class ShownLister:
    """Lists resources of a type in the order of their ids.

    Takes the place of store.listing.Lister where that is all that is asked for. `total` is how many there
    are, once a page told.
    """

    sort_key = None

    def __init__(self, context: FilterContext, selection: Selection) -> None:
        self.context = context
        self.selection = selection
        self.total: int | None = None
        self._type = selection.types[0][0].name
        self._values: dict[str, Any] = {
            "tenant_id": context.tenant_id,
            "type": self._type,
            "now": context.now,
        }

    async def page(
        self, reader: Reader, *, limit: int, offset: int = 0, after: Sequence[Any] | None = None
    ) -> list[ShownRow]:
        """Return a page after an offset or an id; a small one is one statement, a claim confirmed with it."""
        values = {**self._values, "limit": limit, **({"after": after[-1]} if after else {"offset": offset})}
        if limit <= FEW:
            rows = await reader.claimed_rows(PAGES[bool(after), True], **values)
            return [ShownRow(found_in(self._type, row)) for row in rows]
        return await self._with_groups(reader, await reader.rows(PAGES[bool(after), False], **values))

    async def _with_groups(self, reader: Reader, rows: Sequence[Columns]) -> list[ShownRow]:
        if not rows:
            return []
        ids = [row[0] for row in rows]
        found = await reader.rows(GROUPS, **self._values, ids=ids)
        texts = {row[1]: row[2] for row in found if not row[0]}
        of_members = {row[1]: row[2] for row in found if row[0]}
        listed = {own: together_in(own.split(","), texts) for own in set(of_members.values())}
        groups = {member: listed[own] for member, own in of_members.items()}
        return [ShownRow(found_in(self._type, (*row, groups.get(row[0])))) for row in rows]

    async def count(self, reader: Reader) -> int:
        """Return how many resources there are."""
        return await live_count(reader, self.context.tenant_id, [self._type])


class ShownMatches(ShownLister):
    """Lists the resources whose folded copy contains an example, as stored or as it is now.

    What is rare is gathered by index, in one statement that counts it; what is not is found sooner by
    walking. Which it is for an attribute is learnt from the last answer.
    """

    _common: ClassVar[set[tuple[int, str, str]]] = set()

    def __init__(
        self, context: FilterContext, selection: Selection, path: str, example: Any, *, is_varying: bool
    ) -> None:
        super().__init__(context, selection)
        self._key = (context.tenant_id, self._type, path)
        self._values["example"] = encode(example).decode()
        self._is_varying = is_varying

    async def page(
        self, reader: Reader, *, limit: int, offset: int = 0, after: Sequence[Any] | None = None
    ) -> list[ShownRow]:
        """Return a page after an offset or an id, by walking or by gathering."""
        values = {**self._values, "after": after[-1] if after else "", "limit": limit}
        if self._key in self._common and not offset:
            rows = await reader.rows(WALKS[self._is_varying], **values)
            if len(rows) == limit:
                return await self._with_groups(reader, rows)
            self._common.discard(self._key)
        return await self._gathered(reader, values, offset)

    async def _gathered(self, reader: Reader, values: dict[str, Any], offset: int) -> list[ShownRow]:
        rows = await reader.claimed_rows(GATHERED[self._is_varying], **values, offset=offset)
        if rows:
            self.total = int(rows[0][-1])
            if self.total >= MANY:
                self._common.add(self._key)
        return [ShownRow(found_in(self._type, row[:-1])) for row in rows]

    async def count(self, reader: Reader) -> int:
        """Return how many there are; a walk tells nothing of it, so that they are gathered."""
        if self.total is None:
            await self._gathered(reader, {**self._values, "after": "", "limit": 1}, 0)
        return self.total or 0


class ShownByKey(ShownLister):
    """Lists the one resource, if any, that holds a unique value."""

    def __init__(self, context: FilterContext, selection: Selection, attribute: str, key: str) -> None:
        super().__init__(context, selection)
        self._key = {"attribute": attribute, "key": key}

    async def page(
        self, reader: Reader, *, limit: int, offset: int = 0, after: Sequence[Any] | None = None
    ) -> list[ShownRow]:
        """Return the resource, by one statement that a claim is confirmed with."""
        if not is_storable(self._key["key"]):
            return []
        row = await reader.claimed_row(BY_KEY, **self._values, **self._key)
        if row is None or offset or not limit or (after and row[0] <= after[-1]):
            return []
        return [ShownRow(found_in(self._type, row))]

    async def count(self, reader: Reader) -> int:
        """Return 1 or 0."""
        return len(await self.page(reader, limit=1))


def shown_lister(context: FilterContext, selection: Selection) -> ShownLister | None:
    """Return what lists a selection of one type in the order of ids, None where a filter asks for more."""
    ((_, condition),) = selection.types
    if condition is None:
        return ShownLister(context, selection)
    if is_unique(condition) and not _is_special(condition.attribute):
        return ShownByKey(context, selection, condition.attribute.path, str(condition.value))
    found = example_of(condition)
    if found is None or context.json.contains(resource.c.folded, {}) is None:
        return None
    attribute, example = found
    if _is_special(attribute):
        return None
    path = attribute.path.lower()
    return ShownMatches(context, selection, path, example, is_varying=path in context.varying)


def _is_special(attribute: Attribute) -> bool:
    """Tell whether an attribute is not read from the folded copy: a common one, or a reference."""
    is_common = not attribute.schema and attribute.key in common.TESTS
    return is_common or attribute.reference_kind is not ReferenceKind.NONE
