"""Locations of users: who assigns them, types, duplicates, inactive ones, history."""

import pytest

from scim_server.lifecycle.urns import CONNECTOR, LOCATION
from scim_server.security.principals import BUNDLES
from tests.protocol.messages import Connect, accepted, refused
from tests.support.catalogue import create_location
from tests.support.client import ScimClient
from tests.support.people import (
    add,
    assigned,
    events,
    hire,
    last_event,
    locations,
    names,
    person,
    remove,
    replace,
    told,
)
from tests.support.time import Clock

PATH = f"{LOCATION}:locations"


@pytest.fixture
async def berlin(admin: ScimClient) -> str:
    """Give the location BERLIN."""
    return await create_location(admin, "BERLIN")


@pytest.fixture
async def paris(admin: ScimClient) -> str:
    """Give the location PARIS."""
    return await create_location(admin, "PARIS", type="consignment")


@pytest.mark.proves("LOC-01")
@pytest.mark.parametrize(
    ("bundle", "may"),
    [("system-admin", True), ("operations-manager", True), ("financial-controller", False)],
)
async def test_administrators_and_operations_assign_locations(
    admin: ScimClient, connect: Connect, berlin: str, bundle: str, *, may: bool
) -> None:
    ann = await hire(admin)
    client = await connect(profile="admin", permissions=list(BUNDLES[bundle]))
    response = await client.patch(f"/Users/{ann['id']}", add(PATH, [{"value": berlin}]))
    assert response.status_code == (200 if may else 403), response.text
    assert len(await assigned(admin, ann["id"], PATH)) == may


@pytest.mark.proves("LOC-02")
@pytest.mark.parametrize("kind", ["inventory", "direct", "consignment", "office"])
async def test_a_location_is_of_one_of_the_types(admin: ScimClient, kind: str) -> None:
    own = await create_location(admin, "BERLIN", type=kind)
    assert (await admin.read(f"/Locations/{own}"))["type"] == kind
    ann = await hire(admin, **locations("BERLIN"))
    assert ann[LOCATION]["locations"][0]["type"] == kind
    found = await admin.find("/Locations", f'type eq "{kind}"')
    assert [one["id"] for one in found] == [own]


@pytest.mark.proves("LOC-02")
async def test_a_location_of_another_type_or_none_is_refused(admin: ScimClient) -> None:
    body = {"displayName": "Moon", "code": "MOON", "active": True}
    refused(await admin.post("/Locations", {**body, "type": "base"}), 400, "invalidValue")
    refused(await admin.post("/Locations", body), 400, "invalidValue")


@pytest.mark.proves("LOC-03")
async def test_several_locations_are_assigned_at_once(admin: ScimClient, berlin: str, paris: str) -> None:
    ann = await hire(admin)
    operation = add(PATH, [{"code": "berlin"}, {"value": "Paris"}])
    changed = accepted(await admin.patch(f"/Users/{ann['id']}", operation))
    assert sorted(names(changed[LOCATION]["locations"])) == ["Berlin", "Paris"]
    found = await admin.find("/Users", f'{PATH}.value eq "{paris}" and {PATH}[type eq "office"]')
    assert [user["id"] for user in found] == [ann["id"]]
    assert (await admin.read(f"/Locations/{berlin}", attributes="memberCount"))["memberCount"] == 1


@pytest.mark.proves("LOC-03")
async def test_several_locations_are_assigned_flat(admin: ScimClient, scim: ScimClient, paris: str) -> None:
    await create_location(admin, "ROME")
    ann = await scim.create_user(
        "ann", **{CONNECTOR: {"locationCode": "paris", "locationCodes": "rome;PARIS"}}
    )
    assert ann[CONNECTOR] == {"locationCode": "paris", "locationCodes": "rome;PARIS"}
    primary = [row["value"] for row in ann[LOCATION]["locations"] if row["primary"]]
    assert primary == [paris]
    assert sorted(names(ann[LOCATION]["locations"])) == ["Paris", "Rome"]


@pytest.mark.proves("LOC-04")
async def test_an_inactive_location_is_not_assigned(admin: ScimClient, scim: ScimClient, berlin: str) -> None:
    await admin.patch_ok(f"/Locations/{berlin}", replace("active", False))
    body = refused(await admin.post("/Users", person(**locations("BERLIN"))), 400, "invalidValue")
    assert body["detail"] == "Selected location is inactive"
    ann = await hire(scim, userName="ann", **locations("BERLIN"))
    assert told((await events(admin, ann["id"]))[0]) == [
        ("R-LOC-ACTIVE", "recorded", "Selected location is inactive")
    ]


@pytest.mark.proves("LOC-05")
@pytest.mark.parametrize("profile", ["admin", "import", "idp", "hris"])
async def test_a_location_assigned_twice_is_passed_over_with_a_warning(
    admin: ScimClient, connect: Connect, berlin: str, paris: str, profile: str
) -> None:
    ann = await hire(admin, **locations("BERLIN"))
    client = await connect(profile=profile)
    await client.patch_ok(f"/Users/{ann['id']}", add(PATH, [{"value": berlin}, {"value": paris}]))
    assert {row["value"] for row in await assigned(admin, ann["id"], PATH)} == {berlin, paris}
    assert ("R-DUP", "corrected", "Location already assigned") in told(await last_event(admin, ann["id"]))


@pytest.mark.proves("LOC-05")
async def test_the_warning_can_be_seen_before_anything_is_saved(admin: ScimClient, berlin: str) -> None:
    ann = await hire(admin, **locations("BERLIN"))
    operation = {"op": "add", "path": PATH, "value": [{"value": berlin}]}
    answer = accepted(await admin.patch(f"/Users/{ann['id']}?dryRun=true", operation))
    warning = {"rule": "R-DUP", "effect": "corrected", "message": "Location already assigned"}
    assert answer["verdicts"] == [warning]
    assert answer["changes"] == []


@pytest.mark.proves("LOC-06", "LOC-08")
async def test_assigning_and_leaving_are_audited(admin: ScimClient, berlin: str, paris: str) -> None:
    ann = await hire(admin, **locations("BERLIN"))
    await admin.patch_ok(f"/Users/{ann['id']}", add(PATH, [{"value": paris}]))
    await admin.patch_ok(f"/Users/{ann['id']}", remove(f'{PATH}[value eq "{berlin}"]'))
    assert [row["value"] for row in await assigned(admin, ann["id"], PATH)] == [paris]
    changes = [
        [
            berlin in change.get("from", ""),
            paris in change.get("from", ""),
            berlin in change["to"],
            paris in change["to"],
        ]
        for event in await events(admin, ann["id"])
        for change in event["changes"]
        if change["path"] == PATH
    ]
    assert changes == [
        [False, False, True, False],
        [True, False, True, True],
        [True, True, False, True],
    ]


@pytest.mark.proves("LOC-08")
async def test_a_location_can_be_left_on_a_day_known_before(
    admin: ScimClient, clock: Clock, berlin: str
) -> None:
    row = {"value": berlin, "validTo": clock.text(days=1)}
    ann = await hire(admin, **{LOCATION: {"locations": [row]}})
    here = f'{PATH}.value eq "{berlin}"'
    clock.advance(days=1, microseconds=-1)
    assert [user["id"] for user in await admin.find("/Users", here)] == [ann["id"]]
    clock.advance(microseconds=1)
    assert await admin.find("/Users", here) == []
    assert await assigned(admin, ann["id"], PATH) == []
