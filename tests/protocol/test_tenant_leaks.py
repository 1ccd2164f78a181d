"""Nothing that a client is answered tells anything of another tenant.

The tenant `acme` is asked for what the tenant `default` has, once where it has it and once where it has not:
the two answers, and what they cost, are the same.
"""

import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from scim_server.security.principals import PERMISSIONS
from scim_server.store.database import Database
from tests.protocol.messages import accepted, group, operation, refused, user
from tests.store.statements import counted
from tests.support.client import PATCH_SCHEMA, ScimClient
from tests.support.tenants import token_of

NOBODY = "019f0000-0000-7000-8000-000000000000"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
TYPES: dict[str, dict[str, Any]] = {
    "/Users": {"userName": "theirs", "externalId": "x-1", "emails": [{"value": "a@x.test", "primary": True}]},
    "/Groups": {"displayName": "theirs", "externalId": "x-1"},
    "/Roles": {"value": "theirs", "display": "Theirs", "supported": True},
    "/Entitlements": {"value": "theirs", "display": "Theirs", "supported": True},
    "/Departments": {"code": "theirs", "displayName": "Theirs", "active": True},
    "/Locations": {"code": "theirs", "displayName": "Theirs", "type": "office", "active": True},
}
TITLE = {"schemas": [PATCH_SCHEMA], "Operations": [operation("add", "externalId", "x")]}


@pytest.fixture
async def acme(application: Starlette, database: Database) -> AsyncIterator[ScimClient]:
    token = await token_of(database, "acme", profile="idp", permissions=list(PERMISSIONS))
    transport = httpx2.ASGITransport(app=application)
    async with ScimClient("http://scim.test/scim/v2", token, transport) as client:
        yield client


async def made(client: ScimClient, path: str) -> httpx2.Response:
    response = await client.post(path, TYPES[path])
    assert response.status_code == 201, response.text
    return response


def same(one: httpx2.Response, other: httpx2.Response, *ids: str) -> None:
    """Compare two answers, but for the ids that were asked for and the request's own."""
    shown = []
    for response in (one, other):
        text = response.text
        for id_ in (*ids, NOBODY):
            text = text.replace(id_, "ID")
        headers = {
            name: value
            for name, value in response.headers.items()
            if name not in {"x-request-id", "content-length", "date"}
        }
        shown.append((response.status_code, re.sub(r"[0-9a-f-]{36}", "ID", text), headers))
    assert shown[0] == shown[1]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", TYPES)
async def test_an_id_of_another_tenant_is_as_one_that_never_was(
    scim: ScimClient, acme: ScimClient, path: str, method: str
) -> None:
    id_ = (await made(scim, path)).json()["id"]
    body = {"GET": None, "DELETE": None, "PUT": TYPES[path], "PATCH": TITLE}[method]
    theirs = await acme.request(method, f"{path}/{id_}", json=body)
    nobody = await acme.request(method, f"{path}/{NOBODY}", json=body)
    same(theirs, nobody, id_)


@pytest.mark.parametrize("path", TYPES)
async def test_an_etag_of_another_tenant_is_no_match(scim: ScimClient, acme: ScimClient, path: str) -> None:
    response = await made(scim, path)
    for header in ("If-None-Match", "If-Match"):
        for method in ("GET", "DELETE"):
            sent = {header: response.headers["etag"]}
            found = await acme.request(method, f"{path}/{response.json()['id']}", headers=sent)
            refused(found, 404)


@pytest.mark.parametrize("path", TYPES)
async def test_a_value_that_another_tenant_has_is_free(scim: ScimClient, acme: ScimClient, path: str) -> None:
    await made(scim, path)
    await made(acme, path)


@pytest.mark.parametrize("path", TYPES)
async def test_lists_and_counts_know_nothing_of_another_tenant(
    scim: ScimClient, acme: ScimClient, path: str
) -> None:
    id_ = (await made(scim, path)).json()["id"]
    for filter_ in (None, "id pr", f'id eq "{id_}"', f'meta.location co "{id_}"'):
        parameters = {} if filter_ is None else {"filter": filter_}
        found = accepted(await acme.get(path, **parameters))
        assert (found["totalResults"], found.get("Resources", [])) == (0, [])


async def test_an_external_id_of_another_tenant_finds_nobody(scim: ScimClient, acme: ScimClient) -> None:
    await made(scim, "/Users")
    for filter_ in ('externalId eq "x-1"', 'emails.value eq "a@x.test"', 'userName sw "the"'):
        assert await acme.find("/Users", filter_) == []


@pytest.mark.parametrize("path", ["/Users", "/Groups", "", "/Roles"])
async def test_a_cursor_of_another_tenant_is_refused_as_any_foreign_one(
    scim: ScimClient, acme: ScimClient, path: str
) -> None:
    for number in range(2):
        await scim.create_user(f"u{number}")
        await scim.create_group(f"g{number}")
        await scim.post("/Roles", {**TYPES["/Roles"], "value": f"r{number}"})
    cursor = accepted(await scim.get(path, cursor="", count=1))["nextCursor"]
    theirs = refused(await acme.get(path, cursor=cursor, count=1), 400, "invalidCursor")
    garbled = refused(await acme.get(path, cursor="nonsense", count=1), 400, "invalidCursor")
    assert theirs == garbled


REFERENCES: dict[str, Callable[[str], tuple[str, str, Any]]] = {
    "a member": lambda id_: ("POST", "/Groups", group("Ours", id_)),
    "a manager": lambda id_: (
        "POST",
        "/Users",
        user("ann", **{"schemas": [user("x")["schemas"][0], ENTERPRISE], ENTERPRISE: {"manager": {"value": id_}}}),  # noqa: E501 - one body
    ),
    "a member that is added": lambda id_: (
        "PATCH",
        "/Groups/{own}",
        {"schemas": [PATCH_SCHEMA], "Operations": [operation("add", "members", [{"value": id_}])]},
    ),
    "a member that is removed": lambda id_: (
        "PATCH",
        "/Groups/{own}",
        {
            "schemas": [PATCH_SCHEMA],
            "Operations": [{"op": "remove", "path": f'members[value eq "{id_}"]'}],
        },
    ),
    "an operation of Bulk": lambda id_: (
        "POST",
        "/Bulk",
        {"schemas": [BULK], "Operations": [{"method": "DELETE", "path": f"/Users/{id_}"}]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFERENCES)
async def test_a_reference_to_another_tenant_is_as_one_to_nobody(
    scim: ScimClient, acme: ScimClient, what: str
) -> None:
    theirs = await scim.create_user("theirs")
    answers = []
    for number, id_ in enumerate((theirs["id"], NOBODY)):
        own = (await acme.create_group(f"own-{number}"))["id"]
        method, path, body = REFERENCES[what](id_)
        if path == "/Users":
            body["userName"] = f"ann{number}"
        response = await acme.request(method, path.format(own=own), json=body)
        answers.append((response.status_code, response.text.replace(id_, "ID")))
        if path == "/Users":
            answers[-1] = (response.status_code, str("manager" in response.text))
        if method == "PATCH" and response.status_code == 200:
            answers[-1] = (200, "")
    assert answers[0] == answers[1]
    assert await scim.read(f"/Users/{theirs['id']}") == theirs


@pytest.mark.parametrize("path", ["/Users", "/Users/x", "/ServiceProviderConfig", "/Bulk", "/Nothing"])
@pytest.mark.usefixtures("scim")
async def test_a_path_does_not_tell_whether_a_tenant_exists(acme: ScimClient, path: str) -> None:
    base = acme.base_url.removesuffix("/scim/v2")
    for headers in ({}, {"Authorization": None}, {"Authorization": "Bearer nonsense"}):
        answers = [
            await acme.request("GET", f"{base}/t/{tenant}/scim/v2{path}", headers=headers)
            for tenant in ("default", "nowhere")
        ]
        assert answers[0].status_code == answers[1].status_code
        assert answers[0].text.replace("/t/default/", "/t/nowhere/") == answers[1].text


@pytest.mark.parametrize("path", ["/Users", "/Groups", "/Departments"])
async def test_asking_for_what_another_tenant_has_costs_the_same_statements(
    scim: ScimClient, acme: ScimClient, application: Starlette, path: str
) -> None:
    id_ = (await made(scim, path)).json()["id"]
    costs = []
    for each in (id_, NOBODY):
        await acme.get(path)
        with counted(application.state.database) as cost:
            await acme.get(f"{path}/{each}")
            await acme.get(path, filter=f'id eq "{each}"')
        costs.append(cost.statements)
    assert costs[0] == costs[1]


async def test_audit_events_of_another_tenant_are_not_there(scim: ScimClient, acme: ScimClient) -> None:
    await made(scim, "/Users")
    assert await acme.find("/AuditEvents", "id pr") == []
