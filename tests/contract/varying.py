"""Filters and sorting on attributes that change by themselves: as they are now, whatever was stored."""
# ruff: noqa: D102 - a test's name states its fact

from typing import Any

import pytest

from scim_server.store.listing import Selection
from scim_server.store.resources import touch
from tests.contract.base import StoreGround
from tests.contract.filters import DOCUMENTS, FOUND
from tests.contract.sorting import ORDERS
from tests.scim.samples import PROBE, known

START, END = 5_000_000, 7_000_000
EVERY_ATTRIBUTE = frozenset(
    attribute.path.lower() for attribute in PROBE.every_attribute() if attribute.parent is None
)
# What each resource is at first, from START on and from END on.
LIVES = {"one": ("low", "high", "none"), "two": ("high", "none", "low"), "three": ("none", "low", "high")}
FILTERS = {text: found for text, found in FOUND.items() if "schemas" not in text and "meta" not in text}


def at(moment: int, name: str) -> str:
    """Return the name of the document that a resource is at a moment."""
    return LIVES[name][(moment >= START) + (moment >= END)]


class VaryingContract(StoreGround):
    """Attributes of which the store knows what time makes of them."""

    async def _lived(self) -> dict[str, str]:
        """Store resources that change; return names by id."""
        names = {}
        for name, (first, *later) in LIVES.items():
            phases = [
                (moment, {"title": name, **DOCUMENTS[each]})
                for moment, each in zip((START, END), later, strict=True)
            ]
            names[await self.put({"title": name, **DOCUMENTS[first]}, phases=phases)] = name
        return names

    @pytest.mark.parametrize("moment", [START - 1, START, END - 1, END])
    async def test_filters_find_what_holds_at_the_moment(self, moment: int) -> None:
        self.varying, self.moment = EVERY_ATTRIBUTE, moment
        names = await self._lived()
        found = {text: {names[own_id] for own_id in await self.found(text)} for text in FILTERS}
        expected = {
            text: {name for name in LIVES if at(moment, name) in documents}
            for text, documents in FILTERS.items()
        }
        assert {text: hits for text, hits in found.items() if hits != expected[text]} == {}

    async def test_attributes_that_do_not_vary_are_read_as_they_were_stored(self) -> None:
        self.varying, self.moment = frozenset({"flag"}), START
        names = await self._lived()
        found = {names[own_id] for own_id in await self.found('text eq "apple" and not (flag eq true)')}
        assert found == {"one"} - {name for name in LIVES if at(START, name) == "high"}
        assert {names[own_id] for own_id in await self.found('text eq "apple" and flag eq true')} == {"one"}

    async def test_a_resource_without_boundaries_is_found_at_any_moment(self) -> None:
        self.varying, self.moment = EVERY_ATTRIBUTE, END
        own_id = await self.put({"title": "a", "flag": True})
        assert await self.found("flag eq true") == [own_id]

    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("path", ORDERS)
    async def test_lists_are_sorted_and_walked_as_things_are_at_the_moment(
        self, path: str, descending: bool
    ) -> None:
        self.varying, self.moment = EVERY_ATTRIBUTE, START
        later = [document for equal in ORDERS[path] for document in equal[:1]]
        phases = [[(START, {"title": "x", **document})] for document in later]
        ids = [await self.put({"title": "x"}, phases=each) for each in phases]
        selection = Selection(((PROBE, None),), ((PROBE, known(PROBE, path)),), descending)
        walked: list[str] = []
        after: list[Any] | None = None
        while page := await self.rows(selection, limit=2, after=after):
            walked += [row.resource.id for row in page]
            after = [page[-1].sort_key, page[-1].resource.id]
        assert walked == (ids[::-1] if descending else ids)

    async def test_versions_and_times_of_change_are_those_of_the_moment(self) -> None:
        own_id = await self.put({"title": "a"}, phases=[(START, {}), (END, {})])
        other = await self.put({"title": "b"})
        holds = {
            START - 1: ['meta.version eq "W/\\"1\\""', 'meta.lastModified eq "1970-01-01T00:00:01Z"'],
            START: ['meta.version eq "W/\\"2\\""', 'meta.lastModified eq "1970-01-01T00:00:05Z"'],
            END: ['meta.version eq "W/\\"3\\""', 'meta.lastModified gt "1970-01-01T00:00:06.9999999Z"'],
        }
        for moment, filters in holds.items():
            self.moment = moment
            for text in filters:
                assert set(await self.found(text)) - {other} == {own_id}, text
            elsewhere = [text for then, each in holds.items() if then != moment for text in each]
            assert [text for text in elsewhere if own_id in await self.found(text)] == []

    @pytest.mark.parametrize("path", ["meta.version", "meta.lastModified"])
    async def test_versions_and_times_of_change_sort_as_they_are_at_the_moment(self, path: str) -> None:
        timed = await self.put({"title": "a"}, phases=[(START, {}), (END, {})])
        touched = await self.put({"title": "b"})
        await self.store.write(lambda writer: touch(writer, self.tenant, [touched], 6_000_000))
        selection = Selection(((PROBE, None),), ((PROBE, known(PROBE, path)),))
        for moment, order in ((START - 1, [timed, touched]), (END, [touched, timed])):
            self.moment = moment
            assert [row.resource.id for row in await self.rows(selection)] == order

    async def test_a_page_shows_the_versions_of_the_moment(self) -> None:
        await self.put({"title": "a"}, phases=[(START, {}), (END, {})])
        shown = []
        for moment in (START - 1, START, END):
            self.moment = moment
            (row,) = await self.rows(Selection(((PROBE, None),)))
            shown.append((row.resource.version, row.resource.modified))
        assert shown == [(1, 1_000_000), (2, START), (3, END)]
