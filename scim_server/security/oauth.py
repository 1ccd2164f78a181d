"""Messages of the token endpoint, without I/O: requests read, refusals worded (RFC 6749)."""

import base64
import binascii
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from scim_server.security.principals import within

GRANT = "client_credentials"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
AUTHENTICATION_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt")
_MOST_PARAMETERS = 50
_LONGEST_HEADER = 4_096


class OAuthError(Exception):
    """A refusal of the token endpoint (RFC 6749 §5.2): its code, why, and the status with further headers."""

    def __init__(
        self,
        code: str,
        description: str,
        *,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.status = status
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """Return the message of the refusal."""
        return {"error": self.code, "error_description": self.description}


def invalid_client(description: str) -> OAuthError:
    """Return the refusal of a client that did not prove who it is."""
    return OAuthError(
        "invalid_client", description, status=401, headers={"WWW-Authenticate": 'Basic realm="scim"'}
    )


def invalid_request(description: str) -> OAuthError:
    """Return the refusal of a request that cannot be understood."""
    return OAuthError("invalid_request", description)


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A request for an access token: who it says it is, by a secret or an assertion, and the scope."""

    client_id: str | None
    secret: str | None
    assertion: str | None
    scope: str | None


def read_request(body: bytes, authorization: str | None) -> TokenRequest:
    """Return the request of a form and an Authorization header (RFC 6749 §2.3, §4.4.2; RFC 7521 §4.2).

    Raises OAuthError for repeated parameters, another grant, and more than one way to authenticate.
    """
    fields = _fields(body)
    grant = fields.get("grant_type")
    if grant is None:
        raise invalid_request("grant_type is missing; send grant_type=client_credentials.")
    if grant != GRANT:
        raise OAuthError("unsupported_grant_type", "The only grant here is client_credentials.")
    basic = _basic(authorization) if authorization else None
    secret, assertion = fields.get("client_secret"), fields.get("client_assertion")
    if sum(each is not None for each in (basic, secret, assertion)) > 1:
        raise invalid_request("Authenticate in one way: by header, by client_secret or by client_assertion.")
    client_id = fields.get("client_id")
    if basic is not None:
        if client_id not in (None, basic[0]):
            raise invalid_request("client_id is not the one of the Authorization header.")
        client_id, secret = basic
    if assertion is not None and fields.get("client_assertion_type") != ASSERTION_TYPE:
        raise invalid_request(f"client_assertion_type is not {ASSERTION_TYPE}.")
    if assertion is None and (not client_id or not secret):
        raise invalid_client("The request names no client with a secret or an assertion.")
    return TokenRequest(client_id, secret, assertion, fields.get("scope"))


def _fields(body: bytes) -> dict[str, str]:
    """Return the parameters of a form, without those that are empty (RFC 6749 §3.2)."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=_MOST_PARAMETERS,
        )
    except ValueError as error:
        raise invalid_request("The body is not a form (application/x-www-form-urlencoded).") from error
    if len({name for name, _ in pairs}) < len(pairs):
        raise invalid_request("A parameter is repeated.")
    return {name: value for name, value in pairs if value}


def _basic(authorization: str) -> tuple[str, str]:
    """Return id and secret of an Authorization header, each of them form-encoded there (RFC 6749 §2.3.1)."""
    scheme, _, credentials = authorization.strip().partition(" ")
    garbled = invalid_client("The Authorization header is not Basic with a client's id and secret.")
    if scheme.lower() != "basic" or len(credentials) > _LONGEST_HEADER:
        raise garbled
    try:
        name, colon, secret = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
        found = unquote_plus(name, errors="strict"), unquote_plus(secret, errors="strict")
    except (binascii.Error, ValueError) as error:
        raise garbled from error
    if not colon or not all(found):
        raise garbled
    return found


def narrowed(scope: str | None, held: Collection[str]) -> tuple[str, ...] | None:
    """Return the permissions that a scope asks for, None where it asks for none in particular.

    Raises OAuthError for one that the client has not got (RFC 6749 §3.3).
    """
    if scope is None:
        return None
    asked = tuple(dict.fromkeys(scope.split(" ")))
    if within(asked, held) != set(asked):
        raise OAuthError("invalid_scope", "The scope names a permission that the client does not have.")
    return asked
