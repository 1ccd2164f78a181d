"""Roles of users: who assigns them, the primary one, validity, permissions as a union, history."""

from typing import Any

import pytest

from scim_server.lifecycle.urns import CLEARANCE, CONNECTOR, LIFECYCLE, ROLE
from scim_server.store.database import Database
from tests.protocol.messages import Connect, accepted, refused
from tests.support.catalogue import ROLE_GOVERNANCE, create_role, load_catalogue
from tests.support.client import ScimClient
from tests.support.people import (
    add,
    assigned,
    because,
    effective_permissions,
    events,
    hire,
    last_event,
    names,
    news,
    person,
    remove,
    replace,
    roles,
    told,
)
from tests.support.time import Clock

PATH = f"{ROLE}:roleAssignments"


@pytest.fixture
async def recruiter(admin: ScimClient) -> str:
    """Give the role recruiter."""
    return await create_role(
        admin,
        "recruiter",
        display="Recruiter",
        permissions=["jobs:read", "jobs:write"],
        clearanceLevel="internal",
    )


@pytest.fixture
async def finance(admin: ScimClient) -> str:
    """Give the role finance."""
    return await create_role(
        admin,
        "finance",
        display="Finance",
        permissions=["jobs:read", "invoices:pay"],
        clearanceLevel="secret",
    )


def primary(rows: list[dict[str, Any]]) -> list[str]:
    """Return the ids of the assignments that are primary."""
    return [row["value"] for row in rows if row["primary"]]


@pytest.mark.proves("ROL-01")
@pytest.mark.parametrize("form", ["rich", "core", "flat"])
async def test_assigning_roles_takes_a_permission_of_its_own(
    admin: ScimClient, connect: Connect, recruiter: str, form: str
) -> None:
    ann = await hire(admin)
    operation = {
        "rich": add(PATH, [{"value": recruiter}]),
        "core": add("roles", [{"value": "recruiter"}]),
        "flat": add(f"{CONNECTOR}:roleCodes", "recruiter"),
    }[form]
    updater = await connect(profile="admin", permissions=["user:view", "user:update"])
    body = refused(await updater.patch(f"/Users/{ann['id']}", operation), 403)
    assert body["detail"].endswith("has no permission user:assign_role.")
    assigner = await connect(profile="admin", permissions=["user:view", "user:update", "user:assign_role"])
    accepted(await assigner.patch(f"/Users/{ann['id']}", operation))
    assert names(await assigned(admin, ann["id"], PATH)) == ["Recruiter"]


@pytest.mark.proves("ROL-01")
async def test_a_connector_without_the_permission_changes_no_roles_and_is_not_refused(
    admin: ScimClient, connect: Connect, recruiter: str, finance: str
) -> None:
    ann = await hire(admin, **roles(recruiter))
    idp = await connect(permissions=["user:view", "user:update"])
    await idp.patch_ok(f"/Users/{ann['id']}", replace("roles", [{"value": finance}]))
    assert names(await assigned(admin, ann["id"], PATH)) == ["Recruiter"]


@pytest.mark.proves("ROL-02")
async def test_roles_are_listed_with_description_and_permissions(admin: ScimClient) -> None:
    created = await create_role(
        admin, "recruiter", display="Recruiter", permissions=["jobs:read", "jobs:write"]
    )
    await admin.patch_ok(f"/Roles/{created}", add("description", "Fills open positions."))
    (found,) = await admin.find("/Roles", f'{ROLE_GOVERNANCE}:permissions eq "jobs:write"')
    assert [found["display"], found["description"]] == ["Recruiter", "Fills open positions."]
    assert found[ROLE_GOVERNANCE]["permissions"] == ["jobs:read", "jobs:write"]


@pytest.mark.proves("ROL-03")
async def test_exactly_one_of_several_roles_is_primary(
    admin: ScimClient, recruiter: str, finance: str
) -> None:
    rows = [{"value": recruiter}, {"value": finance, "primary": True}]
    ann = await hire(admin, **{ROLE: {"roleAssignments": rows}})
    assert primary(ann[ROLE]["roleAssignments"]) == [finance]
    path = f'{PATH}[value eq "{recruiter}"].primary'
    changed = accepted(await admin.patch(f"/Users/{ann['id']}", replace(path, True)))
    assert primary(changed[ROLE]["roleAssignments"]) == [recruiter]
    core = {role["value"]: role.get("primary", False) for role in changed["roles"]}
    assert core == {"recruiter": True, "finance": False}


@pytest.mark.proves("ROL-03")
async def test_two_primary_roles_are_refused(admin: ScimClient, recruiter: str, finance: str) -> None:
    rows = [{"value": recruiter, "primary": True}, {"value": finance, "primary": True}]
    body = person(**{ROLE: {"roleAssignments": rows}})
    refused(await admin.post("/Users", body), 400, "invalidValue")


@pytest.mark.proves("ROL-03")
async def test_the_organisation_may_allow_one_role_only(
    admin: ScimClient, database: Database, recruiter: str, finance: str
) -> None:
    await load_catalogue(database, policies={"roles_maximum": 1})
    body = refused(await admin.post("/Users", person(**roles(recruiter, finance))), 400, "invalidValue")
    assert body["detail"] == "A user can have 1 roles at most"


@pytest.mark.proves("ROL-04")
async def test_the_first_role_becomes_primary_and_the_caller_learns_of_it(
    admin: ScimClient, recruiter: str, finance: str
) -> None:
    preview = accepted(await admin.post("/Users?dryRun=true", person(**roles(recruiter, finance))))
    notice = {"rule": "R-PRIMARY", "effect": "corrected", "message": "Recruiter became the primary role"}
    assert preview["verdicts"] == [notice]
    ann = await hire(admin, **roles(recruiter, finance))
    assert primary(ann[ROLE]["roleAssignments"]) == [recruiter]
    assert told((await events(admin, ann["id"]))[0]) == [tuple(notice.values())]


@pytest.mark.proves("ROL-05")
async def test_a_role_holds_from_its_beginning_until_its_end(
    admin: ScimClient, clock: Clock, recruiter: str, finance: str
) -> None:
    term = {"value": finance, "validFrom": clock.text(days=1), "validTo": clock.text(days=2)}
    ann = await hire(admin, **{ROLE: {"roleAssignments": [{"value": recruiter}, term]}})
    seen = []
    for step in ({}, {"days": 1, "microseconds": -1}, {"microseconds": 1}, {"days": 1}):
        clock.advance(**step)
        read = await admin.read(f"/Users/{ann['id']}")
        found = await admin.find("/Users", f'{ROLE}:effectivePermissions eq "invoices:pay"')
        status = {row["value"]: row["status"] for row in read[ROLE]["roleAssignments"]}
        named = [role["value"] for role in read["roles"]]
        seen.append((status.get(finance), "finance" in named, len(found), read["meta"]["version"]))
    assert seen == [
        ("scheduled", False, 0, 'W/"1"'),
        ("scheduled", False, 0, 'W/"1"'),
        ("active", True, 1, 'W/"2"'),
        (None, False, 0, 'W/"3"'),
    ]


@pytest.mark.proves("ROL-06", "CLR-02")
async def test_clearance_follows_the_highest_role(admin: ScimClient, recruiter: str, finance: str) -> None:
    ann = await hire(admin, **roles(recruiter, finance))
    assert ann[CLEARANCE] == {"derivedLevel": "secret", "effectiveLevel": "secret"}
    gone = remove(f'{PATH}[value eq "{finance}"]')
    changed = accepted(await admin.patch(f"/Users/{ann['id']}", gone))
    assert changed[CLEARANCE] == {"derivedLevel": "internal", "effectiveLevel": "internal"}


@pytest.mark.proves("ROL-07", "VIE-05")
async def test_permissions_are_those_of_all_roles_together(
    admin: ScimClient, recruiter: str, finance: str
) -> None:
    ann = await hire(admin, **roles(recruiter, finance))
    assert await effective_permissions(admin, ann["id"]) == ["invoices:pay", "jobs:read", "jobs:write"]


@pytest.mark.proves("ROL-15", "ROL-07")
async def test_a_change_of_a_role_is_seen_at_once_by_reading_and_by_filters(
    admin: ScimClient, recruiter: str
) -> None:
    ann = await hire(admin, **roles(recruiter))
    by_permission = f'{ROLE}:effectivePermissions eq "offers:sign"'
    assert await admin.find("/Users", by_permission) == []
    await admin.patch_ok(
        f"/Roles/{recruiter}", replace(f"{ROLE_GOVERNANCE}:permissions", ["jobs:read", "offers:sign"])
    )
    assert await effective_permissions(admin, ann["id"]) == ["jobs:read", "offers:sign"]
    assert [user["id"] for user in await admin.find("/Users", by_permission)] == [ann["id"]]
    assert await admin.find("/Users", f'{ROLE}:effectivePermissions eq "jobs:write"') == []


@pytest.mark.proves("ROL-15")
async def test_a_role_is_changed_by_editing_and_permissions_change_with_it(
    admin: ScimClient, database: Database, recruiter: str, finance: str
) -> None:
    ann = await hire(admin, **roles(recruiter))
    changed = accepted(await admin.patch(f"/Users/{ann['id']}", replace(PATH, [{"value": finance}])))
    assert names(changed[ROLE]["roleAssignments"]) == ["Finance"]
    assert changed["roles"] == [{"value": "finance", "display": "Finance", "primary": True}]
    assert await effective_permissions(admin, ann["id"]) == ["invoices:pay", "jobs:read"]
    told_of = [facts for name, facts in await news(database, ann["id"]) if name == "user.roles.changed"]
    assert told_of == [{"roles": [recruiter]}, {"roles": [finance]}]


@pytest.mark.proves("ROL-10")
async def test_the_only_role_cannot_be_removed(admin: ScimClient, recruiter: str) -> None:
    ann = await hire(admin, **roles(recruiter))
    for operation in (remove(PATH), remove("roles"), remove(f'{PATH}[value eq "{recruiter}"]')):
        body = refused(await admin.patch(f"/Users/{ann['id']}", operation), 400, "invalidValue")
        assert body["detail"] == "The only role of a user cannot be removed"
    assert names(await assigned(admin, ann["id"], PATH)) == ["Recruiter"]


@pytest.mark.proves("ROL-10")
@pytest.mark.usefixtures("recruiter")
@pytest.mark.parametrize("profile", ["idp", "hris"])
async def test_a_connector_may_remove_the_only_role_and_the_user_is_not_ready_then(
    admin: ScimClient, connect: Connect, profile: str
) -> None:
    client = await connect(profile=profile)
    ann = await hire(client, userName="ann", roles=[{"value": "recruiter"}])
    changed = accepted(await client.patch(f"/Users/{ann['id']}", remove("roles")))
    assert "roles" not in changed
    assert changed["active"] is True
    assert await assigned(admin, ann["id"], PATH) == []
    read = await admin.read(f"/Users/{ann['id']}", attributes=f"{LIFECYCLE}:readiness")
    assert read[LIFECYCLE]["readiness"] == {"ready": False, "missing": ["role"]}
    said = ("R-LAST-ROLE", "recorded", "The only role of a user cannot be removed")
    assert said in told(await last_event(admin, ann["id"]))


@pytest.mark.proves("ROL-10")
async def test_the_next_role_becomes_primary(admin: ScimClient, recruiter: str, finance: str) -> None:
    ann = await hire(admin, **roles(recruiter, finance))
    gone = remove(f'{PATH}[value eq "{recruiter}"]')
    changed = accepted(await admin.patch(f"/Users/{ann['id']}", gone))
    assert primary(changed[ROLE]["roleAssignments"]) == [finance]
    assert await effective_permissions(admin, ann["id"]) == ["invoices:pay", "jobs:read"]


@pytest.mark.proves("ROL-12", "ROL-21")
async def test_every_change_of_roles_is_audited(
    admin: ScimClient, clock: Clock, recruiter: str, finance: str
) -> None:
    boss = await hire(admin, **roles(recruiter))
    made = clock.text()
    clock.advance(hours=1)
    operation = add(PATH, [{"value": finance}])
    await admin.patch_ok(f"/Users/{boss['id']}", operation, because(ticket="HR-7"))
    event = await last_event(admin, boss["id"])
    (change,) = [one for one in event["changes"] if one["path"] == PATH]
    assert [finance in change["from"], finance in change["to"]] == [False, True]
    rows = {row["value"]: row for row in await assigned(admin, boss["id"], PATH)}
    assert [rows[recruiter]["assignedAt"], rows[finance]["assignedAt"]] == [made, clock.text()]
    assert {row["source"] for row in rows.values()} == {"admin"}


@pytest.mark.proves("ROL-21")
@pytest.mark.parametrize(
    ("profile", "status"), [("admin", 409), ("import", 200), ("idp", 200), ("hris", 200)]
)
async def test_a_user_has_a_role_once(
    admin: ScimClient, connect: Connect, recruiter: str, profile: str, status: int
) -> None:
    ann = await hire(admin, **roles(recruiter))
    client = await connect(profile=profile)
    response = await client.patch(f"/Users/{ann['id']}", add(PATH, [{"value": "Recruiter"}]))
    assert response.status_code == status, response.text
    if status == 409:
        assert response.json()["detail"] == "User already has this role"
    assert [row["value"] for row in await assigned(admin, ann["id"], PATH)] == [recruiter]


@pytest.mark.proves("ROL-18")
async def test_a_role_that_is_deleted_is_nobodys_role(
    admin: ScimClient, recruiter: str, finance: str
) -> None:
    ann = await hire(admin, **roles(recruiter, finance))
    assert (await admin.delete(f"/Roles/{recruiter}")).status_code == 204
    read = await admin.read(f"/Users/{ann['id']}")
    assert [(row["display"], row["primary"]) for row in read[ROLE]["roleAssignments"]] == [("Finance", True)]
    assert [role["value"] for role in read["roles"]] == ["finance"]
    assert (await last_event(admin, ann["id"]))["action"] == "user.reference.deleted"
    body = refused(await admin.patch(f"/Users/{ann['id']}", add(PATH, [{"value": recruiter}])), 400)
    assert body["detail"] == "Selected role is not available"


@pytest.mark.proves("ROL-18")
async def test_who_holds_a_role_keeps_it_when_it_is_switched_off(admin: ScimClient, recruiter: str) -> None:
    ann = await hire(admin, **roles(recruiter))
    await admin.patch_ok(f"/Roles/{recruiter}", replace("supported", False))
    changed = accepted(await admin.patch(f"/Users/{ann['id']}", replace("title", "Partner")))
    assert names(changed[ROLE]["roleAssignments"]) == ["Recruiter"]
    body = refused(await admin.post("/Users", person("bob", **roles(recruiter))), 400, "invalidValue")
    assert body["detail"] == "Selected role is not available"
