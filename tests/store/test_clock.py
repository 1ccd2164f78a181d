"""Moments of filters as the store's microseconds."""

import pytest

from scim_server.scim.values import WrongValue
from scim_server.store.clock import microseconds_of, now


@pytest.mark.parametrize(
    ("folded", "moment"),
    [
        ("1970-01-01T00:00:00.000000000Z", (0, 0)),
        ("1970-01-01T00:00:00.000001500Z", (1, 500)),
        ("1969-12-31T23:59:59.999999999Z", (-1, 999)),
        ("9999-12-31T23:59:59.999999000Z", (253_402_300_799_999_999, 0)),
        ("0001-01-01T00:00:00.000000001Z", (-62_135_596_800_000_000, 1)),
    ],
)
def test_a_folded_moment_is_whole_microseconds_and_a_rest(folded: str, moment: tuple[int, int]) -> None:
    assert microseconds_of(folded) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00.000000000Z"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(WrongValue):
        microseconds_of(text)


def test_the_clock_counts_microseconds() -> None:
    assert 1_700_000_000_000_000 < now() < 10_000_000_000_000_000
