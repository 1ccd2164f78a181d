"""A suspended tenant: every token of it is refused, and nothing happens in it."""

import pytest
from starlette.applications import Starlette

from scim_server.services.clockwork import Clockwork
from scim_server.services.lifecycle import Lifecycle
from scim_server.services.tenants import Tenants
from scim_server.store import tenants as rows
from scim_server.store.clock import now
from scim_server.store.database import Database
from tests.protocol.messages import operation, refused, user
from tests.store.statements import counted
from tests.support.client import PATCH_SCHEMA, ScimClient


@pytest.fixture(scope="module")
def lifecycle() -> Lifecycle:
    return Lifecycle.of()


@pytest.fixture
def tenants(database: Database, lifecycle: Lifecycle) -> Tenants:
    return Tenants(database, lifecycle.registry)


PATCH = {"schemas": [PATCH_SCHEMA], "Operations": [operation("add", "title", "x")]}
REQUESTS = {
    "read": ("GET", "/Users/{id}", None),
    "list": ("GET", "/Users", None),
    "discovery": ("GET", "/Schemas", None),
    "unknown": ("GET", "/Nothing", None),
    "create": ("POST", "/Users", user("bob")),
    "replace": ("PUT", "/Users/{id}", user("ann", title="x")),
    "patch": ("PATCH", "/Users/{id}", PATCH),
    "delete": ("DELETE", "/Users/{id}", None),
    "bulk": (
        "POST",
        "/Bulk",
        {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{"method": "POST", "path": "/Users", "bulkId": "b", "data": user("eve")}],
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
async def test_the_next_request_of_a_remembered_caller_is_refused(
    scim: ScimClient, tenants: Tenants, request_: tuple[str, str, object]
) -> None:
    ann = await scim.create_user("ann")
    method, path, body = request_
    await scim.read(f"/Users/{ann['id']}")
    await tenants.suspend("default")
    response = await scim.request(method, path.format(id=ann["id"]), json=body)
    error = refused(response, 403)
    assert error["detail"] == "The tenant default is suspended."
    await tenants.resume("default")
    assert await scim.read(f"/Users/{ann['id']}") == ann


async def test_a_wrong_token_is_not_told_that_a_tenant_is_suspended(
    scim: ScimClient, tenants: Tenants
) -> None:
    await tenants.suspend("default")
    refused(await scim.request("GET", "/Users", headers={"Authorization": "Bearer nonsense"}), 401)


async def test_asking_costs_no_statement(scim: ScimClient, application: Starlette) -> None:
    ann = await scim.create_user("ann")
    await scim.read(f"/Users/{ann['id']}")
    store: Database = application.state.database
    with counted(store) as cost:
        await scim.read(f"/Users/{ann['id']}")
    assert len(cost.statements) == 1


async def test_the_worker_passes_over_a_suspended_tenant(
    scim: ScimClient, tenants: Tenants, database: Database, lifecycle: Lifecycle
) -> None:
    await scim.create_user("ann")
    tenant_id = await database.write(lambda writer: rows.find(writer, "default"))
    assert tenant_id is not None
    await database.write(lambda writer: rows.change(writer, tenant_id.id, settle_at=1))
    await tenants.suspend("default")
    await Clockwork(database, lifecycle).run_once()
    assert await database.read(lambda reader: rows.due(reader, now())) == []
    await tenants.resume("default")
    assert await database.read(lambda reader: rows.due(reader, now())) == [(tenant_id.id, "default")]
