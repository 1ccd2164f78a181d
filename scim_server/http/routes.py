"""The table of routes: every endpoint of the protocol, at the base path and at a tenant's."""

from collections.abc import Awaitable, Callable, Iterator

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from scim_server.http.endpoints import audit, bulk, discovery, health, oauth
from scim_server.http.endpoints.lists import SearchEndpoint
from scim_server.http.endpoints.resources import USER, ResourceEndpoints
from scim_server.http.middleware import facts_of
from scim_server.http.server import BASE_PATH, server_of
from scim_server.scim.errors import ScimError
from scim_server.scim.registry import Registry
from scim_server.store.callers import CallerChanged

Handler = Callable[[Request], Awaitable[Response]]
Entry = tuple[str, tuple[str, ...], Handler]


class ResourceIdConvertor(Convertor[str]):
    """One path segment that is not `.search`, which is an endpoint of its own."""

    regex = r"(?!\.search$)[^/]+"

    def convert(self, value: str) -> str:
        """Return the segment."""
        return value

    def to_string(self, value: str) -> str:
        """Return the segment."""
        return value


register_url_convertor("resource", ResourceIdConvertor())


def routes(registry: Registry) -> list[Route]:
    """Return the routes for the resource types of a registry, what is asked for most first.

    They are tried one after the other, and each that does not match costs a microsecond.
    """
    entries = list(_entries(registry))
    found = [
        Route(f"{base}{path}", _named(path, handler), methods=list(methods))
        for base in (BASE_PATH, f"/t/{{tenant}}{BASE_PATH}")
        for path, methods, handler in entries
    ]
    found += [Route(path, _named(path, handler), methods=[method]) for path, method, handler in oauth.ENTRIES]
    found.append(Route("/healthz", _named("/healthz", health.healthz), methods=["GET"]))
    found.append(Route("/readyz", _named("/readyz", health.readyz), methods=["GET"]))
    return found


def _entries(registry: Registry) -> Iterator[Entry]:
    types = list(registry.resource_types.values())
    everything = SearchEndpoint(types)
    for resource_type in types:
        endpoints = ResourceEndpoints(resource_type)
        yield f"{resource_type.endpoint}/{{id:resource}}", resource_type.resource_methods, endpoints.one
        yield resource_type.endpoint, resource_type.collection_methods, endpoints.collection
        yield f"{resource_type.endpoint}/.search", ("POST",), SearchEndpoint([resource_type]).search
        if resource_type.name == USER:
            yield "/Me", ("POST", *resource_type.resource_methods), endpoints.me
    yield "", ("GET",), everything.root
    yield "/.search", ("POST",), everything.search
    yield "/ServiceProviderConfig", ("GET",), discovery.service_provider_config
    yield "/ResourceTypes", ("GET",), discovery.resource_types
    yield "/ResourceTypes/{name}", ("GET",), discovery.resource_type
    yield "/Schemas", ("GET",), discovery.schemas
    yield "/Schemas/{urn}", ("GET",), discovery.schema
    yield "/Bulk", ("POST",), bulk.bulk
    yield "/audit/checkpoint", ("GET",), audit.checkpoint
    yield "/audit/proof/{id}", ("GET",), audit.proof
    yield "/audit/consistency", ("GET",), audit.consistency
    yield "/audit/verify", ("GET",), audit.verify


def _named(path: str, handler: Handler) -> Handler:
    route = path.replace(":resource}", "}") or "/"

    async def endpoint(request: Request) -> Response:
        facts = facts_of(request.scope)
        facts.route = route
        try:
            return await _confirmed(handler, request)
        except CallerChanged:
            facts.is_again = True
            return await handler(request)

    return endpoint


async def _confirmed(handler: Handler, request: Request) -> Response:
    """Serve a request, and answer nothing, not even an error, before the claim on the caller is confirmed."""
    facts = facts_of(request.scope)
    try:
        response = await handler(request)
    except ScimError:
        if facts.claim is not None and not facts.claim.is_confirmed:
            await server_of(request).confirm(facts.claim)
        raise
    if facts.claim is not None and not facts.claim.is_confirmed:
        await server_of(request).confirm(facts.claim)
    return response
