"""Changes that meet on the row of a user: what one adds, the other one sees, and nobody waits for ever."""

import asyncio
import random
from typing import Any

import pytest

from scim_server.lifecycle.urns import LIFECYCLE
from scim_server.services.lookups import Foreseen
from scim_server.store import clients as rows
from scim_server.store import counters, resources
from scim_server.store.database import Database, Writer
from tests.protocol.messages import ENTERPRISE, PATCH_OP, Connect, Json, bulk, operation, patch
from tests.support.client import ScimClient
from tests.support.people import person

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATIENCE = 20


async def hire(client: ScimClient, name: str) -> str:
    """Create a user, which has to succeed, and return its id."""
    response = await client.post("/Users", person(name, userName=f"{name}@example.com"))
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def test_a_token_made_while_its_owner_is_deactivated_does_not_work_later(
    admin: ScimClient, scim: ScimClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await hire(admin, "ann")
    (await scim.get("/Users")).raise_for_status()
    insert, started = rows.insert_token, asyncio.Event()

    async def slow(writer: Writer, row: dict[str, Any]) -> bool:
        inserted = await insert(writer, row)
        started.set()
        await asyncio.sleep(0.3)
        return inserted

    monkeypatch.setattr(rows, "insert_token", slow)
    body = {"displayName": "x", "owner": {"value": ann}, "scopes": ["users:read"]}
    making = asyncio.create_task(admin.post("/ApiTokens", body))
    await started.wait()
    ended = await patch(scim, f"/Users/{ann}", operation("replace", "active", value=False))
    made = await making
    again = await patch(scim, f"/Users/{ann}", operation("replace", "active", value=True))
    assert (ended.status_code, made.status_code, again.status_code) == (200, 201, 200)
    other = ScimClient(admin.base_url, made.json()["token"])
    other.http = admin.http
    assert (await other.get("/Users")).status_code == 401


async def test_an_obligation_made_meanwhile_keeps_its_user_active(
    admin: ScimClient, scim: ScimClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await hire(admin, "ann")
    (await admin.get("/Users")).raise_for_status()
    count, started = counters.count_live, asyncio.Event()

    async def slow(writer: Writer, tenant_id: int, type_name: str, change: int) -> None:
        await count(writer, tenant_id, type_name, change)
        if type_name == "Obligation":
            await writer.flush()
            started.set()
            await asyncio.sleep(0.3)

    monkeypatch.setattr(counters, "count_live", slow)
    owed = {"user": {"value": ann}, "kind": "purchaseRequest", "source": "erp", "display": "PR-1"}
    making = asyncio.create_task(scim.post("/Obligations", {**owed, "blocks": ["deactivate"]}))
    await started.wait()
    ended = await patch(
        admin,
        f"/Users/{ann}",
        operation("replace", "active", value=False),
        operation("add", f"{LIFECYCLE}:changeContext", {"reason": "other"}),
    )
    assert ((await making).status_code, ended.status_code) == (201, 409)
    assert (await admin.read(f"/Users/{ann}"))["active"] is True


async def test_users_are_read_while_changes_of_them_wait(scim: ScimClient, database: Database) -> None:
    ids = [await hire(scim, f"user{number}") for number in range(12)]
    held, over = asyncio.Event(), asyncio.Event()

    async def hold(writer: Writer) -> None:
        for own_id in ids:
            await resources.fetch_for_update(writer, 1, "User", own_id)
        held.set()
        await over.wait()

    holding = asyncio.create_task(database.write(hold))
    await held.wait()
    changes = [
        asyncio.create_task(patch(scim, f"/Users/{own_id}", operation("replace", "title", "Boss")))
        for own_id in ids
    ]
    await asyncio.sleep(0.3)
    async with asyncio.timeout(5):
        assert (await scim.get(f"/Users/{ids[0]}")).status_code == 200
    over.set()
    await holding
    assert {(await change).status_code for change in changes} == {200}


async def test_bulks_that_change_the_same_users_in_another_order_all_succeed(scim: ScimClient) -> None:
    ids = [await hire(scim, f"user{number}") for number in range(20)]
    chance = random.Random(1)

    async def change(name: str) -> list[str]:
        body = {"schemas": [PATCH_OP], "Operations": [operation("replace", "nickName", name)]}
        order = chance.sample(ids, len(ids))
        done = await bulk(scim, *({"method": "PATCH", "path": f"/Users/{i}", "data": body} for i in order))
        return [each["status"] for each in done.json()["Operations"]]

    async with asyncio.timeout(PATIENCE):
        results = await asyncio.gather(*(change(f"n{number}") for number in range(6)))
    assert results == [["200"] * 20] * 6


async def test_a_user_that_names_itself_is_answered_with_the_version_it_has(connect: Connect) -> None:
    idp = await connect(profile="idp")
    body: Json = {"schemas": [USER, ENTERPRISE], "userName": "bob", ENTERPRISE: {"manager": {"value": "bob"}}}
    made = await idp.post("/Users", body)
    read = await idp.get(f"/Users/{made.json()['id']}")
    assert made.headers["etag"] == made.json()["meta"]["version"] == read.headers["etag"]


def test_a_foreseen_user_holds_the_address_that_is_its_main_one() -> None:
    foreseen = Foreseen({}, set(), is_waited_for=False)
    foreseen.add("two", {"emails": [{"value": "A@example.com"}, {"value": "b@example.com"}]})
    foreseen.add("one", {"emails": [{"value": "C@example.com"}]})
    assert (foreseen.holders, foreseen.users) == ({"c@example.com": {"one"}}, {"two", "one"})
