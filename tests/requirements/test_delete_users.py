"""Deleting users: who may, what blocks it, what stays, and who may have the names afterwards."""

import pytest
import sqlalchemy as sa

from scim_server.lifecycle.urns import CONNECTOR, ENTERPRISE
from scim_server.security.principals import BUNDLES
from scim_server.store.database import Database
from scim_server.store.tables import resource
from tests.protocol.messages import Connect, accepted, refused
from tests.support.client import ScimClient
from tests.support.people import events, hire, last_event, news, told
from tests.support.time import Clock

BLOCKED = "Cannot delete user with active transactions. Deactivate instead."


@pytest.mark.proves("DEL-01")
@pytest.mark.parametrize(
    ("bundle", "may"),
    [("root", True), ("system-admin", True), ("hr-manager", False), ("it-support", False)],
)
async def test_deleting_takes_a_permission_of_its_own(
    admin: ScimClient, connect: Connect, bundle: str, *, may: bool
) -> None:
    ann = await hire(admin)
    client = await connect(profile="admin", permissions=list(BUNDLES[bundle]))
    response = await client.delete(f"/Users/{ann['id']}")
    if may:
        assert response.status_code == 204
    else:
        assert refused(response, 403)["detail"].startswith("Access denied: ")


@pytest.mark.proves("DEL-02")
@pytest.mark.parametrize("profile", ["admin", "import"])
async def test_open_transactions_keep_people_from_deleting(
    admin: ScimClient, connect: Connect, profile: str
) -> None:
    ann = await hire(admin)
    body = {"user": {"value": ann["id"]}, "kind": "purchaseRequest", "source": "erp", "display": "PR-1"}
    obligation = accepted(await admin.post("/Obligations", body), 201)
    client = await connect(profile=profile, permissions=["user:view", "user:delete"])
    assert refused(await client.delete(f"/Users/{ann['id']}"), 409)["detail"] == BLOCKED
    await admin.patch_ok(
        f"/Obligations/{obligation['id']}", {"op": "replace", "path": "status", "value": "settled"}
    )
    assert (await client.delete(f"/Users/{ann['id']}")).status_code == 204


@pytest.mark.proves("DEL-02")
@pytest.mark.parametrize("profile", ["idp", "hris"])
async def test_a_connector_deletes_in_spite_of_them_and_an_alarm_is_raised(
    admin: ScimClient, connect: Connect, database: Database, profile: str
) -> None:
    ann = await hire(admin)
    body = {"user": {"value": ann["id"]}, "kind": "purchaseRequest", "source": "erp", "display": "PR-1"}
    obligation = accepted(await admin.post("/Obligations", body), 201)
    client = await connect(profile=profile)
    assert (await client.delete(f"/Users/{ann['id']}")).status_code == 204
    refused(await admin.get(f"/Users/{ann['id']}"), 404)
    assert (await admin.read(f"/Obligations/{obligation['id']}"))["status"] == "open"
    assert told(await last_event(admin, ann["id"])) == [("R-OBLIG", "deferred", BLOCKED)]
    assert ("alarm", {"rule": "R-OBLIG", "message": BLOCKED}) in await news(database, ann["id"])


@pytest.mark.proves("DEL-04")
async def test_a_deleted_user_stays_in_the_store_with_when_and_by_whom(
    admin: ScimClient, connect: Connect, database: Database, clock: Clock
) -> None:
    boss, ann = await hire(admin, "boss"), await hire(admin)
    client = await connect(profile="admin", user=boss["id"])
    clock.advance(days=1)
    assert (await client.delete(f"/Users/{ann['id']}")).status_code == 204
    query = sa.select(resource).where(resource.c.id == ann["id"])
    row = (await database.read(lambda reader: reader.execute(query))).one()
    assert [row.deleted * 1_000, row.deleted_by] == [clock.time_ns(), boss["id"]]
    assert "ann@example.com" in row.document


@pytest.mark.proves("DEL-05", "UPD-01", "VIE-06")
async def test_a_deleted_user_is_in_no_list_and_no_query(admin: ScimClient) -> None:
    ann = await hire(admin)
    grouped = await admin.create_group("All", [ann["id"]])
    assert (await admin.delete(f"/Users/{ann['id']}")).status_code == 204
    detail = refused(await admin.get(f"/Users/{ann['id']}"), 404)["detail"]
    assert detail.startswith("User not found: ")
    change = {"op": "replace", "path": "title", "value": "Partner"}
    refused(await admin.patch(f"/Users/{ann['id']}", change), 404)
    refused(await admin.put(f"/Users/{ann['id']}", {"userName": "ann", "schemas": ann["schemas"][:1]}), 404)
    refused(await admin.delete(f"/Users/{ann['id']}"), 404)
    assert (await admin.read("/Users"))["totalResults"] == 0
    assert await admin.find("/Users", 'userName eq "ann@example.com"') == []
    assert await admin.find("/Users", "active eq true") == []
    assert "members" not in await admin.read(f"/Groups/{grouped['id']}")


@pytest.mark.proves("DEL-08")
async def test_the_history_of_a_deleted_user_can_be_read(admin: ScimClient, scim: ScimClient) -> None:
    ann = await hire(admin)
    await admin.patch_ok(f"/Users/{ann['id']}", {"op": "add", "path": "title", "value": "Partner"})
    assert (await admin.delete(f"/Users/{ann['id']}")).status_code == 204
    actions = [event["action"] for event in await events(admin, ann["id"])]
    assert actions == ["user.create", "user.update", "user.delete"]
    gone = {change["path"]: change for change in (await last_event(admin, ann["id"]))["changes"]}
    assert gone["title"] == {"path": "title", "from": "Partner"}
    assert await scim.find("/Users", "active eq true") == []


@pytest.mark.proves("DEL-09")
async def test_nobody_deletes_or_deactivates_himself(admin: ScimClient, connect: Connect) -> None:
    ann = await hire(admin)
    own = await connect(profile="admin", user=ann["id"])
    path = f"/Users/{ann['id']}"
    assert refused(await own.delete(path), 403)["detail"] == "You cannot delete your own account"
    off = {"op": "replace", "path": "active", "value": False}
    body = refused(await own.patch(path, off), 403)
    assert body["detail"] == "Deactivation reason is required; You cannot deactivate your own account"
    assert (await admin.read(path))["active"] is True


@pytest.mark.proves("DEL-10")
async def test_name_email_and_number_of_a_deleted_user_are_free_for_another(admin: ScimClient) -> None:
    facts = {"userName": "ann", ENTERPRISE: {"employeeNumber": "E-1"}, CONNECTOR: {"hrisId": "hr-1"}}
    first = await hire(admin, "ann", **facts)
    assert (await admin.delete(f"/Users/{first['id']}")).status_code == 204
    second = await hire(admin, "ann", **facts)
    assert second["id"] != first["id"]


@pytest.mark.proves("DEL-10")
async def test_the_same_person_comes_back_with_the_same_id_where_the_client_wants_that(
    admin: ScimClient, connect: Connect
) -> None:
    idp = await connect(switches={"revive_former_users": True})
    first = await hire(idp, "ann", userName="ann", externalId="00u1")
    assert (await idp.delete(f"/Users/{first['id']}")).status_code == 204
    second = await hire(idp, "ann", userName="ann.lee", externalId="00u1")
    assert [second["id"], second["userName"], second["active"]] == [first["id"], "ann.lee", True]
    other = await hire(admin, "bob", externalId="00u1")
    assert other["id"] != first["id"], "people make new users"


@pytest.mark.proves("DEL-04")
async def test_a_deleted_user_is_restored_as_inactive(admin: ScimClient) -> None:
    ann = await hire(admin)
    assert (await admin.delete(f"/Users/{ann['id']}")).status_code == 204
    accepted(await admin.post("/AccountActions", {"user": {"value": ann["id"]}, "action": "restore"}), 201)
    read = await admin.read(f"/Users/{ann['id']}")
    assert [read["userName"], read["active"]] == ["ann@example.com", False]
