"""Paging cursors: opaque, bound to their query, good for a time."""

import base64

import pytest

from scim_server.scim.cursors import MAX_LENGTH, CursorSeal
from scim_server.scim.errors import ExpiredCursor, InvalidCursor

SEAL = CursorSeal(b"k" * 32)
SCOPE = (1, "client", ("User",), 'userName sw "a"', None, False)


def test_a_cursor_stands_for_its_position() -> None:
    cursor = SEAL.seal(["Zoë", None, 5], SCOPE, expires=100)
    assert SEAL.open(cursor, SCOPE, now=99) == ["Zoë", None, 5]


def test_a_cursor_tells_nothing_of_its_position() -> None:
    cursor = SEAL.seal(["ann@example.com"], SCOPE, expires=100)
    assert b"ann" not in base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


def test_a_cursor_is_safe_in_a_url() -> None:
    cursors = "".join(SEAL.seal([number], SCOPE, expires=100) for number in range(50))
    assert cursors.replace("-", "").replace("_", "").isalnum()


def test_two_cursors_of_one_position_differ() -> None:
    assert SEAL.seal([1], SCOPE, expires=100) != SEAL.seal([1], SCOPE, expires=100)


@pytest.mark.parametrize("now", [100, 101, 10**12])
def test_a_cursor_ends_at_its_time(now: int) -> None:
    with pytest.raises(ExpiredCursor):
        SEAL.open(SEAL.seal([1], SCOPE, expires=100), SCOPE, now=now)


@pytest.mark.parametrize("index", range(len(SCOPE)))
def test_a_cursor_of_another_query_is_refused(index: int) -> None:
    other = [*SCOPE[:index], "other", *SCOPE[index + 1 :]]
    with pytest.raises(InvalidCursor):
        SEAL.open(SEAL.seal([1], SCOPE, expires=100), other, now=0)


def test_a_cursor_of_another_key_is_refused() -> None:
    with pytest.raises(InvalidCursor):
        CursorSeal(b"o" * 32).open(SEAL.seal([1], SCOPE, expires=100), SCOPE, now=0)


@pytest.mark.parametrize(
    "cursor", ["", "x", "abc", "A" * 16, "A" * 100, "é" * 20, "!" * 40, "A" * (MAX_LENGTH + 1), "\x00"]
)
def test_what_this_server_did_not_seal_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        SEAL.open(cursor, SCOPE, now=0)


def test_a_cursor_changed_anywhere_is_refused() -> None:
    cursor = SEAL.seal([1], SCOPE, expires=100)
    for place in range(len(cursor) - 1):  # the last character may carry unused bits
        changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        with pytest.raises(InvalidCursor):
            SEAL.open(changed, SCOPE, now=0)
