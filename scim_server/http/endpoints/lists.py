"""Lists and searches (RFC 7644 §3.4.2, §3.4.3; RFC 9865)."""

from collections.abc import Sequence
from typing import Any

from orjson import Fragment
from starlette.requests import Request
from starlette.responses import Response

from scim_server.http.bodies import read_json
from scim_server.http.responses import ScimResponse
from scim_server.http.server import Server, server_of
from scim_server.scim.messages.listing import list_response
from scim_server.scim.messages.query import Query, query_from_message, query_from_parameters
from scim_server.scim.registry import ResourceType
from scim_server.scim.shown import Shown, joined
from scim_server.services.context import CallContext
from scim_server.services.search import Page


async def list_resources(
    server: Server, call: CallContext, types: Sequence[ResourceType], query: Query
) -> Response:
    """Answer a list request over the given types."""
    known = server.registry_of(call).resource_types
    kinds = [known[resource_type.name] for resource_type in types if resource_type.name in known]
    page = await server.search.search(call, kinds, query)
    message = list_response(
        _resources(server, call, page),
        items=len(page.resources),
        total=page.total,
        start_index=page.start_index,
        next_cursor=page.next_cursor,
    )
    return ScimResponse(message)


def _resources(server: Server, call: CallContext, page: Page) -> Any:
    """Return the resources of a page as JSON values, or as the JSON of all of them."""
    renderer, is_quiet = server.renderer(call), call.principal.policy.quiet_extensions
    shown = [found for found in page.resources if type(found) is Shown]
    if len(shown) == len(page.resources):
        return Fragment(joined(shown, call.base_url, is_quiet=is_quiet))
    return [
        Fragment(found.json(call.base_url, is_quiet=is_quiet))
        if isinstance(found, Shown)
        else page.projections[found.type].apply(renderer.render(found))
        for found in page.resources
    ]


class SearchEndpoint:
    """POST /.search, at the root over every type or below one type."""

    def __init__(self, types: Sequence[ResourceType]) -> None:
        self.types = types

    async def search(self, request: Request) -> Response:
        """Answer a SearchRequest."""
        server = server_of(request)
        call = await server.call(request, self.types[0] if len(self.types) == 1 else None)
        data = await read_json(request, server.limits_of(call).payload_bytes)
        return await list_resources(server, call, self.types, query_from_message(data, call.principal.policy))

    async def root(self, request: Request) -> Response:
        """Answer GET on the base URL: a list over every type."""
        server = server_of(request)
        call = await server.call(request)
        query = query_from_parameters(request.query_params.multi_items(), call.principal.policy)
        return await list_resources(server, call, self.types, query)
