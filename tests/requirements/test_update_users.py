"""Editing users: who may, what can be edited, conflicts with others, history, and a look before saving."""

from typing import Any

import pytest

from scim_server.lifecycle.urns import (
    APPROVAL_LIMIT,
    CLEARANCE,
    CONNECTOR,
    DEPARTMENT,
    ENTERPRISE,
    LIFECYCLE,
    LOCATION,
    ROLE,
    SPECIAL_PERMISSION,
)
from scim_server.security.principals import BUNDLES
from scim_server.store.database import Database
from tests.protocol.messages import Connect, accepted, refused
from tests.support.catalogue import (
    create_department,
    create_entitlement,
    create_location,
    create_role,
    load_catalogue,
)
from tests.support.client import PATCH_SCHEMA, ScimClient
from tests.support.people import add, because, hire, last_event, news, replace, said
from tests.support.time import Clock


@pytest.mark.proves("UPD-01")
@pytest.mark.parametrize(
    ("bundle", "may"),
    [("system-admin", True), ("hr-manager", True), ("auditor", False), ("it-support", False)],
)
async def test_editing_takes_a_permission(
    admin: ScimClient, connect: Connect, bundle: str, *, may: bool
) -> None:
    ann = await hire(admin)
    client = await connect(profile="admin", permissions=list(BUNDLES[bundle]))
    response = await client.patch(f"/Users/{ann['id']}", replace("title", "Partner"))
    assert response.status_code == (200 if may else 403), response.text


EDITS: list[tuple[str, Any]] = [
    ("name.givenName", "Anna"),
    (f"{CONNECTOR}:bio", "Sells."),
    ("emails", [{"value": "anna@example.com"}]),
    (f"{DEPARTMENT}:departments", [{"value": "SALES"}]),
    (f"{LOCATION}:locations", [{"value": "BERLIN"}]),
    (f"{ROLE}:roleAssignments", [{"value": "seller"}]),
    (f"{APPROVAL_LIMIT}:approvalLimits", [{"type": "general", "amount": 5, "currency": "EUR"}]),
    (f"{CLEARANCE}:level", "secret"),
    (f"{LIFECYCLE}:validTo", "2027-01-01T00:00:00Z"),
    (f"{SPECIAL_PERMISSION}:specialPermissions", [{"value": "maintenance"}]),
]


@pytest.fixture
async def organisation(admin: ScimClient) -> None:
    """Make what the edits name."""
    await create_department(admin, "SALES")
    await create_location(admin, "BERLIN")
    await create_role(admin, "seller")
    await create_entitlement(admin, "maintenance")


@pytest.mark.proves("UPD-02", "UPD-06", "UPD-07")
@pytest.mark.usefixtures("organisation")
@pytest.mark.parametrize(("path", "value"), EDITS)
async def test_everything_that_can_be_edited_is_changed_and_put_down(
    admin: ScimClient, connect: Connect, clock: Clock, path: str, value: Any
) -> None:
    boss, ann = await hire(admin, "boss"), await hire(admin)
    client = await connect(profile="admin", user=boss["id"])
    clock.advance(minutes=5)
    changed = accepted(await client.patch(f"/Users/{ann['id']}", add(path, value)))
    assert changed["meta"]["version"] == 'W/"2"'
    assert changed["meta"]["lastModified"].startswith(clock.text()[:19])
    event = await last_event(admin, ann["id"])
    assert [event["outcome"], event["actor"]["value"]] == ["success", boss["id"]]
    top = path.partition(".")[0] if not path.startswith("urn:") else path
    assert top in [change["path"] for change in event["changes"]]


@pytest.mark.proves("UPD-03")
@pytest.mark.parametrize(
    ("policy", "profile", "status"),
    [
        ("always", "admin", 200),
        ("always", "import", 200),
        ("admin", "admin", 200),
        ("admin", "import", 400),
        ("never", "admin", 400),
    ],
)
async def test_an_email_is_changed_only_where_the_policy_allows_it(
    admin: ScimClient, connect: Connect, database: Database, policy: str, profile: str, status: int
) -> None:
    ann = await hire(admin)
    await load_catalogue(database, policies={"email": {"change": policy}})
    client = await connect(profile=profile)
    response = await client.patch(f"/Users/{ann['id']}", replace("emails", [{"value": "new@example.com"}]))
    assert response.status_code == status, response.text
    if status == 400:
        assert response.json()["detail"] == "Email cannot be changed"
    read = await admin.read(f"/Users/{ann['id']}")
    assert read["userName"] == "ann@example.com", "the user name is another fact"


@pytest.mark.proves("UPD-04")
async def test_a_change_can_be_tried_before_it_is_saved(admin: ScimClient) -> None:
    ann = await hire(admin)
    operations = [replace("title", "Partner")]
    preview = accepted(await admin.patch(f"/Users/{ann['id']}?dryRun=true", *operations))
    assert preview["changes"] == [{"resource": ann["id"], "path": "title", "to": "Partner"}]
    assert preview["resource"]["title"] == "Partner"
    wrong = await admin.patch(f"/Users/{ann['id']}?dryRun=true", replace("name.givenName", "R2D2"))
    message = "First name can only contain letters, spaces, hyphens, and apostrophes"
    assert refused(wrong, 400, "invalidValue")["detail"] == message
    assert "title" not in await admin.read(f"/Users/{ann['id']}")


@pytest.mark.proves("UPD-05")
async def test_everything_changed_is_judged_when_saved_and_nothing_is_saved_by_half(
    admin: ScimClient,
) -> None:
    ann = await hire(admin)
    response = await admin.patch(
        f"/Users/{ann['id']}",
        replace("title", "Partner"),
        replace("name.familyName", "L33"),
        replace("emails", [{"value": "nowhere"}]),
        add(f"{DEPARTMENT}:departments", [{"value": "MOON"}]),
    )
    assert refused(response, 400, "invalidValue")["detail"].split("; ") == [
        "Last name can only contain letters, spaces, hyphens, and apostrophes",
        "Please enter a valid email address",
        "Department MOON does not exist",
    ]
    read = await admin.read(f"/Users/{ann['id']}")
    assert [read["name"]["familyName"], read.get("title")] == ["Lee", None]


@pytest.mark.proves("UPD-07")
async def test_the_history_says_what_was_before_and_after_and_why(admin: ScimClient) -> None:
    ann = await hire(admin, title="Associate")
    context = because(reason="roleChange", note="Made partner", ticket="HR-7")
    await admin.patch_ok(f"/Users/{ann['id']}", replace("title", "Partner"), context)
    event = await last_event(admin, ann["id"])
    assert event["changes"] == [{"path": "title", "from": "Associate", "to": "Partner"}]
    assert await said(admin, ann["id"]) == {"reason": "roleChange", "note": "Made partner", "ticket": "HR-7"}


@pytest.mark.proves("UPD-08", "UPD-10")
@pytest.mark.usefixtures("organisation")
async def test_others_are_told_of_new_roles_limits_departments_and_positions(
    admin: ScimClient, database: Database
) -> None:
    ann = await hire(admin)
    for path, value in (
        (f"{ROLE}:roleAssignments", [{"value": "seller"}]),
        (f"{APPROVAL_LIMIT}:approvalLimits", [{"amount": 5, "currency": "EUR"}]),
        (f"{DEPARTMENT}:departments", [{"value": "SALES"}]),
        ("title", "Partner"),
        ("nickName", "Annie"),
    ):
        await admin.patch_ok(f"/Users/{ann['id']}", add(path, value))
    told = [name for name, _ in await news(database, ann["id"])][2:]
    assert told == ["user.roles.changed", "user.limit.changed", "user.moved", "user.moved"]


@pytest.mark.proves("UPD-09")
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_a_change_on_top_of_somebody_elses_is_refused(admin: ScimClient, method: str) -> None:
    ann = await hire(admin)
    path, seen = f"/Users/{ann['id']}", {"If-Match": ann["meta"]["version"]}
    await admin.patch_ok(path, replace("title", "Partner"))
    body = {
        "PUT": {**ann, "title": "Clerk"},
        "PATCH": {"schemas": [PATCH_SCHEMA], "Operations": [replace("title", "Clerk")]},
        "DELETE": None,
    }[method]
    detail = refused(await admin.request(method, path, json=body, headers=seen), 412)["detail"]
    assert detail.startswith("User data was modified by another user")
    reloaded = await admin.get(path)
    assert reloaded.json()["title"] == "Partner"
    again = {"If-Match": reloaded.headers["etag"]}
    assert (await admin.request(method, path, json=body, headers=again)).status_code in (200, 204)


@pytest.mark.proves("UPD-09")
async def test_a_change_can_be_forced(admin: ScimClient) -> None:
    ann = await hire(admin)
    path = f"/Users/{ann['id']}"
    await admin.patch_ok(path, replace("title", "Partner"))
    body = {"schemas": [PATCH_SCHEMA], "Operations": [replace("title", "Clerk"), because(note="Mine counts")]}
    forced = await admin.request("PATCH", path, json=body, headers={"If-Match": "*"})
    assert accepted(forced)["title"] == "Clerk"


@pytest.mark.proves("UPD-01")
async def test_a_change_that_changes_nothing_leaves_version_and_history(admin: ScimClient) -> None:
    ann = await hire(admin, title="Partner", **{ENTERPRISE: {"costCenter": "7"}})
    before = await last_event(admin, ann["id"])
    same = accepted(await admin.patch(f"/Users/{ann['id']}", replace("title", "Partner")))
    assert same["meta"] == ann["meta"]
    assert await last_event(admin, ann["id"]) == before
