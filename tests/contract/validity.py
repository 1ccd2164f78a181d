"""References that hold for a time: invisible from their end on, wherever they are read."""
# ruff: noqa: D102 - a test's name states its fact

from typing import Any

import pytest
import sqlalchemy as sa

from scim_server.scim.attributes import ReferenceKind
from scim_server.scim.contents import take_references
from scim_server.scim.resources import ReferenceValue
from scim_server.store import holders, references
from scim_server.store.database import Reader, Writer
from scim_server.store.groups import groups_of
from scim_server.store.tables import Record, reference
from tests.contract.base import StoreGround
from tests.scim.samples import GROUP, REGISTRY, USER, known

URN = "urn:ietf:params:scim:schemas:extension:role:2.0:User"
ROLES = known(USER, f"{URN}:roleAssignments")
KEY = holders.ROLE_ASSIGNMENTS
ROLE = REGISTRY.resource_types["Role"]
# Each begins and ends at these moments, in seconds.
SPANS: dict[str, tuple[int | None, int | None]] = {
    "always": (None, None),
    "until 5": (None, 5),
    "from 7": (7, None),
    "5 to 7": (5, 7),
}


Values = dict[str, tuple[dict[str, Any], dict[str, Any]]]


def assigned(target: str, begins: int | None = None, ends: int | None = None, **more: Any) -> dict[str, Any]:
    """Return an assignment that holds between two moments in seconds."""
    moments = {"validFrom": begins, "validTo": ends}
    stated = {name: f"1970-01-01T00:00:{each:02d}Z" for name, each in moments.items() if each is not None}
    return {"value": target, **stated, **more}


def values_of(*assignments: dict[str, Any]) -> Values:
    """Return assignments as they are saved."""
    assert ROLES.reference_kind is ReferenceKind.SINGLE_SOURCE
    _, found = take_references({URN: {"roleAssignments": list(assignments)}}, USER)
    return found.get(KEY, {})


class ValidityContract(StoreGround):
    """Assignments with dates."""

    async def holder(self, *assignments: dict[str, Any], name: str = "ann", **facts: Any) -> str:
        """Store a user with assignments."""
        data = {"userName": name, "active": True, URN: {"roleAssignments": list(assignments)}, **facts}
        return await self.put(data, USER)

    async def keep(self, source: str, *assignments: dict[str, Any], moment: int = 9) -> None:
        """Save assignments as the only ones, at a moment in seconds."""

        async def work(writer: Writer) -> None:
            values = values_of(*assignments)
            await references.save(writer, self.tenant, source, KEY, values, moment * 1_000_000)

        await self.store.write(work)

    async def seen(self, source: str, second: int) -> list[str]:
        """Return the targets seen at a moment in seconds."""
        found = await self.store.read(
            lambda reader: references.of_sources(
                reader, self.tenant, [source], [ROLES], now=second * 1_000_000
            )
        )
        return [value.target for value in found.get(source, {}).get(KEY, [])]

    async def stored(self) -> list[Record]:
        """Return every row of assignments by target."""

        async def work(reader: Reader) -> list[Record]:
            query = sa.select(reference).where(reference.c.attribute == KEY).order_by(reference.c.target_id)
            return list(await reader.execute(query))

        return await self.store.read(work)

    @pytest.mark.parametrize(
        ("second", "visible"),
        [
            (4, {"always", "until 5", "from 7", "5 to 7"}),
            (5, {"always", "from 7", "5 to 7"}),
            (6, {"always", "from 7", "5 to 7"}),
            (7, {"always", "from 7"}),
        ],
    )
    async def test_a_reference_is_seen_until_the_microsecond_of_its_end(
        self, second: int, visible: set[str]
    ) -> None:
        source = await self.holder(*(assigned(name, *span) for name, span in SPANS.items()))
        self.moment = second * 1_000_000
        assert set(await self.seen(source, second)) == visible
        for name in SPANS:
            found = await self.found(f'{URN}:roleAssignments eq "{name}"', USER)
            assert found == ([source] if name in visible else [])
        assert await self._sources(*SPANS, second=second) == [source]
        assert {name for name in SPANS if await self.held(name, second)} == visible

    async def _sources(self, *targets: str, second: int) -> list[str]:
        return await self.store.read(
            lambda reader: holders.sources_of(reader, self.tenant, KEY, targets, now=second * 1_000_000)
        )

    async def held(self, target: str, second: int) -> int:
        return await self.store.read(
            lambda reader: holders.count_sources(reader, self.tenant, KEY, target, second * 1_000_000)
        )

    @pytest.mark.parametrize(
        ("second", "status", "names"),
        [
            (4, "active", {"always", "until 5"}),
            (4, "scheduled", {"from 7", "5 to 7"}),
            (5, "ACTIVE", {"always", "5 to 7"}),
            (7, "active", {"always", "from 7"}),
            (7, "scheduled", set()),
        ],
    )
    async def test_the_status_says_whether_a_reference_has_begun(
        self, second: int, status: str, names: set[str]
    ) -> None:
        users = {await self.holder(assigned("r", *span), name=name): name for name, span in SPANS.items()}
        self.moment = second * 1_000_000
        text = f'{URN}:roleAssignments[value eq "r" and status eq "{status}"]'
        assert {users[own_id] for own_id in await self.found(text, USER)} == names
        plain = f'{URN}:roleAssignments.status eq "{status}"'
        assert {users[own_id] for own_id in await self.found(plain, USER)} == names

    async def test_an_extension_whose_references_have_all_ended_has_no_data(self) -> None:
        source = await self.holder(assigned("r", None, 5))
        for second, found in ((4, [source]), (5, [])):
            self.moment = second * 1_000_000
            assert await self.found(f'schemas eq "{URN}"', USER) == found

    async def test_sources_of_several_targets_come_once_and_in_order(self) -> None:
        ann = await self.holder(assigned("r"), assigned("s"))
        bob = await self.holder(assigned("s"), name="bob")
        await self.holder(assigned("t"), name="cyd")
        assert await self._sources("r", "s", second=1) == [ann, bob]
        assert await self._sources(second=1) == []
        assert await self.held("s", 1) == 2

    async def test_dates_and_owner_are_kept_beside_what_the_source_says(self) -> None:
        source = await self.holder()
        await self.keep(source)
        payload = {
            "validFrom": "1970-01-01T01:00:02+01:00",
            "validTo": "1970-01-01T00:00:20Z",
            "owner": "idp",
        }

        other: dict[str, Any] = {"validTo": "tomorrow", "owner": 5}

        async def work(writer: Writer) -> None:
            values: Values = {"r": (payload, {}), "s": (other, {})}
            await references.save(writer, self.tenant, source, KEY, values, 1)

        await self.store.write(work)
        rows = [(row.valid_from, row.valid_to, row.owner) for row in await self.stored()]
        assert rows == [(2_000_000, 20_000_000, "idp"), (None, None, None)]

    async def test_what_stays_keeps_its_place_in_the_order(self) -> None:
        source = await self.holder(assigned("b"))
        await self.keep(source, assigned("a"), assigned("b"), moment=8)
        await self.keep(source, assigned("a"), assigned("b", primary=True), moment=9)
        assert await self.seen(source, 9) == ["b", "a"]
        assert [row.created for row in await self.stored()] == [8_000_000, 1_000_000]

    async def test_what_a_source_says_newly_of_a_reference_replaces_what_it_said(self) -> None:
        source = await self.holder(assigned("a", None, 20))
        await self.keep(source, assigned("a", 3, justification="cover"))
        (row,) = await self.stored()
        assert (row.valid_from, row.valid_to, row.created) == (3_000_000, None, 1_000_000)
        values = await self.store.read(
            lambda reader: references.of_sources(reader, self.tenant, [source], [ROLES])
        )
        payload = {"validFrom": "1970-01-01T00:00:03Z", "justification": "cover"}
        assert values[source][KEY] == [ReferenceValue("a", payload=payload)]

    async def test_an_ended_reference_is_replaced_by_a_new_one_of_the_same_key(self) -> None:
        source = await self.holder(assigned("a", None, 5), assigned("b"))
        await self.keep(source, assigned("a"), assigned("b"))
        assert await self.seen(source, 9) == ["b", "a"]
        assert [row.created for row in await self.stored()] == [9_000_000, 1_000_000]

    async def test_saving_leaves_ended_references_where_they_are(self) -> None:
        source = await self.holder(assigned("a", None, 5), assigned("b"))
        await self.keep(source)
        assert [row.target_id for row in await self.stored()] == ["a"]
        assert await self.seen(source, 9) == []

    async def test_ended_references_are_removed_the_earliest_first(self) -> None:
        source = await self.holder(*(assigned(f"until {end}", None, end) for end in (8, 6, 7)), assigned("r"))
        removed = [
            await self.store.write(
                lambda writer: references.remove_expired(writer, self.tenant, 7_000_000, 1)
            )
            for _ in range(3)
        ]
        assert removed == [[(source, KEY, "until 6")], [(source, KEY, "until 7")], []]
        assert [row.target_id for row in await self.stored()] == ["r", "until 8"]

    async def test_a_deleted_target_names_only_those_that_visibly_pointed_at_it(self) -> None:
        role = await self.put({"value": "admin", "supported": True}, ROLE)
        await self.holder(assigned(role, None, 5))
        bob = await self.holder(assigned(role), name="bob")
        assert await self.drop(role) == [bob]
        assert await self.stored() == []

    async def test_a_target_without_a_display_name_is_named_by_its_value(self) -> None:
        named = await self.put({"value": "admin", "display": "Chief", "supported": True}, ROLE)
        bare = await self.put({"value": "Reader", "supported": True}, ROLE)
        ann, bob = await self.holder(assigned(named)), await self.holder(assigned(bare), name="bob")
        assert await self.found(f'{URN}:roleAssignments.display eq "CHIEF"', USER) == [ann]
        assert await self.found(f'{URN}:roleAssignments.display eq "reader"', USER) == [bob]
        found = await self.store.read(
            lambda reader: references.of_sources(reader, self.tenant, [ann, bob], [ROLES])
        )
        assert [found[source][KEY][0].display for source in (ann, bob)] == ["Chief", "Reader"]

    async def test_a_membership_that_ended_is_none(self) -> None:
        ann = await self.holder()
        inner = await self.put({"displayName": "inner", "members": [{"value": ann}]}, GROUP)
        outer = await self.put({"displayName": "outer", "members": [{"value": inner}]}, GROUP)
        ended = reference.update().where(reference.c.source_id == inner).values(valid_to=5)

        async def work(writer: Writer) -> None:
            await writer.execute(ended)

        assert set(await self.found("groups pr", USER)) == {ann}
        reaches = await self._reaches(outer, ann)
        await self.store.write(work)
        assert (reaches, await self._reaches(outer, ann)) == (True, False)
        groups = await self.store.read(lambda reader: groups_of(reader, self.tenant, [ann, inner]))
        assert groups == {inner: [ReferenceValue(outer, "Group", "outer", kind="direct")]}
        assert await self.found("groups pr", USER) == []
        assert await self.found('groups.display sw ""', USER) == []

    async def _reaches(self, start: str, wanted: str) -> bool:
        return await self.store.write(
            lambda writer: references.is_reachable(writer, self.tenant, "members", [start], wanted)
        )

    async def _others(self, *targets: str, excluding: str = "", second: int = 5, limit: int = 9) -> list[str]:
        return await self.store.read(
            lambda reader: holders.other_active_holders(
                reader, self.tenant, targets, excluding, second * 1_000_000, limit
            )
        )

    async def test_other_holders_are_active_and_hold_a_role_that_is_in_force(self) -> None:
        ids = {name: await self.holder(assigned("r", *span), name=name) for name, span in SPANS.items()}
        await self.holder(assigned("r"), name="inactive", active=False)
        await self.holder(assigned("other"), name="other")
        await self.drop(await self.holder(assigned("r"), name="deleted"))
        assert await self._others("r", "s", second=4) == [ids["always"], ids["until 5"]]
        assert await self._others("r", second=7) == [ids["always"], ids["from 7"]]
        assert await self._others("r", excluding=ids["always"], second=5) == [ids["5 to 7"]]
        assert await self._others("r", limit=1) == [ids["always"]]

    async def test_other_holders_are_those_who_are_active_at_the_moment(self) -> None:
        leaver = await self._timed("leaver", first=True)
        joiner = await self._timed("joiner", first=False)
        assert await self._others("r", second=4) == [leaver]
        assert await self._others("r", second=5) == [joiner]

    async def _timed(self, name: str, *, first: bool) -> str:
        data = {"userName": name, "active": first, URN: {"roleAssignments": [assigned("r")]}}
        return await self.put(data, USER, phases=[(5_000_000, {"active": not first})])
