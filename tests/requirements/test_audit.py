"""Every change is on record with who, what, when and why; the record outlives what it is about."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from scim_server.security.transparency.sealing import Sealing
from scim_server.services.lifecycle import Lifecycle
from scim_server.services.settlement import system_call
from scim_server.services.transparency.erasure import erase
from scim_server.services.transparency.sequencer import Sequencer
from scim_server.store.database import Database
from scim_server.store.tables import audit_event, outbox, tenant
from tests.conftest import Connect
from tests.requirements.accounts import (
    LIFECYCLE,
    PERSON,
    act,
    acted,
    events,
    fail,
    hire,
    last_event,
    make,
    report,
    set_active,
)
from tests.requirements.records import rows_of, told
from tests.support.catalogue import create_department, create_role, load_catalogue
from tests.support.client import PATCH_SCHEMA, ScimClient
from tests.support.tenants import token_of
from tests.support.time import Clock

ROLE = "urn:ietf:params:scim:schemas:extension:role:2.0:User"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


async def actions(client: ScimClient, id: str) -> list[str]:
    """Return the actions on record about a resource, the oldest first, without looks at it."""
    found = await events(client, f'resource.value eq "{id}" and action ne "user.view"')
    return [event["action"] for event in found]


@pytest.mark.proves("AUD-01")
async def test_a_change_is_on_record_with_who_what_when_and_why(
    admin: ScimClient, connect: Connect, clock: Clock
) -> None:
    boss = await hire(admin, "boss")
    own = await connect(profile="admin", user=boss)
    user = await hire(admin)
    clock.advance(days=1)
    why = {"reason": "correction", "note": "As he wished.", "justification": "Promotion", "ticket": "HR-7"}
    response = await own.request(
        "PATCH",
        f"/Users/{user}",
        json={
            "schemas": [PATCH_SCHEMA],
            "Operations": [
                {"op": "replace", "value": {"title": "Boss", f"{LIFECYCLE}:changeContext": why}},
            ],
        },
        headers={"x-request-id": "change-42"},
    )
    assert response.status_code == 200
    found = await admin.read(
        "/AuditEvents",
        filter=f'resource.value eq "{user}" and action eq "user.update"',
        attributes="at,action,outcome,actor,resource,changes,reason,note,justification,ticket,requestId",
    )
    event = found["Resources"][0]
    assert {name: event[name] for name in event if name not in {"id", "schemas", "meta"}} == {
        "at": clock.text().replace("Z", ".000000Z"),
        "action": "user.update",
        "outcome": "success",
        "actor": {"value": boss, "type": "admin", "client": "client-2"},
        "resource": {
            "value": user,
            "type": "User",
        },
        "changes": [{"path": "title", "to": "Boss"}],
        "requestId": "change-42",
        **why,
    }


@pytest.mark.proves("AUD-01")
async def test_an_event_shows_what_was_and_what_is(scim: ScimClient, admin: ScimClient) -> None:
    user = await make(scim, title="Clerk", nickName="Annie")
    operations = [{"op": "replace", "path": "title", "value": "Boss"}, {"op": "remove", "path": "nickName"}]
    await scim.patch_ok(f"/Users/{user}", *operations)
    assert (await last_event(admin, user))["changes"] == [
        {"path": "nickName", "from": "Annie"},
        {"path": "title", "from": "Clerk", "to": "Boss"},
    ]


@pytest.mark.proves("AUD-01")
async def test_every_kind_of_change_is_on_record_once(admin: ScimClient) -> None:
    user = await hire(admin)
    await create_role(admin, "recruiter")
    await admin.patch_ok(f"/Users/{user}", {"op": "replace", "path": "title", "value": "Boss"})
    await admin.patch_ok(f"/Users/{user}", {"op": "replace", "path": "title", "value": "Boss"})
    await admin.patch_ok(
        f"/Users/{user}", {"op": "add", "path": f"{ROLE}:roleAssignments", "value": [{"value": "recruiter"}]}
    )
    await acted(admin, user, "suspend", reason="other")
    await acted(admin, user, "reinstate", reason="returned")
    assert (await admin.delete(f"/Users/{user}")).status_code == 204
    await acted(admin, user, "restore")
    assert await actions(admin, user) == [
        "user.create",
        "user.update",
        "user.assignRole",
        "user.suspend",
        "user.reinstate",
        "user.delete",
        "user.restore",
    ]


@pytest.mark.proves("AUD-01")
@pytest.mark.parametrize(
    ("path", "noun", "name"),
    [
        ("/Groups", "group", "displayName"),
        ("/Departments", "department", "displayName"),
        ("/Roles", "role", "display"),
    ],
)
async def test_other_resources_are_on_record_too(path: str, noun: str, name: str, admin: ScimClient) -> None:
    body = {name: "One", **({"value": "one", "supported": True} if noun == "role" else {})}
    made = await admin.post(path, body)
    assert made.status_code == 201, made.text
    own = f"{path}/{made.json()['id']}"
    await admin.patch_ok(own, {"op": "replace", "path": name, "value": "Two"})
    assert (await admin.delete(own)).status_code == 204
    assert await actions(admin, made.json()["id"]) == [
        f"{noun}.{work}" for work in ("create", "update", "delete")
    ]


@pytest.mark.proves("AUD-01")
async def test_members_that_come_and_go_are_on_record(scim: ScimClient, admin: ScimClient) -> None:
    user = await make(scim)
    group = (await scim.create_group("Staff"))["id"]
    await scim.patch_ok(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": user}]})
    added = (await last_event(admin, group))["changes"]
    await scim.patch_ok(f"/Groups/{group}", {"op": "remove", "path": f'members[value eq "{user}"]'})
    removed = (await last_event(admin, group))["changes"]
    assert added == [{"path": "members", "to": json.dumps([user])}]
    assert removed[0]["path"] == "members"
    assert user in str(removed[0].get("from"))


@pytest.mark.proves("AUD-02")
async def test_changing_many_is_on_record_for_each_of_them(admin: ScimClient) -> None:
    users = [await hire(admin, name) for name in ("ann", "bob", "cid")]
    change = {"schemas": [PATCH_SCHEMA], "Operations": [{"op": "add", "path": "title", "value": "Boss"}]}
    operations = [{"method": "PATCH", "path": f"/Users/{user}", "data": change} for user in users]
    answer = await admin.request(
        "POST",
        "/Bulk",
        json={"schemas": [BULK], "Operations": operations},
        headers={"x-request-id": "0123456789abcdef0123456789abcdef"},
    )
    assert [one["status"] for one in answer.json()["Operations"]] == ["200"] * 3
    found = await events(admin, 'requestId eq "0123456789abcdef0123456789abcdef"')
    assert [(event["resource"]["value"], event["action"]) for event in found] == [
        (user, "user.update") for user in users
    ]


@pytest.mark.proves("AUD-02", "AUD-04", "STA-19")
async def test_who_is_passed_over_among_many_is_on_record_with_the_reason(admin: ScimClient) -> None:
    users = [await hire(admin, "ann"), await hire(admin, "bob", active=False)]
    pending = [{"op": "replace", "path": f"{LIFECYCLE}:status", "value": "pending"}]
    change = {"schemas": [PATCH_SCHEMA], "Operations": pending}
    operations = [{"method": "PATCH", "path": f"/Users/{user}", "data": change} for user in users]
    await admin.post("/Bulk", {"schemas": [BULK], "Operations": operations})
    found = [await last_event(admin, user) for user in users]
    assert [(event["action"], event["outcome"]) for event in found] == [
        ("user.update", "refused"),
        ("user.reonboard", "success"),
    ]
    said = "Invalid status transition from active to pending"
    assert [rule["message"] for rule in found[0]["rules"]] == [said]


@pytest.mark.proves("AUD-04")
@pytest.mark.parametrize("why", ["rule", "permission", "unique"])
async def test_a_refused_change_is_on_record(
    why: str, admin: ScimClient, connect: Connect, database: Database
) -> None:
    await hire(admin, "bob")
    user = await hire(admin)
    others = await connect(profile="admin", permissions=["user:view", "user:update"])
    refused: Callable[[], Awaitable[httpx2.Response]] = {
        "rule": lambda: act(admin, user, "deactivate"),
        "permission": lambda: act(others, user, "deactivate", reason="other"),
        "unique": lambda: admin.patch(
            f"/Users/{user}", {"op": "replace", "path": "userName", "value": "bob"}
        ),
    }[why]
    before = await rows_of(database, sa.select(outbox.c.id))
    response = await refused()
    assert response.status_code >= 400
    event = (await events(admin, 'outcome eq "refused"'))[-1]
    said = [rule["message"] for rule in event["rules"]]
    assert said == [response.json()["detail"]]
    assert event["requestId"] == response.headers["x-request-id"]
    assert await rows_of(database, sa.select(outbox.c.id)) == before


@pytest.mark.proves("AUD-04")
async def test_failed_logins_are_on_record(scim: ScimClient, admin: ScimClient) -> None:
    user = await make(scim)
    await fail(admin, user, 2)
    assert (await actions(admin, user)).count("login.failure") == 2


@pytest.mark.proves("AUD-05", "DBS-04")
async def test_the_record_outlives_the_user(admin: ScimClient) -> None:
    user = await hire(admin)
    assert (await admin.delete(f"/Users/{user}")).status_code == 204
    assert (await admin.get(f"/Users/{user}")).status_code == 404
    assert await actions(admin, user) == ["user.create", "user.delete"]
    gone = await last_event(admin, user)
    assert {"path": "userName", "from": "ann"} in gone["changes"]


@pytest.mark.proves("AUD-05")
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
async def test_nobody_changes_the_record(method: str, admin: ScimClient) -> None:
    user = await hire(admin)
    event = (await last_event(admin, user))["id"]
    path = "/AuditEvents" if method == "POST" else f"/AuditEvents/{event}"
    response = await admin.request(method, path, json={} if method != "DELETE" else None)
    assert response.status_code == 405


@pytest.mark.proves("AUD-07", "VIE-06")
async def test_the_record_of_one_user_is_read_by_who_did_what_when(
    admin: ScimClient, scim: ScimClient, clock: Clock
) -> None:
    boss, user = await hire(admin, "boss"), await hire(admin)
    await hire(admin, "other")
    middle = clock.text(hours=12)
    clock.advance(days=1)
    await set_active(scim, user, active=False)
    own = f'resource.value eq "{user}"'
    found = {
        asked: [event["action"] for event in await events(admin, f"{own} and {asked}")]
        for asked in (
            "action pr",
            'action eq "user.deactivate"',
            f'at lt "{middle}"',
            f'at ge "{middle}"',
            'actor.type eq "idp"',
            'actor.client eq "client-1"',
            f'actor.value eq "{boss}"',
            'reason eq "idpDeprovisioned"',
            'outcome eq "success" and resource.type eq "User"',
        )
    }
    assert list(found.values()) == [
        ["user.create", "user.deactivate"],
        ["user.deactivate"],
        ["user.create"],
        ["user.deactivate"],
        ["user.deactivate"],
        ["user.create"],
        [],
        [],
        ["user.create", "user.deactivate"],
    ]


@pytest.mark.proves("AUD-01", "VIE-06")
@pytest.mark.parametrize(
    ("mode", "seen"), [("off", []), ("sensitive", ["user.view"]), ("all", ["user.view", "user.view"])]
)
async def test_looks_of_people_are_on_record_as_the_organisation_wishes(
    mode: str, seen: list[str], admin: ScimClient, scim: ScimClient, database: Database
) -> None:
    await load_catalogue(database, policies={"audit_reads": mode})
    user = await hire(admin)
    await admin.read(f"/Users/{user}")
    await admin.read(f"/Users/{user}", attributes=f"{LIFECYCLE}:holds")
    await scim.read(f"/Users/{user}", attributes=f"{LIFECYCLE}:holds")
    found = await events(admin, f'resource.value eq "{user}" and action eq "user.view"')
    assert [event["action"] for event in found] == seen


@pytest.mark.proves("AUD-01")
async def test_what_is_told_to_others_stands_beside_the_event(admin: ScimClient, database: Database) -> None:
    manager = await hire(admin, "boss")
    urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    user = await hire(admin, **{urn: {"manager": {"value": manager}}})
    await acted(admin, user, "deactivate", reason="other")
    same = {"id": user, "type": "User"}
    assert await told(database, "user.deactivate") == [
        ("manager.notified", {**same, "manager": manager, "reason": "other"}),
        ("sessions.revoked", same),
        ("user.deactivated", {**same, "reason": "other"}),
    ]


@pytest.mark.proves("AUD-01")
async def test_a_change_that_is_taken_back_leaves_no_event(admin: ScimClient, database: Database) -> None:
    user = await hire(admin)
    count = sa.select(sa.func.count()).select_from(audit_event)
    before = await rows_of(database, count)
    change = {"op": "replace", "path": "title", "value": "Boss"}
    assert (await admin.patch(f"/Users/{user}?dryRun=true", change)).status_code == 200
    assert (await admin.request("DELETE", f"/Users/{user}?dryRun=true")).status_code == 200
    assert await rows_of(database, count) == before


@pytest.mark.proves("AUD-01", "ACT-01")
async def test_only_who_may_reads_the_record(admin: ScimClient, connect: Connect) -> None:
    user = await hire(admin)
    event = (await last_event(admin, user))["id"]
    for profile in ("idp", "hris", "import", "app"):
        client = await connect(profile=profile)
        assert (await client.get("/AuditEvents")).status_code == 403
        assert (await client.get(f"/AuditEvents/{event}")).status_code == 403
        assert event not in (await client.get("/", filter="id pr")).text


@pytest.mark.proves("DBS-03")
async def test_an_organisation_sees_nothing_of_another(
    admin: ScimClient, database: Database, application: Any
) -> None:
    token = await token_of(database, "other", profile="admin")
    async with ScimClient(
        "http://scim.test/t/other/scim/v2", token, httpx2.ASGITransport(app=application)
    ) as other:
        mine = await hire(admin)
        department = await create_department(admin, "SALES")
        theirs = await other.post("/Users", {**PERSON, "userName": "ann"})
        assert theirs.status_code == 201
        assert [user["id"] for user in (await other.read("/Users"))["Resources"]] == [theirs.json()["id"]]
        assert (await other.get(f"/Users/{mine}")).status_code == 404
        assert (await other.get(f"/Departments/{department}")).status_code == 404
        assert await actions(other, mine) == []
        assert (await act(other, mine, "deactivate", reason="other")).status_code == 400


@pytest.mark.proves("AUD-02")
async def test_what_belongs_to_a_user_is_on_record_under_the_user_and_is_erased_with_the_user(
    admin: ScimClient, database: Database
) -> None:
    user = await hire(admin)
    await acted(admin, user, "suspend", reason="securityIncident", note="Stole from the till.")
    await admin.post(
        "/ApiTokens", {"displayName": "Secret laptop", "owner": {"value": user}, "scopes": ["users:read"]}
    )
    await report(admin, user)
    found = await admin.read("/AuditEvents", attributes="action,subject,resource,note", count="1000")
    by_action = {event["action"]: event for event in found["Resources"]}
    assert by_action["accountAction.create"]["subject"] == user
    assert by_action["loginReport.create"]["subject"] == user
    assert "subject" not in by_action["user.create"]
    assert all("subject" not in event for event in await events(admin, "action pr"))
    registry = Lifecycle.of().registry
    (tenant_id,) = (await rows_of(database, sa.select(tenant.c.id).where(tenant.c.name == "default")))[0]
    await Sequencer(database, Sealing()).run_once()
    await erase(database, registry, Sealing(), system_call(tenant_id, "default"), user)
    for event in await events(admin, f'subject eq "{user}" or resource.value eq "{user}"'):
        if event["action"] not in {"audit.erase", "user.view"}:
            assert not any("to" in change for change in event.get("changes", ()))
            assert "note" not in event


@pytest.mark.proves("AUD-01")
async def test_a_request_id_that_a_client_made_up_is_not_public(
    admin: ScimClient, database: Database
) -> None:
    user = await hire(admin)
    body = {"schemas": [PATCH_SCHEMA], "Operations": [{"op": "replace", "path": "title", "value": "Boss"}]}
    sent = {"x-request-id": "alice.secret_example.com"}
    response = await admin.request("PATCH", f"/Users/{user}", json=body, headers=sent)
    assert response.headers["x-request-id"] == sent["x-request-id"]
    event = await last_event(admin, user)
    assert event["requestId"] == sent["x-request-id"]
    assert [
        row for row in await rows_of(database, sa.select(audit_event)) if "alice.secret" in str(row)
    ] == []
