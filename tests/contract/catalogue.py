"""The catalogue of a tenant, its policy, and the references that wait for something to be made."""
# ruff: noqa: D102 - a test's name states its fact

from decimal import Decimal
from typing import Any

from scim_server.scim.resources import ReferenceValue
from scim_server.store import catalogue, clients, pending, policies
from tests.contract.base import StoreGround
from tests.scim.samples import GROUP, REGISTRY, USER

DEPARTMENT, LOCATION, ROLE = (REGISTRY.resource_types[name] for name in ("Department", "Location", "Role"))


class CatalogueContract(StoreGround):
    """What rules look up."""

    async def version(self) -> int:
        """Return the catalogue's version."""
        return await self.store.read(lambda reader: catalogue.version(reader, self.tenant))

    async def policy(self) -> Any:
        """Return the policy."""
        return await self.store.read(lambda reader: policies.read_policy(reader, self.tenant))

    async def test_the_catalogue_is_every_live_resource_of_its_types_with_references(self) -> None:
        role = await self.put({"value": "buyer", "supported": True}, ROLE)
        whole = await self.put({"displayName": "All"}, DEPARTMENT)
        part = {"displayName": "Part", "parent": {"value": whole}, "defaultRoles": [{"value": role}]}
        sub = await self.put(part, DEPARTMENT)
        await self.put({"displayName": "g"}, GROUP)
        await self.put({"userName": "ann"}, USER)
        await self.drop(await self.put({"displayName": "Gone", "type": "office"}, LOCATION))
        other = await self.store.write(lambda writer: clients.ensure_tenant(writer, "two", 1))
        await self.put({"displayName": "Elsewhere"}, DEPARTMENT, tenant=other)
        found = await self.store.read(lambda reader: catalogue.catalogue_rows(reader, self.tenant, REGISTRY))
        assert [each.id for each in found] == [role, whole, sub]
        assert [each.references for each in found] == [
            {},
            {},
            {
                "parent": [ReferenceValue(whole, "Department", "All")],
                "defaultRoles": [ReferenceValue(role, "Role", "buyer")],
            },
        ]

    async def test_an_empty_catalogue_has_no_rows(self) -> None:
        assert (
            await self.store.read(lambda reader: catalogue.catalogue_rows(reader, self.tenant, REGISTRY))
            == []
        )

    async def test_the_version_rises_for_one_tenant(self) -> None:
        first, other = self.tenant, await self.store.write(lambda w: clients.ensure_tenant(w, "two", 1))
        for _ in range(2):
            await self.store.write(lambda writer: catalogue.bump(writer, first))
        assert await self.version() == 2
        self.tenant = other
        assert await self.version() == 0

    async def test_a_policy_is_read_as_it_was_written_last_and_rises_the_version(self) -> None:
        assert await self.policy() is None
        for number, limit in enumerate(("1.50", "2.50"), 1):
            document = {"limit": Decimal(limit)}
            await self.store.write(
                lambda writer, document=document: policies.write_policy(  # type: ignore[misc]
                    writer, self.tenant, document, 5
                )
            )
            assert await self.policy() == document
            assert await self.version() == number
        self.tenant = await self.store.write(lambda writer: clients.ensure_tenant(writer, "two", 1))
        assert await self.policy() is None

    async def _wait(self, source: str, attribute: str, type_name: str, *keys: str) -> None:
        await self.store.write(
            lambda writer: pending.wait(writer, self.tenant, source, attribute, type_name, keys)
        )

    async def _waiting(self, type_name: str, *keys: str) -> list[tuple[str, str]]:
        return await self.store.write(lambda writer: pending.waiting(writer, self.tenant, type_name, keys))

    async def test_what_waits_for_a_name_is_found_by_it_once(self) -> None:
        await self._wait("bob", "manager", "User", "boss", "boss@x.test", "boss")
        await self._wait("bob", "manager", "User", "boss")
        await self._wait("ann", "manager", "User", "boss")
        await self._wait("ann", "departments", "Department", "boss")
        await self._wait("ann", "roles", "Role")
        assert await self._waiting("User", "boss", "boss@x.test", "other") == [
            ("ann", "manager"),
            ("bob", "manager"),
        ]
        assert await self._waiting("Department", "boss") == [("ann", "departments")]
        assert await self._waiting("User", "Boss") == []
        assert await self._waiting("User") == []

    async def test_waiting_ends_for_what_is_found_or_for_all_of_a_source(self) -> None:
        await self._wait("ann", "manager", "User", "boss")
        await self._wait("ann", "mentor", "User", "owl")
        await self._wait("bob", "manager", "User", "boss")
        await self._wait("bob", "roles", "Role", "boss")
        await self.store.write(lambda writer: pending.forget(writer, self.tenant, "ann"))
        assert await self._waiting("User", "boss", "owl") == [("bob", "manager")]
        await self.store.write(lambda writer: pending.found(writer, self.tenant, "User", ["boss", "else"]))
        assert await self._waiting("User", "boss", "owl") == []
        assert await self._waiting("Role", "boss") == [("bob", "roles")]
        await self._wait("bob", "manager", "User", "boss")
        self.tenant = await self.store.write(lambda writer: clients.ensure_tenant(writer, "two", 1))
        assert await self._waiting("User", "boss") == []
