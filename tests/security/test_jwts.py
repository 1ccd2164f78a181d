"""Tokens of others, read and judged without I/O: sets of keys, times, audiences."""

from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from scim_server.security import jwts
from scim_server.security.jwts import ALGORITHMS, BadJwt, Jwt, UnknownKey
from tests.support.issuer import Key, segment, signed

RSA = RSAKey.generate_key(2048)
CURVES = {name: ECKey.generate_key(name) for name in ("P-256", "P-384", "P-521")}
ED = OKPKey.generate_key("Ed25519")
KEYS: dict[str, Key] = {
    **{alg: RSA for alg in ALGORITHMS if alg[:2] in {"RS", "PS"}},
    "ES256": CURVES["P-256"],
    "ES384": CURVES["P-384"],
    "ES512": CURVES["P-521"],
    "EdDSA": ED,
    "Ed25519": ED,
}


DOUBLED, ENDLESS = b'{"alg":"RS256","alg":"none"}', b'{"exp":NaN}'


def public(key: Key, **more: Any) -> dict[str, Any]:
    return {**key.as_dict(private=False), **more}


def token(alg: str = "RS256", claims: Any = None, **header: Any) -> Jwt:
    return jwts.read(signed({"alg": alg, **header}, claims or {"iss": "a"}, KEYS[alg]))


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_signature_is_verified_with_the_key_of_its_kind_and_no_other(alg: str) -> None:
    right = jwts.public_keys({"keys": [public(KEYS[alg])]})
    jwts.verify(token(alg), right, [alg])
    every: list[Key] = [RSA, *CURVES.values(), ED]
    others = [key for key in every if key is not KEYS[alg]]
    with pytest.raises(BadJwt):
        jwts.verify(token(alg), jwts.public_keys({"keys": [public(key) for key in others]}), ALGORITHMS)


@pytest.mark.parametrize("alg", ["none", "HS256", "HS512", "RSA-OAEP", "", 7, None, ["RS256"]])
def test_an_algorithm_without_a_public_key_is_none(alg: Any) -> None:
    text = f"{segment({'alg': alg})}.{segment({'iss': 'a'})}.{segment(b'x')}"
    with pytest.raises(BadJwt, match="algorithm"):
        jwts.verify(
            jwts.read(text), jwts.public_keys({"keys": [public(RSA)]}), [*ALGORITHMS, "HS256", "none"]
        )


def test_a_key_that_states_its_algorithm_verifies_no_other() -> None:
    keys = jwts.public_keys({"keys": [public(RSA, alg="RS512")]})
    with pytest.raises(BadJwt, match="another kind"):
        jwts.verify(token("RS256"), keys, ALGORITHMS)


def test_a_token_that_names_its_key_is_verified_with_that_one() -> None:
    other = RSAKey.generate_key(2048)
    keys = jwts.public_keys({"keys": [public(RSA, kid="a"), public(other, kid="b")]})
    jwts.verify(token(kid="a"), keys, ALGORITHMS)
    with pytest.raises(BadJwt, match="signature"):
        jwts.verify(token(kid="b"), keys, ALGORITHMS)
    with pytest.raises(UnknownKey):
        jwts.verify(token(kid="c"), keys, ALGORITHMS)


@pytest.mark.parametrize(
    "key",
    [
        None,
        7,
        "x",
        [],
        {},
        {"kty": "oct", "k": "AAAA"},
        {"kty": ["RSA"]},
        {"kty": "RSA"},
        {"kty": "RSA", "n": "!", "e": "AQAB"},
        {"kty": "RSA", "n": 7, "e": "AQAB"},
        {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
        {"kty": "EC", "crv": "P-1", "x": "AAAA", "y": "AAAA"},
        {"kty": "OKP", "crv": "Ed25519", "x": ""},
        public(RSA, use="enc"),
        public(RSA, key_ops=["encrypt"]),
        public(RSA, key_ops=7),
        RSA.as_dict(private=True),
        {"kty": "RSA", "e": "AQAB", "n": segment(b"\xc1" + b"\x55" * 127)},
        {"kty": "RSA", "e": "AQAB", "n": segment(b"\xc1" + b"\x55" * 2_000)},
    ],
    ids=range(19),
)
def test_a_key_that_verifies_nothing_is_passed_over(key: Any) -> None:
    found = jwts.public_keys({"keys": [key, public(ED)]})
    assert [one.type for one in found] == ["OKP"]


@pytest.mark.parametrize("document", [None, [], {}, {"keys": None}, {"keys": {}}, "keys"])
def test_what_is_no_set_of_keys_is_refused(document: Any) -> None:
    with pytest.raises(BadJwt, match="key set"):
        jwts.public_keys(document)


def test_only_so_many_keys_are_looked_at() -> None:
    assert len(jwts.public_keys({"keys": [public(ED)] * 1_000})) == jwts.MAX_KEYS


@pytest.mark.parametrize(
    ("claims", "now", "said"),
    [
        ({"exp": 100}, 100, None),
        ({"exp": 100}, 159, None),
        ({"exp": 100}, 160, "expired"),
        ({"exp": 100.5}, 100, None),
        ({"exp": 400}, 100, None),
        ({"exp": 461}, 100, "more than"),
        ({}, 100, "no end"),
        ({"exp": "100"}, 50, "number"),
        ({"exp": True}, 0, "number"),
        ({"exp": -1}, 0, "range"),
        ({"exp": 10**30}, 0, "range"),
        ({"exp": 200, "nbf": 160}, 100, None),
        ({"exp": 200, "nbf": 161}, 100, "not good yet"),
        ({"exp": 200, "iat": 161}, 100, "not good yet"),
        ({"exp": 200, "iat": None}, 100, "number"),
    ],
)
def test_a_token_is_good_between_its_times(claims: dict[str, Any], now: float, said: str | None) -> None:
    jwt = token(claims={"iss": "a", **claims})
    if said is None:
        assert jwts.check_times(jwt, now, longest=300) == claims["exp"]
        return
    with pytest.raises(BadJwt, match=said):
        jwts.check_times(jwt, now, longest=300)


@pytest.mark.parametrize(
    ("audience", "is_good"),
    [
        ("a", True),
        (["b", "a"], True),
        ("b", False),
        (["b"], False),
        ([], False),
        (None, False),
        ({"a": 1}, False),
    ],
)
def test_a_token_is_meant_for_its_audience(audience: Any, is_good: bool) -> None:
    jwt = token(claims={"aud": audience})
    if is_good:
        jwts.check_audience(jwt, {"a"})
        return
    with pytest.raises(BadJwt, match="aud"):
        jwts.check_audience(jwt, {"a"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a.b",
        "a.b.c",
        "..",
        "a.b.c.d",
        f"{segment({'alg': 'RS256'})}.{segment({})}.",
        f"{segment({'alg': 'RS256'})}.{segment({})}.a=b",
        f"{segment({'alg': 'RS256'})}.{segment([])}.YQ",
        f"{segment(b'{{')}.{segment({})}.YQ",
        f"{segment(DOUBLED)}.{segment({})}.YQ",
        f"{segment({'alg': 'RS256'})}.{segment(ENDLESS)}.YQ",
        f"{segment({'alg': 'RS256'})}.{segment(b'[' * 3000)}.YQ",
        f"{segment({'alg': 'RS256'})}.{'A' * 9_000}.YQ",
        "\x00.\x00.\x00",
        "é.é.é",
    ],
    ids=range(16),
)
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(BadJwt):
        jwts.read(text)
