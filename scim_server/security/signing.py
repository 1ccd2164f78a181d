"""Access tokens of this server: JWTs signed with Ed25519 (RFC 9068, RFC 9864)."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.jwk import OKPKey

ALGORITHM = "Ed25519"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with its id, the thumbprint of RFC 7638."""

    kid: str
    key: OKPKey

    def public(self) -> dict[str, Any]:
        """Return the public key as a JWK."""
        return {**self.key.as_dict(private=False), "kid": self.kid, "use": "sig", "alg": ALGORITHM}

    def kept(self) -> str:
        """Return the private key as text, for the store."""
        return json.dumps(self.key.as_dict(private=True))


def new_key() -> SigningKey:
    """Return a new key."""
    key = OKPKey.generate_key("Ed25519")
    return SigningKey(key.thumbprint(), key)


def kept_key(kid: str, text: str) -> SigningKey:
    """Return a key as the store has it."""
    return SigningKey(kid, OKPKey.import_key(json.loads(text)))


def key_set(keys: Iterable[SigningKey]) -> dict[str, Any]:
    """Return the public keys as a JWK set (RFC 7517 §5)."""
    return {"keys": [key.public() for key in keys]}


def access_token(key: SigningKey, claims: dict[str, Any]) -> str:
    """Return a signed access token; the claims are those of RFC 9068 §2.2."""
    header = {"alg": ALGORITHM, "typ": "at+jwt", "kid": key.kid}
    return jws.serialize_compact(header, json.dumps(claims), key.key, algorithms=[ALGORITHM])
