"""The message schemas of RFC 7644 and the few functions every protocol test speaks through."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import httpx2

from tests.support.client import ScimClient

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
LIST_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
SEARCH_REQUEST = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK_REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
BULK_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"

UNKNOWN_ID = "01890000-0000-7000-8000-000000000000"

Connect = Callable[..., Awaitable[ScimClient]]
Serve = Callable[..., Awaitable[ScimClient]]
Json = dict[str, Any]


def user(user_name: str, **attributes: Any) -> Json:
    """Return the body of a User, its extension named in `schemas` when it is given."""
    schemas = [USER, *(name for name in attributes if name.startswith("urn:"))]
    return {"schemas": schemas, "userName": user_name, **attributes}


def group(display_name: str, *members: str) -> Json:
    """Return the body of a Group holding the ids `members`."""
    body: Json = {"schemas": [GROUP], "displayName": display_name}
    return {**body, "members": [{"value": member} for member in members]} if members else body


def operation(op: str, path: str | None = None, value: Any = ...) -> Json:
    """Return one PATCH operation; a path or value that is not given is left out (RFC 7644 §3.5.2)."""
    members: Json = {"op": op}
    if path is not None:
        members["path"] = path
    if value is not ...:
        members["value"] = value
    return members


async def patch(client: ScimClient, path: str, *operations: Json) -> httpx2.Response:
    """Send the operations as one PatchOp message."""
    return await client.request("PATCH", path, json={"schemas": [PATCH_OP], "Operations": list(operations)})


async def bulk(client: ScimClient, *operations: Json, **members: Any) -> httpx2.Response:
    """Send the operations as one BulkRequest message."""
    body = {"schemas": [BULK_REQUEST], **members, "Operations": list(operations)}
    return await client.request("POST", "/Bulk", json=body)


def refused(response: httpx2.Response, status: int, *scim_types: str) -> Json:
    """Assert a SCIM error of that status and one of the keywords, and return its body (RFC 7644 §3.12)."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/scim+json")
    body: Json = response.json()
    assert body["schemas"] == [ERROR]
    assert body["status"] == str(status)
    assert isinstance(body["detail"], str)
    assert body["detail"]
    if scim_types:
        assert body.get("scimType") in scim_types, body
    return body


def accepted(response: httpx2.Response, status: int = 200) -> Json:
    """Assert that status and return the decoded body."""
    assert response.status_code == status, response.text
    body: Json = response.json()
    return body


def user_names(resources: Iterable[Json]) -> list[str]:
    """Return the user names of the resources in their order."""
    return [resource["userName"] for resource in resources]


async def listed(client: ScimClient, path: str, **parameters: Any) -> list[Json]:
    """Return the resources of a list answer, asserting that it holds all of them."""
    body = accepted(await client.get(path, **parameters))
    resources: list[Json] = body["Resources"]
    assert body["totalResults"] == len(resources), body
    return resources


def sent(resource: Json) -> Json:
    """Return what a client stated in a resource: everything but id, meta and the computed groups."""
    return {name: value for name, value in resource.items() if name not in {"id", "meta", "groups"}}
