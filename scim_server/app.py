"""The application: assembled here and nowhere else."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from scim_server.http.logging import configure_logging
from scim_server.http.middleware import RequestMiddleware, facts_of
from scim_server.http.responses import error_response
from scim_server.http.routes import routes
from scim_server.http.server import BASE_PATH, Server, no_endpoint, server_of
from scim_server.scim.errors import InvalidValue, MethodNotAllowed, ScimError, ServiceUnavailable
from scim_server.services import housekeeping
from scim_server.services.lifecycle import Lifecycle
from scim_server.settings import Settings, load_settings
from scim_server.store.failures import DatabaseUnavailable

_SECONDS_BETWEEN_RECORDS = 10
_log = structlog.get_logger("scim_server")


def create_app(settings: Settings) -> Starlette:
    """Return the ASGI application for some settings; it can be mounted below another one.

    Its lifespan prepares and closes the store; without it the store is prepared by the first
    request. Raises SchemaError and ExtensionError for what cannot be used.
    """
    configure_logging(settings.log_level)
    lifecycle = Lifecycle.of(settings.schema_folders, settings.extensions)
    server = Server(settings, lifecycle)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        with suppress(DatabaseUnavailable, ServiceUnavailable):  # each request tries again and says why
            await server.prepare()
        work = _work(lambda: housekeeping.run_once(server.database, server.lifecycle), "worker failed")
        keep = _work(server.keeper.keep_once, "audit trail not kept")
        publish = _work(server.keeper.publish_once, "checkpoints not published")
        record = _work(server.keep_records, "records cannot be written")
        tasks = [
            asyncio.create_task(work(settings.worker_interval_seconds)),
            asyncio.create_task(keep(settings.audit_interval_seconds)),
            asyncio.create_task(publish(settings.audit_interval_seconds)),
            asyncio.create_task(record(_SECONDS_BETWEEN_RECORDS)),
        ]
        yield
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await server.close()

    app = Starlette(
        routes=routes(lifecycle.registry),
        middleware=[Middleware(RequestMiddleware)],
        exception_handlers={HTTPException: _routing_error},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.server = server
    app.state.database = server.database
    return app


def _work(
    run_once: Callable[[], Awaitable[object]], complaint: str
) -> Callable[[float], Coroutine[None, None, None]]:
    """Return work in rounds at an interval; a failure is logged and tried again in the next round."""

    async def rounds(interval: float) -> None:
        while interval > 0:
            await asyncio.sleep(interval)
            try:
                await run_once()
            except Exception as error:  # noqa: BLE001 - whatever fails here must not end the server
                _log.error(complaint, error=type(error).__name__)

    return rounds


def application_from_environment() -> Starlette:
    """Return the application for the settings in the environment, for ASGI servers that take a factory.

    What was made on the way lives as long as the process: looking through it for garbage again and again
    would stop every request for 80 ms now and then (docs/performance.md).
    """
    application = create_app(load_settings())
    gc.collect()
    gc.freeze()
    return application


async def _routing_error(request: Request, error: Exception) -> Response:
    """Answer what no route takes: 404, or 405 with the methods that the endpoint has.

    Below the SCIM base only for who may know: without a good token the answer is 401, and what a tenant does
    not have is no endpoint. OPTIONS is for everybody where the endpoint is there for all tenants.
    """
    facts, server = facts_of(request.scope), server_of(request)
    kind = server.kind_at(request.url.path)
    failure: ScimError = no_endpoint(request)
    options: Response | None = None
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "").split(", ")
        failure = MethodNotAllowed(request.method, allowed)
        if request.method == "OPTIONS":
            headers = {"Allow": ", ".join(sorted(allowed))}
            options = Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
    if options is not None and (kind is None or not kind.is_private):
        return options
    if BASE_PATH in request.url.path and not request.url.path.endswith("/ServiceProviderConfig"):
        facts.is_again = True
        try:
            await server.call(request, kind)
        except InvalidValue:
            return error_response(failure, facts.request_id)
        except (ScimError, DatabaseUnavailable) as refusal:
            return error_response(refusal, facts.request_id)
    return options or error_response(failure, facts.request_id)
