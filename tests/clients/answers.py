"""What every SCIM client seen relies on in every answer, whatever it asked."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2

from tests.clients.checks import MISSING, require

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
LIST_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
_PROJECTIONS = ("attributes=", "excludedattributes=")


def require_answer(response: httpx2.Response) -> None:
    """Raise AssertionError unless the answer has the shape RFC 7644 gives to its kind."""
    request = response.request
    where = f"{request.method} {request.url} answered {response.status_code} {response.text!r}"
    if not response.headers.get("x-request-id"):
        raise AssertionError(f"{where}: no X-Request-Id")
    if response.status_code == 204:
        if response.content:
            raise AssertionError(f"{where}: a 204 with a body")
        return
    if response.headers.get("content-type", "").split(";")[0] != "application/scim+json":
        raise AssertionError(f"{where}: content type {response.headers.get('content-type')}")
    body = response.json()
    nulls = [path for path, value in _leaves(body, "") if value is None]
    if nulls:
        raise AssertionError(f"{where}: null at {nulls}")
    if response.status_code >= 400:
        _require_error(body, response.status_code, where)
    else:
        _require_success(body, response, where)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}/{name}")
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _leaves(inner, f"{path}/{position}")
    else:
        yield path, value


def _require_error(body: Any, status: int, where: str) -> None:
    require(body, {"schemas": [ERROR], "status": str(status), "detail": {"$present": True}}, where)


def _require_success(body: Any, response: httpx2.Response, where: str) -> None:
    query = response.request.url.query.decode().lower()
    projected = any(parameter in query for parameter in _PROJECTIONS)
    if LIST_RESPONSE in body["schemas"]:
        _require_list(body, where)
        resources = body["Resources"]
    else:
        resources = [body]
    for resource in resources:
        _require_resource(resource, projected=projected, where=where)
    if response.status_code == 201 and response.headers.get("location") != body["meta"]["location"]:
        raise AssertionError(f"{where}: Location is {response.headers.get('location')}")


def _require_list(body: Any, where: str) -> None:
    number = {"$number": True}
    checks = {
        "schemas": [LIST_RESPONSE],
        "totalResults": number,
        "startIndex": number,
        "itemsPerPage": number,
        "Resources": {"$count": body.get("itemsPerPage", MISSING)},
    }
    require(body, checks, where)


def _require_resource(resource: Any, *, projected: bool, where: str) -> None:
    present = {"$present": True}
    checks: dict[str, Any] = {"schemas": present, "password": {"$absent": True}}
    is_user, is_group = _USER in resource["schemas"], _GROUP in resource["schemas"]
    if is_user or is_group:
        checks["id"] = {"$matches": "^[^A-Z]+$"}
    if not projected:
        checks |= {"meta/resourceType": present, "meta/location": present}
    if is_user and not projected:
        checks["active"] = {"$one_of": [True, False]}
    require(resource, checks, where)
    if (is_user or is_group) and not projected:
        _require_location(resource, where)


def _require_location(resource: Any, where: str) -> None:
    location = resource["meta"]["location"]
    address = urlsplit(location)
    ending = f"/{resource['meta']['resourceType']}s/{resource['id']}"
    if not (address.scheme and address.netloc and address.path.endswith(ending)):
        raise AssertionError(f"{where}: meta.location is {location}")
