"""Request bodies: declared as JSON, within the limit, decoded strictly."""

import asyncio
from typing import Any

from starlette.requests import Request

from scim_server.http.middleware import facts_of
from scim_server.scim.documents import MEDIA_TYPE, decode
from scim_server.scim.errors import InvalidSyntax, PayloadTooLarge, RequestTimeout, UnsupportedMediaType

_FORM = "application/x-www-form-urlencoded"
_JSON_TYPES = frozenset({MEDIA_TYPE, "application/json"})


async def read_json(request: Request, maximum: int) -> Any:
    """Return the decoded body of a request.

    A body without Content-Type is read as JSON. Raises UnsupportedMediaType, PayloadTooLarge
    before more than `maximum` bytes are held, RequestTimeout for one that is sent too slowly,
    InvalidSyntax for an empty body and as `decode`.
    """
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared and declared not in _JSON_TYPES:
        raise UnsupportedMediaType(f"The body is {declared[:80]}; send {MEDIA_TYPE} or application/json.")
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > maximum:
        raise _too_large(maximum)
    facts = facts_of(request.scope)
    if facts.body is None:
        facts.body = await _received_in_time(request, maximum)
    if not facts.body.strip():
        raise InvalidSyntax("The body is empty; this request needs a JSON object.")
    return decode(facts.body)


async def read_form(request: Request, maximum: int) -> bytes:
    """Return the body of a request that has to be a form; raises UnsupportedMediaType and PayloadTooLarge."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != _FORM:
        raise UnsupportedMediaType(f"The body has to be {_FORM}.")
    return await _received_in_time(request, maximum)


async def _received_in_time(request: Request, maximum: int) -> bytes:
    seconds: float = request.app.state.server.settings.request_seconds
    try:
        async with asyncio.timeout(seconds):
            return await _received(request, maximum)
    except TimeoutError:
        raise RequestTimeout(f"The body was not received within {seconds:g} seconds.") from None


async def _received(request: Request, maximum: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > maximum:
            raise _too_large(maximum)
    return bytes(body)


def _too_large(maximum: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The body is larger than {maximum} bytes.")
