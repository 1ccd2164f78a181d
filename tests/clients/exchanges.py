"""Single requests of a quirk test; every answer must be a well-formed SCIM answer."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2

from tests.clients.answers import require_answer
from tests.support.client import ScimClient

Connect = Callable[..., Awaitable[ScimClient]]
Document = dict[str, Any]

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
FRIENDLY = ("okta", "entra", "generic")
EVERY_DIALECT = (*FRIENDLY, "strict")


async def call(client: ScimClient, method: str, path: str, body: Any = None) -> httpx2.Response:
    """Send a request with a JSON body, if any, and return its well-formed answer."""
    response = await client.request(method, path, json=body)
    require_answer(response)
    return response


async def patch(client: ScimClient, path: str, *operations: Document) -> httpx2.Response:
    """Send the operations as one PATCH."""
    return await call(client, "PATCH", path, {"schemas": [PATCH_OP], "Operations": list(operations)})


async def patched(client: ScimClient, path: str, *operations: Document) -> httpx2.Response:
    """Send the operations as one PATCH, which has to succeed."""
    response = await patch(client, path, *operations)
    assert response.status_code in (200, 204), response.text
    return response


async def read(client: ScimClient, path: str) -> Document:
    """Return the resource at the path."""
    response = await call(client, "GET", path)
    assert response.status_code == 200, response.text
    document: Document = response.json()
    return document


async def new_user(client: ScimClient, user_name: str = "bo@corp.example", /, **attributes: Any) -> str:
    """Create a user by the letter of RFC 7644 and return its path."""
    schemas = [USER, *(name for name in attributes if name.startswith("urn:"))]
    body = {"schemas": schemas, "userName": user_name, **attributes}
    created = await call(client, "POST", "/Users", body)
    assert created.status_code == 201, created.text
    return f"/Users/{created.json()['id']}"


async def new_group(client: ScimClient, display_name: str, *members: str, **attributes: Any) -> str:
    """Create a group of the users at these paths and return its path."""
    body = {
        "schemas": [GROUP],
        "displayName": display_name,
        "members": [{"value": identifier(member)} for member in members],
        **attributes,
    }
    created = await call(client, "POST", "/Groups", body)
    assert created.status_code == 201, created.text
    return f"/Groups/{created.json()['id']}"


def identifier(path: str) -> str:
    """Return the id in the path of a resource."""
    return path.rsplit("/", 1)[1]


async def members(client: ScimClient, group: str) -> set[str]:
    """Return the paths of a group's members, each of which is listed once."""
    values = [f"/Users/{member['value']}" for member in (await read(client, group)).get("members", [])]
    assert len(values) == len(set(values)), values
    return set(values)


async def require_refused(
    client: ScimClient, path: str, *operations: Document, scim_types: tuple[str, ...] = ()
) -> None:
    """Raise AssertionError unless the PATCH answers 400 with one of the keywords and changes nothing."""
    before = await read(client, path)
    refused = await patch(client, path, *operations)
    assert refused.status_code == 400, refused.text
    if scim_types:
        assert refused.json()["scimType"] in scim_types, refused.text
    assert await read(client, path) == before
