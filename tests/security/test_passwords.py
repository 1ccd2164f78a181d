"""Temporary passwords are random and good enough for every rule."""

from scim_server.lifecycle.passwords import password
from scim_server.security.passwords import temporary_password

MADE = [temporary_password() for _ in range(200)]


def test_every_temporary_password_satisfies_both_presets() -> None:
    assert [text for text in MADE if password(text, "seed") + password(text, "nist")] == []


def test_no_temporary_password_is_made_twice() -> None:
    assert len(set(MADE)) == len(MADE)


def test_a_temporary_password_has_no_characters_that_look_alike() -> None:
    assert set("".join(MADE)) & set("0OoIl1|") == set()


def test_every_place_of_a_temporary_password_can_have_every_kind() -> None:
    kinds = [
        {(text[place].isupper(), text[place].islower(), text[place].isdecimal()) for text in MADE}
        for place in range(16)
    ]
    assert {len(found) for found in kinds} == {4}
