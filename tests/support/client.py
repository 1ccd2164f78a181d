"""A SCIM client as thin as can be: the tests see every status, header and body."""

import json as json_module
from collections.abc import Iterable, Mapping
from typing import Any, Self

import httpx2

MEDIA_TYPE = "application/scim+json"
USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class ScimClient:
    """Speaks to one SCIM base URL with one token; paths are relative to the base ("/Users")."""

    def __init__(
        self, base_url: str, token: str | None, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        """Prepare a client; without `transport` it goes over the network, without `token` unauthenticated."""
        self.base_url = base_url.rstrip("/")
        self.token = token
        self.http = httpx2.AsyncClient(transport=transport, timeout=60, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def request(
        self,
        method: str,
        path: str,
        *,
        content: bytes | str | None = None,
        json: Any = None,
        headers: Mapping[str, str | None] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> httpx2.Response:
        """Send one request; `headers` win over the token and the content type, None takes one away.

        A path that is an absolute URL is used as it stands.
        """
        body = json_module.dumps(json).encode() if json is not None else content
        sent: dict[str, str | None] = {}
        if self.token is not None:
            sent["authorization"] = f"Bearer {self.token}"
        if body is not None:
            sent["content-type"] = MEDIA_TYPE
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        url = path if path.startswith(("http://", "https://")) else f"{self.base_url}{path}"
        return await self.http.request(
            method,
            url,
            content=body,
            params=params or None,
            headers={name: value for name, value in sent.items() if value is not None},
        )

    async def get(self, path: str, **params: Any) -> httpx2.Response:
        """Send GET with the query parameters."""
        return await self.request("GET", path, params=params)

    async def post(self, path: str, json: Any) -> httpx2.Response:
        """Send POST with a JSON body."""
        return await self.request("POST", path, json=json)

    async def put(self, path: str, json: Any) -> httpx2.Response:
        """Send PUT with a JSON body."""
        return await self.request("PUT", path, json=json)

    async def patch(self, path: str, *operations: Any, json: Any = None) -> httpx2.Response:
        """Send PATCH with these operations, or with a whole message: as `json` or as the only argument."""
        if len(operations) == 1 and isinstance(operations[0], list):
            operations = tuple(operations[0])
        elif len(operations) == 1 and "Operations" in operations[0]:
            json = operations[0]
        message = {"schemas": [PATCH_SCHEMA], "Operations": list(operations)} if json is None else json
        return await self.request("PATCH", path, json=message)

    async def delete(self, path: str) -> httpx2.Response:
        """Send DELETE."""
        return await self.request("DELETE", path)

    async def create_user(self, user_name: str, **attributes: Any) -> dict[str, Any]:
        """Create a user, its extension schemas named in `schemas`, and return it."""
        schemas = [USER_SCHEMA, *(name for name in attributes if name.startswith("urn:"))]
        return await self._created("/Users", {"schemas": schemas, "userName": user_name, **attributes})

    async def create_group(self, display_name: str, members: Iterable[str] = ()) -> dict[str, Any]:
        """Create a group with the members of these ids and return it."""
        body: dict[str, Any] = {"schemas": [GROUP_SCHEMA], "displayName": display_name}
        values = [{"value": member} for member in members]
        return await self._created("/Groups", {**body, "members": values} if values else body)

    async def _created(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        response = await self.post(path, body)
        assert response.status_code == 201, response.text
        return _object(response)

    async def read(self, path: str, **params: Any) -> dict[str, Any]:
        """Return what is at the path, which has to be there."""
        response = await self.get(path, **params)
        assert response.status_code == 200, response.text
        return _object(response)

    async def find(self, path: str, filter: str, **params: Any) -> list[dict[str, Any]]:
        """Return the resources of one page that match the filter."""
        answer = await self.read(path, filter=filter, **params)
        resources: list[dict[str, Any]] = answer["Resources"]
        return resources

    async def patch_ok(self, path: str, *operations: Any) -> httpx2.Response:
        """Send PATCH, which has to succeed."""
        response = await self.patch(path, *operations)
        assert response.status_code in (200, 204), response.text
        return response


def _object(response: httpx2.Response) -> dict[str, Any]:
    body = response.json()
    assert isinstance(body, dict)
    return body
