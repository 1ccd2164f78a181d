"""SCIM responses."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from scim_server.scim.documents import MEDIA_TYPE, encode
from scim_server.scim.errors import InternalError, ScimError, ServiceUnavailable, TooMany
from scim_server.store.failures import DatabaseUnavailable, QueryTooLong


class ScimResponse(Response):
    """A JSON body with the SCIM media type (RFC 7644 §3.1)."""

    media_type = MEDIA_TYPE

    def __init__(
        self, content: Any, status_code: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(encode(content), status_code, headers=headers, media_type=MEDIA_TYPE)


def error_response(error: Exception, request_id: str) -> ScimResponse:
    """Return the response for any failure; what is not a SCIM error tells only the request id."""
    if isinstance(error, DatabaseUnavailable):
        error = ServiceUnavailable("The store cannot be reached at the moment; try again.")
    if isinstance(error, QueryTooLong):
        error = TooMany("The query takes longer than one request may; narrow the filter or ask for less.")
    if not isinstance(error, ScimError):
        error = InternalError(
            f"The server failed on this request; its log has the reason under {request_id}."
        )
    return ScimResponse(error.body(), error.status, error.headers)
