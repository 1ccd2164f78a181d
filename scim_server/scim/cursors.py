"""Paging cursors (RFC 9865): sealed, bound to the query and the tenant, expiring."""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from scim_server.scim.errors import ExpiredCursor, InvalidCursor

_NONCE = 12
MAX_LENGTH = 4_096


@dataclass(frozen=True, slots=True)
class CursorSeal:
    """Seals positions with AES-256-GCM; `key` is 32 bytes that every replica shares."""

    key: bytes

    def seal(self, position: Sequence[Any], scope: Sequence[Any], *, expires: int) -> str:
        """Return an opaque cursor for a position; `expires` is in seconds since 1970."""
        nonce = secrets.token_bytes(_NONCE)
        plain = orjson.dumps([expires, list(position)])
        sealed = AESGCM(self.key).encrypt(nonce, plain, _fingerprint(scope))
        return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def open(self, cursor: str, scope: Sequence[Any], *, now: int) -> list[Any]:
        """Return the position a cursor stands for.

        Raises InvalidCursor for anything this server did not seal for the same scope, and
        ExpiredCursor after its time.
        """
        if len(cursor) > MAX_LENGTH:
            raise InvalidCursor("The cursor is not one of this server's.")
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            plain = AESGCM(self.key).decrypt(raw[:_NONCE], raw[_NONCE:], _fingerprint(scope))
        except (binascii.Error, InvalidTag, ValueError) as error:
            raise InvalidCursor(
                "The cursor is not one of this server's or was made for another query; start without it."
            ) from error
        expires, position = orjson.loads(plain)
        if now >= expires:
            raise ExpiredCursor("The cursor has expired; start again without it.")
        return list(position)


def _fingerprint(scope: Sequence[Any]) -> bytes:
    return hashlib.sha256(orjson.dumps(list(scope))).digest()
