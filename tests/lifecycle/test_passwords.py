"""Passwords are checked by the rules of their preset."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.lifecycle.passwords import Preset, password

KINDS = "Password must contain uppercase, lowercase, number, and special character"
EASY = "Password is too easy to guess"


@pytest.mark.parametrize("text", ["Abcdef1!", "Äbcdef1 ", "aB3" + "€" * 20])
def test_eight_characters_of_four_kinds_satisfy_the_seed(text: str) -> None:
    assert password(text, "seed") == []


@pytest.mark.parametrize("text", ["abcdef1!", "ABCDEF1!", "Abcdefg!", "Abcdefg1", "12345678", "        "])
def test_the_seed_needs_every_kind(text: str) -> None:
    assert password(text, "seed") == [KINDS]


def test_the_seed_needs_eight_characters() -> None:
    assert password("Abcde1!", "seed") == ["Password must have at least 8 characters"]
    assert password("", "seed") == ["Password must have at least 8 characters", KINDS]


@pytest.mark.parametrize(
    "text", ["purple kettle on the roof", "nine trees, 4 rivers", "漢字でも長い合言葉は良いのです"]
)
def test_a_long_phrase_satisfies_nist(text: str) -> None:
    assert password(text, "nist") == []


def test_nist_needs_fifteen_characters_and_no_kinds() -> None:
    assert password("kettleontheroof", "nist") == []
    assert password("kettleontheroo", "nist") == ["Password must have at least 15 characters"]


@pytest.mark.parametrize(
    "text",
    [
        "passwordpassword",
        "PasswordPassword123!",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabc",
        "123456789012345",
        "correcthorsebatterystaple",
        "qwertyuiopasdfghjkl",
        "Administrator2026!",
    ],
)
def test_nist_blocks_what_guessers_try_first(text: str) -> None:
    assert password(text, "nist") == [EASY]


@pytest.mark.parametrize("preset", ["seed", "nist"])
def test_a_password_has_at_most_1024_characters(preset: Preset) -> None:
    text = "Kettle on the roof 1" * 51
    assert password(text, preset) == []
    assert password(text + "aB1! ", preset) == ["Password cannot exceed 1024 characters"]


@pytest.mark.parametrize("preset", ["seed", "nist"])
def test_characters_are_counted_alike_however_they_are_composed(preset: Preset) -> None:
    assert password("Ae\u0308 1", preset) == password("A\u00eb 1", preset)


@given(st.text(max_size=100), st.sampled_from(["seed", "nist"]))
def test_any_text_is_answered(text: str, preset: Preset) -> None:
    assert len(password(text, preset)) <= 2
