"""The parameter dryRun is understood or refused, never passed over: passed over, it would write."""

from typing import Any

import pytest

from tests.conftest import Connect
from tests.protocol.messages import BULK_REQUEST
from tests.requirements.accounts import act, hire, problem
from tests.support.client import USER_SCHEMA, ScimClient

DRY_RUN = "urn:scim-server:api:messages:2.0:DryRun"
NOWHERE = (
    "There is no preview of this request; send dryRun with POST, PUT, PATCH or DELETE of a single resource, "
    "or leave it out."
)
SEARCH: dict[str, Any] = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}
NEW = {"schemas": [USER_SCHEMA], "userName": "zoe"}
BULK = {
    "schemas": [BULK_REQUEST],
    "Operations": [{"method": "POST", "path": "/Users", "bulkId": "1", "data": NEW}],
}


async def count(client: ScimClient) -> int:
    """Return how many users there are."""
    total: int = (await client.read("/Users"))["totalResults"]
    return total


@pytest.mark.parametrize("value", ["1", "yes", "on", "", "tru", "0"])
@pytest.mark.parametrize(("path", "body"), [("/Users", NEW), ("/Bulk", BULK)])
async def test_any_other_value_is_refused(
    path: str, body: dict[str, Any], value: str, scim: ScimClient
) -> None:
    refused = await scim.post(f"{path}?dryRun={value}", body)
    assert problem(refused) == (400, f"dryRun must be true or false, not '{value}'.")
    assert await count(scim) == 0


@pytest.mark.parametrize("query", ["DRYRUN=true", "dryrun=true", "dryRun=True", "dryRun=true&DryRun=TRUE"])
@pytest.mark.parametrize("dialect", ["generic", "strict"])
async def test_the_name_counts_in_any_case(query: str, dialect: str, connect: Connect) -> None:
    client = await connect(dialect=dialect)
    tried = await client.post(f"/Users?{query}", NEW)
    assert (tried.status_code, tried.json()["schemas"]) == (200, [DRY_RUN])
    assert await count(client) == 0


async def test_true_and_false_at_once_is_refused(scim: ScimClient) -> None:
    refused = await scim.post("/Users?dryRun=false&dryrun=true", NEW)
    assert problem(refused) == (400, "dryRun is both true and false; send it once.")
    assert await count(scim) == 0


@pytest.mark.parametrize(("path", "body"), [("/Users", NEW), ("/Bulk", BULK)])
async def test_false_writes(path: str, body: dict[str, Any], scim: ScimClient) -> None:
    assert (await scim.post(f"{path}?dryRun=false", body)).status_code in (200, 201)
    assert await count(scim) == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/Bulk", BULK),
        ("POST", "/.search", SEARCH),
        ("POST", "/Users/.search", SEARCH),
        ("GET", "/Users", None),
        ("GET", "/", None),
        ("GET", "/Schemas", None),
        ("GET", "/ServiceProviderConfig", None),
    ],
)
async def test_where_there_is_no_preview_it_is_refused(
    method: str, path: str, body: Any, scim: ScimClient
) -> None:
    refused = await scim.request(method, f"{path.rstrip('/')}?dryRun=true", json=body)
    assert problem(refused) == (400, NOWHERE)
    assert await count(scim) == 0


async def test_a_read_is_not_previewed(scim: ScimClient) -> None:
    user = (await scim.create_user("ann"))["id"]
    assert problem(await scim.get(f"/Users/{user}", dryRun="true")) == (400, NOWHERE)


async def test_a_change_of_oneself_is_previewed(scim: ScimClient, connect: Connect) -> None:
    user = (await scim.create_user("ann"))["id"]
    own = await connect(user=user)
    tried = await own.patch("/Me?dryRun=true", {"op": "add", "path": "title", "value": "Boss"})
    assert (tried.status_code, tried.json()["resource"]["title"]) == (200, "Boss")
    assert "title" not in await scim.read(f"/Users/{user}")


async def test_no_token_is_shown_that_is_never_stored(admin: ScimClient) -> None:
    owner = await hire(admin)
    body = {"displayName": "Import", "owner": {"value": owner}, "scopes": ["users:read"]}
    tried = (await admin.post("/ApiTokens?dryRun=true", body)).json()
    assert (tried["schemas"], tried["resource"]["displayName"]) == ([DRY_RUN], "Import")
    assert "token" not in tried["resource"]
    assert (await admin.read("/ApiTokens"))["totalResults"] == 0


async def test_no_password_is_shown_that_is_never_set(admin: ScimClient) -> None:
    user = await hire(admin)
    body = {"user": {"value": user}, "action": "setTemporaryPassword"}
    tried = (await admin.post("/AccountActions?dryRun=true", body)).json()
    assert "temporaryPassword" not in tried["resource"]
    assert "temporaryPassword" in (await act(admin, user, "setTemporaryPassword")).json()
