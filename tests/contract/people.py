"""Users found by what they are called, and resources that are due for a look."""
# ruff: noqa: D102 - a test's name states its fact

from typing import Any

import pytest

from scim_server.store import clients, people, resources
from tests.contract.base import StoreGround
from tests.scim.samples import ENTERPRISE, PROBE, USER


class PeopleContract(StoreGround):
    """Short ways to users."""

    async def person(self, name: str, *emails: str | dict[str, Any], **facts: Any) -> str:
        """Store a user with e-mail addresses."""
        values = [{"value": each} if isinstance(each, str) else each for each in emails]
        return await self.put({"userName": name, "emails": values, **facts}, USER)

    async def named(self, *keys: str) -> dict[str, list[str]]:
        """Return users by what they are called."""
        return await self.store.read(lambda reader: people.lookup_users(reader, self.tenant, keys))

    async def holders(self, *emails: str, excluding: str = "") -> list[str]:
        """Return users by their main address."""
        return await self.store.read(
            lambda reader: people.email_holders(reader, self.tenant, emails, excluding)
        )

    async def test_users_are_found_by_name_number_and_any_address(self) -> None:
        ann = await self.person("Ann", "Ann@x.test", "a@y.test")
        bob = await self.person("b@x.test", "shared@x.test", **{ENTERPRISE: {"employeeNumber": "E7"}})
        cyd = await self.person("cyd", "shared@x.test", 'odd"\\é@x.test')
        assert await self.named("ann", "a@y.test", "ann@x.test", "e7", "nobody", "no@x.test") == {
            "a@y.test": [ann],
            "ann": [ann],
            "ann@x.test": [ann],
            "e7": [bob],
        }
        assert await self.named("shared@x.test", "b@x.test", 'odd"\\é@x.test') == {
            "b@x.test": [bob],
            'odd"\\é@x.test': [cyd],
            "shared@x.test": [bob, cyd],
        }

    async def test_many_names_are_looked_up_at_once(self) -> None:
        ids = {
            f"u{number}@x.test": await self.person(f"n{number}", f"u{number}@x.test") for number in range(60)
        }
        assert await self.named(*ids) == {key: [own_id] for key, own_id in ids.items()}

    async def test_neither_deleted_users_nor_those_of_other_tenants_are_found(self) -> None:
        await self.drop(await self.person("ann", "a@x.test"))
        await self.put({"title": "ann", "code": "ann"}, PROBE)
        other = await self.store.write(lambda writer: clients.ensure_tenant(writer, "two", 1))
        await self.put({"userName": "ann", "emails": [{"value": "a@x.test"}]}, USER, tenant=other)
        assert await self.named("ann", "a@x.test") == {}
        assert await self.holders("a@x.test") == []
        assert await self.named() == {}

    @pytest.mark.parametrize(
        ("emails", "holds"),
        [
            (["a@x.test"], True),
            (["A@X.test"], True),
            ([{"value": "a@x.test", "primary": True}, "b@x.test"], True),
            (["a@x.test", {"value": "b@x.test", "primary": True}], False),
            (["a@x.test", "b@x.test"], False),
            (["b@x.test"], False),
            (["aa@x.test"], False),
        ],
    )
    async def test_an_address_is_held_by_whose_primary_or_only_one_it_is(
        self, emails: list[str | dict[str, Any]], holds: bool
    ) -> None:
        own_id = await self.person("ann", *emails, externalId="a@x.test")
        assert await self.holders("a@x.test", "c@x.test") == ([own_id] if holds else [])

    async def test_who_asks_does_not_hold_an_address_against_himself(self) -> None:
        ann, bob = await self.person("ann", "a@x.test"), await self.person("bob", "a@x.test")
        assert await self.holders("a@x.test", excluding=ann) == [bob]
        assert await self.holders() == []

    async def test_what_is_due_comes_the_earliest_first(self) -> None:
        late = await self.put({"title": "a"}, phases=[(7, {})])
        user = await self.put({"userName": "ann"}, USER, phases=[(5, {}), (9, {})])
        await self.put({"title": "b"}, phases=[(8, {})])
        await self.put({"title": "c"})
        await self.drop(await self.put({"title": "d"}, phases=[(4, {})]))
        assert await self._due(7) == [(user, "User"), (late, "Probe")]
        assert await self._due(7, limit=1) == [(user, "User")]
        assert await self._due(4) == []

    async def _due(self, moment: int, limit: int = 9) -> list[tuple[str, str]]:
        return await self.store.read(lambda reader: resources.due(reader, self.tenant, moment, limit))
