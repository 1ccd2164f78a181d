"""Signed JSON Web Tokens of others, judged without I/O: read strictly, verified with keys that were given.

Nothing that a token says of itself decides how it is verified: the algorithms and the keys come from whoever
trusts its issuer, and `jku`, `jwk`, `x5u` and `x5c` of its header are not looked at (RFC 8725 §3).
"""

import base64
import binascii
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from scim_server.scim.documents import decode
from scim_server.scim.errors import ScimError

MAX_LENGTH = 8_192
MAX_KEYS = 50
SKEW_SECONDS = 60
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_TYPES = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt", "client-authentication+jwt"})
_RSA_BITS = (2_048, 8_192)
_LONGEST_ID = 512
_FITTING: Mapping[str, tuple[str, str | None]] = {
    **{f"{family}{bits}": ("RSA", None) for family in ("RS", "PS") for bits in (256, 384, 512)},
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),
}
ALGORITHMS = tuple(_FITTING)
"""Every algorithm there is; all have a public key, so that who verifies cannot sign."""

AnyKey = RSAKey | ECKey | OKPKey


class BadJwt(ValueError):
    """A token that is not to be trusted; the message says why and repeats nothing of it."""


class UnknownKey(BadJwt):
    """None of the keys may have signed the token: they may have been changed since they were fetched."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key to verify with: its id and algorithm where it states them, its type and curve."""

    kid: str | None
    alg: str | None
    type: str
    curve: str | None
    key: AnyKey

    def fits(self, alg: str) -> bool:
        """Tell whether signatures of an algorithm are verified with such a key."""
        type_, curve = _FITTING[alg]
        return self.type == type_ and (curve is None or self.curve == curve) and self.alg in (None, alg)


@dataclass(frozen=True, slots=True)
class Jwt:
    """A token as it was read; what it claims is worth nothing before it is verified."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes

    def text(self, claim: str) -> str | None:
        """Return a claim that is a text, None for any other."""
        value = self.claims.get(claim)
        return value if isinstance(value, str) and value else None


def looks_like_jwt(token: str) -> bool:
    """Tell whether a bearer token can be a JWT at all: three parts, the first one a JSON object."""
    return token.startswith("ey") and token.count(".") == 2  # noqa: PLR2004 - RFC 7515 §7.1


def read(token: str) -> Jwt:
    """Return a JWT in compact form (RFC 7515 §7.1), not yet verified; raises BadJwt.

    Refused are duplicate names, extensions that have to be understood (`crit`), and types other than JWT.
    """
    if len(token) > MAX_LENGTH:
        raise BadJwt(f"the token is longer than {MAX_LENGTH} characters")
    parts = token.split(".")
    if len(parts) != 3 or not all(map(_SEGMENT.fullmatch, parts)):  # noqa: PLR2004 - RFC 7515 §7.1
        raise BadJwt("the token is not three parts of base64url")
    header, claims = _object(parts[0], "header"), _object(parts[1], "payload")
    if "crit" in header or "b64" in header:
        raise BadJwt("the token asks for extensions that are not known here")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise BadJwt("the token is of another type than JWT")
    kid = header.get("kid")
    if kid is not None and not (isinstance(kid, str) and len(kid) <= _LONGEST_ID):
        raise BadJwt("the id of the key is not a text")
    return Jwt(header, claims, f"{parts[0]}.{parts[1]}".encode(), _bytes(parts[2]))


def public_keys(document: Any) -> list[PublicKey]:
    """Return the keys of a JWK set that signatures can be verified with; raises BadJwt where it is none.

    Keys of other kinds and uses, private ones, and RSA keys of less than 2048 bits are passed over
    (RFC 7517 §5).
    """
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise BadJwt("the key set has no member keys")
    found = (public_key(each) for each in keys[:MAX_KEYS])
    return [key for key in found if key is not None]


def public_key(document: Any) -> PublicKey | None:
    """Return a key of a JWK, None for one that signatures cannot be verified with."""
    if not isinstance(document, dict) or document.get("use", "sig") != "sig" or "d" in document:
        return None
    operations = document.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations or document.get("kty") == "oct":
        return None
    if document.get("kty") == "RSA" and not _is_sized(document.get("n")):
        return None
    try:
        key = JWKRegistry.import_key({name: document[name] for name in _MATERIAL if name in document})
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if not isinstance(key, RSAKey | ECKey | OKPKey):
        return None
    curve = None if isinstance(key, RSAKey) else key.curve_name
    kid, alg = document.get("kid"), document.get("alg")
    return PublicKey(
        kid if isinstance(kid, str) else None,
        alg if isinstance(alg, str) else None,
        str(key.key_type),
        curve,
        key,
    )


def _is_sized(modulus: Any) -> bool:
    """Tell whether an RSA modulus is of a size that is neither weak nor slow."""
    if not isinstance(modulus, str) or len(modulus) > _RSA_BITS[1]:
        return False
    try:
        bits = int.from_bytes(_bytes(modulus)).bit_length()
    except BadJwt:
        return False
    return _RSA_BITS[0] <= bits <= _RSA_BITS[1]


_MATERIAL = ("kty", "crv", "x", "y", "n", "e")


def verify(jwt: Jwt, keys: Sequence[PublicKey], algorithms: Collection[str]) -> None:
    """Make sure that one of the keys signed a token, by one of the algorithms; raises BadJwt and UnknownKey.

    A token that names its key is verified with no other one.
    """
    alg, kid = jwt.header.get("alg"), jwt.header.get("kid")
    if not isinstance(alg, str) or alg not in _FITTING or alg not in algorithms:
        raise BadJwt("the token is signed by an algorithm that is not allowed")
    named = [key for key in keys if kid is None or key.kid in (None, kid)]
    if not named:
        raise UnknownKey("the key that signed the token is not known")
    fitting = [key for key in named if key.fits(alg)]
    if not fitting:
        raise BadJwt("the key that signed the token is of another kind than its algorithm")
    if not any(_is_signed(jwt, alg, key) for key in fitting):
        if kid is None:
            raise UnknownKey("the signature of the token is wrong")
        raise BadJwt("the signature of the token is wrong")


def _is_signed(jwt: Jwt, alg: str, key: PublicKey) -> bool:
    try:
        return bool(JWSRegistry.algorithms[alg].verify(jwt.signed, jwt.signature, key.key))
    except (JoseError, ValueError, TypeError):
        return False


def check_times(jwt: Jwt, now: float, *, longest: float | None = None) -> float:
    """Return when a token ends, in seconds; raises BadJwt where it ended, has no end or has not begun.

    `longest` is how far ahead its end may be. Clocks may differ by SKEW_SECONDS (RFC 7519 §4.1.4).
    """
    expires = _number(jwt, "exp")
    if expires is None:
        raise BadJwt("the token has no end (exp)")
    if expires + SKEW_SECONDS <= now:
        raise BadJwt("the token has expired")
    if longest is not None and expires > now + longest + SKEW_SECONDS:
        raise BadJwt(f"the token ends more than {longest:.0f} seconds from now")
    for name in ("nbf", "iat"):
        begins = _number(jwt, name)
        if begins is not None and begins > now + SKEW_SECONDS:
            raise BadJwt(f"the token is not good yet ({name})")
    return expires


def check_audience(jwt: Jwt, audiences: Collection[str]) -> None:
    """Raise BadJwt unless a token is meant for one of the audiences (RFC 7519 §4.1.3)."""
    stated = jwt.claims.get("aud")
    named = stated if isinstance(stated, list) else [stated]
    if not any(isinstance(each, str) and each in audiences for each in named):
        raise BadJwt("the token is meant for somebody else (aud)")


def _number(jwt: Jwt, name: str) -> float | None:
    if name not in jwt.claims:
        return None
    value = jwt.claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise BadJwt(f"{name} is not a number")
    try:
        found = float(value)
    except (OverflowError, ValueError) as error:
        raise BadJwt(f"{name} is out of range") from error
    if not 0 <= found < _LATEST:
        raise BadJwt(f"{name} is out of range")
    return found


_LATEST = 253_402_300_800.0
"""The year 10000, in seconds."""


def _object(segment: str, what: str) -> dict[str, Any]:
    try:
        value = decode(_bytes(segment))
    except ScimError as error:
        raise BadJwt(f"the {what} of the token is not a JSON object") from error
    if not isinstance(value, dict):
        raise BadJwt(f"the {what} of the token is not a JSON object")
    return value


def _bytes(segment: str) -> bytes:
    try:
        return base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadJwt("the token is not base64url") from error
