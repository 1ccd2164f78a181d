"""Lists: paged by offset and by key, over one type or several."""
# ruff: noqa: D102 - a test's name states its fact

from scim_server.scim.resources import Resource
from scim_server.store.listing import Selection
from tests.contract.base import StoreGround
from tests.scim.samples import GROUP, PROBE, USER, bound, known

ALL = Selection(((PROBE, None),))


class ListContract(StoreGround):
    """Pages of a selection without a sort."""

    async def some(self, number: int) -> list[str]:
        """Store resources and return their ids in the order of creation."""
        return [await self.put({"title": f"t{index}"}) for index in range(number)]

    async def ids(self, selection: Selection, **page: object) -> list[str]:
        """Return the ids of one page."""
        return [row.resource.id for row in await self.rows(selection, **page)]

    async def test_without_a_sort_the_order_is_that_of_creation(self) -> None:
        ids = await self.some(20)
        assert await self.ids(ALL) == ids == sorted(ids)

    async def test_a_page_by_offset(self) -> None:
        ids = await self.some(7)
        assert await self.ids(ALL, limit=3, offset=2) == ids[2:5]
        assert await self.ids(ALL, limit=3, offset=6) == ids[6:]
        assert await self.ids(ALL, limit=3, offset=7) == []

    async def test_a_page_by_key(self) -> None:
        ids = await self.some(7)
        assert await self.ids(ALL, limit=3, after=[ids[1]]) == ids[2:5]
        assert await self.ids(ALL, limit=3, after=[ids[6]]) == []

    async def test_a_key_stays_good_when_its_resource_is_deleted(self) -> None:
        ids = await self.some(5)
        await self.drop(ids[1])
        assert await self.ids(ALL, after=[ids[1]]) == ids[2:]

    async def test_a_page_holds_whole_resources(self) -> None:
        (own_id,) = await self.some(1)
        (row,) = await self.rows(ALL)
        assert row.resource == Resource("Probe", own_id, 1, 1_000_000, 1_000_000, {"title": "t0"})
        assert row.sort_key is None

    async def test_a_list_over_several_types_has_the_condition_of_each(self) -> None:
        probe = await self.put({"title": "a"})
        ann = await self.put({"userName": "ann"}, USER)
        await self.put({"userName": "bob"}, USER)
        group = await self.put({"displayName": "g"}, GROUP)
        selection = Selection(((PROBE, None), (USER, bound('userName eq "ann"', USER)), (GROUP, None)))
        assert await self.ids(selection) == [probe, ann, group]

    async def test_a_type_that_is_not_asked_for_is_not_listed(self) -> None:
        await self.put({"userName": "ann"}, USER)
        assert await self.ids(ALL) == []

    async def test_a_sort_over_several_types_compares_an_attribute_of_each(self) -> None:
        probe = await self.put({"title": "b"})
        ann = await self.put({"userName": "c", "title": "a"}, USER)
        sort = ((PROBE, known(PROBE, "title")), (USER, known(USER, "title")))
        assert await self.ids(Selection(((PROBE, None), (USER, None)), sort)) == [ann, probe]

    async def test_a_sort_over_several_types_compares_numbers_as_numbers(self) -> None:
        ids = await self.some(2)
        ann = await self.put({"userName": "ann"}, USER)
        for own_id, versions in ((ids[0], 9), (ann, 1)):
            for _ in range(versions):
                stored = await self.get(own_id, USER if own_id == ann else PROBE)
                assert stored is not None
                await self.change(stored, **stored.document)
        sort = ((PROBE, known(PROBE, "meta.version")), (USER, known(USER, "meta.version")))
        assert await self.ids(Selection(((PROBE, None), (USER, None)), sort)) == [ids[1], ann, ids[0]]
