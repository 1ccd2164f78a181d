"""Rows of resources: inserted, read, updated once a version, deleted softly, unique values."""
# ruff: noqa: D102 - a test's name states its fact

from decimal import Decimal

import pytest

from scim_server.scim.resources import Resource
from scim_server.store import clients, counters, resources
from scim_server.store.database import Writer
from scim_server.store.failures import LostRace
from scim_server.store.identifiers import new_id
from scim_server.store.listing import live_count
from tests.contract.base import StoreGround, contents_of
from tests.scim.samples import PROBE, USER

KEY = ("code", "x")


class ResourceContract(StoreGround):
    """One resource at a time."""

    async def test_a_resource_is_read_as_it_was_stored(self) -> None:
        document = {
            "title": "Zoë \"'\\ \U0001f600 %_\n",
            "amount": Decimal("1.50"),
            "whole": 2**63 - 1,
            "flag": False,
            "moment": "2026-05-13T04:42:34.1234567+02:00",
            "entries": [{"value": "x", "amount": Decimal("-0.000000000001"), "tags": ["a", "b"]}],
        }
        own_id = await self.put(document)
        assert await self.get(own_id) == Resource("Probe", own_id, 1, 1_000_000, 1_000_000, document)

    async def test_a_large_whole_decimal_is_read_as_it_was_stored(self) -> None:
        own_id = await self.put({"title": "a", "amount": 10**29})
        stored = await self.get(own_id)
        assert stored is not None
        assert stored.document["amount"] == 10**29

    async def test_an_unknown_id_is_nothing(self) -> None:
        assert await self.get(new_id()) is None

    async def test_an_id_of_another_type_is_nothing(self) -> None:
        assert await self.get(await self.put({"title": "a"}), USER) is None

    async def test_an_id_of_another_tenant_is_nothing(self) -> None:
        other = await self.store.write(lambda writer: clients.ensure_tenant(writer, "two", 1))
        assert await self.get(await self.put({"title": "a"}, tenant=other)) is None

    async def test_an_update_is_the_next_version(self) -> None:
        own_id = await self.put({"title": "a"})
        before = await self.get(own_id)
        assert before is not None
        await self.change(before, title="b")
        assert await self.get(own_id) == Resource("Probe", own_id, 2, 1_000_000, 2_000_000, {"title": "b"})

    async def test_an_update_of_an_older_version_loses_the_race(self) -> None:
        own_id = await self.put({"title": "a"})
        before = await self.get(own_id)
        assert before is not None
        await self.change(before, title="b")
        stale = Resource("Probe", own_id, 2, 1, 1, {"title": "c"})

        async def work(writer: Writer) -> None:
            await resources.update(writer, self.tenant, stale, contents_of(stale.document, PROBE))
            with pytest.raises(LostRace):
                await writer.flush()

        await self.store.write(work)
        after = await self.get(own_id)
        assert after is not None
        assert after.document == {"title": "b"}

    async def test_an_update_of_a_deleted_resource_loses_the_race(self) -> None:
        own_id = await self.put({"title": "a"})
        await self.drop(own_id)
        late = Resource("Probe", own_id, 3, 1, 1, {"title": "c"})

        async def work(writer: Writer) -> None:
            await resources.update(writer, self.tenant, late, contents_of(late.document, PROBE))
            with pytest.raises(LostRace):
                await writer.flush()

        await self.store.write(work)

    async def test_a_deleted_resource_is_nowhere(self) -> None:
        own_id = await self.put({"title": "a"})
        await self.drop(own_id)
        assert await self.get(own_id) is None
        assert await self.found("title pr") == []
        assert await self._locked([own_id]) == {}

    async def test_locking_tells_the_types_of_the_live_resources(self) -> None:
        probe, user = await self.put({"title": "a"}), await self.put({"userName": "a"}, USER)
        gone = await self.put({"title": "b"})
        await self.drop(gone)
        assert await self._locked([probe, user, gone, new_id()]) == {probe: "Probe", user: "User"}

    async def _locked(self, ids: list[str]) -> dict[str, str]:
        return await self.store.write(lambda writer: resources.lock_targets(writer, self.tenant, ids))

    async def test_touching_gives_the_next_version_to_live_resources(self) -> None:
        live, gone = await self.put({"title": "a"}), await self.put({"title": "b"})
        await self.drop(gone)
        await self.store.write(lambda writer: resources.touch(writer, self.tenant, [live, gone], 5_000_000))
        touched = await self.get(live)
        assert touched is not None
        assert (touched.version, touched.modified) == (2, 5_000_000)
        assert await self.get(gone) is None

    async def _claim(
        self, id: str, *keys: tuple[str, str], type_name: str = "Probe"
    ) -> list[tuple[str, str]]:
        return await self.store.write(
            lambda writer: resources.claim_unique(writer, self.tenant, type_name, id, keys)
        )

    async def test_a_unique_value_is_held_by_one_resource(self) -> None:
        assert await self._claim("1", KEY) == []
        assert await self._claim("2", KEY, ("code", "y")) == [KEY]

    async def test_unique_values_of_other_types_attributes_and_tenants_are_others(self) -> None:
        await self._claim("1", KEY)
        assert await self._claim("2", KEY, type_name="User") == []
        assert await self._claim("2", ("number", "x")) == []
        self.tenant = await self.store.write(lambda writer: clients.ensure_tenant(writer, "two", 1))
        assert await self._claim("2", KEY) == []

    async def test_a_released_value_is_free_for_others(self) -> None:
        await self._claim("1", KEY)
        await self.store.write(
            lambda writer: resources.release_unique(writer, self.tenant, "Probe", "1", [KEY])
        )
        assert await self._claim("2", KEY) == []

    async def test_a_value_is_released_only_by_its_holder(self) -> None:
        await self._claim("1", KEY)
        await self.store.write(
            lambda writer: resources.release_unique(writer, self.tenant, "Probe", "2", [KEY])
        )
        assert await self._claim("3", KEY) == [KEY]

    async def test_deleting_frees_the_unique_values(self) -> None:
        await self.drop(await self.put({"title": "a", "code": "x"}))
        assert await self._claim("2", KEY) == []

    async def test_work_that_fails_leaves_nothing(self) -> None:
        async def work(writer: Writer) -> None:
            await resources.claim_unique(writer, self.tenant, "Probe", "1", [KEY])
            await counters.count_live(writer, self.tenant, "Probe", 1)
            raise ValueError

        with pytest.raises(ValueError, match=r"^$"):
            await self.store.write(work)
        assert await self._claim("2", KEY) == []
        assert await self._live("Probe") == 0

    async def _live(self, *types: str) -> int:
        return await self.store.read(lambda reader: live_count(reader, self.tenant, types))

    async def _count(self, type_name: str, change: int) -> None:
        await self.store.write(lambda writer: counters.count_live(writer, self.tenant, type_name, change))

    async def test_counters_add_up_over_their_slots(self) -> None:
        for change in [1] * 30 + [-1] * 10:
            await self._count("Probe", change)
        await self._count("User", 5)
        assert (await self._live("Probe"), await self._live("Probe", "User")) == (20, 25)

    async def test_a_type_that_was_never_counted_has_none(self) -> None:
        assert await self._live("Group") == 0

    async def test_numbers_of_a_sequence_follow_each_other_from_1_on(self) -> None:
        async def work(writer: Writer) -> list[int]:
            return [await counters.next_number(writer, self.tenant, name) for name in "aab"]

        assert await self.store.write(work) == [1, 2, 1]
        self.tenant = await self.store.write(lambda writer: clients.ensure_tenant(writer, "two", 1))
        assert await self.store.write(work) == [1, 2, 1]
