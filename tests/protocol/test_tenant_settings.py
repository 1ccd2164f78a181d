"""What is set for one tenant takes the place of the server's settings from its next request on."""

from collections.abc import Awaitable, Callable

import pytest
from starlette.applications import Starlette

from scim_server.services.tenants import Tenants
from tests.protocol.messages import accepted, refused, user
from tests.support.client import ScimClient

BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
SetUp = Callable[..., Awaitable[None]]


@pytest.fixture
def set_up(application: Starlette) -> SetUp:
    server = application.state.server
    tenants = Tenants(server.database, server.registry)

    async def set_up(**settings: object) -> None:
        await tenants.set("default", {name: str(value) for name, value in settings.items()})

    return set_up


async def test_pages_have_the_sizes_of_the_tenant(scim: ScimClient, set_up: SetUp) -> None:
    for number in range(5):
        await scim.create_user(f"u{number}")
    await set_up(page_size_default=2, page_size_max=3)
    counts = [(await scim.read("/Users", **asked))["itemsPerPage"] for asked in ({}, {"count": 5})]
    assert counts == [2, 3]


async def test_a_bulk_request_has_the_operations_of_the_tenant(scim: ScimClient, set_up: SetUp) -> None:
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": f"b{number}", "data": user(f"u{number}")}
        for number in range(2)
    ]
    await set_up(bulk_max_operations=1)
    refused(await scim.post("/Bulk", {"schemas": [BULK], "Operations": operations}), 413)


async def test_a_body_has_the_size_of_the_tenant(scim: ScimClient, set_up: SetUp) -> None:
    await set_up(max_body_bytes=1024)
    refused(await scim.post("/Users", user("ann", title="x" * 2000)), 413)


async def test_the_configuration_shows_the_limits_of_the_tenant(scim: ScimClient, set_up: SetUp) -> None:
    await set_up(page_size_default=2, page_size_max=3, bulk_max_operations=4, max_body_bytes=2048)
    found = accepted(await scim.get("/ServiceProviderConfig"))
    assert found["bulk"] == {"supported": True, "maxOperations": 4, "maxPayloadSize": 2048}
    assert found["filter"]["maxResults"] == found["pagination"]["maxPageSize"] == 3
    assert found["pagination"]["defaultPageSize"] == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/Devices"),
        ("GET", "/Groups"),
        ("POST", "/Groups"),
        ("GET", "/Groups/x"),
        ("DELETE", "/Groups/x"),
        ("POST", "/Groups/.search"),
        ("GET", "/ResourceTypes/Group"),
        ("GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group"),
    ],
)
async def test_a_hidden_type_is_not_there(scim: ScimClient, set_up: SetUp, method: str, path: str) -> None:
    await set_up(hidden_resource_types="Group")
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]} if method == "POST" else None
    refused(await scim.request(method, path, json=body), 404)


async def test_discovery_does_not_name_a_hidden_type(scim: ScimClient, set_up: SetUp) -> None:
    before = [one["id"] for one in (await scim.read("/ResourceTypes"))["Resources"]]
    await set_up(hidden_resource_types="Group,Role")
    after = [one["id"] for one in (await scim.read("/ResourceTypes"))["Resources"]]
    assert set(before) - set(after) == {"Group", "Role"}
    assert "core:2.0:Group" not in (await scim.get("/Schemas")).text


async def test_an_operation_of_bulk_on_a_hidden_type_is_refused(scim: ScimClient, set_up: SetUp) -> None:
    await set_up(hidden_resource_types="Group")
    operations = [{"method": "POST", "path": "/Groups", "bulkId": "b", "data": {"displayName": "x"}}]
    found = accepted(await scim.post("/Bulk", {"schemas": [BULK], "Operations": operations}))
    assert found["Operations"][0]["status"] == "400"


async def test_a_list_over_all_types_leaves_hidden_ones_out(scim: ScimClient, set_up: SetUp) -> None:
    await scim.create_group("Guides")
    ann = await scim.create_user("ann")
    await set_up(hidden_resource_types="Group")
    found = (await scim.read("/", filter="id pr"))["Resources"]
    assert [one["id"] for one in found] == [ann["id"]]
