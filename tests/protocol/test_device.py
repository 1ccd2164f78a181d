"""A resource type from JSON alone: the Device of RFC 9944, dropped into a folder named in the settings."""

from pathlib import Path

import pytest

from tests.protocol.messages import (
    Json,
    Serve,
    accepted,
    bulk,
    listed,
    operation,
    patch,
    refused,
)
from tests.support.client import ScimClient

FOLDER = Path(__file__).parents[1] / "data" / "device"
DEVICE = "urn:ietf:params:scim:schemas:core:2.0:Device"
EXTENSION = "urn:ietf:params:scim:schemas:extension"
BLE = f"{EXTENSION}:ble:2.0:Device"
PASS_KEY = f"{EXTENSION}:pairingPassKey:2.0:Device"
JUST_WORKS = f"{EXTENSION}:pairingJustWorks:2.0:Device"
DPP = f"{EXTENSION}:dpp:2.0:Device"
MAB = f"{EXTENSION}:ethernet-mab:2.0:Device"
FDO = f"{EXTENSION}:fido-device-onboard:2.0:Device"

MONITOR: Json = {
    "schemas": [DEVICE, BLE, PASS_KEY],
    "displayName": "BLE Heart Monitor",
    "active": True,
    "mudUrl": "https://mud.example/Monitor.json",
    BLE: {
        "versionSupport": ["5.3", "5.0"],
        "deviceMacAddress": "2C:54:91:88:C9:E2",
        "isRandom": False,
        "mobility": True,
        "pairingMethods": [PASS_KEY],
    },
    PASS_KEY: {"key": 123456},
}
CAMERA: Json = {
    "schemas": [DEVICE, DPP],
    "displayName": "Camera",
    "active": False,
    DPP: {
        "dppVersion": 2,
        "bootstrapKey": "s3cret",
        "classChannel": ["81/1", "115/36"],
        "serialNumber": "4774LH2b4044",
    },
}
PRINTER: Json = {
    "schemas": [DEVICE, MAB],
    "displayName": "Printer",
    "active": True,
    MAB: {"deviceMacAddress": "00:11:22:33:44:55"},
}


@pytest.fixture
async def scim(serve: Serve) -> ScimClient:
    return await serve(schema_folders=(FOLDER,))


async def create(scim: ScimClient, *devices: Json) -> list[Json]:
    return [accepted(await scim.post("/Devices", device), 201) for device in devices]


async def names(scim: ScimClient, *filters: str) -> dict[str, set[str]]:
    return {
        each: {device["displayName"] for device in await listed(scim, "/Devices", filter=each)}
        for each in filters
    }


async def test_discovery_publishes_the_resource_type(scim: ScimClient) -> None:
    body = await scim.read("/ResourceTypes/Device")
    assert (body["name"], body["endpoint"], body["schema"]) == ("Device", "/Devices", DEVICE)
    assert {BLE, DPP, MAB, FDO, PASS_KEY} <= {each["schema"] for each in body["schemaExtensions"]}


@pytest.mark.parametrize("schema", [DEVICE, BLE, DPP, MAB, FDO])
async def test_discovery_publishes_the_schemas(scim: ScimClient, schema: str) -> None:
    assert (await scim.read(f"/Schemas/{schema}"))["id"] == schema


async def test_a_device_comes_back_as_it_was_sent(scim: ScimClient) -> None:
    (created,) = await create(scim, MONITOR)
    assert created == {
        **MONITOR,
        "id": created["id"],
        "meta": {
            "resourceType": "Device",
            "created": created["meta"]["created"],
            "lastModified": created["meta"]["created"],
            "location": f"{scim.base_url}/Devices/{created['id']}",
            "version": created["meta"]["version"],
        },
    }
    assert await scim.read(f"/Devices/{created['id']}") == created


async def test_secrets_are_never_returned(scim: ScimClient) -> None:
    (created,) = await create(scim, CAMERA)
    assert created[DPP] == {name: value for name, value in CAMERA[DPP].items() if name != "bootstrapKey"}
    asked = accepted(await scim.get(f"/Devices/{created['id']}", attributes=f"{DPP}:bootstrapKey"))
    assert "s3cret" not in str(asked)


async def test_secrets_are_not_in_the_audit_trail(scim: ScimClient, admin: ScimClient) -> None:
    (created,) = await create(scim, CAMERA)
    path, value = f"/Devices/{created['id']}", {**CAMERA[DPP], "serialNumber": "2"}
    accepted(await patch(scim, path, operation("replace", DPP, value)))
    events = await listed(admin, "/AuditEvents", filter=f'resource.value eq "{created["id"]}"')
    assert [event["action"] for event in events] == ["device.create", "device.update"]
    assert "s3cret" not in str(events)


@pytest.mark.parametrize(
    "device",
    [
        {"schemas": [DEVICE], "displayName": "without active"},
        {"schemas": [DEVICE], "active": "perhaps"},
        {"schemas": [DEVICE], "active": True, "mudUrl": 5},
        {"schemas": [DEVICE, DPP], "active": True, DPP: {"bootstrapKey": "k"}},
        {"schemas": [DEVICE, DPP], "active": True, DPP: {"bootstrapKey": "k", "dppVersion": "two"}},
        {"schemas": [DEVICE, DPP], "active": True, DPP: {"bootstrapKey": "k", "dppVersion": 1.5}},
        {"schemas": [DEVICE, BLE], "active": True, BLE: {**MONITOR[BLE], "versionSupport": [5]}},
    ],
)
async def test_a_device_outside_its_schema_is_refused(scim: ScimClient, device: Json) -> None:
    refused(await scim.post("/Devices", device), 400, "invalidValue", "invalidSyntax")
    assert await listed(scim, "/Devices") == []


async def test_devices_are_found_by_attributes_of_every_type(scim: ScimClient) -> None:
    await create(scim, MONITOR, CAMERA, PRINTER)
    expected = {
        'displayName sw "ble"': {"BLE Heart Monitor"},
        "active eq true": {"BLE Heart Monitor", "Printer"},
        'mudUrl eq "https://mud.example/Monitor.json"': {"BLE Heart Monitor"},
        'mudUrl eq "https://mud.example/monitor.json"': set(),
        f"{DPP}:dppVersion eq 2": {"Camera"},
        f"{DPP}:dppVersion gt 1": {"Camera"},
        f"{DPP}:dppVersion lt 2": set(),
        f"{DPP}:dppVersion ne 2": {"BLE Heart Monitor", "Printer"},
        f"{PASS_KEY}:key ge 123456": {"BLE Heart Monitor"},
        f'{BLE}:versionSupport eq "5.0"': {"BLE Heart Monitor"},
        f'{BLE}:versionSupport ne "5.0"': {"Camera", "Printer"},
        f'{BLE}:deviceMacAddress eq "2c:54:91:88:c9:e2"': {"BLE Heart Monitor"},
        f'{DPP}:classChannel sw "115/"': {"Camera"},
        f'{MAB}:deviceMacAddress ew ":55"': {"Printer"},
        f'schemas eq "{DPP}"': {"Camera"},
        f"{BLE}:isRandom eq false": {"BLE Heart Monitor"},
    }
    assert await names(scim, *expected) == expected


@pytest.mark.parametrize(
    "filter_",
    [
        f'{DPP}:dppVersion eq "2"',
        f"{DPP}:dppVersion co 2",
        f"{BLE}:isRandom gt true",
        'userName eq "x"',
        "shoe pr",
    ],
)
async def test_a_filter_against_the_wrong_type_is_refused(scim: ScimClient, filter_: str) -> None:
    refused(await scim.get("/Devices", filter=filter_), 400, "invalidFilter")


async def test_devices_are_sorted_and_paged(scim: ScimClient) -> None:
    await create(scim, PRINTER, CAMERA, MONITOR)
    body = accepted(await scim.get("/Devices", sortBy="displayName", startIndex=2, count=1))
    assert (body["totalResults"], body["Resources"][0]["displayName"]) == (3, "Camera")
    first = accepted(await scim.get("/Devices", cursor="", count=2))
    second = accepted(await scim.get("/Devices", cursor=first["nextCursor"], count=2))
    assert [len(page["Resources"]) for page in (first, second)] == [2, 1]


async def test_devices_are_searched_for(scim: ScimClient) -> None:
    await create(scim, MONITOR, CAMERA)
    request = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": "active eq false",
    }
    found = accepted(await scim.post("/Devices/.search", request))["Resources"]
    assert [device["displayName"] for device in found] == ["Camera"]
    assert accepted(await scim.post("/.search", request))["Resources"] == found


async def test_a_device_is_projected(scim: ScimClient) -> None:
    (created,) = await create(scim, MONITOR)
    body = accepted(await scim.get(f"/Devices/{created['id']}", attributes=f"{BLE}:deviceMacAddress"))
    assert body[BLE] == {"deviceMacAddress": "2C:54:91:88:C9:E2"}
    assert "displayName" not in body


async def test_a_device_is_replaced(scim: ScimClient) -> None:
    (created,) = await create(scim, CAMERA)
    body = accepted(await scim.put(f"/Devices/{created['id']}", {**PRINTER, "displayName": "Scanner"}))
    assert body["displayName"] == "Scanner"
    assert body[MAB] == PRINTER[MAB]


async def test_a_device_is_patched(scim: ScimClient) -> None:
    (created,) = await create(scim, MONITOR)
    response = await patch(
        scim,
        f"/Devices/{created['id']}",
        operation("replace", "active", value=False),
        operation("add", f"{BLE}:versionSupport", ["5.4"]),
        operation("remove", f'{BLE}:versionSupport[value eq "5.0"]'),
        operation("replace", f"{PASS_KEY}:key", 654321),
        operation("remove", "mudUrl"),
    )
    assert response.status_code in {200, 204}
    body = await scim.read(f"/Devices/{created['id']}")
    assert (body["active"], body[BLE]["versionSupport"], body[PASS_KEY]) == (
        False,
        ["5.3", "5.4"],
        {"key": 654321},
    )
    assert "mudUrl" not in body


@pytest.mark.parametrize(
    ("change", "scim_type"),
    [
        (operation("replace", f"{DPP}:dppVersion", "two"), "invalidValue"),
        (operation("remove", "active"), "mutability"),
        (operation("remove", f"{DPP}:dppVersion"), "mutability"),
        (operation("add", f"{DPP}:shoe", "left"), "invalidPath"),
        (operation("replace", "active", value=None), "invalidValue"),
    ],
)
async def test_a_patch_outside_the_schema_is_refused(scim: ScimClient, change: Json, scim_type: str) -> None:
    (created,) = await create(scim, CAMERA)
    path = f"/Devices/{created['id']}"
    refused(
        await patch(scim, path, operation("add", "displayName", "x"), change), 400, scim_type, "mutability"
    )
    assert await scim.read(path) == created


async def test_an_immutable_attribute_is_set_once(scim: ScimClient) -> None:
    (created,) = await create(scim, PRINTER)
    path = f"/Devices/{created['id']}"
    await scim.patch_ok(path, operation("add", f"{JUST_WORKS}:key", 0))
    await scim.patch_ok(path, operation("add", f"{JUST_WORKS}:key", 0))
    refused(await patch(scim, path, operation("replace", f"{JUST_WORKS}:key", 1)), 400, "mutability")
    body = {**PRINTER, "schemas": [DEVICE, MAB, JUST_WORKS], JUST_WORKS: {"key": 1}}
    refused(await scim.put(path, body), 400, "mutability")
    assert (await scim.read(path))[JUST_WORKS] == {"key": 0}


async def test_devices_are_members_of_groups(scim: ScimClient) -> None:
    (created,) = await create(scim, MONITOR)
    group = await scim.create_group("Monitors", members=(created["id"],))
    assert group["members"] == [
        {
            "value": created["id"],
            "$ref": created["meta"]["location"],
            "type": "Device",
        }
    ]
    entry = {"value": group["id"], "$ref": group["meta"]["location"], "display": "Monitors", "type": "direct"}
    assert (await scim.read(f"/Devices/{created['id']}"))["groups"] == [entry]


async def test_a_device_is_deleted_without_a_trace(scim: ScimClient) -> None:
    (created,) = await create(scim, MONITOR)
    group = await scim.create_group("Monitors", members=(created["id"],))
    assert (await scim.delete(f"/Devices/{created['id']}")).status_code == 204
    refused(await scim.get(f"/Devices/{created['id']}"), 404)
    assert "members" not in await scim.read(f"/Groups/{group['id']}")


async def test_devices_and_their_group_are_created_in_bulk(scim: ScimClient) -> None:
    members = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Onboarded"}
    done = accepted(
        await bulk(
            scim,
            {
                "method": "POST",
                "path": "/Groups",
                "bulkId": "g",
                "data": {**members, "members": [{"value": "bulkId:m"}, {"value": "bulkId:c"}]},
            },
            {"method": "POST", "path": "/Devices", "bulkId": "m", "data": MONITOR},
            {"method": "POST", "path": "/Devices", "bulkId": "c", "data": CAMERA},
        )
    )["Operations"]
    assert [result["status"] for result in done] == ["201", "201", "201"]
    group = await scim.read(f"/Groups/{done[0]['location'].rsplit('/', 1)[-1]}")
    assert {member["type"] for member in group["members"]} == {"Device"}


async def test_a_condition_guards_a_device(scim: ScimClient) -> None:
    (created,) = await create(scim, PRINTER)
    path = f"/Devices/{created['id']}"
    refused(await scim.request("DELETE", path, headers={"If-Match": 'W/"stale"'}), 412)
    response = await scim.request("GET", path, headers={"If-None-Match": created["meta"]["version"]})
    assert response.status_code == 304


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/Devices"), ("POST", "/Devices/1"), ("GET", "/Devices/.search")]
)
async def test_a_wrong_method_is_refused(scim: ScimClient, method: str, path: str) -> None:
    response = await scim.request(method, path)
    assert response.status_code == 405
    assert response.headers["allow"]


async def test_without_the_folder_there_are_no_devices(serve: Serve) -> None:
    refused(await (await serve()).get("/Devices"), 404)
