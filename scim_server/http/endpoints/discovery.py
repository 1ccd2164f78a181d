"""/ServiceProviderConfig, /ResourceTypes and /Schemas (RFC 7644 §4)."""

from starlette.requests import Request
from starlette.responses import Response

from scim_server.http.previews import asks_for_preview
from scim_server.http.responses import ScimResponse
from scim_server.http.server import server_of
from scim_server.scim.errors import Forbidden
from scim_server.scim.messages import discovery
from scim_server.scim.messages.listing import list_response
from scim_server.scim.registry import Registry


async def service_provider_config(request: Request) -> Response:
    """Answer without a token too (RFC 7643 §5); a wrong token is refused all the same."""
    server = server_of(request)
    limits = server.limits
    if "authorization" in request.headers:
        limits = server.limits_of(await server.call(request))
    asks_for_preview(request)
    _refuse_filter(request)
    return ScimResponse(discovery.service_provider_config(server.base_url(request), limits))


async def resource_types(request: Request) -> Response:
    """List the resource types."""
    registry, base_url = await _known(request)
    found = discovery.resource_types(registry, base_url)
    return ScimResponse(list_response(found, total=len(found)))


async def resource_type(request: Request) -> Response:
    """Show one resource type."""
    registry, base_url = await _known(request)
    return ScimResponse(discovery.resource_type(registry, request.path_params["name"], base_url))


async def schemas(request: Request) -> Response:
    """List the schemas."""
    registry, base_url = await _known(request)
    found = discovery.schemas(registry, base_url)
    return ScimResponse(list_response(found, total=len(found)))


async def schema(request: Request) -> Response:
    """Show one schema."""
    registry, base_url = await _known(request)
    return ScimResponse(discovery.schema(registry, request.path_params["urn"], base_url))


async def _known(request: Request) -> tuple[Registry, str]:
    server = server_of(request)
    call = await server.call(request)
    _refuse_filter(request)
    return server.registry_of(call), call.base_url


def _refuse_filter(request: Request) -> None:
    """RFC 7644 §4: a filter here is answered with 403, so that nobody takes the whole list for a match."""
    if any(name.lower() in {"filter", "sortby"} for name in request.query_params):
        raise Forbidden("Discovery endpoints cannot be filtered or sorted.")
