"""The application: assembled here and nowhere else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from scim_server.http.logging import configure_logging
from scim_server.http.middleware import RequestMiddleware, facts_of
from scim_server.http.responses import error_response
from scim_server.http.routes import routes
from scim_server.http.server import BASE_PATH, Server, server_of
from scim_server.schema_files import load_registry
from scim_server.scim.errors import MethodNotAllowed, NotFound, ScimError, ServiceUnavailable
from scim_server.settings import Settings, load_settings
from scim_server.store.database import DatabaseUnavailable


def create_app(settings: Settings) -> Starlette:
    """Return the ASGI application for some settings; it can be mounted below another one.

    Its lifespan prepares and closes the store; without it the store is prepared by the first
    request. Raises SchemaError for schemas that cannot be used.
    """
    configure_logging(settings.log_level)
    registry = load_registry(settings.schema_folders)
    server = Server(settings, registry)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        with suppress(DatabaseUnavailable, ServiceUnavailable):  # each request tries again and says why
            await server.prepare()
        yield
        await server.database.close()

    app = Starlette(
        routes=routes(registry),
        middleware=[Middleware(RequestMiddleware)],
        exception_handlers={HTTPException: _routing_error},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.server = server
    app.state.database = server.database
    return app


def application_from_environment() -> Starlette:
    """Return the application for the settings in the environment, for ASGI servers that take a factory."""
    return create_app(load_settings())


async def _routing_error(request: Request, error: Exception) -> Response:
    """Answer what no route takes: 404, or 405 with the methods that the endpoint has.

    Below the SCIM base only for who may know: without a good token the answer is 401.
    """
    facts = facts_of(request.scope)
    failure: ScimError = NotFound(f"There is no endpoint {request.url.path[:120]}.")
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "").split(", ")
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Allow": ", ".join(sorted(allowed))})
        failure = MethodNotAllowed(request.method, allowed)
    if BASE_PATH in request.url.path and not request.url.path.endswith("/ServiceProviderConfig"):
        try:
            await server_of(request).call(request)
        except (ScimError, DatabaseUnavailable) as refusal:
            return error_response(refusal, facts.request_id)
    return error_response(failure, facts.request_id)
