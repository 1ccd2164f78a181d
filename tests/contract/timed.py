"""Resources that change by themselves: each boundary that has passed is a version, without any writer."""
# ruff: noqa: D102 - a test's name states its fact

import pytest

from scim_server.scim.resources import Resource
from scim_server.store import resources
from scim_server.store.clock import now
from scim_server.store.database import Writer
from scim_server.store.identifiers import new_id
from tests.contract.base import StoreGround, contents_of, phases_of
from tests.scim.samples import PROBE

FIRST, SECOND = 5_000_000, 7_000_000


class TimedContract(StoreGround):
    """One resource with boundaries."""

    async def timed(self, *boundaries: int) -> str:
        """Store a resource with boundaries."""
        return await self.put({"title": "a"}, phases=[(moment, {}) for moment in boundaries])

    async def at(self, id: str, moment: int) -> Resource:
        """Return a resource as it is at a moment."""
        found = await self.store.read(
            lambda reader: resources.fetch(reader, self.tenant, "Probe", id, now=moment)
        )
        assert found is not None
        return found

    async def phases(self) -> list[tuple[int, int | None]]:
        """Return start and end of every phase in the store."""
        return await self.store.read(phases_of)

    @pytest.mark.parametrize(
        ("moment", "version", "modified", "to_come"),
        [
            (FIRST - 1, 1, 1_000_000, (FIRST, SECOND)),
            (FIRST, 2, FIRST, (SECOND,)),
            (SECOND - 1, 2, FIRST, (SECOND,)),
            (SECOND, 3, SECOND, ()),
        ],
    )
    async def test_a_boundary_that_has_passed_made_a_version(
        self, moment: int, version: int, modified: int, to_come: tuple[int, ...]
    ) -> None:
        found = await self.at(await self.timed(FIRST, SECOND), moment)
        assert (found.version, found.modified, found.boundaries) == (version, modified, to_come)
        assert (found.stored_version, found.is_timed) == (1, True)

    async def test_what_was_read_knows_its_later_versions(self) -> None:
        found = await self.at(await self.timed(FIRST, SECOND), FIRST)
        assert [found.effective_version(moment) for moment in (FIRST, SECOND - 1, SECOND)] == [2, 2, 3]
        assert [found.effective_modified(moment) for moment in (FIRST, SECOND)] == [FIRST, SECOND]

    async def test_without_a_moment_it_is_read_as_it_is_now(self) -> None:
        found = await self.get(await self.timed(FIRST, now() + 60_000_000))
        assert found is not None
        assert found.version == 2

    async def test_an_update_follows_the_effective_version(self) -> None:
        own_id = await self.timed(FIRST, SECOND)
        await self.change(await self.at(own_id, FIRST), title="b")
        for moment in (FIRST, SECOND):
            after = await self.at(own_id, moment)
            assert (after.version, after.stored_version, after.is_timed) == (3, 3, False)
        assert await self.phases() == []

    async def test_an_update_that_read_an_older_row_loses_the_race(self) -> None:
        own_id = await self.timed(FIRST)
        stale = await self.at(own_id, FIRST)
        await self.change(stale, title="b")
        stale.version += 1
        contents = contents_of({"title": "c"}, PROBE)
        await self.loses(lambda writer: resources.update(writer, self.tenant, stale, contents))

    async def test_an_update_replaces_the_phases(self) -> None:
        own_id = await self.timed(FIRST, SECOND)
        assert await self.phases() == [(FIRST, SECOND), (SECOND, None)]
        changed = await self.at(own_id, 1)
        changed.version += 1
        contents = contents_of({"title": "b"}, PROBE, [(SECOND, {}), (9_000_000, {})])
        await self.store.write(lambda writer: resources.update(writer, self.tenant, changed, contents))
        assert await self.phases() == [(SECOND, 9_000_000), (9_000_000, None)]
        assert (await self.at(own_id, 9_000_000)).version == 4

    async def test_a_touched_resource_keeps_its_boundaries(self) -> None:
        own_id = await self.timed(FIRST, SECOND)
        await self.store.write(lambda writer: resources.touch(writer, self.tenant, [own_id], 6_000_000))
        early, late = await self.at(own_id, 6_000_000), await self.at(own_id, SECOND)
        assert (early.version, early.modified, early.boundaries) == (3, 6_000_000, (SECOND,))
        assert (late.version, late.modified) == (4, SECOND)

    async def test_deleting_keeps_the_versions_rising_and_drops_the_phases(self) -> None:
        own_id = await self.timed(1_500_000, 2_500_000, SECOND)
        await self.drop(own_id)
        gone = await self.deleted(own_id)
        assert gone is not None
        assert (gone.version, gone.modified, gone.is_timed) == (4, 3_000_000, False)
        assert await self.phases() == []

    async def test_phases_of_others_are_left_alone(self) -> None:
        await self.timed(FIRST)
        await self.drop(await self.timed(SECOND))
        assert await self.phases() == [(FIRST, None)]

    async def test_a_row_that_nobody_read_is_updated_by_its_version(self) -> None:
        created = Resource("Probe", new_id(), 1, 1, 1, {"title": "a"})
        changed = Resource("Probe", created.id, 2, 1, 2, {"title": "b"})

        async def work(writer: Writer) -> None:
            await resources.insert(writer, self.tenant, created, contents_of(created.document, PROBE))
            await resources.update(writer, self.tenant, changed, contents_of(changed.document, PROBE))

        await self.store.write(work)
        assert await self.get(created.id) == changed
