"""Rows of references: read from both ends, changed one by one."""
# ruff: noqa: D102 - a test's name states its fact

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from scim_server.scim.filters.binding import bind_value_filter
from scim_server.scim.filters.grammar import parse_filter
from scim_server.scim.resources import ReferenceValue
from scim_server.store import references
from scim_server.store.groups import groups_of
from tests.contract.base import StoreGround
from tests.scim.samples import GROUP, PROBE, STRICT, USER, known

MEMBERS = known(GROUP, "members")
OWNERS = known(PROBE, "owners")


class ReferenceContract(StoreGround):
    """Who points at whom."""

    async def user(self, name: str) -> str:
        """Store a user."""
        return await self.put({"userName": name}, USER)

    async def group(self, name: str, *members: str) -> str:
        """Store a group with members."""
        return await self.put({"displayName": name, "members": [{"value": each} for each in members]}, GROUP)

    async def targets(self, source: str, attribute: Any = MEMBERS) -> list[ReferenceValue]:
        """Return the references of one source."""
        found = await self.store.read(
            lambda reader: references.of_sources(reader, self.tenant, [source], [attribute])
        )
        return found.get(source, {}).get(attribute.storage_key, [])

    async def members(self, group: str) -> set[str]:
        """Return the ids of the members of a group."""
        return {value.target for value in await self.targets(group)}

    async def groups(self, member: str) -> dict[str, str | None]:
        """Return the groups of a resource with how it is in each."""
        found = await self.store.read(lambda reader: groups_of(reader, self.tenant, [member]))
        return {value.target: value.kind for value in found.get(member, [])}

    async def add(self, group: str, *targets: str) -> int:
        """Add members."""
        return await self.store.write(
            lambda writer: references.add(writer, self.tenant, group, "members", targets, 7)
        )

    async def test_a_reference_is_seen_from_both_ends(self) -> None:
        ann = await self.user("ann")
        group = await self.group("g", ann)
        assert await self.targets(group) == [ReferenceValue(ann, "User", "ann")]
        assert await self.groups(ann) == {group: "direct"}

    async def test_adding_tells_how_many_were_new(self) -> None:
        ann, bob = await self.user("ann"), await self.user("bob")
        group = await self.group("g", ann)
        assert await self.add(group, ann, bob) == 1
        assert await self.add(group, ann, bob) == 0
        assert await self.members(group) == {ann, bob}

    async def test_more_members_than_fit_one_statement_are_added_and_removed(self) -> None:
        group = await self.group("g")
        targets = [f"target-{number}" for number in range(2_500)]
        assert await self.add(group, *targets) == 2_500
        removed = await self.store.write(
            lambda writer: references.remove(writer, self.tenant, group, "members", [*targets, "other"])
        )
        assert removed == 2_500
        assert await self.members(group) == set()

    async def test_removing_leaves_other_groups_alone(self) -> None:
        ann = await self.user("ann")
        one, other = await self.group("one", ann), await self.group("other", ann)
        await self.store.write(lambda writer: references.remove(writer, self.tenant, one, "members", [ann]))
        assert await self.groups(ann) == {other: "direct"}

    @pytest.mark.parametrize("kept", [[], ["a"], ["a", "c", "new"]])
    async def test_keeping_only_some_removes_the_others(self, kept: Sequence[str]) -> None:
        group = await self.group("g", "a", "b", "c")
        gone = await self.store.write(
            lambda writer: references.keep_only(writer, self.tenant, group, "members", kept)
        )
        assert await self.members(group) == {"a", "b", "c"} & set(kept)
        assert gone == 3 - len(await self.members(group))

    async def test_members_come_in_the_order_in_which_they_were_added(self) -> None:
        group = await self.group("g")
        for number, target in enumerate(["z", "a", "m"]):
            await self.store.write(
                lambda writer, target=target, number=number: references.add(  # type: ignore[misc]
                    writer, self.tenant, group, "members", [target], number
                )
            )
        assert [value.target for value in await self.targets(group)] == ["z", "a", "m"]

    async def test_a_target_that_is_not_stored_has_neither_type_nor_name(self) -> None:
        assert await self.targets(await self.group("g", "nobody")) == [ReferenceValue("nobody")]

    async def test_nested_groups_are_indirect_and_the_nearest_way_counts(self) -> None:
        ann = await self.user("ann")
        inner = await self.group("inner", ann)
        middle = await self.group("middle", inner)
        outer = await self.group("outer", middle, ann)
        assert await self.groups(ann) == {inner: "direct", outer: "direct", middle: "indirect"}
        assert await self.groups(inner) == {middle: "direct", outer: "indirect"}

    async def test_a_circle_of_groups_is_read_to_its_end(self) -> None:
        ann = await self.user("ann")
        one = await self.group("one", ann)
        other = await self.group("other", one)
        await self.add(one, other)
        assert await self.groups(ann) == {one: "direct", other: "indirect"}

    async def test_what_leads_to_a_group_is_reachable_however_far(self) -> None:
        ids = [await self.group(f"g{number}") for number in range(6)]
        for outer, inner in pairwise(ids):
            await self.add(outer, inner)
        assert await self._reaches(ids[0], ids[5])
        assert not await self._reaches(ids[5], ids[0])
        assert await self._reaches(ids[2], ids[2])

    async def _reaches(self, start: str, wanted: str) -> bool:
        return await self.store.write(
            lambda writer: references.is_reachable(writer, self.tenant, "members", [start], wanted)
        )

    async def test_forgetting_a_resource_removes_its_references_both_ways(self) -> None:
        ann = await self.user("ann")
        inner = await self.group("inner", ann)
        outer, other = await self.group("outer", inner), await self.group("other", ann)
        assert await self.drop(inner) == [outer]
        assert await self.members(outer) == set()
        assert await self.groups(ann) == {other: "direct"}

    async def test_what_a_source_says_of_a_reference_comes_with_it(self) -> None:
        ann = await self.user("ann")
        owner = {"value": ann, "duty": "Lead", "since": "2026-01-01T00:00:00Z"}
        probe = await self.put({"title": "a", "owners": [owner, {"value": "x"}]})
        values = {value.target: value.payload for value in await self.targets(probe, OWNERS)}
        assert values == {ann: {"duty": "Lead", "since": "2026-01-01T00:00:00Z"}, "x": None}

    async def test_saving_references_makes_them_the_only_ones(self) -> None:
        probe = await self.put({"title": "a", "owners": [{"value": "x"}, {"value": "y", "duty": "b"}]})
        await self.store.write(
            lambda writer: references.save(writer, self.tenant, probe, "owners", {"y": ({}, {})}, 9)
        )
        assert await self.targets(probe, OWNERS) == [ReferenceValue("y")]

    @pytest.mark.parametrize(
        ("filter", "left"),
        [
            ('type eq "User"', {"inner", "nobody"}),
            ('type eq "group"', {"ann", "bob", "nobody"}),
            ('display eq "ANN"', {"bob", "inner", "nobody"}),
            ('display sw "i" or display ew "b"', {"ann", "nobody"}),
            ("not (display pr)", {"ann", "bob", "inner"}),
            ('value eq "nobody"', {"ann", "bob", "inner"}),
            ('not (value eq "nobody")', {"nobody"}),
            ('type eq "User" and display ne "ann"', {"ann", "inner", "nobody"}),
            ("value pr", set()),
        ],
    )
    async def test_members_are_removed_by_a_condition(self, filter: str, left: set[str]) -> None:
        names = {
            await self.user("ann"): "ann",
            await self.user("bob"): "bob",
            await self.group("inner"): "inner",
            "nobody": "nobody",
        }
        group = await self.group("g", *names)
        condition = bind_value_filter(parse_filter(filter), MEMBERS, STRICT)
        removed = await self.store.write(
            lambda writer: references.remove_where(writer, self.context, group, MEMBERS, condition)
        )
        assert {names[target] for target in await self.members(group)} == left
        assert removed == len(names) - len(left)
