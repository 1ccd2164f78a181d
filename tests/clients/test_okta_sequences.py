"""Okta end to end against a running server: assignments, group push, import, its SPEC suite."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.clients.script import Script, equality
from tests.support.client import ScimClient

Connect = Callable[..., Awaitable[ScimClient]]
CORE_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
USER_NAME = "nia.okafor@corp.example"
LOOK_UP = equality("/Users", "userName", USER_NAME) + "&startIndex=1&count=100"


async def _assigned(connect: Connect) -> Script:
    """Run Okta's assignment: look up, create, read back."""
    script = Script(await connect(dialect="okta"))
    looked_up = await script.send("OKTA-009", path=LOOK_UP)
    assert looked_up.status_code == 200
    assert looked_up.json()["totalResults"] == 0
    created = await script.send("OKTA-010", bind="userId")
    read = await script.send("OKTA-012")
    assert read.json() == created.json()
    return script


async def _only_match(script: Script) -> Any:
    found = (await script.send("OKTA-009", path=LOOK_UP)).json()
    assert found["totalResults"] == 1
    assert found["Resources"][0]["id"] == script.values["userId"]
    return found["Resources"][0]


async def test_okta_assigns_a_user_and_updates_its_profile(live_connect: Connect) -> None:
    script = await _assigned(live_connect)
    await script.send("OKTA-028", bind="groupId")
    await script.send("OKTA-032")
    profile = (await script.send("OKTA-012")).json()

    replaced = await script.send("OKTA-014")
    assert replaced.json()["name"]["familyName"] == "Okafor-Lind"
    assert [group["value"] for group in replaced.json()["groups"]] == [script.values["groupId"]]

    merged = (await script.send("OKTA-012")).json()
    merged["title"] = "Regional Lead"
    answered = (await script.send("OKTA-014", body=merged)).json()
    kept = {name: value for name, value in answered.items() if name not in ("title", "meta")}
    assert kept == {name: value for name, value in merged.items() if name not in ("title", "meta")}
    assert answered["title"] == "Regional Lead"
    assert answered["meta"]["created"] == profile["meta"]["created"]
    assert await script.members("/Groups/{{groupId}}") == {script.values["userId"]}


async def test_okta_unassigns_and_reassigns_by_patch(live_connect: Connect) -> None:
    script = await _assigned(live_connect)
    assigned = await script.read("/Users/{{userId}}")

    await script.patch("OKTA-020", {"op": "replace", "value": {"active": False}})
    assert (await _only_match(script))["active"] is False
    await script.send("OKTA-020")
    reassigned = await _only_match(script)

    assert reassigned.pop("meta")["created"] == assigned.pop("meta")["created"]
    assert reassigned == assigned


async def test_okta_unassigns_and_reassigns_by_put(live_connect: Connect) -> None:
    script = await _assigned(live_connect)

    await script.send("OKTA-012")
    unassigned = await script.send("OKTA-017")
    assert unassigned.json()["active"] is False
    assert (await _only_match(script))["active"] is False
    reassigned = await script.send("OKTA-018")

    assert reassigned.json()["active"] is True
    assert (await _only_match(script))["active"] is True


async def test_okta_creating_a_user_again_whose_inactive_row_it_missed_is_a_conflict(
    live_connect: Connect,
) -> None:
    script = await _assigned(live_connect)
    await script.send("OKTA-017")

    missed = await script.send("OKTA-025")

    assert missed.status_code == 409
    assert missed.json()["scimType"] == "uniqueness"
    assert (await _only_match(script))["active"] is False


async def test_okta_pushes_renames_and_unlinks_a_group(live_connect: Connect) -> None:
    script = Script(await live_connect(dialect="okta"))
    nia = await script.client.create_user(USER_NAME)
    tomas = await script.client.create_user("tomas.lind@corp.example")
    script.values.bind("userId", nia["id"])
    script.values.bind("userId2", tomas["id"])

    assert (await script.send("OKTA-027")).json()["Resources"] == []
    await script.send("OKTA-028", bind="groupId")
    await _push_name(script, "Field Ops")
    await script.send("OKTA-032")
    assert await script.members("/Groups/{{groupId}}") == {nia["id"]}

    await _push_name(script, "Field Ops")
    await script.send("OKTA-034")
    assert await script.members("/Groups/{{groupId}}") == {tomas["id"]}

    await _push_name(script, "Field Ops Europe")
    assert (await script.send("OKTA-027")).json()["totalResults"] == 0
    assert await script.members("/Groups/{{groupId}}") == {tomas["id"]}

    await script.send("OKTA-040")
    assert (await script.client.get(f"/Groups/{script.values['groupId']}")).status_code == 404
    assert "groups" not in await script.read("/Users/{{userId2}}")


async def _push_name(script: Script, name: str) -> None:
    """Read the group and send the name with the id, as Okta does before every membership change."""
    read = await script.send("OKTA-012", path="/Groups/{{groupId}}")
    operation = {"op": "replace", "value": {"id": read.json()["id"], "displayName": name}}
    await script.patch("OKTA-035", operation)
    assert (await script.read("/Groups/{{groupId}}"))["displayName"] == name


async def test_an_import_loses_and_repeats_no_user_while_250_are_created(live_connect: Connect) -> None:
    script = Script(await live_connect(dialect="okta"))
    first = set(await _create_users(script, "first", 180))
    script.values.bind("userId", next(iter(first)))
    await script.send("OKTA-029")

    imported: list[str] = []
    for start in range(1, 10_000, 100):
        page = (await script.send("OKTA-005", path=f"/Users?startIndex={start}&count=100")).json()
        assert page["startIndex"] == start
        imported += [user["id"] for user in page["Resources"]]
        if start < 200:
            await _create_users(script, f"page{start}", 125)
        if start + 100 > page["totalResults"]:
            break
    groups = (await script.send("OKTA-006")).json()["Resources"]

    assert len(imported) == len(set(imported)) == 430
    assert first <= set(imported)
    assert {member["value"] for member in groups[0]["members"]} == {script.values["userId"]}


async def _create_users(script: Script, prefix: str, count: int) -> list[str]:
    async def create(number: int) -> str:
        user_name = f"{prefix}.{number}@corp.example"
        user = await script.client.create_user(user_name, emails=[{"value": user_name, "type": "work"}])
        return str(user["id"])

    identifiers: list[str] = []
    for batch in range(0, count, 5):
        identifiers += await asyncio.gather(*(create(batch + offset) for offset in range(5)))
    return identifiers


RANDOM = {
    "randomUsername": "Runscope412Xkqzwvnal@atko.example",
    "randomUsernameCaps": "RUNSCOPE412XKQZWVNAL@ATKO.EXAMPLE",
    "randomEmail": "Runscope412Xkqzwvnal@atko.example",
    "randomGivenName": "Runscope412",
    "randomFamilyName": "Xkqzwvnal",
}


async def test_the_okta_spec_suite_runs_in_order(live_connect: Connect) -> None:
    script = Script(await live_connect(dialect="okta"), **RANDOM)
    await script.client.create_user(
        USER_NAME,
        name={"givenName": "Nia", "familyName": "Okafor"},
        emails=[{"value": USER_NAME, "type": "work", "primary": True}],
        active=True,
    )

    listed = (await script.send("OKTASPEC-001")).json()
    script.values.bind("userId", listed["Resources"][0]["id"])
    assert (await script.send("OKTASPEC-002")).json() == listed["Resources"][0]
    assert (await script.send("OKTASPEC-003")).json()["totalResults"] == 0
    await script.send("OKTASPEC-004")
    assert (await script.send("OKTASPEC-005")).json()["totalResults"] == 0
    created = await script.send("OKTASPEC-006", bind="idUserOne")
    assert (await script.send("OKTASPEC-007")).json() == created.json()
    await script.send("OKTASPEC-008")
    found = (await script.send("OKTASPEC-009")).json()
    assert [user["userName"] for user in found["Resources"]] == [RANDOM["randomUsername"]]
    await script.send("OKTASPEC-010")
    await script.send("OKTASPEC-011")
    await script.send("OKTASPEC-012")
    assert (await script.read("/Users?count=0"))["totalResults"] == 2


async def test_the_okta_crud_suite_sees_every_step_of_a_user(live_connect: Connect) -> None:
    script = await _assigned(live_connect)
    script.values.bind("userName", USER_NAME)
    assert (await script.send("OKTASPEC-018")).json()["Resources"][0]["emails"][0]["value"] == USER_NAME

    profile = (await script.send("OKTA-012")).json()
    profile["name"]["givenName"] = "Niamh"
    await script.send("OKTA-014", body=profile)
    assert (await script.send("OKTASPEC-019")).json()["name"] == {
        "givenName": "Niamh",
        "familyName": "Okafor",
    }

    await script.patch("OKTA-020", {"op": "replace", "value": {"active": False}})
    assert (await script.send("OKTASPEC-020")).json()["active"] is False

    await _only_match(script)
    await script.send("OKTA-020")
    assert (await script.send("OKTASPEC-021")).json()["active"] is True

    await script.patch("OKTA-020", {"op": "replace", "value": {"active": False}})
    unassigned = (await script.send("OKTASPEC-022")).json()
    assert unassigned["active"] is False
    assert unassigned["schemas"] == [CORE_USER]
