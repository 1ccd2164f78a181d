"""Every way a SCIM request can fail, one class per RFC 7644 table 9 keyword or HTTP status."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

ERROR_URN = "urn:ietf:params:scim:api:messages:2.0:Error"


class ScimError(Exception):
    """A failure that has a SCIM error response.

    `status` is the HTTP status, `scim_type` the keyword of RFC 7644 table 9 (None where the
    table names none), `headers` what the response carries besides its body.
    """

    status: ClassVar[int] = 500
    scim_type: ClassVar[str | None] = None

    def __init__(self, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """Return the error message of RFC 7644 §3.12; `status` is a string there."""
        message: dict[str, Any] = {"schemas": [ERROR_URN], "status": str(self.status), "detail": self.detail}
        if self.scim_type is not None:
            message["scimType"] = self.scim_type
        return message


class BadRequest(ScimError):
    """The request cannot be understood or accepted as it stands."""

    status = 400


class InvalidFilter(BadRequest):
    """The filter does not follow the grammar, names an unknown attribute or compares the wrong type."""

    scim_type = "invalidFilter"


class TooMany(BadRequest):
    """The query needs more work than the server does for one request (RFC 7644 table 9)."""

    scim_type = "tooMany"


class Mutability(BadRequest):
    """The change is not compatible with the mutability of its target."""

    scim_type = "mutability"


class InvalidSyntax(BadRequest):
    """The body is not JSON or not the message the endpoint takes."""

    scim_type = "invalidSyntax"


class InvalidPath(BadRequest):
    """A PATCH path is malformed or names no attribute of the resource type."""

    scim_type = "invalidPath"


class NoTarget(BadRequest):
    """A PATCH path yields nothing that could be operated on."""

    scim_type = "noTarget"


class InvalidValue(BadRequest):
    """A required value is missing or a value does not fit its attribute."""

    scim_type = "invalidValue"

    @classmethod
    def of(cls, violations: Iterable[str]) -> "InvalidValue":
        """Return one error that reports every violation of a request."""
        return cls("; ".join(violations))


class InvalidCursor(BadRequest):
    """The cursor is not one of this server's, or was made for another query (RFC 9865 §2.4)."""

    scim_type = "invalidCursor"


class ExpiredCursor(BadRequest):
    """The cursor was good once (RFC 9865 §2.4)."""

    scim_type = "expiredCursor"


class Unauthorized(ScimError):
    """The request carries no token that is good now."""

    status = 401

    def __init__(self, detail: str, *, error: str | None = None) -> None:
        challenge = 'Bearer realm="scim"' + (f', error="{error}"' if error else "")
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class Forbidden(ScimError):
    """The client is known and may not do this."""

    status = 403


class NotFound(ScimError):
    """No resource or endpoint is there."""

    status = 404


class MethodNotAllowed(ScimError):
    """The endpoint exists and does not take this method."""

    status = 405

    def __init__(self, method: str, allowed: Iterable[str]) -> None:
        names = ", ".join(sorted(allowed))
        super().__init__(
            f"{method} is not possible here; this endpoint takes {names}.", headers={"Allow": names}
        )


class RequestTimeout(ScimError):
    """The request is not received in the time it has; the connection is closed."""

    status = 408

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Connection": "close"})


class Conflict(ScimError):
    """The change contradicts what the store holds."""

    status = 409


class Uniqueness(Conflict):
    """Another resource has the value of an attribute that must be unique."""

    scim_type = "uniqueness"


class PreconditionFailed(ScimError):
    """The resource is not at the version that If-Match names."""

    status = 412


class PayloadTooLarge(ScimError):
    """The body or the number of its operations is above the advertised limit."""

    status = 413


class UriTooLong(ScimError):
    """The URL is longer than the server takes apart."""

    status = 414


class UnsupportedMediaType(ScimError):
    """The body is not declared as JSON."""

    status = 415


class TooManyRequests(ScimError):
    """The client does too much of something in too short a time (RFC 6585 §4)."""

    status = 429

    def __init__(self, detail: str, *, retry_after: int = 3600) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class HeadersTooLarge(ScimError):
    """The headers of the request are too many or too long (RFC 6585 §5)."""

    status = 431


class NotSupported(ScimError):
    """The protocol knows the operation and this server does not offer it."""

    status = 501


class ServiceUnavailable(ScimError):
    """The store cannot be reached; the same request may succeed later."""

    status = 503

    def __init__(self, detail: str, *, retry_after: int = 5) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class InternalError(ScimError):
    """A defect of the server; the detail names the request id and nothing else."""

    status = 500
