"""Corners where lifecycle, connectors and time meet."""

import asyncio
from typing import Any

import pytest

from scim_server.store.database import Database
from tests.protocol.messages import USER, Connect
from tests.support.catalogue import create_department, create_role, load_catalogue
from tests.support.client import ScimClient
from tests.support.time import Clock

EXTENSION = "urn:ietf:params:scim:schemas:extension:"
LIFECYCLE = f"{EXTENSION}lifecycle:2.0:User"
ROLE = f"{EXTENSION}role:2.0:User"
LIMIT = f"{EXTENSION}approvalLimit:2.0:User"
CLEARANCE = f"{EXTENSION}clearance:2.0:User"
DEPARTMENT = f"{EXTENSION}department:2.0:User"
PERSON = {"name": {"givenName": "Ann", "familyName": "Lee"}, "emails": [{"value": "ann@example.com"}]}


def replace(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


async def person(admin: ScimClient, **facts: Any) -> str:
    response = await admin.post("/Users", {**PERSON, **facts})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def test_a_put_of_okta_keeps_every_extension_that_okta_does_not_know(
    admin: ScimClient, connect: Connect
) -> None:
    await create_role(admin, "engineer", clearanceLevel="internal")
    await create_department(admin, "eng")
    user = await person(
        admin,
        roles=[{"value": "engineer"}],
        **{
            DEPARTMENT: {"departments": [{"value": "eng"}]},
            LIMIT: {"approvalLimits": [{"type": "general", "amount": 5, "currency": "USD"}]},
            CLEARANCE: {"level": "secret"},
            LIFECYCLE: {"validTo": "2099-01-01T00:00:00Z"},
        },
    )
    okta = await connect(dialect="okta")
    (found,) = await okta.find("/Users", 'userName eq "ann@example.com"')
    put = await okta.put(f"/Users/{user}", {**found, "title": "Surveyor"})
    assert put.status_code == 200, put.text
    after = await admin.read(f"/Users/{user}")
    assert after["title"] == "Surveyor"
    assert [row["code"] for row in after[DEPARTMENT]["departments"]] == ["eng"]
    assert len(after[ROLE]["roleAssignments"]) == 1
    assert len(after[LIMIT]["approvalLimits"]) == 1
    assert after[CLEARANCE]["level"] == "secret"
    assert after[LIFECYCLE]["validTo"] == "2099-01-01T00:00:00Z"


async def test_a_validity_that_was_over_before_the_user_came_makes_it_expired(
    scim: ScimClient, clock: Clock
) -> None:
    user = await scim.create_user("ann", **{LIFECYCLE: {"validTo": clock.text(days=-1)}})
    assert user["active"] is False
    found = await scim.read(f"/Users/{user['id']}", attributes=f"{LIFECYCLE}:effectiveStatus")
    assert found[LIFECYCLE] == {"effectiveStatus": "expired"}
    assert await scim.find("/Users", "active eq true") == []


@pytest.mark.proves("ROL-08", "ROL-09")
async def test_a_policy_that_comes_later_refuses_nothing_that_was_there(
    admin: ScimClient, database: Database
) -> None:
    for value in ("auditor", "finance-manager"):
        await create_role(admin, value)
    user = await person(admin, roles=[{"value": "auditor", "primary": True}, {"value": "finance-manager"}])
    policy = {"name": "four eyes", "left": ["auditor"], "right": ["finance-manager"], "mode": "enforce"}
    await load_catalogue(database, policies={"sod": [policy]})
    renamed = await admin.patch(f"/Users/{user}", replace("name.familyName", "Smith"))
    assert renamed.status_code == 200, renamed.text
    other = await admin.post(
        "/Users",
        {
            **PERSON,
            "emails": [{"value": "bob@example.com"}],
            "roles": [{"value": "auditor"}, {"value": "finance-manager"}],
        },
    )
    assert (other.status_code, other.json()["detail"]) == (409, "Selected roles have conflicting permissions")


@pytest.mark.proves("STA-17")
async def test_a_connector_takes_the_last_administrator_away_and_raises_an_alarm(
    admin: ScimClient, scim: ScimClient
) -> None:
    await create_role(admin, "admin")
    user = await person(admin, roles=[{"value": "admin"}])
    refused = await admin.patch(
        f"/Users/{user}",
        replace("active", value=False),
        replace(f"{LIFECYCLE}:changeContext.reason", "other"),
    )
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "The last administrator cannot be deactivated or deleted",
    )
    taken = await scim.patch(f"/Users/{user}", replace("active", value=False))
    assert taken.json()["active"] is False
    (event,) = await admin.find("/AuditEvents", 'action eq "user.deactivate"')
    assert {"value": "R-LASTADMIN", "effect": "deferred"}.items() <= event["rules"][0].items()


async def test_a_role_that_goes_while_a_user_gets_it_leaves_no_trace(
    admin: ScimClient, scim: ScimClient
) -> None:
    role = await create_role(admin, "viewer")
    user = await scim.create_user("ann")
    path = f"/Users/{user['id']}"
    await asyncio.gather(
        scim.patch(path, {"op": "add", "path": "roles", "value": [{"value": "viewer"}]}),
        admin.delete(f"/Roles/{role}"),
    )
    after = await scim.read(path)
    assert ROLE not in after or after[ROLE].get("roleAssignments") is None


@pytest.mark.parametrize(
    "value", ['{"id":"1","value":"viewer","displayName":"Viewer"}', {"value": '{"value":"viewer"}'}]
)
async def test_a_role_as_json_text_is_the_role(admin: ScimClient, connect: Connect, value: Any) -> None:
    await create_role(admin, "viewer", permissions=["see"])
    entra = await connect(dialect="entra")
    user = await entra.create_user("ann", roles=[value])
    seen = await admin.read(f"/Users/{user['id']}", attributes=f"{ROLE}:effectivePermissions")
    assert seen[ROLE]["effectivePermissions"] == ["see"]


@pytest.mark.proves("DEL-10")
async def test_a_former_user_comes_back_where_the_client_says_so(connect: Connect) -> None:
    client = await connect(switches={"revive_former_users": True})
    body = {"schemas": [USER], "userName": "ann", "externalId": "W-1"}
    first = (await client.post("/Users", body)).json()
    await client.patch(f"/Users/{first['id']}", replace("active", value=False))
    again = await client.post("/Users", {**body, "title": "Back"})
    assert (again.status_code, again.json()["id"], again.json()["active"]) == (201, first["id"], True)
    await client.delete(f"/Users/{first['id']}")
    assert (await client.get(f"/Users/{first['id']}")).status_code == 404
    third = await client.post("/Users", body)
    assert (third.status_code, third.json()["id"], third.json()["active"]) == (201, first["id"], True)


async def test_without_the_switch_a_former_user_is_a_conflict_or_somebody_new(scim: ScimClient) -> None:
    body = {"schemas": [USER], "userName": "ann", "externalId": "W-1"}
    first = (await scim.post("/Users", body)).json()
    await scim.patch(f"/Users/{first['id']}", replace("active", value=False))
    assert (await scim.post("/Users", body)).status_code == 409
    await scim.delete(f"/Users/{first['id']}")
    again = await scim.post("/Users", body)
    assert again.status_code == 201
    assert again.json()["id"] != first["id"]


async def test_an_obligation_that_comes_while_a_user_is_deleted_is_open_or_refused(
    admin: ScimClient, scim: ScimClient, connect: Connect
) -> None:
    app = await connect(profile="app")
    user = await scim.create_user("ann")
    body = {"user": {"value": user["id"]}, "kind": "purchaseRequest", "source": "shop"}
    opened, deleted = await asyncio.gather(
        app.post("/Obligations", body), admin.delete(f"/Users/{user['id']}")
    )
    assert (opened.status_code, deleted.status_code) in {(201, 204), (201, 409), (400, 204)}
