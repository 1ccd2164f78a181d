"""POST /Bulk (RFC 7644 §3.7)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from scim_server.http.bodies import read_json
from scim_server.http.responses import ScimResponse
from scim_server.http.server import server_of
from scim_server.scim.messages.bulk import BULK_RESPONSE_URN, parse_bulk
from scim_server.scim.resources import Renderer
from scim_server.services.bulk import BulkResult


async def bulk(request: Request) -> Response:
    """Run the operations and answer with a status for each that was tried."""
    server = server_of(request)
    call = await server.call(request)
    limits = server.limits_of(call)
    data = await read_json(request, limits.payload_bytes)
    message = parse_bulk(data, call.principal.policy, maximum=limits.bulk_operations)
    results = await server.bulk.run(call, message)
    renderer = server.renderer(call)
    operations = [_operation(result, renderer) for result in results]
    return ScimResponse({"schemas": [BULK_RESPONSE_URN], "Operations": operations})


def _operation(result: BulkResult, renderer: Renderer) -> dict[str, Any]:
    shown: dict[str, Any] = {"method": result.operation.method}
    if result.operation.bulk_id is not None:
        shown["bulkId"] = result.operation.bulk_id
    if result.etag is not None:
        shown["version"] = result.etag
    if result.resource_type is not None and result.id is not None:
        shown["location"] = renderer.location(result.resource_type, result.id)
    elif result.operation.method != "POST":
        shown["location"] = f"{renderer.base_url}{result.operation.path}"
    shown["status"] = str(result.status)
    if result.error is not None:
        shown["response"] = result.error.body()
    return shown
