"""/healthz and /readyz, for whatever watches the process."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from scim_server.http.server import server_of
from scim_server.scim.errors import ServiceUnavailable
from scim_server.store.failures import DatabaseUnavailable, is_disconnect


async def healthz(_request: Request) -> Response:
    """Answer 200 as long as the process serves."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """Answer 200 when the database answers and has the right schema, else 503 with the reason.

    A server that is about to end is 503 too, so that no more is sent to it.
    """
    server = server_of(request)
    if server.is_draining:
        return _not_ready("The server is draining: it takes no more connections soon.")
    try:
        await server.prepare()
        await server.check_revision()
    except Exception as error:
        if isinstance(error, ServiceUnavailable):
            return _not_ready(error.detail)
        if isinstance(error, DatabaseUnavailable) or is_disconnect(error):
            return _not_ready("The database cannot be reached.")
        raise
    return JSONResponse({"status": "ready"})


def _not_ready(reason: str) -> Response:
    return JSONResponse({"status": "unavailable", "detail": reason}, 503, headers={"Retry-After": "5"})
