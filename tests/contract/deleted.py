"""Deleted resources: found by id and by a value, and brought back once."""
# ruff: noqa: D102 - a test's name states its fact

import pytest

from scim_server.scim.resources import Resource
from scim_server.store import clients, deleted
from tests.contract.base import StoreGround, Work, contents_of
from tests.scim.samples import PROBE, USER


class DeletedContract(StoreGround):
    """What is left of a resource after its deletion."""

    async def by_external_id(self, value: str, type_name: str = "User") -> str | None:
        """Return the id of the deleted resource found by its externalId."""
        found = await self.store.write(
            lambda writer: deleted.find_deleted_by(writer, self.tenant, type_name, "externalId", value)
        )
        return None if found is None else found.id

    async def provisioned(self, external_id: str, name: str = "ann") -> str:
        """Store a user that a client knows by an id of its own."""
        return await self.put({"userName": name, "externalId": external_id}, USER)

    async def test_a_deleted_resource_is_there_with_the_moment_of_its_deletion(self) -> None:
        own_id = await self.put({"title": "a"})
        await self.drop(own_id)
        assert await self.deleted(own_id) == Resource(
            "Probe", own_id, 2, 1_000_000, 3_000_000, {"title": "a"}
        )

    async def test_live_resources_and_those_of_other_types_and_tenants_are_not_deleted_ones(self) -> None:
        live, gone = await self.put({"title": "a"}), await self.put({"title": "b"})
        await self.drop(gone)
        assert await self.deleted(live) is None
        assert await self.deleted(gone, USER) is None
        assert await self.deleted("\x00") is None
        self.tenant = await self.store.write(lambda writer: clients.ensure_tenant(writer, "two", 1))
        assert await self.deleted(gone) is None

    async def test_of_several_deleted_with_a_value_the_last_one_is_found(self) -> None:
        ids = [await self.provisioned("x-1", name) for name in ("ann", "bob", "cyd")]
        for moment, own_id in ((5, ids[1]), (9, ids[0]), (7, ids[2])):
            await self.drop(own_id, moment)
        assert await self.by_external_id("x-1") == ids[0]

    async def test_a_value_finds_neither_live_nor_other_resources(self) -> None:
        await self.provisioned("x-1")
        await self.drop(await self.provisioned("x-12", "bob"))
        assert await self.by_external_id("x-1") is None
        assert await self.by_external_id("x-12", "Group") is None
        assert await self.by_external_id('"%') is None

    def _restored(self, own_id: str, version: int) -> Work:
        """Return the work of bringing a resource back as a version with a boundary to come."""
        restored = Resource("Probe", own_id, version, 1_000_000, 4_000_000, {"title": "back"})
        contents = contents_of(restored.document, PROBE, [(8_000_000, {})])
        return lambda writer: deleted.undelete(writer, self.tenant, restored, contents)

    async def test_a_resource_comes_back_as_its_next_version_with_phases(self) -> None:
        own_id = await self.put({"title": "a"})
        await self.drop(own_id)
        await self.store.write(self._restored(own_id, 3))
        found = await self.get(own_id)
        assert found is not None
        assert (found.version, found.modified, found.document) == (4, 8_000_000, {"title": "back"})
        assert await self.deleted(own_id) is None
        assert await self.found('title eq "back"') == [own_id]

    @pytest.mark.parametrize("version", [2, 4])
    async def test_bringing_back_another_version_loses_the_race(self, version: int) -> None:
        own_id = await self.put({"title": "a"})
        await self.drop(own_id)
        await self.loses(self._restored(own_id, version))

    async def test_a_live_resource_cannot_be_brought_back(self) -> None:
        own_id = await self.put({"title": "a"})
        await self.loses(self._restored(own_id, 2))
