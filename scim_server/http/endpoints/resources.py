"""/Users, /Groups and every other resource type: the collection, one resource, and /Me."""

from starlette.requests import Request
from starlette.responses import Response

from scim_server.http.bodies import read_json
from scim_server.http.endpoints.lists import list_resources
from scim_server.http.responses import ScimResponse
from scim_server.http.server import Server, server_of
from scim_server.scim.documents import MEDIA_TYPE
from scim_server.scim.errors import NotFound, NotSupported
from scim_server.scim.messages.query import projection_parameters, query_from_parameters
from scim_server.scim.policy import Policy
from scim_server.scim.preconditions import tag_matches
from scim_server.scim.projection import Projection
from scim_server.scim.registry import ResourceType
from scim_server.scim.resources import Resource
from scim_server.scim.shown import Shown
from scim_server.services.context import CallContext
from scim_server.services.dry_run import DRY_RUN_URN, DryRun, Preview

USER = "User"


class ResourceEndpoints:
    """The endpoints of one resource type."""

    def __init__(self, resource_type: ResourceType) -> None:
        self.resource_type = resource_type

    async def collection(self, request: Request) -> Response:
        """GET lists (RFC 7644 §3.4.2), POST creates (§3.3)."""
        server = server_of(request)
        call = await server.call(request, self.resource_type, can_preview=request.method == "POST")
        if request.method == "POST":
            try:
                return await self._create(request, server, call)
            except DryRun as dry_run:
                return self._preview(server, call, dry_run.preview)
        query = query_from_parameters(request.query_params.multi_items(), call.principal.policy)
        return await list_resources(server, call, [self.resource_type], query)

    async def one(self, request: Request) -> Response:
        """GET, PUT, PATCH and DELETE of one resource (RFC 7644 §3.4.1, §3.5, §3.6)."""
        server = server_of(request)
        call = await server.call(request, self.resource_type, can_preview=_is_change(request))
        return await self._one(request, server, call, request.path_params["id"])

    async def me(self, request: Request) -> Response:
        """Serve the user that the client is bound to (RFC 7644 §3.11)."""
        server = server_of(request)
        call = await server.call(request, self.resource_type, can_preview=_is_change(request))
        if request.method == "POST":
            raise NotSupported("Nobody can register through /Me; create users at /Users.")
        if call.principal.user_id is None:
            raise NotFound(f"The client {call.principal.client} is not bound to a user.")
        return await self._one(request, server, call, call.principal.user_id)

    async def _create(self, request: Request, server: Server, call: CallContext) -> Response:
        kind = self._kind(server, call)
        projection = _projection(request, call, kind)
        data = await read_json(request, server.limits_of(call).payload_bytes)
        created = await server.provisioning.create(call, kind, data, projection)
        return self._answer(server, call, created, projection, 201)

    async def _one(self, request: Request, server: Server, call: CallContext, id: str) -> Response:
        try:
            return await self._answered(request, server, call, id)
        except DryRun as dry_run:
            return self._preview(server, call, dry_run.preview)

    async def _answered(self, request: Request, server: Server, call: CallContext, id: str) -> Response:
        kind = self._kind(server, call)
        projection = _projection(request, call, kind)
        if_match = request.headers.get("if-match")
        if request.method in {"GET", "HEAD"}:
            return await self._read(request, server, call, id, projection)
        if request.method == "DELETE":
            await server.provisioning.delete(call, kind, id, if_match=if_match)
            return Response(status_code=204)
        data = await read_json(request, server.limits_of(call).payload_bytes)
        if request.method == "PUT":
            replaced = await server.provisioning.replace(call, kind, id, data, projection, if_match=if_match)
            return self._answer(server, call, replaced, projection, 200)
        with_body = not projection.is_default or self._patch_has_body(call.principal.policy)
        patched = await server.provisioning.patch(
            call, kind, id, data, projection if with_body else None, if_match=if_match
        )
        if not with_body:
            return Response(status_code=204, headers={"ETag": patched.etag})
        return self._answer(server, call, patched, projection, 200)

    async def _read(
        self, request: Request, server: Server, call: CallContext, id: str, projection: Projection
    ) -> Response:
        found = await server.provisioning.read(call, projection.resource_type, id, projection)
        if_none_match = request.headers.get("if-none-match")
        if if_none_match is not None and tag_matches(if_none_match, found.etag):
            return Response(status_code=304, headers={"ETag": found.etag})
        return self._answer(server, call, found, projection, 200)

    def _patch_has_body(self, policy: Policy) -> bool:
        """Tell whether PATCH shows the result; a group's could be as long as its membership."""
        if any(attribute.reference_kind == "membership" for attribute in self.resource_type.references):
            return policy.patch_group_with_body
        return not policy.patch_user_without_body

    def _kind(self, server: Server, call: CallContext) -> ResourceType:
        """Return the resource type as the caller's dialect names it."""
        return server.kind(call, self.resource_type.name)

    def _preview(self, server: Server, call: CallContext, preview: Preview) -> Response:
        """Answer what a change would do (docs/lifecycle.md#dry-runs)."""
        changes = preview.changes(call.principal)
        message = {"schemas": [DRY_RUN_URN], "verdicts": preview.verdicts, "changes": changes}
        if preview.resource is not None:
            rendered = server.renderer(call).render(preview.resource)
            message["resource"] = Projection.of(self._kind(server, call)).apply(rendered)
        return ScimResponse(message)

    def _answer(
        self,
        server: Server,
        call: CallContext,
        resource: Resource | Shown,
        projection: Projection,
        status: int,
    ) -> Response:
        renderer = server.renderer(call)
        headers = {"ETag": resource.etag, "Location": renderer.location(self.resource_type, resource.id)}
        if isinstance(resource, Shown):
            text = resource.json(call.base_url, is_quiet=call.principal.policy.quiet_extensions)
            return Response(text, status, headers, MEDIA_TYPE)
        return ScimResponse(projection.apply(renderer.render(resource)), status, headers)


def _is_change(request: Request) -> bool:
    return request.method not in {"GET", "HEAD"}


def _projection(request: Request, call: CallContext, kind: ResourceType) -> Projection:
    if not request.scope["query_string"]:
        return Projection.of(kind, policy=call.principal.policy)
    included, excluded = projection_parameters(request.query_params.multi_items(), call.principal.policy)
    return Projection.of(kind, included, excluded, call.principal.policy)
