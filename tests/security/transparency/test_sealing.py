"""Private parts open with their own key, for their own event, and in no other way."""

import pytest

from scim_server.security.transparency.sealing import CannotOpen, OtherMaster, Sealing, new_secret

SECRET = new_secret()
PLAIN = Sealing()
SEALED = PLAIN.seal(PLAIN.key(SECRET), 1, "e", b"text")


def test_a_sealed_part_is_opened_again() -> None:
    assert PLAIN.open(PLAIN.key(SECRET), 1, "e", SEALED) == b"text"


def test_a_sealed_part_does_not_show_what_it_is() -> None:
    assert b"text" not in SEALED


@pytest.mark.parametrize(
    ("secret", "tenant_id", "event_id", "sealed"),
    [
        (new_secret(), 1, "e", SEALED),
        (SECRET, 2, "e", SEALED),
        (SECRET, 1, "f", SEALED),
        (SECRET, 1, "e", SEALED[:-1] + bytes([SEALED[-1] ^ 1])),
        (SECRET, 1, "e", b"\x02" + SEALED[1:]),
        (SECRET, 1, "e", b""),
    ],
    ids=["other key", "other tenant", "other event", "changed", "other version", "nothing"],
)
def test_nothing_else_opens(secret: bytes, tenant_id: int, event_id: str, sealed: bytes) -> None:
    with pytest.raises(CannotOpen):
        PLAIN.open(PLAIN.key(secret), tenant_id, event_id, sealed)


def test_without_the_master_key_it_cannot_be_told() -> None:
    master = Sealing(b"m" * 32)
    sealed = master.seal(master.key(SECRET), 1, "e", b"text")
    assert master.open(master.key(SECRET), 1, "e", sealed) == b"text"
    for other in (PLAIN, Sealing(b"n" * 32)):
        with pytest.raises(OtherMaster):
            other.open(other.key(SECRET), 1, "e", sealed)
