"""What is stored of users for reading says what reading them in full says, whatever was done to them."""

from typing import Any

import httpx2
import pytest

from scim_server.lifecycle.urns import ENTERPRISE, LIFECYCLE, LOCATION, ROLE, SPECIAL_PERMISSION
from scim_server.services import provisioning
from scim_server.store import catalogue
from scim_server.store.database import Database
from tests.requirements.accounts import acted
from tests.support.catalogue import create_department, create_entitlement, create_location, create_role
from tests.support.client import USER_SCHEMA, ScimClient
from tests.support.people import add, because, departments, locations, remove, replace, roles
from tests.support.time import Clock, clock
from tests.support.two_paths import TwoPaths, in_full

__all__ = ["clock"]

Json = dict[str, Any]
WORK = {"emails": [{"value": "ann@example.com", "type": "work", "primary": True}]}
TEXTS = {
    "control characters": "a\u0001b\u001ec\u001fd\ne",
    "the marker written out": "a\\u0001b\\\\u0001c",
    "the separator": "\u001e",
    "the marker": "\u0001",
    "quotes": '"\'\\"\\/{}[],:',
    "other alphabets": "Зоя Öß 東京 🚚 e\u0301",
    "line separators": "a\u2028b\u2029c\u007f\u0080",
    "a dollar": "$1 %s {0} :name ?",
}


def enterprise(**facts: Any) -> Json:
    """Return the attribute of an employee."""
    return {ENTERPRISE: facts}


async def path_of(client: ScimClient, name: str = "ann", **attributes: Any) -> str:
    """Create a user and return its path."""
    return f"/Users/{(await client.create_user(name, **attributes))['id']}"


async def test_a_user_without_a_date_is_answered_from_its_pieces(
    scim: ScimClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await path_of(scim)
    await scim.create_group("Guides", [path.removeprefix("/Users/")])

    async def unexpected(*_: Any, **__: Any) -> None:
        raise AssertionError("it is read in full")

    monkeypatch.setattr(provisioning, "fetch_loaded", unexpected)
    assert (await scim.read(path))["groups"][0]["display"] == "Guides"
    with in_full(), pytest.raises(AssertionError):
        await scim.read(path)


async def test_plain_users_read_the_same(scim: ScimClient, paths: TwoPaths) -> None:
    for name in ("ann", "bob", "cleo"):
        await scim.create_user(name, title="Guide", **WORK)
    await scim.create_user("dan", active=False, **enterprise(department="Sales", employeeNumber="7"))
    assert len(await paths.agree()) == 4


async def test_an_employee_with_a_manager_reads_the_same_before_and_after_that_one_changes(
    scim: ScimClient, paths: TwoPaths
) -> None:
    boss = await path_of(scim, "boss", displayName="The Boss")
    manager = {"value": boss.removeprefix("/Users/")}
    ann = await path_of(scim, **enterprise(department="Sales", manager=manager))
    await paths.agree()
    await scim.patch_ok(boss, replace("displayName", "Big Boss"))
    await paths.agree()
    await scim.patch_ok(ann, replace("title", "Guide"))
    await paths.agree()
    await scim.patch_ok(boss, replace("active", False))
    await paths.agree()
    assert (await scim.delete(boss)).status_code == 204
    await paths.agree()
    await scim.patch_ok(ann, replace("title", "Driver"))
    await paths.agree()


async def test_a_change_of_manager_reads_the_same(scim: ScimClient, paths: TwoPaths) -> None:
    bosses = [(await path_of(scim, name)).removeprefix("/Users/") for name in ("bob", "cleo")]
    ann = await path_of(scim, **enterprise(manager={"value": bosses[0]}))
    await scim.patch_ok(ann, replace(f"{ENTERPRISE}:manager", {"value": bosses[1]}))
    await paths.agree()
    await scim.patch_ok(ann, remove(f"{ENTERPRISE}:manager"))
    await paths.agree()


@pytest.mark.parametrize("wanted", ["bob", "00000000-0000-7000-8000-000000000000"])
async def test_a_manager_who_is_not_there_yet_reads_the_same(
    wanted: str, scim: ScimClient, paths: TwoPaths
) -> None:
    ann = await path_of(scim, **enterprise(manager={"value": wanted}))
    await paths.agree()
    await scim.patch_ok(ann, replace("title", "Guide"))
    await paths.agree()
    await scim.create_user("bob")
    await paths.agree()
    await scim.patch_ok(ann, replace("title", "Driver"))
    await paths.agree()


@pytest.mark.parametrize("name", TEXTS)
async def test_any_text_reads_the_same_in_users_and_in_the_names_of_their_groups(
    name: str, scim: ScimClient, admin: ScimClient, paths: TwoPaths
) -> None:
    text = TEXTS[name]
    role = await create_role(admin, "viewer", display=f"Viewer {text}")
    facts = {"title": text, "displayName": text, "nickName": "http://scim.test/scim/v2"}
    ann = await path_of(scim, **facts, **enterprise(department=text), **roles(role))
    bob = await path_of(scim, f"b {text}")
    ids = [path.removeprefix("/Users/") for path in (ann, bob)]
    for group in (text, f"x{text}x"):
        await scim.create_group(f"G{group}", ids)
    await paths.agree()
    assert (await scim.read(ann))["title"] == text


async def test_several_groups_read_the_same_whatever_happens_to_them(
    scim: ScimClient, paths: TwoPaths
) -> None:
    ids = [(await path_of(scim, name)).removeprefix("/Users/") for name in ("ann", "bob", "cleo")]
    groups = [await scim.create_group(f"Group {number}", ids[number:]) for number in range(3)]
    first, second, third = (f"/Groups/{group['id']}" for group in groups)
    await paths.agree()
    await scim.patch_ok(second, replace("displayName", "Renamed"))
    await paths.agree()
    await scim.patch_ok(first, remove(f'members[value eq "{ids[2]}"]'))
    await scim.patch_ok(third, add("members", [{"value": ids[0]}]))
    await paths.agree()
    await scim.patch_ok(second, replace("members", [{"value": ids[0]}]))
    await paths.agree()
    assert (await scim.delete(third)).status_code == 204
    await paths.agree()
    await scim.patch_ok(first, remove("members"))
    users = await paths.agree()
    assert [len(user.get("groups", ())) for user in users] == [1, 0, 0]


async def test_nested_groups_read_the_same_as_they_come_and_go(scim: ScimClient, paths: TwoPaths) -> None:
    ids = [(await path_of(scim, name)).removeprefix("/Users/") for name in ("ann", "bob")]
    inner = await scim.create_group("Inner", ids)
    await scim.create_group("Beside", ids[:1])
    await paths.agree()
    outer = await scim.create_group("Outer", [inner["id"]])
    users = await paths.agree()
    assert [len(user["groups"]) for user in users] == [3, 2]
    top = await scim.create_group("Top", [outer["id"], ids[1]])
    await paths.agree()
    await scim.patch_ok(f"/Groups/{top['id']}", replace("displayName", "Summit"))
    await paths.agree()
    assert (await scim.delete(f"/Groups/{outer['id']}")).status_code == 204
    users = await paths.agree()
    assert [len(user["groups"]) for user in users] == [2, 2]


async def test_departments_roles_and_locations_read_the_same_as_they_change(
    scim: ScimClient, admin: ScimClient, paths: TwoPaths
) -> None:
    one, two = [await create_department(admin, code) for code in ("one", "two")]
    place, far = [await create_location(admin, code) for code in ("place", "far")]
    viewer, editor = [await create_role(admin, name, permissions=[name]) for name in ("viewer", "editor")]
    facts = departments(one, two) | locations(place, far) | roles(viewer, editor)
    ann = await path_of(scim, **facts)
    await path_of(scim, "bob", **departments(two), roles=[{"value": "editor"}])
    users = await paths.agree()
    assert {ROLE, LOCATION} <= set(users[0])
    await admin.patch_ok(f"/Departments/{one}", replace("displayName", "The One"))
    await paths.agree()
    await admin.patch_ok(f"/Roles/{viewer}", replace("display", "Watcher"))
    await admin.patch_ok(f"/Locations/{place}", replace("displayName", "Place du March\u00e9"))
    await paths.agree()
    await scim.patch_ok(ann, replace("title", "Guide"))
    await paths.agree()
    for path in (f"/Locations/{far}", f"/Departments/{two}", f"/Roles/{editor}"):
        await admin.delete(path)
        await paths.agree()
    await scim.patch_ok(ann, remove(f"{LOCATION}:locations"))
    await paths.agree()


async def test_a_new_version_of_the_catalogue_changes_nothing_that_is_read(
    scim: ScimClient, paths: TwoPaths, database: Database
) -> None:
    ann = await path_of(scim)
    before = await paths.agree()
    await database.write(lambda writer: catalogue.bump(writer, 1))
    assert await paths.agree() == before
    await scim.patch_ok(ann, replace("title", "Guide"))
    await scim.create_user("bob")
    assert len(await paths.agree()) == 2


async def test_special_permissions_read_the_same_before_within_and_after_their_time(
    admin: ScimClient, scim: ScimClient, paths: TwoPaths, clock: Clock
) -> None:
    user = await path_of(scim)
    spans = [(None, 30), (1, 2), (2, None), (3, 4)]
    for number, (start, end) in enumerate(spans):
        target = await create_entitlement(admin, f"permission{number}")
        value = {"value": target}
        value |= {"validFrom": clock.text(days=start)} if start else {}
        value |= {"validTo": clock.text(days=end)} if end else {}
        grant = add(f"{SPECIAL_PERMISSION}:specialPermissions", [value])
        await admin.patch_ok(user, grant, because(justification="On call"))
        await paths.agree()
    for _ in range(5):
        clock.advance(days=1)
        await paths.agree()
    await scim.patch_ok(user, replace("title", "Guide"))
    await paths.agree()
    clock.advance(days=40)
    await paths.agree()


async def test_an_account_that_ends_reads_the_same_before_and_after(
    scim: ScimClient, paths: TwoPaths, clock: Clock
) -> None:
    ids = [(await path_of(scim, "ann", **{LIFECYCLE: {"validTo": clock.text(days=2)}}))]
    ids.append(await path_of(scim, "bob", **{LIFECYCLE: {"validFrom": clock.text(days=1)}}))
    await scim.create_user("cleo", title="Guide")
    await scim.create_group("Guides", [path.removeprefix("/Users/") for path in ids])
    seen = []
    for _ in range(4):
        seen.append([user["active"] for user in await paths.agree()])
        clock.advance(days=1)
    assert seen[0] != seen[-1]
    await scim.patch_ok(ids[0], remove(f"{LIFECYCLE}:validTo"))
    await paths.agree()


async def test_users_of_every_status_read_the_same(
    scim: ScimClient, admin: ScimClient, paths: TwoPaths
) -> None:
    ids = [(await path_of(scim, name)).removeprefix("/Users/") for name in ("ann", "bob", "cleo")]
    await acted(admin, ids[0], "suspend", reason="securityIncident", note="Ask Zoe")
    await paths.agree()
    await acted(admin, ids[1], "deactivate", reason="contractEnded", note="Over")
    await paths.agree()
    await acted(admin, ids[0], "reinstate", reason="returned")
    await scim.patch_ok(f"/Users/{ids[2]}", replace("active", False))
    await paths.agree()
    assert (await scim.delete(f"/Users/{ids[2]}")).status_code == 204
    assert len(await paths.agree()) == 2


@pytest.mark.parametrize("dialect", ["okta", "entra", "generic"])
async def test_what_a_write_answers_is_what_is_read_after_it(
    dialect: str, scim: ScimClient, admin: ScimClient, paths: TwoPaths
) -> None:
    client = paths.clients[dialect]
    boss = (await path_of(scim, "boss")).removeprefix("/Users/")
    role = await create_role(admin, "viewer")
    body: Json = {"schemas": [USER_SCHEMA], "userName": "ann", **WORK, **roles(role)}
    made = await client.post("/Users", body | enterprise(department="Sales", manager={"value": boss}))
    user = await paths.is_what_is_read(client, made)
    path = f"/Users/{user['id']}"
    await scim.create_group("Guides", [user["id"]])
    inner = await scim.create_group("Inner", [user["id"]])
    operations: list[Json] = [
        replace("title", "Guide"),
        replace(f"{ENTERPRISE}:department", "Trips"),
        remove(f"{ENTERPRISE}:manager"),
        replace("active", False),
        replace("active", False),
        add(f"{ENTERPRISE}:manager", {"value": "nobody"}),
        replace("title", "\u0001"),
    ]
    for operation in operations:
        await paths.is_what_is_read(client, await client.patch(path, operation))
        await paths.agree_on(user["id"])
    await scim.create_group("Outer", [inner["id"]])
    await paths.is_what_is_read(client, await client.put(path, body))
    await paths.is_what_is_read(client, await client.put(path, {**body, "title": "Driver", "active": True}))
    await paths.agree()


async def test_a_conditional_read_knows_the_version_on_both_paths(scim: ScimClient) -> None:
    path = await path_of(scim)
    tag = (await scim.get(path)).headers["etag"]

    async def conditional() -> httpx2.Response:
        return await scim.request("GET", path, headers={"if-none-match": tag})

    fast = await conditional()
    with in_full():
        slow = await conditional()
    assert (fast.status_code, fast.headers["etag"]) == (slow.status_code, slow.headers["etag"]) == (304, tag)
