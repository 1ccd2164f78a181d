"""JumpCloud, SailPoint and authentik end to end against a running server."""

from collections.abc import Awaitable, Callable

from tests.clients.script import Script, equality
from tests.support.client import ScimClient

Connect = Callable[..., Awaitable[ScimClient]]
CORE_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
CORE_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


async def test_a_jumpcloud_activation_leaves_nothing_behind(live_connect: Connect) -> None:
    script = Script(await live_connect(dialect="generic"))
    assert (await script.send("JUMPCLOUD-001")).json()["Resources"] == []
    probe = {
        "schemas": [CORE_USER],
        "userName": "jc.probe@corp.example",
        "name": {"givenName": "JC", "familyName": "Probe"},
        "emails": [{"value": "jc.probe@corp.example", "type": "work", "primary": True}],
        "active": True,
    }
    await script.send("JUMPCLOUD-003", path="/Users", body=probe, bind="userId")
    await script.send("JUMPCLOUD-003", bind="groupId")
    await script.send("JUMPCLOUD-004")
    await script.send("JUMPCLOUD-005")

    assert (await script.read("/Users"))["totalResults"] == 0
    assert (await script.read("/Groups"))["totalResults"] == 0


async def test_sailpoint_discovers_the_server_and_aggregates_its_accounts(live_connect: Connect) -> None:
    script = Script(await live_connect(dialect="generic"))
    created = await script.client.create_user("lea.haim@corp.example", displayName="Lea Haim")
    await script.client.create_group("Auditors", [created["id"]])

    config = (await script.send("SAILPOINT-002", path="/ServiceProviderConfig")).json()
    types = (await script.send("SAILPOINT-002")).json()["Resources"]
    schemas = {schema["id"] for schema in (await script.send("SAILPOINT-003")).json()["Resources"]}
    single = [(await script.send(name)).json() for name in ("SAILPOINT-004", "SAILPOINT-005")]
    users = (await script.send("SAILPOINT-002", path="/Users?startIndex=1&count=100")).json()
    groups = (await script.send("SAILPOINT-002", path="/Groups?startIndex=1&count=100")).json()

    assert config["patch"]["supported"] is True
    assert [resource_type for resource_type in types if resource_type["name"] in ("User", "Group")] == single
    for resource_type in types:
        extensions = [extension["schema"] for extension in resource_type.get("schemaExtensions", [])]
        assert {resource_type["schema"], *extensions} <= schemas
    assert [user["userName"] for user in users["Resources"]] == ["lea.haim@corp.example"]
    assert [member["value"] for member in groups["Resources"][0]["members"]] == [created["id"]]


async def test_authentik_creates_links_and_updates_a_user(live_connect: Connect) -> None:
    script = Script(await live_connect(dialect="generic"))
    await script.send("AUTHENTIK-003", path="/ServiceProviderConfig")
    created = await script.send("AUTHENTIK-002", bind="created")
    again = await script.client.request("POST", "/Users", json=created.json())
    assert again.status_code == 409
    assert again.json()["scimType"] == "uniqueness"

    found = (await script.send("AUTHENTIK-003")).json()["Resources"]
    assert [user["id"] for user in found] == [script.values["created"]]
    script.values.bind("userId", found[0]["id"])
    updated = await script.send("AUTHENTIK-004")

    assert updated.json() == created.json()


async def test_authentik_creates_updates_and_fills_a_group(live_connect: Connect) -> None:
    script = Script(await live_connect(dialect="generic"))
    for name in ("userId", "userId2", "userId3"):
        script.values.bind(name, (await script.client.create_user(f"{name}@corp.example"))["id"])
    await script.send("AUTHENTIK-006", bind="groupId")
    await script.patch("AUTHENTIK-009", {"op": "add", "path": "members", "value": [{"value": "{{userId3}}"}]})

    found = (await script.send("AUTHENTIK-003", path=equality("/Groups", "displayName", "eng"))).json()
    assert [group["id"] for group in found["Resources"]] == [script.values["groupId"]]
    value = {
        "schemas": [CORE_GROUP],
        "id": "{{groupId}}",
        "externalId": "ak-grp-7",
        "displayName": "engineering",
    }
    await script.patch("AUTHENTIK-009", {"op": "replace", "value": value})
    assert (await script.read("/Groups/{{groupId}}"))["displayName"] == "engineering"
    assert await script.members("/Groups/{{groupId}}") == {script.values["userId3"]}

    await script.send("AUTHENTIK-009")
    members = await script.members("/Groups/{{groupId}}")
    assert members == {script.values["userId"], script.values["userId2"]}
