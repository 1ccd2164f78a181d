"""Private parts under a key for each subject, and a master key outside the database where there is one."""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SECRET_LENGTH = 32
_NONCE = 12
_MASTER_ID = 4
_VERSION = b"\x01"
_HEADER = len(_VERSION) + _MASTER_ID
_INFO = b"scim-server audit private part"


class CannotOpen(ValueError):
    """A sealed part was changed, belongs to another event, or to another key."""


class OtherMaster(CannotOpen):
    """A part was sealed under a master key that is not the one at hand, so nothing can be said of it."""


def new_secret() -> bytes:
    """Return the random secret of a subject."""
    return secrets.token_bytes(SECRET_LENGTH)


class Sealing:
    """Seals and opens private parts with AES-256-GCM, bound to tenant and event.

    The key of a subject is HKDF-SHA-256 of its secret, with the master key as salt.
    """

    def __init__(self, master: bytes = b"") -> None:
        """Take the master key, which is empty where there is none."""
        self._master = master
        self._master_id = hashlib.sha256(master).digest()[:_MASTER_ID] if master else bytes(_MASTER_ID)

    def key(self, secret: bytes) -> AESGCM:
        """Return the cipher of a subject; one serves any number of its events."""
        extracted = hmac.digest(self._master or bytes(32), secret, "sha256")
        return AESGCM(hmac.digest(extracted, _INFO + b"\x01", "sha256"))

    def seal(self, key: AESGCM, tenant_id: int, event_id: str, salted: bytes) -> bytes:
        """Return a sealed part: version, master key's id, nonce, ciphertext."""
        header, nonce = _VERSION + self._master_id, secrets.token_bytes(_NONCE)
        return header + nonce + key.encrypt(nonce, salted, _bound(header, tenant_id, event_id))

    def open(self, key: AESGCM, tenant_id: int, event_id: str, sealed: bytes) -> bytes:
        """Return what was sealed; raises CannotOpen, and OtherMaster where the master key is not the one."""
        header, nonce, rest = sealed[:_HEADER], sealed[_HEADER : _HEADER + _NONCE], sealed[_HEADER + _NONCE :]
        if header[:1] != _VERSION or len(nonce) != _NONCE:
            raise CannotOpen("not a sealed part")
        if header[1:] != self._master_id:
            raise OtherMaster("sealed under another master key")
        try:
            return key.decrypt(nonce, rest, _bound(header, tenant_id, event_id))
        except InvalidTag as error:
            raise CannotOpen("changed, or of another event") from error

    def is_relabelled(self, key: AESGCM, tenant_id: int, event_id: str, sealed: bytes) -> bool:
        """Tell whether a part that names another master key was sealed under the one at hand after all."""
        own = sealed[:1] + self._master_id + sealed[_HEADER:]
        try:
            self.open(key, tenant_id, event_id, own)
        except CannotOpen:
            return False
        return True


def _bound(header: bytes, tenant_id: int, event_id: str) -> bytes:
    return header + tenant_id.to_bytes(8, "big") + event_id.encode()
