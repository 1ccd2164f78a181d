"""Assignments by source: what one source sends never takes away what another one assigned."""

from typing import Any

import pytest

from scim_server.lifecycle.urns import CONNECTOR, DEPARTMENT, LOCATION, ROLE
from tests.protocol.messages import Connect, accepted, user
from tests.support.catalogue import create_department, create_location, create_role
from tests.support.client import ScimClient
from tests.support.people import add, assigned, hire, last_event, remove, replace, told

ROLES, DEPARTMENTS = f"{ROLE}:roleAssignments", f"{DEPARTMENT}:departments"
LOCATIONS = f"{LOCATION}:locations"


@pytest.fixture
async def organisation(admin: ScimClient) -> None:
    """Make roles, departments and locations called one, two and three."""
    for name in ("one", "two", "three"):
        await create_role(admin, name, display=name)
        await create_department(admin, name, displayName=name)
        await create_location(admin, name, displayName=name)


pytestmark = pytest.mark.usefixtures("organisation")


async def held(client: ScimClient, id: str, path: str) -> dict[str, str]:
    """Return the source of each assignment by its display name."""
    return {row["display"]: row["source"] for row in await assigned(client, id, path)}


async def shared(admin: ScimClient, idp: ScimClient, path: str, flat: str) -> str:
    """Create a user that has `one` from the identity provider and `two` from an administrator."""
    ann = await hire(idp, userName="ann", **{CONNECTOR: {flat: "one"}})
    await admin.patch_ok(f"/Users/{ann['id']}", add(path, [{"value": "two"}]))
    assert await held(admin, ann["id"], path) == {"one": "idp", "two": "admin"}
    return str(ann["id"])


SHARED = [
    pytest.param(ROLES, "roleCodes", id="roles"),
    pytest.param(DEPARTMENTS, "departmentCodes", id="departments"),
    pytest.param(LOCATIONS, "locationCodes", id="locations"),
]


@pytest.mark.proves("ROL-20", "UPD-02")
@pytest.mark.parametrize(("path", "flat"), SHARED)
async def test_a_flat_list_replaces_only_what_its_source_assigned(
    admin: ScimClient, scim: ScimClient, path: str, flat: str
) -> None:
    own = await shared(admin, scim, path, flat)
    await scim.patch_ok(f"/Users/{own}", replace(f"{CONNECTOR}:{flat}", "three"))
    assert await held(admin, own, path) == {"two": "admin", "three": "idp"}
    await scim.patch_ok(f"/Users/{own}", remove(f"{CONNECTOR}:{flat}"))
    assert await held(admin, own, path) == {"two": "admin"}


@pytest.mark.proves("ROL-20", "UPD-02")
@pytest.mark.parametrize(("path", "flat"), SHARED)
async def test_a_rich_list_replaces_only_what_its_source_assigned(
    admin: ScimClient, scim: ScimClient, path: str, flat: str
) -> None:
    own = await shared(admin, scim, path, flat)
    await scim.patch_ok(f"/Users/{own}", replace(path, [{"value": "three"}]))
    assert await held(admin, own, path) == {"two": "admin", "three": "idp"}
    text = f"1 {path.rpartition(':')[2].removesuffix('s').removesuffix('Assignment')} assignments"
    assert ("R-PUT", "corrected", f"{text} of other sources stayed") in told(await last_event(admin, own))


@pytest.mark.proves("ROL-20")
async def test_core_roles_replace_only_what_their_source_assigned(
    admin: ScimClient, scim: ScimClient
) -> None:
    own = await shared(admin, scim, ROLES, "roleCodes")
    changed = accepted(await scim.patch(f"/Users/{own}", replace("roles", [{"value": "three"}])))
    assert await held(admin, own, ROLES) == {"two": "admin", "three": "idp"}
    assert {role["value"] for role in changed["roles"]} == {"two", "three"}, "the answer shows all"


@pytest.mark.proves("ROL-20")
@pytest.mark.parametrize("keeps", [True, False])
async def test_a_put_of_a_connector_leaves_what_it_does_not_know(
    admin: ScimClient, connect: Connect, *, keeps: bool
) -> None:
    idp = await connect(switches={"keep_omitted_in_replace": keeps})
    own = await shared(admin, idp, ROLES, "roleCodes")
    body = user("ann", roles=[{"value": "three"}])
    accepted(await idp.put(f"/Users/{own}", body))
    assert await held(admin, own, ROLES) == {"two": "admin", "three": "idp"}


@pytest.mark.proves("UPD-02")
async def test_an_administrator_replaces_everything(admin: ScimClient, scim: ScimClient) -> None:
    own = await shared(admin, scim, DEPARTMENTS, "departmentCodes")
    await admin.patch_ok(f"/Users/{own}", replace(DEPARTMENTS, [{"value": "three"}]))
    assert await held(admin, own, DEPARTMENTS) == {"three": "admin"}


@pytest.mark.proves("UPD-02")
async def test_two_identity_providers_are_two_sources(admin: ScimClient, connect: Connect) -> None:
    first, second = await connect(), await connect()
    ann = await hire(first, userName="ann", roles=[{"value": "one"}])
    await second.patch_ok(f"/Users/{ann['id']}", replace("roles", [{"value": "two"}]))
    assert await held(admin, ann["id"], ROLES) == {"one": "idp", "two": "idp"}
    await first.patch_ok(f"/Users/{ann['id']}", remove("roles"))
    assert await held(admin, ann["id"], ROLES) == {"two": "idp"}


@pytest.mark.proves("UPD-02")
async def test_the_primary_department_of_the_hr_system_stays_primary(
    admin: ScimClient, scim: ScimClient, connect: Connect
) -> None:
    hris = await connect(profile="hris")
    ann = await hire(hris, userName="ann", **{CONNECTOR: {"departmentCode": "one"}})
    await scim.patch_ok(f"/Users/{ann['id']}", replace(DEPARTMENTS, [{"value": "two", "primary": True}]))
    rows = {row["display"]: row["primary"] for row in await assigned(admin, ann["id"], DEPARTMENTS)}
    assert rows == {"one": True, "two": False}
    await scim.patch_ok(f"/Users/{ann['id']}", replace(f"{CONNECTOR}:departmentCode", "three"))
    rows = {row["display"]: row["primary"] for row in await assigned(admin, ann["id"], DEPARTMENTS)}
    assert rows == {"one": True, "two": False}
    read = await scim.read(f"/Users/{ann['id']}")
    assert read[CONNECTOR]["departmentCode"] == "one", "the source learns whose word counts"


@pytest.mark.proves("UPD-02")
async def test_what_a_connector_repeats_keeps_its_source(admin: ScimClient, scim: ScimClient) -> None:
    own = await shared(admin, scim, ROLES, "roleCodes")
    both: Any = [{"value": "one"}, {"value": "two"}]
    await scim.patch_ok(f"/Users/{own}", replace("roles", both))
    assert await held(admin, own, ROLES) == {"one": "idp", "two": "admin"}
