"""Clearance: set by hand, derived from the highest role, or the higher of both."""

from typing import Any

import pytest

from scim_server.lifecycle.urns import CLEARANCE, CONNECTOR, ROLE
from scim_server.store.database import Database
from tests.protocol.messages import Connect, accepted, refused
from tests.support.catalogue import ROLE_GOVERNANCE, create_role, load_catalogue
from tests.support.client import ScimClient
from tests.support.people import add, hire, remove, replace, roles
from tests.support.time import Clock

LEVEL = f"{CLEARANCE}:level"


@pytest.mark.proves("CLR-01")
async def test_clearance_is_set_at_creation_edited_and_filtered_by(admin: ScimClient) -> None:
    ann = await hire(admin, **{CLEARANCE: {"level": "internal"}})
    changed = accepted(await admin.patch(f"/Users/{ann['id']}", replace(LEVEL, "topSecret")))
    assert changed[CLEARANCE] == {"level": "topSecret", "effectiveLevel": "topSecret"}
    await hire(admin, "bob")
    for path in (LEVEL, f"{CLEARANCE}:effectiveLevel"):
        found = await admin.find("/Users", f'{path} eq "topSecret"')
        assert [user["id"] for user in found] == [ann["id"]]


@pytest.mark.proves("CLR-01")
async def test_clearance_is_one_of_the_levels(admin: ScimClient) -> None:
    ann = await hire(admin)
    refused(await admin.patch(f"/Users/{ann['id']}", add(LEVEL, "cosmic")), 400, "invalidValue")


@pytest.mark.proves("CLR-01")
async def test_setting_clearance_takes_permission_to_manage_permissions(
    admin: ScimClient, connect: Connect
) -> None:
    ann = await hire(admin)
    updater = await connect(profile="admin", permissions=["user:view", "user:update"])
    body = refused(await updater.patch(f"/Users/{ann['id']}", add(LEVEL, "secret")), 403)
    assert body["detail"].endswith("has no permission permission:manage.")


@pytest.mark.proves("CLR-01")
async def test_a_connector_sets_clearance_flat_where_the_policy_says_so(
    scim: ScimClient, database: Database
) -> None:
    flat = {CONNECTOR: {"clearanceLevel": "Secret"}}
    first = await scim.create_user("ann", **flat)
    assert CLEARANCE not in first
    await load_catalogue(database, policies={"connector_may_write": ["clearance"]})
    second = await scim.create_user("bob", **flat)
    assert second[CLEARANCE] == {"level": "secret", "effectiveLevel": "secret"}
    assert second[CONNECTOR] == {"clearanceLevel": "secret"}


@pytest.mark.proves("CLR-01")
async def test_clearance_ends_at_its_moment(admin: ScimClient, clock: Clock) -> None:
    ann = await hire(admin, **{CLEARANCE: {"level": "secret", "validTo": clock.text(days=1)}})
    cleared = f'{CLEARANCE}:effectiveLevel eq "secret"'
    clock.advance(days=1, microseconds=-1)
    assert [user["id"] for user in await admin.find("/Users", cleared)] == [ann["id"]]
    clock.advance(microseconds=1)
    assert await admin.find("/Users", cleared) == []
    assert "effectiveLevel" not in (await admin.read(f"/Users/{ann['id']}"))[CLEARANCE]


@pytest.mark.proves("CLR-02")
@pytest.mark.parametrize(
    ("policy", "level"), [("derived", "internal"), ("manual", "secret"), ("max", "secret")]
)
async def test_the_policy_says_which_clearance_counts(
    admin: ScimClient, database: Database, policy: str, level: str
) -> None:
    await create_role(admin, "clerk", clearanceLevel="internal")
    ann = await hire(admin, **roles("clerk"), **{CLEARANCE: {"level": "secret"}})
    await load_catalogue(database, policies={"clearance": policy})
    read = await admin.read(f"/Users/{ann['id']}")
    wanted: dict[str, Any] = {"level": "secret", "derivedLevel": "internal", "effectiveLevel": level}
    assert read[CLEARANCE] == wanted


@pytest.mark.proves("CLR-02")
async def test_where_clearance_is_derived_nobody_sets_it(admin: ScimClient, database: Database) -> None:
    await load_catalogue(database, policies={"clearance": "derived"})
    ann = await hire(admin)
    body = refused(await admin.patch(f"/Users/{ann['id']}", add(LEVEL, "secret")), 400, "invalidValue")
    assert body["detail"] == "Clearance follows from the roles and cannot be set"


@pytest.mark.proves("CLR-02")
async def test_the_highest_role_decides_whatever_is_primary(admin: ScimClient) -> None:
    await create_role(admin, "staff")
    await create_role(admin, "clerk", clearanceLevel="internal")
    agent = await create_role(admin, "agent", clearanceLevel="topSecret")
    ann = await hire(admin, **roles("staff", "clerk", "agent"))
    assert ann[CLEARANCE]["derivedLevel"] == "topSecret"
    gone = remove(f'{ROLE}:roleAssignments[value eq "{agent}"]')
    changed = accepted(await admin.patch(f"/Users/{ann['id']}", gone))
    assert changed[CLEARANCE]["derivedLevel"] == "internal"


@pytest.mark.proves("CLR-01")
async def test_nobody_changes_his_own_clearance(admin: ScimClient, connect: Connect) -> None:
    ann, bob = await hire(admin, **{CLEARANCE: {"level": "internal"}}), await hire(admin, "bob")
    own = await connect(profile="admin", user=ann["id"], permissions=["user:view", "user.clearance:update"])
    ends = f"{CLEARANCE}:validTo"
    flat = add(f"{CONNECTOR}:clearanceLevel", "topSecret")
    for change in (replace(LEVEL, "topSecret"), add(ends, "2099-01-01T00:00:00Z"), flat):
        for path in ("/Me", f"/Users/{ann['id']}"):
            body = refused(await own.patch(path, change), 403)
            assert body["detail"] == "You cannot grant a clearance to yourself"
    assert (await admin.read(f"/Users/{ann['id']}"))[CLEARANCE]["level"] == "internal"
    accepted(await own.patch(f"/Users/{bob['id']}", add(LEVEL, "secret")))


@pytest.mark.proves("CLR-01")
async def test_nobody_raises_the_clearance_of_his_own_role(admin: ScimClient, connect: Connect) -> None:
    agent = await create_role(admin, "agent", clearanceLevel="internal")
    ann = await hire(admin, **roles("agent"))
    own = await connect(profile="admin", user=ann["id"])
    path = f"{ROLE_GOVERNANCE}:clearanceLevel"
    body = refused(await own.patch(f"/Roles/{agent}", replace(path, "secret")), 403)
    assert body["detail"] == "You cannot grant a clearance to yourself"
    accepted(await own.patch(f"/Roles/{agent}", replace(path, "public")))
    accepted(await admin.patch(f"/Roles/{agent}", replace(path, "secret")))
