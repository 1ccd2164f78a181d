"""Bearer tokens: made from 256 random bits, kept only as a digest, found in the Authorization header.

A token is a prefix, 43 characters of base 62 and a checksum of both in 6 more, so that scanners for secrets
recognise one with certainty: PATTERN is what to look for.
"""

import base64
import binascii
import hashlib
import re
import secrets
import string
import zlib

from scim_server.scim.errors import Unauthorized

PREFIX_LENGTH = 12
MAX_LENGTH = 8_192
TOKEN, CLIENT_SECRET, OF_USER = "scim_", "scims_", "itm_live_"
PATTERN = r"\b(?:scims?|itm_live)_[0-9A-Za-z]{49}\b"
"""What every token and client secret looks like, for scanners; those of users may have another prefix."""
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM, _CHECKSUM = 43, 6
_CHECKED = re.compile(PATTERN.replace("\\b", ""), re.ASCII)


def new_token(beginning: str = TOKEN) -> str:
    """Return a new token; its first PREFIX_LENGTH characters may be shown to tell tokens apart."""
    text = f"{beginning}{_base62(secrets.randbits(256), _RANDOM)}"
    return f"{text}{_checksum(text)}"


def is_mistyped(token: str) -> bool:
    """Tell whether a token has the form of one made here and not its checksum: nobody has ever had it.

    Tokens of versions before the checksum, and ones that were chosen by people, are of another length.
    """
    return _CHECKED.fullmatch(token) is not None and _checksum(token[:-_CHECKSUM]) != token[-_CHECKSUM:]


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), _CHECKSUM)


def _base62(number: int, length: int) -> str:
    found = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        found.append(_DIGITS[digit])
    return "".join(reversed(found))


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
