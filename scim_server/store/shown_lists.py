"""Lists of resources as clients see them by default, in the order of their ids."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from scim_server.scim.attributes import Attribute, ReferenceKind
from scim_server.scim.documents import encode, is_storable, load
from scim_server.scim.filters.binding import Condition
from scim_server.store.database import Reader
from scim_server.store.entry_pages import CANDIDATES, ENTRY_NUMBERS, ENTRY_PAGES, MANY
from scim_server.store.filters import common
from scim_server.store.filters.compiler import FilterContext, is_unique
from scim_server.store.filters.contents import example_of
from scim_server.store.filters.entries import Entry, contains, telling
from scim_server.store.listing import Lister, Row, Selection, counters_of, live_count
from scim_server.store.matches import MATCHES, TOO_MANY
from scim_server.store.sessions import Row as Columns
from scim_server.store.showing import BY_KEY, FEW, GROUPS, PAGES, Found, found_in, together_in
from scim_server.store.statements import Statement
from scim_server.store.tables import resource
from scim_server.store.whole_pages import WholePage, read_whole

_WHOLE = {is_next: WholePage(PAGES[is_next, False], is_counted=True) for is_next in (False, True)}
_KEPT = 5_000
"""Common values that are remembered, the latest ones."""
_CANDIDATES = 100
"""Resources that are looked at one by one."""


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
    ) -> Sequence[ShownRow | Row]:
        """Return a page from an offset, after an id or both.

        It is one statement, a claim confirmed with it, except for a larger one on SQLite.
        """
        values = {**self._values, "limit": limit, "offset": offset, "after": after[-1] if after else ""}
        is_next = bool(after) and not offset
        if limit <= FEW:
            rows = await reader.claimed_rows(PAGES[is_next, True], **values)
            return [ShownRow(found_in(self._type, row)) for row in rows]
        if reader.dialect.name == "sqlite":
            return await self._with_groups(reader, await reader.rows(PAGES[is_next, False], **values))
        parts = await read_whole(reader, _WHOLE[is_next], names=counters_of([self._type]), **values)
        self.total = parts.number
        return [ShownRow(found_in(self._type, row)) for row in parts.rows]

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

    What is rare is gathered by index, in one statement that counts it; what is common is found sooner by
    walking, unless it is too scattered for that. Which of them a value is gets told by a probe and by the
    first walk, and is remembered of the common ones.
    """

    matches: ClassVar = MATCHES
    _common: ClassVar[OrderedDict[tuple[int, str, str], bool]] = OrderedDict()
    """Common values, and whether they are looked for by walking."""

    def __init__(
        self, context: FilterContext, selection: Selection, example: Any, *, is_varying: bool
    ) -> None:
        super().__init__(context, selection)
        self._values["example"] = encode(context.json.of_tenant(example, context.tenant_id)).decode()
        self._key = (context.tenant_id, self._type, self._values["example"])
        self._is_varying = is_varying

    @property
    def is_common(self) -> bool:
        """Whether so many have the value that nothing but the next page is quickly found."""
        return self._key in self._common

    async def page(
        self, reader: Reader, *, limit: int, offset: int = 0, after: Sequence[Any] | None = None
    ) -> list[ShownRow]:
        """Return a page from an offset, after an id or both, by gathering or by walking."""
        values = {**self._values, "after": after[-1] if after else "", "limit": limit, "offset": offset}
        if not self.is_common:
            found = await self._gathered(reader, self.matches.probed, values)
            if found is not None:
                return found
            self._remember(is_walked=True)
        if self._common[self._key] and offset + limit <= self.matches.walked:
            found = await self._walked(reader, values)
            if found is not None:
                return found
        return await self._gathered(reader, self.matches.gathered, values) or []

    async def _gathered(
        self, reader: Reader, statements: Mapping[bool, Statement], values: dict[str, Any]
    ) -> list[ShownRow] | None:
        """Return a page, with how many there are noted, or None where there are too many for a probe."""
        rows = await reader.claimed_rows(statements[self._is_varying], **values)
        number = int(rows[0][0])
        if number == TOO_MANY:
            return None
        self.total = number
        if number <= self.matches.many:
            self._common.pop(self._key, None)
        elif number > self.matches.walked:
            self._remember(is_walked=True)
        return [ShownRow(found_in(self._type, row[1:])) for row in rows if row[1] is not None]

    async def _walked(self, reader: Reader, values: dict[str, Any]) -> list[ShownRow] | None:
        """Return a page, None where a walk did not find all of it."""
        rows = await reader.rows(self.matches.walks[self._is_varying], **values)
        if rows and not rows[-1][0]:
            *rows, (_, _, _, is_more) = rows
            if is_more:
                self._remember(is_walked=False)
                return None
        return await self._with_groups(reader, rows)

    def _remember(self, *, is_walked: bool) -> None:
        self._common[self._key] = is_walked
        while len(self._common) > _KEPT:
            self._common.popitem(last=False)

    async def count(self, reader: Reader) -> int:
        """Return how many there are; a walk tells nothing of it, so that they are counted."""
        if self.total is None:
            row = await reader.claimed_row(self.matches.counted[self._is_varying], **self._values)
            self.total = 0 if row is None else int(row[0])
        return self.total


class ShownEntries(ShownLister):
    """Lists the resources that have an entry of SQLite's index, as stored or as they are now.

    A page is found by index whatever there is. How many there are is counted with it as long as they are
    few; which attributes have more is learnt from the last answer.
    """

    _common: ClassVar[set[tuple[int, str, str]]] = set()

    def __init__(
        self, context: FilterContext, selection: Selection, entry: Entry, *, is_varying: bool
    ) -> None:
        super().__init__(context, selection)
        self._key = (context.tenant_id, self._type, entry.path)
        self._values |= entry._asdict()
        self._is_varying = is_varying

    async def page(
        self, reader: Reader, *, limit: int, offset: int = 0, after: Sequence[Any] | None = None
    ) -> list[ShownRow]:
        """Return a page from an offset, after an id or both."""
        is_counted = self._key not in self._common
        values = {**self._values, "after": after[-1] if after else "", "limit": limit, "offset": offset}
        statement = ENTRY_PAGES[self._is_varying, is_counted]
        is_quick = offset <= MANY and not self._is_varying
        rows = await (reader.claimed_rows if is_quick else reader.rows_of_many)(statement, **values)
        if rows and is_counted:
            self._learn(rows[0][-1])
        return await self._with_groups_of_all(reader, [row[:-1] for row in rows])

    def _learn(self, number: int) -> None:
        if number < MANY:
            self.total = number
        else:
            self._common.add(self._key)

    async def _with_groups_of_all(self, reader: Reader, rows: Sequence[Columns]) -> list[ShownRow]:
        if len(rows) > FEW:
            return await self._with_groups(reader, [row[:-1] for row in rows])
        return [ShownRow(found_in(self._type, row)) for row in rows]

    async def count(self, reader: Reader) -> int:
        """Return how many there are."""
        if self.total is None:
            ((self.total,),) = await reader.rows_of_many(ENTRY_NUMBERS[self._is_varying], **self._values)
            if self.total < MANY:
                self._common.discard(self._key)
        return self.total or 0


class ShownCandidates(ShownLister):
    """Lists the resources that contain an example, looked for among those that have one of its entries.

    For SQLite, where an entry does not say all of the example. Where many have the entry, the filter is
    compiled and run as any other.
    """

    def __init__(self, context: FilterContext, selection: Selection, entry: Entry, example: Any) -> None:
        super().__init__(context, selection)
        self._values |= entry._asdict()
        self._example = example
        self._whole = Lister(context, selection)

    async def page(
        self, reader: Reader, *, limit: int, offset: int = 0, after: Sequence[Any] | None = None
    ) -> Sequence[ShownRow | Row]:
        """Return a page from an offset, after an id or both."""
        found = await self._matching(reader)
        if found is None:
            return await self._whole.page(reader, limit=limit, offset=offset, after=after)
        start = after[-1] if after else ""
        self.total = len(found)
        return [row for row in found if row.resource.id > start][offset : offset + limit]

    async def _matching(self, reader: Reader) -> list[ShownRow] | None:
        """Return all there are, None where the candidates are many."""
        rows = await reader.claimed_rows(CANDIDATES, **self._values, limit=_CANDIDATES + 1)
        if len(rows) > _CANDIDATES:
            return None
        matching = (row for row in rows if contains(load(row[-1]), self._example))
        return [ShownRow(found_in(self._type, row[:-1])) for row in matching]

    async def count(self, reader: Reader) -> int:
        """Return how many there are."""
        if self.total is None:
            found = await self._matching(reader)
            self.total = await self._whole.count(reader) if found is None else len(found)
        return self.total


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
    if found is None or _is_special(found[0]):
        return None
    attribute, example = found
    is_varying = attribute.path.lower() in context.varying
    if context.json.contains(resource.c.folded, {}) is not None:
        return ShownMatches(context, selection, example, is_varying=is_varying)
    return _by_entry(context, selection, condition, example, is_varying=is_varying)


def _by_entry(
    context: FilterContext, selection: Selection, condition: Condition, example: Any, *, is_varying: bool
) -> ShownLister | None:
    """Return what lists by SQLite's index, None where it does not say how something is by now."""
    entry, is_all = telling(condition)
    if isinstance(entry.key, str) and not is_storable(entry.key):
        return None
    if is_all:
        return ShownEntries(context, selection, entry, is_varying=is_varying)
    return None if is_varying else ShownCandidates(context, selection, entry, example)


def _is_special(attribute: Attribute) -> bool:
    """Tell whether an attribute is not read from the folded copy: a common one, or a reference."""
    is_common = not attribute.schema and attribute.key in common.TESTS
    return is_common or attribute.reference_kind is not ReferenceKind.NONE
