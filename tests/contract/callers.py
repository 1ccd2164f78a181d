"""Rows of tenants, clients, tokens and secrets."""
# ruff: noqa: D102 - a test's name states its fact

from typing import Any

from scim_server.store import catalogue, clients
from tests.contract.base import StoreGround


class CallerContract(StoreGround):
    """Who may call."""

    async def client(self, name: str = "c", **facts: Any) -> bool:
        """Insert a client whose id is its name."""
        row = {
            "tenant_id": self.tenant,
            "id": name,
            "name": name,
            "profile": "idp",
            "dialect": "generic",
            "permissions": "[]",
            "switches": "{}",
            "user_id": None,
            "created": 1,
            **facts,
        }
        return await self.store.write(lambda writer: clients.insert_client(writer, row))

    async def token(
        self, digest: str, client: str = "c", created: int = 1, expires: int | None = None, **facts: Any
    ) -> bool:
        """Insert a token."""
        row = {
            "digest": digest,
            "tenant_id": self.tenant,
            "client_id": client,
            "prefix": digest[:2],
            "created": created,
            "expires": expires,
            **facts,
        }
        return await self.store.write(lambda writer: clients.insert_token(writer, row))

    async def caller(self, digest: str) -> Any:
        """Return who calls with a token."""
        return await self.store.read(lambda reader: clients.caller_of(reader, digest))

    async def tokens(self, *names: str) -> list[tuple[str, int | None]]:
        """Return the tokens of clients with when they were revoked."""
        rows = await self.store.read(lambda reader: clients.tokens_of(reader, self.tenant, names))
        return [(row.digest, row.revoked) for row in rows]

    async def test_a_tenant_is_made_once(self) -> None:
        again = await self.store.write(lambda writer: clients.ensure_tenant(writer, "one", 2))
        assert again == self.tenant
        assert await self.store.read(lambda reader: clients.tenant_id_of(reader, "one")) == again
        assert await self.store.read(lambda reader: clients.tenant_id_of(reader, "ONE")) is None

    async def test_a_token_tells_its_client_and_tenant(self) -> None:
        await self.client(profile="hris", user_id="u1")
        await self.token("d1", expires=99)
        row = await self.caller("d1")
        assert (row.tenant_id, row.tenant_name, row.client_name, row.profile, row.user_id, row.expires) == (
            self.tenant,
            "one",
            "c",
            "hris",
            "u1",
            99,
        )

    async def test_a_token_tells_what_it_may_and_what_the_tenant_is_at(self) -> None:
        await self.client(row_scope='title eq "x"')
        await self.token("d1", id="t1", owner_id="u1", scopes='["scim:read"]')
        await self.store.write(lambda writer: catalogue.bump(writer, self.tenant))
        row = await self.caller("d1")
        assert (row.row_scope, row.owner_id, row.scopes) == (
            'title eq "x"',
            "u1",
            '["scim:read"]',
        )
        assert (row.catalogue_version, row.settle_at, row.narrowed) == (1, None, None)

    async def _guard(self, *arguments: str) -> Any:
        row = await self.store.write(lambda writer: clients.guard(writer, self.tenant, *arguments))
        if row is None:
            return None
        return row.catalogue_version, row.permissions, row.client_revoked, row.revoked, row.scopes

    async def test_the_guard_tells_what_a_caller_has_lost(self) -> None:
        await self.client(permissions='["view"]')
        await self.token("d1")
        await self.client("other")
        await self.token("d2", "other")
        assert (await self._guard("c", "d1")) == (0, '["view"]', None, None, None)
        await self.store.write(lambda writer: clients.revoke_tokens(writer, ["d1", "d2"], 5))
        assert (await self._guard("c", "d1")) == (0, '["view"]', None, 5, None)
        assert (await self._guard("c", "d2")) == (0, '["view"]', None, None, None)
        await self.store.write(lambda writer: catalogue.bump(writer, self.tenant))
        await self.store.write(lambda writer: clients.revoke_client(writer, self.tenant, "c", 7))
        assert (await self._guard("c")) == (1, '["view"]', 7, None, None)
        assert await self._guard("nobody") is None

    async def _noted(self, id: str) -> Any:
        found = await self.store.read(lambda reader: clients.tokens_by_id(reader, self.tenant, [id]))
        return found[id].last_used

    async def test_the_use_of_tokens_is_noted_every_five_minutes_and_changes_no_caller(self) -> None:
        await self.client()
        for name in ("d1", "d2", "d3"):
            await self.token(name, id=name)
        before, noted = await self.caller("d1"), []
        for moment in (5, 300_000_005, 300_000_006):
            await self.store.write(
                lambda writer, moment=moment: clients.touch_tokens(writer, ["d1", "d3"], moment)  # type: ignore[misc]
            )
            noted.append(await self._noted("d1"))
        assert noted == [5, 5, 300_000_006]
        assert (await self._noted("d2"), await self._noted("d3")) == (None, 300_000_006)
        assert await self.caller("d1") == before

    async def test_the_live_tokens_of_an_owner_are_revoked_and_by_whom(self) -> None:
        await self.client()
        for digest, owner in (("a", "u1"), ("b", "u1"), ("c", "u2"), ("d", None)):
            await self.token(digest, owner_id=owner)
        await self.store.write(lambda writer: clients.revoke_tokens(writer, ["a"], 5))
        await self.store.write(
            lambda writer: clients.revoke_tokens_of_owner(writer, self.tenant, "u1", 7, "boss")
        )
        assert await self.tokens("c") == [("a", 5), ("b", 7), ("c", None), ("d", None)]
        rows = await self.store.read(lambda reader: clients.tokens_of(reader, self.tenant, ["c"]))
        assert [row.revoked_by for row in rows] == [None, "boss", None, None]

    async def test_the_tokens_of_an_owner_are_counted_from_a_moment_on(self) -> None:
        await self.client()
        for digest, created, owner in (("a", 4, "u1"), ("b", 5, "u1"), ("c", 6, "u1"), ("d", 6, "u2")):
            await self.token(digest, created=created, owner_id=owner)
        assert (
            await self.store.read(lambda reader: clients.tokens_created_since(reader, self.tenant, "u1", 5))
            == 2
        )

    async def test_an_unknown_token_is_nobodys(self) -> None:
        assert await self.caller("nothing") is None

    async def test_a_clients_name_is_taken_once_a_tenant(self) -> None:
        assert await self.client("c")
        assert not await self.client("c", id="other")
        self.tenant = await self.store.write(lambda writer: clients.ensure_tenant(writer, "two", 1))
        assert await self.client("c")

    async def test_a_token_belongs_to_one_client(self) -> None:
        await self.client("a")
        await self.client("b")
        assert await self.token("d", "a")
        assert not await self.token("d", "b")

    async def test_clients_are_listed_by_name(self) -> None:
        for name in ("b", "a", "C"):
            await self.client(name)
        rows = await self.store.read(lambda reader: clients.clients_of(reader, self.tenant))
        assert [row.name for row in rows] == ["C", "a", "b"]
        one = await self.store.read(lambda reader: clients.clients_of(reader, self.tenant, "a"))
        assert [row.name for row in one] == ["a"]

    async def test_tokens_are_listed_oldest_first(self) -> None:
        await self.client()
        for digest, created in (("x", 3), ("a", 3), ("z", 1)):
            await self.token(digest, created=created)
        assert [digest for digest, _ in await self.tokens("c")] == ["z", "a", "x"]

    async def test_a_token_is_revoked_once(self) -> None:
        await self.client()
        await self.token("a")
        await self.token("b")
        revoked = [
            await self.store.write(
                lambda writer, moment=moment: clients.revoke_tokens(writer, ["a"], moment)  # type: ignore[misc]
            )
            for moment in (5, 6)
        ]
        assert revoked == [1, 0]
        assert await self.tokens("c") == [("a", 5), ("b", None)]

    async def test_revoking_a_client_revokes_its_live_tokens(self) -> None:
        await self.client("a")
        await self.client("b")
        for digest, name in (("a1", "a"), ("a2", "a"), ("b1", "b")):
            await self.token(digest, name)
        await self.store.write(lambda writer: clients.revoke_tokens(writer, ["a1"], 5))
        live = await self.store.write(lambda writer: clients.revoke_client(writer, self.tenant, "a", 7))
        assert live == 1
        assert await self.tokens("a", "b") == [("a1", 5), ("a2", 7), ("b1", None)]
        assert (await self.caller("a2")).client_revoked == 7
        assert (await self.caller("b1")).client_revoked is None

    async def test_locking_finds_the_client_of_the_tenant(self) -> None:
        await self.client()
        found = await self.store.write(lambda writer: clients.lock_client(writer, self.tenant, "c"))
        assert found is not None
        assert found.id == "c"
        assert await self.store.write(lambda w: clients.lock_client(w, self.tenant + 1, "c")) is None

    async def test_ended_tokens_are_removed_and_live_ones_kept(self) -> None:
        await self.client()
        for digest, expires in (("old", 5), ("new", 50), ("none", None), ("revoked", None)):
            await self.token(digest, expires=expires)
        await self.store.write(lambda writer: clients.revoke_tokens(writer, ["revoked"], 5))
        assert await self.store.write(lambda writer: clients.remove_ended_tokens(writer, 10, 10)) == 2
        assert {digest for digest, _ in await self.tokens("c")} == {"new", "none"}

    async def test_the_secret_of_cursors_is_there_and_stays(self) -> None:
        secrets = [
            await self.store.read(lambda reader: clients.secret_of(reader, "cursor")) for _ in range(2)
        ]
        assert secrets[0] == secrets[1]
        assert len(secrets[0]) == 32
