"""/oauth/token, the public keys, and the metadata of both (RFC 6749, RFC 8414, RFC 9728)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from scim_server.http.bodies import read_form
from scim_server.http.middleware import facts_of
from scim_server.http.server import BASE_PATH, Server, server_of, source_of
from scim_server.scim.errors import (
    PayloadTooLarge,
    RequestTimeout,
    ServiceUnavailable,
    TooManyRequests,
    UnsupportedMediaType,
)
from scim_server.security.jwts import ALGORITHMS
from scim_server.security.oauth import (
    AUTHENTICATION_METHODS,
    GRANT,
    OAuthError,
    invalid_request,
    read_request,
)
from scim_server.security.principals import PERMISSIONS
from scim_server.store.failures import DatabaseUnavailable

TOKEN_PATH, KEYS_PATH = "/oauth/token", "/oauth/jwks"
MAX_FORM = 65_536
_NOT_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}


async def token(request: Request) -> Response:
    """Answer with an access token, or with a refusal in OAuth's own form (RFC 6749 §5)."""
    try:
        body, headers = await _granted(request)
        return _answer(body, headers=headers)
    except OAuthError as error:
        return _answer(error.body(), error.status, error.headers)
    except (UnsupportedMediaType, PayloadTooLarge, RequestTimeout) as error:
        return _answer(invalid_request(error.detail).body(), error.status, error.headers)
    except TooManyRequests as error:
        return _answer(OAuthError("slow_down", error.detail).body(), error.status, error.headers)
    except (DatabaseUnavailable, ServiceUnavailable) as error:
        detail = "The server cannot answer at the moment; try again."
        retry = error.headers if isinstance(error, ServiceUnavailable) else {"Retry-After": "5"}
        return _answer(OAuthError("temporarily_unavailable", detail).body(), 503, retry)


async def _granted(request: Request) -> tuple[dict[str, Any], dict[str, str]]:
    server = server_of(request)
    await server.prepare()
    asked = read_request(await read_form(request, MAX_FORM), _authorization(request))
    issuer = _issuer(server, request)
    granted = await server.tokens.grant(
        asked,
        issuer=issuer,
        audiences=(issuer, f"{issuer}{TOKEN_PATH}") if server.settings.public_url else (),
        resource=server.base_url(request),
        tenant=request.path_params.get("tenant"),
        source=source_of(request),
    )
    facts_of(request.scope).caller = granted.tenant, granted.client
    body = {
        "access_token": granted.token,
        "token_type": "Bearer",
        "expires_in": granted.expires_in,
        "scope": granted.scope,
    }
    return body, {name.decode(): value.decode() for name, value in granted.headers}


def _authorization(request: Request) -> str | None:
    found = request.headers.getlist("authorization")
    if len(found) > 1:
        raise invalid_request("The Authorization header is repeated.")
    return found[0] if found else None


async def keys(request: Request) -> Response:
    """Answer with the public keys that access tokens are signed with (RFC 7517 §5)."""
    server = server_of(request)
    await server.prepare()
    headers = {"Cache-Control": "public, max-age=300"}
    return JSONResponse(await server.signing_keys.key_set(), headers=headers)


async def metadata(request: Request) -> Response:
    """Describe the token endpoint (RFC 8414 §2), of the server or of a tenant's URL."""
    server = server_of(request)
    issuer = _issuer(server, request)
    return JSONResponse(
        {
            "issuer": issuer,
            "token_endpoint": f"{issuer}{TOKEN_PATH}",
            "jwks_uri": f"{server.root_url(request)}{KEYS_PATH}",
            "grant_types_supported": [GRANT],
            "response_types_supported": [],
            "scopes_supported": list(PERMISSIONS),
            "token_endpoint_auth_methods_supported": list(AUTHENTICATION_METHODS),
            "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        }
    )


async def protected_resource(request: Request) -> Response:
    """Describe the SCIM base URL as a resource that takes access tokens (RFC 9728 §2)."""
    server = server_of(request)
    return JSONResponse(
        {
            "resource": server.base_url(request),
            "authorization_servers": [_issuer(server, request)],
            "bearer_methods_supported": ["header"],
            "scopes_supported": list(PERMISSIONS),
        }
    )


def _issuer(server: Server, request: Request) -> str:
    tenant = request.path_params.get("tenant")
    root = server.root_url(request)
    return f"{root}/t/{quote(tenant)}" if tenant else root


def _answer(
    body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    return JSONResponse(body, status, headers={**_NOT_STORED, **(headers or {})})


AUTHORIZATION_SERVER = "/.well-known/oauth-authorization-server"
PROTECTED_RESOURCE = "/.well-known/oauth-protected-resource"
ENTRIES = (
    (TOKEN_PATH, "POST", token),
    (f"/t/{{tenant}}{TOKEN_PATH}", "POST", token),
    (KEYS_PATH, "GET", keys),
    (AUTHORIZATION_SERVER, "GET", metadata),
    (f"{AUTHORIZATION_SERVER}/t/{{tenant}}", "GET", metadata),
    (f"/t/{{tenant}}{AUTHORIZATION_SERVER}", "GET", metadata),
    (f"{PROTECTED_RESOURCE}{BASE_PATH}", "GET", protected_resource),
    (f"{PROTECTED_RESOURCE}/t/{{tenant}}{BASE_PATH}", "GET", protected_resource),
)
"""Path, method and endpoint; the path of metadata stands before that of what it is about (RFC 8414 §3.1)."""
