"""Durations are those of ISO 8601 whose length is always the same."""

import pytest

from scim_server.lifecycle.durations import duration_of
from tests.lifecycle.samples import DAY, HOUR


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("PT48H", 48 * HOUR),
        ("P30D", 30 * DAY),
        ("P2W", 14 * DAY),
        ("P1DT12H", 36 * HOUR),
        ("PT1H30M15S", HOUR + 1_815_000_000),
        ("P0D", 0),
    ],
)
def test_a_duration_is_read_in_microseconds(text: str, length: int) -> None:
    assert duration_of(text) == length


@pytest.mark.parametrize("text", [None, "", "P", "PT", "48H", "P1M", "P1Y", "PT-1H", "P1.5D", "P1D ", "p1d"])
def test_what_is_no_duration_of_one_length_is_none(text: str | None) -> None:
    assert duration_of(text) is None
