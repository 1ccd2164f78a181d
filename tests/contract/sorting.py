"""Sorted lists: every type of attribute, missing values, both directions, walked by key."""
# ruff: noqa: D102 - a test's name states its fact

from typing import Any

import pytest

from scim_server.store.listing import Selection
from tests.contract.base import StoreGround
from tests.scim.samples import EXTRA_URN, PROBE, known


def entry(value: Any, *, at: str = "value", **more: Any) -> dict[str, Any]:
    """Return an element with one part."""
    return {at: value, **more}


# The documents of each attribute in ascending order, equal ones together.
ORDERS: dict[str, list[list[dict[str, Any]]]] = {
    "text": [
        [{"text": "A"}],
        [{"text": "a b"}],
        [{"text": "B"}, {"text": "b"}],
        [{"text": "straße"}, {"text": "STRASSE"}],
        [{"text": "z"}],
        [{"text": "é"}],
        [{"text": "\uffee"}],
        [{"text": "\U0001f600"}],
    ],
    "exact": [[{"exact": "B"}], [{"exact": "a"}], [{"exact": "b"}, {"exact": "b"}]],
    "flag": [[{"flag": False}, {"flag": False}], [{"flag": True}, {"flag": True}]],
    "whole": [
        [{"whole": -(2**63)}],
        [{"whole": -1}],
        [{"whole": 9}, {"whole": 9}],
        [{"whole": 10}],
        [{"whole": 2**63 - 1}],
    ],
    "amount": [[{"amount": -10}], [{"amount": -9}], [{"amount": 9}], [{"amount": 10}, {"amount": 10}]],
    "moment": [
        [{"moment": "2026-01-01T02:00:00+02:30"}],
        [{"moment": "2026-01-01T00:00:00Z"}, {"moment": "2026-01-01T01:00:00+01:00"}],
        [{"moment": "2026-01-01T00:00:00.0000001Z"}],
        [{"moment": "9999-12-31T23:59:59Z"}],
    ],
    "link": [[{"link": "https://A"}], [{"link": "https://a"}]],
    "place.city": [[{"place": {"city": "A"}}], [{"place": {"city": "b"}}]],
    f"{EXTRA_URN}:level": [[{EXTRA_URN: {"level": 2}}], [{EXTRA_URN: {"level": 10}}]],
    "entries.value": [
        [{"entries": [entry("z"), entry("a", primary=True)]}],
        [{"entries": [entry("b"), entry("a"), entry("c")]}],
        [{"entries": [entry("c"), entry("a", primary=False)]}],
    ],
    "entries.count": [[{"entries": [entry(9, at="count")]}], [{"entries": [entry(10, at="count")]}]],
    "entries.done": [[{"entries": [entry(False, at="done")]}], [{"entries": [entry(True, at="done")]}]],
    "entries.amount": [[{"entries": [entry(9, at="amount")]}], [{"entries": [entry(10, at="amount")]}]],
    "texts": [[{"texts": ["z", "a"]}], [{"texts": ["b"]}]],
    "wholes": [[{"wholes": [9]}], [{"wholes": [10]}]],
}


class SortContract(StoreGround):
    """Every kind of attribute to sort by."""

    async def _filled(self, path: str) -> list[set[str]]:
        """Store the documents backwards, with two that lack the attribute; return ids in ascending order."""
        placed = [
            {await self.put({"title": "x", **document}) for document in equal}
            for equal in reversed(ORDERS[path])
        ][::-1]
        return [*placed, {await self.put({"title": "x"}) for _ in range(2)}]

    @staticmethod
    def _selection(path: str, *, descending: bool) -> Selection:
        return Selection(((PROBE, None),), ((PROBE, known(PROBE, path)),), descending)

    @staticmethod
    def _grouped(ids: list[str], order: list[set[str]]) -> list[set[str]]:
        found, start = [], 0
        for equal in order:
            found.append(set(ids[start : start + len(equal)]))
            start += len(equal)
        return found

    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("path", ORDERS)
    async def test_a_list_is_sorted_with_missing_values_at_the_end_that_is_due(
        self, path: str, descending: bool
    ) -> None:
        order = await self._filled(path)
        order = order[::-1] if descending else order
        rows = await self.rows(self._selection(path, descending=descending))
        assert self._grouped([row.resource.id for row in rows], order) == order

    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("path", ORDERS)
    async def test_walking_by_key_gives_what_one_page_gives(self, path: str, descending: bool) -> None:
        await self._filled(path)
        selection = self._selection(path, descending=descending)
        whole = [row.resource.id for row in await self.rows(selection)]
        walked: list[str] = []
        after: list[Any] | None = None
        while page := await self.rows(selection, limit=2, after=after):
            walked += [row.resource.id for row in page]
            after = [page[-1].sort_key, page[-1].resource.id]
        assert walked == whole

    @pytest.mark.parametrize("path", ["id", "meta.created", "meta.lastModified", "meta.version"])
    @pytest.mark.parametrize("descending", [False, True])
    async def test_common_attributes_sort_and_walk(self, path: str, descending: bool) -> None:
        ids = [await self.put({"title": "x"}, moment=number) for number in range(3)]
        for number, own_id in enumerate(ids):
            for _ in range(number):
                stored = await self.get(own_id)
                assert stored is not None
                await self.change(stored, title="y")
        selection = self._selection(path, descending=descending)
        ordered = [row.resource.id for row in await self.rows(selection)]
        if path != "meta.lastModified":
            assert ordered == (ids[::-1] if descending else ids)
        (first, *_) = await self.rows(selection, limit=1)
        rest = await self.rows(selection, after=[first.sort_key, first.resource.id])
        assert [first.resource.id, *(row.resource.id for row in rest)] == ordered

    async def test_of_several_values_without_a_primary_one_the_first_counts(self) -> None:
        values = [[f"{first}", "a", "zz", "b"] for first in range(9, 0, -1)]
        ids = [await self.put({"title": "x", "entries": [entry(each) for each in part]}) for part in values]
        rows = await self.rows(self._selection("entries.value", descending=False))
        assert [row.resource.id for row in rows] == ids[::-1]
