"""Groups that stand for a role, department, location or pod: members get it, and lose it when they go."""

import pytest

from scim_server.lifecycle.urns import CONNECTOR, DEPARTMENT, ENTERPRISE, LOCATION, MAPPING, ROLE
from tests.protocol.messages import Connect, accepted, group, refused
from tests.support.catalogue import create_department, create_location, create_role
from tests.support.client import ScimClient
from tests.support.people import add, assigned, effective_permissions, hire, names, remove, replace, roles

PATHS = {
    "role": f"{ROLE}:roleAssignments",
    "department": f"{DEPARTMENT}:departments",
    "location": f"{LOCATION}:locations",
}
KINDS = sorted(PATHS)


async def mapped(client: ScimClient, kind: str, target: str, *members: str, name: str = "Pushed") -> str:
    """Create a group that stands for a target and return its id."""
    body = {**group(name, *members), MAPPING: {"kind": kind, "mapsTo": {"value": target}}}
    created = accepted(await client.post("/Groups", body), 201)
    assert created[MAPPING]["mapsTo"]["value"]
    return str(created["id"])


@pytest.fixture
async def one(admin: ScimClient) -> None:
    """Make a role, a department and a location called one, and others called two."""
    for name in ("one", "two"):
        await create_role(admin, name, display=name, permissions=[f"{name}:read"])
        await create_department(admin, name, displayName=name)
        await create_location(admin, name, displayName=name)


pytestmark = pytest.mark.usefixtures("one")


@pytest.mark.proves("ROL-20")
@pytest.mark.parametrize("kind", KINDS)
async def test_who_is_pushed_into_a_group_gets_what_it_stands_for_and_loses_it_with_the_membership(
    admin: ScimClient, scim: ScimClient, kind: str
) -> None:
    ann, bob = await hire(admin, "ann"), await hire(admin, "bob")
    pushed = await mapped(scim, kind, "one", ann["id"])
    await scim.patch_ok(f"/Groups/{pushed}", add("members", [{"value": bob["id"]}]))
    for own in (ann, bob):
        rows = await assigned(admin, own["id"], PATHS[kind])
        assert [(row["display"], row["source"], row["primary"]) for row in rows] == [("one", "group", True)]
    await scim.patch_ok(f"/Groups/{pushed}", remove(f'members[value eq "{ann["id"]}"]'))
    assert await assigned(admin, ann["id"], PATHS[kind]) == []
    assert names(await assigned(admin, bob["id"], PATHS[kind])) == ["one"]


@pytest.mark.proves("ROL-20")
@pytest.mark.parametrize("kind", KINDS)
async def test_deleting_the_group_takes_it_from_all(admin: ScimClient, scim: ScimClient, kind: str) -> None:
    ann = await hire(admin)
    pushed = await mapped(scim, kind, "one", ann["id"])
    assert (await scim.delete(f"/Groups/{pushed}")).status_code == 204
    assert await assigned(admin, ann["id"], PATHS[kind]) == []


@pytest.mark.proves("ROL-20")
@pytest.mark.parametrize("kind", KINDS)
async def test_a_mapping_made_changed_and_taken_away_later_reaches_the_members(
    admin: ScimClient, scim: ScimClient, kind: str
) -> None:
    ann = await hire(admin)
    plain = (await scim.create_group("Pushed", [ann["id"]]))["id"]
    seen = []
    for value in (
        {"kind": kind, "mapsTo": {"value": "one"}},
        {"kind": kind, "mapsTo": {"value": "two"}},
        {"kind": "plain"},
    ):
        body = {**group("Pushed", ann["id"]), MAPPING: value}
        accepted(await scim.put(f"/Groups/{plain}", body))
        seen.append(names(await assigned(admin, ann["id"], PATHS[kind])))
    assert seen == [["one"], ["two"], []]


@pytest.mark.proves("ROL-20", "ROL-15")
async def test_the_permissions_of_a_pushed_role_hold_at_once(admin: ScimClient, scim: ScimClient) -> None:
    ann = await hire(admin)
    await mapped(scim, "role", "one", ann["id"])
    assert await effective_permissions(admin, ann["id"]) == ["one:read"]
    assert (await admin.read(f"/Users/{ann['id']}"))["roles"][0]["value"] == "one"


@pytest.mark.proves("ROL-20")
async def test_what_somebody_else_assigned_stays_when_the_group_lets_go(
    admin: ScimClient, scim: ScimClient
) -> None:
    ann = await hire(admin, **roles("one"))
    pushed = await mapped(scim, "role", "one", ann["id"])
    await scim.patch_ok(f"/Groups/{pushed}", replace("members", []))
    rows = await assigned(admin, ann["id"], PATHS["role"])
    assert [(row["display"], row["source"]) for row in rows] == [("one", "admin")]


@pytest.mark.proves("ROL-20")
@pytest.mark.parametrize("way", ["leave", "delete"])
async def test_who_is_in_two_groups_for_one_role_keeps_it_until_the_second_lets_go(
    admin: ScimClient, scim: ScimClient, way: str
) -> None:
    ann = await hire(admin)
    first = await mapped(scim, "role", "one", ann["id"], name="First")
    second = await mapped(scim, "role", "one", ann["id"], name="Second")
    seen = []
    for own in (first, second):
        if way == "leave":
            await scim.patch_ok(f"/Groups/{own}", remove(f'members[value eq "{ann["id"]}"]'))
        else:
            assert (await scim.delete(f"/Groups/{own}")).status_code == 204
        seen.append(names(await assigned(admin, ann["id"], PATHS["role"])))
    assert seen == [["one"], []]


@pytest.mark.proves("ROL-20")
async def test_a_connector_that_sends_no_roles_leaves_those_of_groups(
    admin: ScimClient, scim: ScimClient
) -> None:
    ann = await hire(scim, userName="ann", roles=[{"value": "two"}])
    await mapped(scim, "role", "one", ann["id"])
    await scim.patch_ok(f"/Users/{ann['id']}", remove("roles"))
    assert names(await assigned(admin, ann["id"], PATHS["role"])) == ["one"]


@pytest.mark.proves("ROL-20", "CRE-25")
async def test_a_pod_names_its_members_team(admin: ScimClient, scim: ScimClient) -> None:
    ann = await hire(admin)
    pods = {}
    for name in ("Alpha", "Beta"):
        body = {**group(name), MAPPING: {"kind": "team"}}
        pods[name] = accepted(await scim.post("/Groups", body), 201)["id"]

    async def team() -> str | None:
        user = await admin.read(f"/Users/{ann['id']}")
        code: str | None = user[CONNECTOR].get("teamCode")
        return code

    seen = []
    member = [{"value": ann["id"]}]
    await scim.patch_ok(f"/Groups/{pods['Alpha']}", add("members", member))
    seen.append(await team())
    await scim.patch_ok(f"/Groups/{pods['Beta']}", add("members", member))
    await scim.patch_ok(f"/Groups/{pods['Alpha']}", remove(f'members[value eq "{ann["id"]}"]'))
    seen.append(await team())
    await scim.patch_ok(f"/Groups/{pods['Beta']}", replace("displayName", "Gamma"))
    seen.append(await team())
    assert (await scim.delete(f"/Groups/{pods['Beta']}")).status_code == 204
    seen.append(await team())
    assert seen == ["Alpha", "Beta", "Gamma", None]


@pytest.mark.proves("ROL-20", "DEP-10")
async def test_a_pushed_department_is_the_enterprise_department(admin: ScimClient, scim: ScimClient) -> None:
    ann = await hire(admin)
    await mapped(scim, "department", "one", ann["id"])
    assert (await admin.read(f"/Users/{ann['id']}"))[ENTERPRISE]["department"] == "one"


@pytest.mark.proves("ROL-01", "ROL-20")
async def test_mapping_to_a_role_and_pushing_into_it_take_permission_to_assign_roles(
    admin: ScimClient, connect: Connect
) -> None:
    ann = await hire(admin)
    own = await mapped(admin, "role", "one")
    editor = await connect(permissions=["user:view", "user:create", "user:update"])
    body = {**group("Mine"), MAPPING: {"kind": "role", "mapsTo": {"value": "one"}}}
    refused(await editor.post("/Groups", body), 403)
    refused(await editor.patch(f"/Groups/{own}", add("members", [{"value": ann["id"]}])), 403)
    assert await assigned(admin, ann["id"], PATHS["role"]) == []


@pytest.mark.proves("ROL-20")
@pytest.mark.parametrize(
    "mapping",
    [
        {"kind": "role", "mapsTo": {"value": "nothing"}},
        {"kind": "plain", "mapsTo": {"value": "one"}},
        {"kind": "planet"},
    ],
)
async def test_a_mapping_names_something_that_is_there(admin: ScimClient, mapping: dict[str, object]) -> None:
    refused(await admin.post("/Groups", {**group("Pushed"), MAPPING: mapping}), 400, "invalidValue")


@pytest.mark.proves("ROL-20")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["rename", "join", "again"])
async def test_what_was_taken_away_by_hand_stays_away_whatever_becomes_of_the_group(
    admin: ScimClient, scim: ScimClient, kind: str, way: str
) -> None:
    ann, bob = await hire(admin, "ann", **roles("two")), await hire(admin, "bob")
    pushed = await mapped(admin, kind, "one", ann["id"])
    taken = (await admin.read(f"/Groups/{pushed}"))[MAPPING]["mapsTo"]["value"]
    accepted(await admin.patch(f"/Users/{ann['id']}", remove(f'{PATHS[kind]}[value eq "{taken}"]')))
    before = (await admin.get(f"/Users/{ann['id']}")).headers["etag"]
    change = {
        "rename": replace("displayName", "Other"),
        "join": add("members", [{"value": bob["id"]}]),
        "again": add("members", [{"value": ann["id"]}, {"value": bob["id"]}]),
    }[way]
    await scim.patch_ok(f"/Groups/{pushed}", change)
    assert "one" not in names(await assigned(admin, ann["id"], PATHS[kind]))
    assert (await admin.get(f"/Users/{ann['id']}")).headers["etag"] == before
    assert names(await assigned(admin, bob["id"], PATHS[kind])) == ([] if way == "rename" else ["one"])


@pytest.mark.proves("ROL-01", "ROL-20")
async def test_renaming_a_mapped_group_takes_no_permission_to_assign(
    admin: ScimClient, connect: Connect
) -> None:
    ann, bob = await hire(admin, "ann"), await hire(admin, "bob")
    own = await mapped(admin, "role", "one", ann["id"])
    editor = await connect(permissions=["group:view", "group:update"])
    await editor.patch_ok(f"/Groups/{own}", replace("displayName", "Other"))
    refused(await editor.patch(f"/Groups/{own}", add("members", [{"value": bob["id"]}])), 403)
    refused(await editor.patch(f"/Groups/{own}", replace("members", [])), 403)
