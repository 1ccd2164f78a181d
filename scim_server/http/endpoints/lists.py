"""Lists and searches (RFC 7644 §3.4.2, §3.4.3; RFC 9865)."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from scim_server.http.bodies import read_json
from scim_server.http.responses import ScimResponse
from scim_server.http.server import Server, server_of
from scim_server.scim.messages.listing import list_response
from scim_server.scim.messages.query import Query, query_from_message, query_from_parameters
from scim_server.scim.registry import ResourceType
from scim_server.services.context import CallContext


async def list_resources(
    server: Server, call: CallContext, types: Sequence[ResourceType], query: Query
) -> Response:
    """Answer a list request over the given types."""
    known = server.registry_of(call).resource_types
    page = await server.search.search(call, [known[resource_type.name] for resource_type in types], query)
    renderer = server.renderer(call)
    rendered = [page.projections[found.type].apply(renderer.render(found)) for found in page.resources]
    return ScimResponse(
        list_response(rendered, total=page.total, start_index=page.start_index, next_cursor=page.next_cursor)
    )


class SearchEndpoint:
    """POST /.search, at the root over every type or below one type."""

    def __init__(self, types: Sequence[ResourceType]) -> None:
        self.types = types

    async def search(self, request: Request) -> Response:
        """Answer a SearchRequest."""
        server = server_of(request)
        call = await server.call(request)
        data = await read_json(request, server.settings.max_body_bytes)
        return await list_resources(server, call, self.types, query_from_message(data, call.principal.policy))

    async def root(self, request: Request) -> Response:
        """Answer GET on the base URL: a list over every type."""
        server = server_of(request)
        call = await server.call(request)
        query = query_from_parameters(request.query_params.multi_items(), call.principal.policy)
        return await list_resources(server, call, self.types, query)
