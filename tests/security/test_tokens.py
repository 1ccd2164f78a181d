"""Tokens: made, digested, found in every form of the Authorization header that clients send."""

import base64
import re

import pytest

from scim_server.scim.errors import Unauthorized
from scim_server.security import tokens


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


def test_a_token_has_256_random_bits_behind_a_visible_prefix() -> None:
    made = {tokens.new_token() for _ in range(100)}
    assert len(made) == 100
    assert {token[:5] for token in made} == {"scim_"}
    assert {len(token) for token in made} == {5 + 43 + 6}
    assert 62**43 > 2**256


@pytest.mark.parametrize("beginning", ["scim_", "scims_", "itm_live_"])
def test_a_token_is_what_scanners_look_for_and_carries_its_checksum(beginning: str) -> None:
    token = tokens.new_token(beginning)
    found = re.search(tokens.PATTERN, f"token={token}\n")
    assert found is not None
    assert found.group() == token
    assert not tokens.is_mistyped(token)


@pytest.mark.parametrize("place", [6, 20, 47, 48, 53])
def test_a_token_with_another_character_is_known_to_be_mistyped(place: int) -> None:
    token = tokens.new_token()
    other = "a" if token[place] != "a" else "b"
    assert tokens.is_mistyped(f"{token[:place]}{other}{token[place + 1 :]}")


@pytest.mark.parametrize(
    "token",
    [
        f"scim_{'A' * 43}",
        f"itm_live_{'a-_' * 14}b",
        "chosen-by-somebody",
        f"scim_{'A' * 50}",
        f"own_{'A' * 49}",
        "",
    ],
)
def test_a_token_of_another_form_may_be_good(token: str) -> None:
    assert not tokens.is_mistyped(token)


def test_the_prefix_gives_away_little() -> None:
    token = tokens.new_token()
    assert token.startswith(tokens.prefix(token))
    assert len(tokens.prefix(token)) <= 12


def test_a_digest_does_not_hold_its_token() -> None:
    token = tokens.new_token()
    assert len(tokens.digest(token)) == 64
    assert token not in tokens.digest(token)


@pytest.mark.parametrize(
    "header",
    [
        "Bearer secret",
        "bearer secret",
        "BEARER   secret",
        "  Bearer secret  ",
        basic("okta:secret"),
        basic(":secret"),
        f"basic {basic('a:secret')[6:]}",
    ],
)
def test_a_token_is_found(header: str) -> None:
    assert tokens.token_from_header(header) == "secret"


def test_a_password_may_hold_colons() -> None:
    assert tokens.token_from_header(basic("okta:a:b")) == "a:b"


@pytest.mark.parametrize("header", [None, "", "  "])
def test_without_a_header_the_challenge_has_no_error(header: str | None) -> None:
    with pytest.raises(Unauthorized) as refusal:
        tokens.token_from_header(header)
    assert refusal.value.headers["WWW-Authenticate"] == 'Bearer realm="scim"'


@pytest.mark.parametrize(
    "header",
    [
        "secret",
        "Bearer",
        "Bearer ",
        "Bearer\tsecret",
        "Digest secret",
        "Basic",
        "Basic %%%",
        "Basic c2VjcmV0",
        basic("okta:"),
        "Basic /////w==",
        "Bearer sécret",
        f"Bearer {'x' * 9_000}",
    ],
)
def test_a_garbled_header_is_told_so(header: str) -> None:
    with pytest.raises(Unauthorized) as refusal:
        tokens.token_from_header(header)
    assert 'error="invalid_request"' in refusal.value.headers["WWW-Authenticate"]
