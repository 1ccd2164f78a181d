"""Bearer tokens: made from 256 random bits, kept only as a digest, found in the Authorization header."""

import base64
import binascii
import hashlib
import secrets

from scim_server.scim.errors import Unauthorized

PREFIX_LENGTH = 12
MAX_LENGTH = 4_096


def new_token(beginning: str = "scim_") -> str:
    """Return a new token; its first PREFIX_LENGTH characters may be shown to tell tokens apart."""
    return f"{beginning}{secrets.token_urlsafe(32)}"


def digest(token: str) -> str:
    """Return what the store keeps of a token: SHA-256, enough for a value of 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def prefix(token: str) -> str:
    """Return the part of a token that lists may show."""
    return token[:PREFIX_LENGTH]


def token_from_header(header: str | None) -> str:
    """Return the token of an Authorization header.

    Bearer is the scheme (RFC 6750 §2.1); Basic is read with the token as its password, for
    clients that know nothing else. Raises Unauthorized where there is no token to try.
    """
    if not header or not header.strip():
        raise Unauthorized("The request has no Authorization header; send 'Authorization: Bearer <token>'.")
    scheme, _, credentials = header.strip().partition(" ")
    credentials = credentials.strip()
    if len(credentials) > MAX_LENGTH or not credentials.isascii():
        raise _garbled()
    if scheme.lower() == "bearer" and credentials:
        return credentials
    if scheme.lower() == "basic" and credentials:
        try:
            _, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, ValueError) as error:
            raise _garbled() from error
        if password:
            return password
    raise _garbled()


def _garbled() -> Unauthorized:
    return Unauthorized("The Authorization header is not 'Bearer <token>'.", error="invalid_request")
