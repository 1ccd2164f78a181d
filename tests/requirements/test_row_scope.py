"""A client that is confined to some users sees, finds and changes no others, and moves none in or out."""

from typing import Any

import pytest

from tests.conftest import Connect
from tests.requirements.accounts import ENTERPRISE, LIFECYCLE, act, hire, problem, status_of
from tests.support.catalogue import create_department
from tests.support.client import PATCH_SCHEMA, ScimClient

DEPARTMENT = "urn:ietf:params:scim:schemas:extension:department:2.0:User"
SCOPE = f'{DEPARTMENT}:departments[code eq "SALES"]'
PERMISSIONS = [
    "user:view",
    "user:create",
    "user:update",
    "user:delete",
    "user:lifecycle",
    "user:unlock",
    "token:manage",
    "obligation:write",
    "login:report",
    "user:bulk_update",
]


@pytest.fixture
async def users(admin: ScimClient) -> dict[str, str]:
    """Give one user in sales and one in law."""
    made = {}
    for name, code in (("ann", "SALES"), ("bob", "LAW")):
        made[code] = await create_department(admin, code)
        made[name] = await hire(admin, name, **belongs(made[code]))
    return made


def belongs(department: str) -> dict[str, Any]:
    """Return the attributes of a user in a department."""
    return {
        DEPARTMENT: {"departments": [{"value": department}]},
        LIFECYCLE: {"status": "pending"},
    }


@pytest.fixture
async def manager(connect: Connect) -> ScimClient:
    """Give the manager of the sales department."""
    return await connect(profile="admin", permissions=PERMISSIONS, row_scope=SCOPE)


@pytest.mark.proves("ACT-02", "VIE-03")
async def test_lists_and_filters_show_the_own_users_only(manager: ScimClient, users: dict[str, str]) -> None:
    for asked in (None, "userName pr", 'userName eq "ann" or userName eq "bob"', 'not (userName eq "x")'):
        found = await manager.read("/Users", **({} if asked is None else {"filter": asked}))
        assert (found["totalResults"], [one["id"] for one in found["Resources"]]) == (1, [users["ann"]])
    assert await manager.find("/Users", 'userName eq "bob"') == []
    searched = await manager.post(
        "/.search",
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "userName pr"},
    )
    assert [one["id"] for one in searched.json()["Resources"]] == [users["ann"]]


@pytest.mark.proves("ACT-02")
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_users_of_others_are_not_there(method: str, manager: ScimClient, users: dict[str, str]) -> None:
    body = {
        "PUT": {"userName": "bob"},
        "PATCH": {
            "schemas": [PATCH_SCHEMA],
            "Operations": [{"op": "add", "path": "title", "value": "Boss"}],
        },
    }.get(method)
    response = await manager.request(method, f"/Users/{users['bob']}", json=body)
    assert response.status_code == 404


@pytest.mark.proves("ACT-02")
async def test_the_own_users_are_changed(manager: ScimClient, users: dict[str, str]) -> None:
    title = {"op": "add", "path": "title", "value": "Boss"}
    assert (await manager.patch(f"/Users/{users['ann']}", title)).status_code == 200


@pytest.mark.proves("ACT-02")
async def test_nobody_is_moved_out_of_the_scope_or_made_outside(
    manager: ScimClient, users: dict[str, str]
) -> None:
    said = (403, "The user would be outside of what this client may change.")
    away = {"op": "replace", "path": f"{DEPARTMENT}:departments", "value": [{"value": users["LAW"]}]}
    assert problem(await manager.patch(f"/Users/{users['ann']}", away)) == said
    names = {"name": {"givenName": "Cid", "familyName": "Lee"}, "emails": [{"value": "cid@example.com"}]}
    assert problem(await manager.post("/Users", {**names, **belongs(users["LAW"])})) == said
    assert (await manager.post("/Users", {**names, **belongs(users["SALES"])})).status_code == 201


@pytest.mark.proves("ACT-02")
@pytest.mark.parametrize(
    ("path", "facts"),
    [
        ("/AccountActions", {"action": "deactivate", "reason": "other"}),
        ("/AccountActions", {"action": "setTemporaryPassword"}),
        ("/LoginReports", {"outcome": "failure"}),
        (
            "/ScheduledChanges",
            {"kind": "deactivate", "effectiveAt": "2099-01-01T00:00:00Z", "reason": "other"},
        ),
        ("/Obligations", {"kind": "workflow", "source": "app", "reference": "1"}),
    ],
)
async def test_no_other_door_leads_to_users_of_others(
    path: str, facts: dict[str, Any], manager: ScimClient, admin: ScimClient, users: dict[str, str]
) -> None:
    for name in (users["bob"], "bob"):
        refused = await manager.post(path, {"user": {"value": name}, **facts})
        assert problem(refused) == (400, f"user: User not found: {name}.")
    assert await status_of(admin, users["bob"]) == "pending"
    assert (await manager.post(path, {"user": {"value": users["ann"]}, **facts})).status_code == 201


@pytest.mark.proves("ACT-02", "TOK-01")
async def test_nobody_makes_a_token_for_users_of_others(manager: ScimClient, users: dict[str, str]) -> None:
    body = {"displayName": "x", "owner": {"value": users["bob"]}, "scopes": ["users:read"]}
    assert problem(await manager.post("/ApiTokens", body)) == (
        400,
        f"owner: User not found: {users['bob']}.",
    )


@pytest.mark.proves("ACT-02")
async def test_what_is_about_users_of_others_is_neither_shown_nor_changed(
    manager: ScimClient, admin: ScimClient, users: dict[str, str]
) -> None:
    plans = {}
    for name in ("ann", "bob"):
        facts = {"kind": "deactivate", "effectiveAt": "2099-01-01T00:00:00Z", "reason": "other"}
        made = await admin.post("/ScheduledChanges", {"user": {"value": users[name]}, **facts})
        plans[name] = f"/ScheduledChanges/{made.json()['id']}"
    assert (await manager.get(plans["ann"])).status_code == 200
    assert (await manager.get(plans["bob"])).status_code == 404
    assert [(await manager.delete(plans[name])).status_code for name in ("bob", "ann")] == [404, 204]
    said = "A client that is confined to some users cannot list resources of type ScheduledChange."
    assert problem(await manager.get("/ScheduledChanges")) == (403, said)


@pytest.mark.proves("ACT-02")
async def test_what_all_share_is_not_changed(manager: ScimClient, users: dict[str, str]) -> None:
    said = "A client that is confined to some users changes no resources of type"
    group = {"displayName": "Staff", "members": [{"value": users["bob"]}]}
    assert problem(await manager.post("/Groups", group)) == (403, f"{said} Group.")
    renamed = {"op": "replace", "path": "displayName", "value": "Ours"}
    refused = await manager.patch(f"/Departments/{users['LAW']}", renamed)
    assert problem(refused) == (403, f"{said} Department.")


@pytest.mark.proves("ACT-02")
async def test_a_former_user_of_others_is_not_brought_back(
    manager: ScimClient, admin: ScimClient, users: dict[str, str]
) -> None:
    assert (await admin.delete(f"/Users/{users['bob']}")).status_code == 204
    assert (await act(manager, users["bob"], "restore")).status_code == 404
    assert (await admin.get(f"/Users/{users['bob']}")).status_code == 404


@pytest.mark.proves("ACT-02")
async def test_many_changes_at_once_stay_in_the_scope(manager: ScimClient, users: dict[str, str]) -> None:
    change = {"schemas": [PATCH_SCHEMA], "Operations": [{"op": "add", "path": "title", "value": "Boss"}]}
    operations = [
        {"method": "PATCH", "path": f"/Users/{users[name]}", "data": change} for name in ("ann", "bob")
    ]
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations}
    answer = (await manager.post("/Bulk", body)).json()
    assert [one["status"] for one in answer["Operations"]] == ["200", "404"]


@pytest.mark.proves("ACT-02")
async def test_a_scope_by_manager_follows_the_manager(
    admin: ScimClient, connect: Connect, users: dict[str, str]
) -> None:
    boss = await hire(admin, "boss", **{LIFECYCLE: {"status": "pending"}})
    client = await connect(
        profile="admin", permissions=["user:view"], row_scope=f'{ENTERPRISE}:manager.value eq "{boss}"'
    )
    assert (await client.read("/Users"))["totalResults"] == 0
    reports = {"op": "add", "path": f"{ENTERPRISE}:manager", "value": {"value": boss}}
    await admin.patch_ok(f"/Users/{users['ann']}", reports)
    assert [one["id"] for one in (await client.read("/Users"))["Resources"]] == [users["ann"]]


@pytest.mark.proves("ACT-02", "DEL-10")
@pytest.mark.parametrize("door", ["deactivated", "deleted"])
@pytest.mark.parametrize(("title", "is_own"), [("Clerk", True), ("Judge", False)])
async def test_a_former_user_is_taken_over_within_the_scope_only(
    door: str, title: str, is_own: bool, admin: ScimClient, connect: Connect
) -> None:
    client = await connect(
        profile="idp",
        permissions=PERMISSIONS,
        row_scope='title eq "Clerk"',
        switches={"revive_former_users": True},
    )
    former = await hire(client, "ann", externalId="00u1", title="Clerk")
    moved = [
        {"op": "replace", "path": "title", "value": title},
        {"op": "add", "path": "nickName", "value": "Annie"},
    ]
    await admin.patch_ok(f"/Users/{former}", *moved)
    if door == "deleted":
        assert (await admin.delete(f"/Users/{former}")).status_code == 204
    else:
        assert (await act(admin, former, "deactivate", reason="other")).status_code == 201
    names = {"name": {"givenName": "Cid", "familyName": "Lee"}, "emails": [{"value": "cid@example.com"}]}
    body = {**names, "userName": "cid", "externalId": "00u1", "title": "Clerk"}
    made = await client.post("/Users", body)
    assert made.status_code == 201
    assert (made.json()["id"] == former, made.json().get("nickName") == "Annie") == (is_own, is_own)
    assert (await admin.get(f"/Users/{former}")).status_code == (
        404 if (door, is_own) == ("deleted", False) else 200
    )


@pytest.mark.proves("ACT-02")
async def test_groups_do_not_tell_who_else_there_is(
    manager: ScimClient, admin: ScimClient, users: dict[str, str]
) -> None:
    group = (await admin.create_group("Staff", [users["ann"], users["bob"]]))["id"]
    seen = [await manager.read(f"/Groups/{group}", attributes="members,displayName")]
    seen += (await manager.read("/Groups"))["Resources"]
    assert [(one["displayName"], "members" in one) for one in seen] == [("Staff", False)] * 2
    asked = (
        'members.display sw "B"',
        f'members.value eq "{users["bob"]}"',
        f'members eq "{users["bob"]}"',
        'members[display sw "B"]',
        "members pr",
        'not (displayName pr and members.type eq "User")',
    )
    for one in asked:
        for path in ("/Groups", "/"):
            refused = await manager.get(path, filter=one)
            assert (refused.status_code, refused.json()["scimType"]) == (400, "invalidFilter"), one
    assert [one["id"] for one in await manager.find("/Groups", 'displayName eq "Staff"')] == [group]


@pytest.mark.proves("ACT-02")
async def test_departments_do_not_tell_who_leads_them(manager: ScimClient, admin: ScimClient) -> None:
    law = await create_department(admin, "LAW")
    await hire(admin, "bob", **{DEPARTMENT: {"departments": [{"value": law, "headOfDepartment": True}]}})
    assert "heads" in await admin.read(f"/Departments/{law}", attributes="heads")
    assert "heads" not in await manager.read(f"/Departments/{law}", attributes="heads")


@pytest.mark.proves("ACT-02", "STA-04")
async def test_nothing_is_handed_over_to_users_of_others(
    manager: ScimClient, admin: ScimClient, users: dict[str, str]
) -> None:
    task = {"user": {"value": users["ann"]}, "kind": "task", "source": "x", "display": "To do"}
    made = (await admin.post("/Obligations", task)).json()
    why = {"reason": "other", "transferTo": users["bob"]}
    assert (await act(manager, users["ann"], "deactivate", **why)).status_code == 201
    kept = await admin.read(f"/Obligations/{made['id']}")
    assert (kept["status"], "transferredTo" in kept) == ("open", False)
