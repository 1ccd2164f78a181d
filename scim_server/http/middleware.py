"""The outermost layer: a request id, one log line, and an answer for every failure."""

import os
import re
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scim_server.http.responses import error_response
from scim_server.scim.errors import ScimError
from scim_server.security.principals import Principal
from scim_server.store.callers import Claim
from scim_server.store.failures import DatabaseUnavailable, QueryTooLong

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_SLASHES = re.compile("/{2,}")
_log = structlog.get_logger("scim_server")


@dataclass(slots=True)
class RequestFacts:
    """What the layers of one request learn about it, for its log line and its error.

    `claim` is what has to hold of the caller before anything is answered, `is_again` tells that it did not
    and the request is served anew, `body` keeps what was received for that, `is_counted` tells that the
    request was counted already, and `headers` are what every answer to it carries. `caller` names tenant and
    client where they are known and there is no principal.
    """

    request_id: str
    root_path: str
    principal: Principal | None = None
    claim: Claim | None = None
    is_again: bool = False
    is_counted: bool = False
    body: bytes | None = None
    caller: tuple[str | None, str | None] = (None, None)
    headers: Sequence[tuple[bytes, bytes]] = ()
    route: str = ""
    started: float = field(default_factory=time.perf_counter)


def facts_of(scope: Scope) -> RequestFacts:
    """Return the facts of a request."""
    facts: RequestFacts = scope["scim"]
    return facts


class RequestMiddleware:
    """Gives every request an id that its response carries, answers failures and logs one line.

    Doubled and trailing slashes are passed over: they come from base URLs pasted with one.
    The log line has no path, query or body, which may hold personal data; it names the route.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        facts = RequestFacts(_request_id(scope), scope.get("root_path", ""))
        scope["scim"] = facts
        scope["path"] = _SLASHES.sub("/", scope["path"]).rstrip("/") or "/"
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.setdefault("headers", [])
                headers.append((b"x-request-id", facts.request_id.encode()))
                headers.extend(facts.headers)
                if scope["app"].state.server.is_draining:
                    headers.append((b"connection", b"close"))
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception as error:
            if not isinstance(error, ScimError | DatabaseUnavailable | QueryTooLong):
                _log.error("request failed", request_id=facts.request_id, route=facts.route, **_where(error))
            elif isinstance(error, DatabaseUnavailable):
                _log.error("database unavailable", request_id=facts.request_id)
            if status:
                raise
            await error_response(error, facts.request_id)(scope, receive, send_with_id)
        finally:
            _log_request(scope, facts, status)


def _where(error: BaseException) -> dict[str, object]:
    """Return kind and stack of a failure without its message, which may quote personal data."""
    causes = []
    current: BaseException | None = error
    while current is not None:
        causes.append(type(current).__name__)
        current = current.__cause__
    frames = [
        f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
    ]
    return {"error": " from ".join(causes), "stack": frames}


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value.decode("latin-1")):
            return str(value.decode("latin-1"))
    return os.urandom(16).hex()


def _log_request(scope: Scope, facts: RequestFacts, status: int) -> None:
    principal = facts.principal
    _log.info(
        "request",
        request_id=facts.request_id,
        method=scope["method"],
        route=facts.route,
        status=status,
        milliseconds=round((time.perf_counter() - facts.started) * 1_000, 1),
        tenant=principal.tenant if principal else facts.caller[0],
        client=principal.client if principal else facts.caller[1],
    )
