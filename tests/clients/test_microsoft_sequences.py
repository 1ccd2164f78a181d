"""Entra ID and the Microsoft SCIM validator end to end against a running server."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.clients.checks import includes
from tests.clients.script import Script
from tests.support.client import ScimClient

Connect = Callable[..., Awaitable[ScimClient]]
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP_LOOK_UP = "/Groups?excludedAttributes=members&filter=displayName+eq+%22Design+Guild%22"
ENTRA_USER: dict[str, Any] = {
    "externalId": "tlind",
    "userName": "Tomas.Lind@corp.example",
    "active": True,
    "displayName": "Tomas Lind",
    "title": "Surveyor  (North)",
    "preferredLanguage": "en-ie",
    "timezone": "GMT Standard Time",
    "emails": [{"primary": True, "type": "work", "value": "Tomas.Lind@CORP.example"}],
    "phoneNumbers": [
        {"primary": True, "type": "work", "value": "+353 (0)21 555-0101 x7"},
        {"type": "mobile", "value": "0865550102"},
    ],
    "addresses": [
        {"type": "work", "country": "Ireland", "formatted": "7 Dock Rd\nCork", "postalCode": "t12"}
    ],
    "name": {"formatted": "Tomás Lind", "familyName": "Lind", "givenName": "Tomás"},
    ENTERPRISE: {"department": "Field", "employeeNumber": "007"},
}


async def _provisioned(connect: Connect, *, manager: Any) -> Script:
    """Run Entra's initial cycle for one user with a manager and one group with that user."""
    script = Script(await connect(dialect="entra"))
    boss = await script.client.create_user("grace.boss@corp.example", externalId="gboss")
    script.values.bind("managerId", boss["id"])
    assert (await script.send("ENTRA-001")).json()["Resources"] == []
    assert (await script.send("ENTRA-003")).json()["Resources"] == []
    assert (await script.send("ENTRA-007")).json()["Resources"] == []
    schemas = ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE]
    body = {"schemas": schemas, **ENTRA_USER, "meta": {"resourceType": "User"}, "roles": []}
    created = await script.send("ENTRA-016", body=body, bind="userId")
    assert (await script.send("ENTRA-014")).json() == created.json()
    value = script.values.fill(manager)
    await script.patch("ENTRA-045", {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": value})
    assert (await script.send("ENTRA-003", path=GROUP_LOOK_UP)).json()["Resources"] == []
    await script.send("ENTRA-068", bind="groupId")
    await script.send("ENTRA-072")
    return script


async def test_the_second_cycle_of_entra_finds_every_value_as_it_was_sent(live_connect: Connect) -> None:
    script = await _provisioned(live_connect, manager="{{managerId}}")
    sent = {**ENTRA_USER, ENTERPRISE: {**ENTRA_USER[ENTERPRISE], "manager": {"value": "{{managerId}}"}}}

    found = (await script.send("ENTRA-007")).json()
    group = (await script.send("ENTRA-003", path=GROUP_LOOK_UP)).json()["Resources"][0]
    by_id = (await script.send("ENTRA-014")).json()

    assert found["totalResults"] == 1
    assert includes(found["Resources"][0], script.values.fill(sent))
    assert by_id == found["Resources"][0]
    assert "roles" not in by_id
    assert group["displayName"] == "Design Guild"
    assert group["externalId"] == "77de-guid"
    assert "members" not in group
    assert await script.members("/Groups/{{groupId}}") == {script.values["userId"]}


async def test_a_cycle_of_entra_that_repeats_itself_changes_nothing(live_connect: Connect) -> None:
    script = await _provisioned(live_connect, manager={"value": "{{managerId}}"})
    user, group = await script.read("/Users/{{userId}}"), await script.read("/Groups/{{groupId}}")

    await script.patch(
        "ENTRA-045",
        {"op": "Replace", "path": "displayName", "value": user["displayName"]},
        {"op": "Add", "path": 'emails[type eq "work"].value', "value": user["emails"][0]["value"]},
        {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": script.values["managerId"]},
        {"op": "Replace", "path": "active", "value": "True"},
    )
    await script.send("ENTRA-072")

    assert await script.read("/Users/{{userId}}") == user
    assert await script.read("/Groups/{{groupId}}") == group


async def test_entra_soft_deletes_and_restores_a_user(live_connect: Connect) -> None:
    script = await _provisioned(live_connect, manager="{{managerId}}")
    before = await script.read("/Users/{{userId}}")

    await script.send("ENTRA-026")
    assert (await script.send("ENTRA-030")).json()["active"] is False
    assert (await script.send("ENTRA-031")).json()["Resources"][0]["active"] is False
    assert await script.members("/Groups/{{groupId}}") == {before["id"]}

    for operation in (
        {"op": "Replace", "path": "active", "value": "True"},
        {"op": "Replace", "path": "active", "value": False},
        {"op": "Replace", "path": "active", "value": True},
        {"op": "replace", "value": {"active": "False"}},
        {"op": "Replace", "value": {"active": "True"}},
    ):
        await script.patch("ENTRA-026", operation)
        value = operation["value"]["active"] if isinstance(operation["value"], dict) else operation["value"]
        assert (await script.read("/Users/{{userId}}"))["active"] is (str(value) == "True")

    restored = await script.read("/Users/{{userId}}")
    assert restored.pop("meta")["created"] == before.pop("meta")["created"]
    assert restored == before


async def test_entra_hard_deletes_a_user_and_creates_it_anew(live_connect: Connect) -> None:
    script = await _provisioned(live_connect, manager="{{managerId}}")
    deleted = script.values["userId"]

    await script.send("ENTRA-026")
    removed = await script.send("ENTRA-079", path="/Users/{{userId}}")
    assert removed.status_code == 204
    await script.send("ENTRA-015")
    assert (await script.send("ENTRA-065", path=_look_up("tomas.lind%40corp.example"))).json() == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": 0,
        "startIndex": 1,
        "itemsPerPage": 0,
        "Resources": [],
    }
    assert await script.members("/Groups/{{groupId}}") == set()
    created = await script.send("ENTRA-016", bind="userId")

    assert created.json()["id"] != deleted
    assert created.json()["active"] is True
    assert ENTERPRISE not in created.json()
    assert "groups" not in created.json()


def _look_up(encoded_user_name: str) -> str:
    return f"/Users?filter=userName+eq+%22{encoded_user_name}%22"


NAMES = {
    "userName": "Zk.Moran@corp.example",
    "userName2": "Qx.Moran@corp.example",
    "groupName": "Lqr Guild",
    "groupName2": "Mzt Guild",
}


async def _validator(connect: Connect) -> Script:
    """Return a validator that has created its first user beside users of others."""
    script = Script(await connect(dialect="entra"), **NAMES)
    for number in range(3):
        await script.client.create_user(f"other{number}@corp.example", externalId=f"other-{number}")
    await script.send("MSVAL-001", bind="userId")
    return script


async def test_the_microsoft_validator_runs_its_user_steps_in_order(live_connect: Connect) -> None:
    script = await _validator(live_connect)
    full = script.values["userId"]
    await script.send("MSVAL-002")
    for name, expected in (("MSVAL-003", 1), ("MSVAL-004", 0), ("MSVAL-005", 1)):
        assert (await script.send(name)).json()["totalResults"] == expected, name
    await script.send("MSVAL-006")
    replaced = await script.read("/Users/{{userId}}")
    assert replaced["roles"] == [{"primary": True, "display": "AA", "value": "BB", "type": "CC"}]
    assert replaced[ENTERPRISE]["manager"]["value"] == "EE"

    script.values.bind("userName", "Minimal.Probe@corp.example")
    await script.send("MSVAL-007", bind="userId")
    await script.send("MSVAL-008")
    assert len((await script.read("/Users/{{userId}}"))["phoneNumbers"]) == 3
    await script.send("MSVAL-009")
    assert (await script.read("/Users/{{userId}}"))["userName"] == NAMES["userName2"]
    await script.send("MSVAL-010")
    assert (await script.read("/Users/{{userId}}"))["active"] is False
    for name, expected_manager in (("MSVAL-011", "{{randomString}}"), ("MSVAL-012", "{{randomString2}}")):
        await script.send(name)
        manager = (await script.read("/Users/{{userId}}"))[ENTERPRISE]["manager"]
        assert manager["value"] == script.values.fill(expected_manager), name
    await script.send("MSVAL-013")
    assert "manager" not in (await script.read("/Users/{{userId}}"))[ENTERPRISE]
    await script.send("MSVAL-014")
    assert (await script.send("MSVAL-025")).status_code == 404
    assert (await script.client.get(f"/Users/{full}")).status_code == 200


async def test_the_microsoft_validator_runs_its_group_steps_in_order(live_connect: Connect) -> None:
    script = await _validator(live_connect)
    user = script.values["userId"]
    await script.send("MSVAL-015", bind="groupId")
    await script.send("MSVAL-016")
    for name, expected in (("MSVAL-017", 1), ("MSVAL-017-same-case", 1), ("MSVAL-017-missing", 0)):
        assert (await script.send(name)).json()["totalResults"] == expected, name
    await script.send("MSVAL-018")
    await script.send("MSVAL-019")
    renamed = await script.read("/Groups/{{groupId}}")
    assert renamed["externalId"] == script.values["guid3"]
    assert renamed["displayName"] == NAMES["groupName2"]
    await script.send("MSVAL-020")
    assert await script.members("/Groups/{{groupId}}") == {user}
    await script.send("MSVAL-021")
    assert await script.members("/Groups/{{groupId}}") == set()
    await script.send("MSVAL-022")
    assert (await script.read("/Users/{{userId}}"))["title"] == "LLL"
    await script.send("MSVAL-024")
    assert await script.members("/Groups/{{groupId}}") == set()
    await script.send("MSVAL-014")
    assert (await script.send("MSVAL-025")).status_code == 404
