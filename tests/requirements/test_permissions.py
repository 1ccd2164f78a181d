"""Every client does what its permissions say, path by path, until the moment they are taken away."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from scim_server.security.principals import BUNDLES, DEFAULT_PERMISSIONS, PERMISSIONS, Principal
from scim_server.services.authentication import Authenticator
from scim_server.store.database import Database, Writer
from scim_server.store.tables import client as client_table
from scim_server.store.tables import token as token_table
from tests.conftest import Connect
from tests.requirements.accounts import (
    CONNECTOR,
    ENTERPRISE,
    LIFECYCLE,
    PERSON,
    act,
    fail,
    hire,
    last_event,
    make,
    part,
    problem,
    set_active,
)
from tests.support.catalogue import (
    create_department,
    create_entitlement,
    create_location,
    create_role,
    load_catalogue,
)
from tests.support.client import ScimClient

URN = "urn:ietf:params:scim:schemas:extension:"
WHY = {f"{LIFECYCLE}:changeContext": {"reason": "other", "justification": "He needs it."}}
LIMIT = {"type": "general", "amount": 100, "currency": "USD"}
NEEDS: dict[str, tuple[str, Callable[[dict[str, str]], dict[str, Any]]]] = {
    "title": ("user:update", lambda _: {"title": "Boss"}),
    "password": ("user:update", lambda _: {"password": "N3w&Secret"}),
    "name": ("user:update", lambda _: {"name.givenName": "Zoe"}),
    "manager": ("user:update", lambda ids: {f"{ENTERPRISE}:manager": {"value": ids["boss"]}}),
    "department": (
        "user:update",
        lambda ids: {f"{URN}department:2.0:User:departments": [{"value": ids["department"]}]},
    ),
    "location": (
        "user:update",
        lambda ids: {f"{URN}location:2.0:User:locations": [{"value": ids["location"]}]},
    ),
    "dates": ("user:update", lambda _: {f"{CONNECTOR}:hireDate": "2020-01-01"}),
    "roles": ("user:assign_role", lambda _: {"roles": [{"value": "recruiter"}]}),
    "role assignments": (
        "user:assign_role",
        lambda ids: {f"{URN}role:2.0:User:roleAssignments": [{"value": ids["role"]}]},
    ),
    "flat role": ("user:assign_role", lambda _: {f"{CONNECTOR}:primaryRole": "recruiter"}),
    "limits": (
        "financial:configure",
        lambda _: {f"{URN}approvalLimit:2.0:User:approvalLimits": [LIMIT]},
    ),
    "flat limit": (
        "financial:configure",
        lambda _: {f"{CONNECTOR}:approvalLimitAmount": 100, f"{CONNECTOR}:approvalLimitCurrency": "USD"},
    ),
    "clearance": ("permission:manage", lambda _: {f"{URN}clearance:2.0:User:level": "secret"}),
    "special permissions": (
        "permission:manage",
        lambda ids: {f"{URN}specialPermission:2.0:User:specialPermissions": [{"value": ids["entitlement"]}]},
    ),
    "status": ("user:lifecycle", lambda _: {f"{LIFECYCLE}:status": "inactive"}),
    "flat status": ("user:lifecycle", lambda _: {f"{CONNECTOR}:accountStatus": "inactive"}),
    "active": ("user:lifecycle", lambda _: {"active": False}),
    "lock": ("user:unlock", lambda _: {f"{LIFECYCLE}:lockout.locked": False}),
}
NEW = {**PERSON, "userName": "new", "emails": [{"value": "new@example.com"}], "active": False}
CHANGING = sorted({permission for permission, _ in NEEDS.values()})


@pytest.fixture
async def ids(admin: ScimClient) -> dict[str, str]:
    """Give a catalogue, a locked user and its manager."""
    ann = await hire(admin)
    await fail(admin, ann)
    return {
        "ann": ann,
        "role": await create_role(admin, "recruiter"),
        "department": await create_department(admin, "SALES"),
        "location": await create_location(admin, "NYC"),
        "entitlement": await create_entitlement(admin, "export"),
        "boss": await hire(admin, "boss", **{LIFECYCLE: {"status": "pending"}}),
    }


@pytest.mark.proves("ACT-01")
@pytest.mark.parametrize("permission", CHANGING)
async def test_a_person_changes_what_the_permission_is_for_and_nothing_else(
    permission: str, ids: dict[str, str], connect: Connect
) -> None:
    client = await connect(profile="admin", permissions=["user:view", permission])
    answers = {}
    for path, (_, value) in NEEDS.items():
        change = {"op": "replace", "value": {**value(ids), **WHY}}
        response = await client.patch(f"/Users/{ids['ann']}?dryRun=true", change)
        answers[path] = response.json().get("detail", "allowed")
    assert answers == {
        path: "allowed" if needed == permission else f"The client client-2 has no permission {needed}."
        for path, (needed, _) in NEEDS.items()
    }


@pytest.mark.proves("ACT-01")
@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("GET", "/Users", "user:view"),
        ("GET", "/Groups", "user:view"),
        ("GET", "/Departments", "user:view"),
        ("GET", "/Roles", "user:view"),
        ("GET", "/ScheduledChanges", "user:view"),
        ("GET", "/ApiTokens", "token:manage"),
        ("GET", "/AuditEvents", "audit:read"),
        ("POST", "/Users", "user:create"),
        ("POST", "/Groups", "user:create"),
        ("POST", "/Roles", "permission:manage"),
        ("POST", "/Entitlements", "permission:manage"),
        ("POST", "/Obligations", "obligation:write"),
        ("POST", "/LoginReports", "login:report"),
        ("POST", "/ScheduledChanges", "user:lifecycle"),
        ("POST", "/ApiTokens", "token:manage"),
        ("DELETE", "/Users/{ann}", "user:delete"),
        ("DELETE", "/Roles/{role}", "permission:manage"),
    ],
)
async def test_every_door_asks_for_its_permission(
    method: str, path: str, permission: str, ids: dict[str, str], connect: Connect
) -> None:
    others = [name for name in PERMISSIONS if name != permission]
    client = await connect(profile="admin", permissions=others)
    refused = await client.request(method, path.format(**ids), json={} if method == "POST" else None)
    assert problem(refused) == (403, f"Access denied: the client client-2 has no permission {permission}.")
    allowed = await connect(profile="admin", permissions=[permission])
    answer = await allowed.request(method, path.format(**ids), json={} if method == "POST" else None)
    assert answer.status_code != 403


@pytest.mark.proves("ACT-01")
@pytest.mark.parametrize(
    ("action", "permission"),
    [
        ("deactivate", "user:lifecycle"),
        ("suspend", "user:lifecycle"),
        ("revokeSessions", "user:lifecycle"),
        ("unlock", "user:unlock"),
        ("resetPassword", "user:unlock"),
        ("revokeTokens", "token:manage"),
        ("resendInvite", "user:create"),
        ("restore", "user:delete"),
    ],
)
async def test_every_action_asks_for_its_permission(
    action: str, permission: str, ids: dict[str, str], connect: Connect
) -> None:
    others = [name for name in PERMISSIONS if name != permission]
    client = await connect(profile="admin", permissions=others)
    assert problem(await act(client, ids["ann"], action, reason="other")) == (
        403,
        f"Access denied: the client client-2 has no permission {permission}.",
    )


@pytest.mark.proves("ACT-01")
async def test_many_changes_at_once_take_a_permission_of_their_own(
    admin: ScimClient, connect: Connect, database: Database
) -> None:
    await load_catalogue(database, policies={"bulk_threshold": 1})
    await admin.get("/Users")
    client = await connect(profile="admin", permissions=["user:view", "user:create"])
    operation = {"method": "POST", "path": "/Users", "data": {"userName": "zoe"}}
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{**operation, "bulkId": str(number)} for number in range(2)],
    }
    said = "Access denied: the client client-2 has no permission user:bulk_update."
    assert problem(await client.post("/Bulk", body)) == (403, said)


@pytest.mark.proves("ACT-01")
async def test_who_may_not_change_the_status_plans_no_change_of_it(
    ids: dict[str, str], connect: Connect
) -> None:
    client = await connect(profile="admin", permissions=["user:view", "user:update"])
    response = await set_active(
        client, ids["ann"], active=False, reason="other", effectiveAt="2099-01-01T00:00:00Z"
    )
    said = "Access denied: the client client-2 has no permission user:lifecycle."
    assert problem(response) == (403, said)


@pytest.mark.proves("ACT-02")
@pytest.mark.parametrize(
    ("bundle", "may"),
    [
        ("root", {"create", "title", "limits", "clearance", "roles", "deactivate", "unlock", "delete"}),
        ("system-admin", {"create", "title", "roles", "deactivate", "unlock", "delete"}),
        ("hr-manager", {"create", "title", "deactivate"}),
        ("department-manager", set()),
        ("operations-manager", {"title"}),
        ("financial-controller", {"limits"}),
        ("it-support", {"create", "unlock"}),
        ("security-officer", {"deactivate", "unlock"}),
        ("auditor", set()),
    ],
)
async def test_who_acts_does_what_the_office_needs_and_no_more(
    bundle: str, may: set[str], ids: dict[str, str], connect: Connect
) -> None:
    client = await connect(profile="admin", permissions=list(BUNDLES[bundle]))
    assert (await client.get(f"/Users/{ids['ann']}")).status_code == 200
    done = set()
    for path in ("title", "limits", "clearance", "roles"):
        value = {**NEEDS[path][1](ids), **WHY}
        response = await client.patch(f"/Users/{ids['ann']}", {"op": "replace", "value": value})
        done |= {path} if response.status_code == 200 else set()
    for action in ("unlock", "deactivate"):
        response = await act(client, ids["ann"], action, reason="other")
        done |= {action} if response.status_code == 201 else set()
    done |= {"create"} if (await client.post("/Users", NEW)).status_code == 201 else set()
    done |= {"delete"} if (await client.delete(f"/Users/{ids['boss']}")).status_code == 204 else set()
    assert done == may


@pytest.mark.proves("ACT-02")
@pytest.mark.parametrize("profile", DEFAULT_PERMISSIONS)
async def test_every_profile_may_by_itself_what_its_kind_of_client_does(
    profile: str, ids: dict[str, str], connect: Connect
) -> None:
    client = await connect(profile=profile)
    statuses = {
        "view": (await client.get("/Users")).status_code,
        "create": (await client.post("/Users", NEW)).status_code,
        "report": (
            await client.post("/LoginReports", {"user": {"value": ids["ann"]}, "outcome": "success"})
        ).status_code,
        "audit": (await client.get("/AuditEvents")).status_code,
    }
    makes, reports, audits = profile != "app", profile in {"app", "admin"}, profile == "admin"
    assert statuses == {
        "view": 200,
        "create": 201 if makes else 403,
        "report": 201 if reports else 403,
        "audit": 200 if audits else 403,
    }


async def take_away(database: Database, what: str) -> None:
    """Take something away from every client: a permission, the client, its tokens."""
    rest = json.dumps([name for name in PERMISSIONS if name != "user:update"])
    statement = {
        "permission": client_table.update().values(permissions=rest),
        "client": client_table.update().values(revoked=1),
        "token": token_table.update().values(revoked=1),
    }[what]

    async def work(writer: Writer) -> None:
        await writer.execute(statement)

    await database.write(work)


@pytest.mark.proves("ACT-03")
@pytest.mark.parametrize("what", ["permission", "client", "token"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_what_is_taken_away_during_an_operation_stops_it(
    method: str, what: str, admin: ScimClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await hire(admin)
    before = await admin.read(f"/Users/{user}")
    identified = Authenticator.principal

    async def principal(self: Authenticator, header: str | None, **facts: Any) -> Principal:
        found = await identified(self, header, **facts)
        await take_away(database, what)
        return found

    operations = [{"op": "replace", "path": "title", "value": "Boss"}]
    body = {
        "POST": NEW,
        "PUT": {**PERSON, "userName": "ann", "title": "Boss"},
        "PATCH": {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations},
        "DELETE": None,
    }[method]
    path = "/Users" if method == "POST" else f"/Users/{user}"
    with monkeypatch.context() as patch:
        patch.setattr(Authenticator, "principal", principal)
        patch.setattr(Authenticator, "remembered", lambda *_args, **_facts: None)
        refused = await admin.request(method, path, json=body)
    assert problem(refused) == (403, "Your permissions have changed")
    await give_back(database)
    assert await admin.read("/Users") | {"Resources": None} == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": 1,
        "startIndex": 1,
        "itemsPerPage": 1,
        "Resources": None,
    }
    assert await admin.read(f"/Users/{user}") == before


async def give_back(database: Database) -> None:
    """Undo what take_away did."""

    async def work(writer: Writer) -> None:
        await writer.execute(client_table.update().values(revoked=None, permissions=json.dumps(PERMISSIONS)))
        await writer.execute(token_table.update().values(revoked=None))

    await database.write(work)


@pytest.mark.proves("ACT-01")
@pytest.mark.parametrize(
    ("first", "second", "stays"),
    [("hris", "idp", True), ("idp", "hris", False), ("idp", "idp", False), ("idp", "admin", False)],
)
async def test_a_source_of_lower_rank_does_not_replace_what_a_higher_one_wrote(
    first: str, second: str, admin: ScimClient, connect: Connect, *, stays: bool
) -> None:
    one, other = await connect(profile=first), await connect(profile=second)
    user = await make(admin, **{**PERSON, "active": False})
    await one.patch_ok(f"/Users/{user}", {"op": "replace", "value": {"title": "First"}})
    response = await other.patch(
        f"/Users/{user}", {"op": "replace", "value": {"title": "Second", "nickName": "Annie"}}
    )
    assert response.status_code == 200
    found = response.json()
    assert (found["title"], found["nickName"]) == ("First" if stays else "Second", "Annie")
    rules = [rule["value"] for rule in (await last_event(admin, user)).get("rules", ())]
    assert ("R-AUTHORITY" in rules) is stays


@pytest.mark.proves("ACT-01")
async def test_an_organisation_may_leave_the_profile_to_the_identity_provider_alone(
    admin: ScimClient, connect: Connect, database: Database
) -> None:
    await load_catalogue(database, policies={"idp_exclusive": True})
    idp = await connect(profile="idp")
    user = await make(idp, **PERSON)
    response = await admin.patch(f"/Users/{user}", {"op": "replace", "path": "title", "value": "Boss"})
    assert problem(response) == (
        403,
        "The identity provider alone may change the profile of this user.",
    )


@pytest.mark.proves("ACT-01")
@pytest.mark.parametrize("profile", ["idp", "hris"])
async def test_what_a_connector_may_not_write_it_is_not_refused_for(
    profile: str, ids: dict[str, str], admin: ScimClient, connect: Connect
) -> None:
    client = await connect(profile=profile, permissions=list(PERMISSIONS))
    value = {**NEEDS["limits"][1](ids), **NEEDS["clearance"][1](ids), "title": "Boss"}
    response = await client.patch(f"/Users/{ids['ann']}", {"op": "replace", "value": value})
    assert (response.status_code, response.json()["title"]) == (200, "Boss")
    assert f"{URN}approvalLimit:2.0:User" not in response.json()
    said = [rule["message"] for rule in (await last_event(admin, ids["ann"]))["rules"]]
    assert said[:2] == [
        f"{name} cannot be written by a client of profile {profile}; left as it was"
        for name in ("limits", "clearance")
    ]


@pytest.mark.parametrize("profile", ["admin", "idp"])
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_password_takes_the_permission_to_update_users(
    method: str, profile: str, ids: dict[str, str], admin: ScimClient, connect: Connect
) -> None:
    client = await connect(
        profile=profile, permissions=["user:view", "user:lifecycle", "financial:configure"]
    )
    body = {
        "PUT": {**await admin.read(f"/Users/{ids['ann']}"), "password": "N3w&Secret"},
        "PATCH": {"Operations": [{"op": "add", "value": {"password": "N3w&Secret"}}]},
    }[method]
    refused = await client.request(method, f"/Users/{ids['ann']}", json=body)
    assert problem(refused) == (403, "The client client-2 has no permission user:update.")
    assert await part(admin, ids["ann"], "credentials") is None


@pytest.mark.proves("ACT-01")
async def test_a_login_report_is_not_written_by_patch(ids: dict[str, str], admin: ScimClient) -> None:
    count = {"op": "replace", "path": f"{LIFECYCLE}:login.loginCount", "value": 99}
    assert (await admin.patch(f"/Users/{ids['ann']}", count)).status_code == 400
    assert "loginCount" not in (await part(admin, ids["ann"], "login") or {})
