"""Dates and dateTimes become moments in the zone of the user."""

import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.lifecycle.dates import day_of, moment_of, text_of, user_zone

ZONES = ("UTC", "Pacific/Auckland", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Africa/Cairo")


def start(text: str, zone: str | None) -> str:
    return text_of(moment_of(text, zone=zone, end_of_day=False))


def end(text: str, zone: str | None) -> str:
    return text_of(moment_of(text, zone=zone, end_of_day=True))


@pytest.mark.parametrize(
    ("zone", "first", "after"),
    [
        ("UTC", "2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z"),
        ("Pacific/Auckland", "2026-11-30T11:00:00Z", "2026-12-01T11:00:00Z"),
        ("America/New_York", "2026-12-01T05:00:00Z", "2026-12-02T05:00:00Z"),
        ("Asia/Kolkata", "2026-11-30T18:30:00Z", "2026-12-01T18:30:00Z"),
        (None, "2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z"),
        ("Nowhere/Atall", "2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z"),
        ("America", "2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z"),
        ("../etc/passwd", "2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z"),
    ],
)
def test_a_date_begins_and_ends_where_the_user_is(zone: str | None, first: str, after: str) -> None:
    assert (start("2026-12-01", zone), end("2026-12-01", zone)) == (first, after)


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        ("2026-04-05", "Pacific/Auckland", 25),
        ("2026-09-27", "Pacific/Auckland", 23),
        ("2026-03-08", "America/New_York", 23),
        ("2026-11-01", "America/New_York", 25),
        ("2026-04-24", "Africa/Cairo", 23),
        ("2011-12-30", "Pacific/Apia", 0),
    ],
)
def test_a_day_on_which_the_clock_changes_has_its_own_length(day: str, zone: str, hours: int) -> None:
    length = moment_of(day, zone=zone, end_of_day=True) - moment_of(day, zone=zone, end_of_day=False)
    assert length == hours * 3_600_000_000


def test_a_day_without_midnight_begins_when_the_clock_is_put_forward() -> None:
    assert start("2026-04-24", "Africa/Cairo") == "2026-04-23T22:00:00Z"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-01T09:00:00Z", "2026-12-01T09:00:00Z"),
        ("2026-12-01t09:00:00z", "2026-12-01T09:00:00Z"),
        ("2026-12-01T09:00:00-05:00", "2026-12-01T14:00:00Z"),
        ("2026-12-01T09:00:00", "2026-11-30T20:00:00Z"),
        ("2026-12-01T09:00:00.25", "2026-11-30T20:00:00.250000Z"),
        ("2026-12-01T09:00:00.1234567899Z", "2026-12-01T09:00:00.123456Z"),
        ("2026-09-27T02:30:00", "2026-09-26T14:30:00Z"),
        ("2026-04-05T02:30:00", "2026-04-04T13:30:00Z"),
    ],
)
def test_a_date_time_is_what_it_says_also_as_an_end(text: str, moment: str) -> None:
    assert (start(text, "Pacific/Auckland"), end(text, "Pacific/Auckland")) == (moment, moment)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-13-01",
        "2026-02-29",
        "2026-1-1",
        "20261201",
        "2026-12-01T25:00:00Z",
        "2026-12-01 09:00:00",
        "2026-12-01T09:00:00+99:00",
        "\u0662\u0660\u0662\u0666-12-01",
    ],
)
def test_what_is_no_date_is_refused_in_words_for_people(text: str) -> None:
    with pytest.raises(
        ValueError, match=f"^'{text}' is not a date; write it like 2026-12-01 or ".replace("+", r"\+")
    ):
        moment_of(text, zone="UTC", end_of_day=False)


def test_a_day_after_the_last_year_is_refused() -> None:
    with pytest.raises(ValueError, match="'9999-12-31' is not a date"):
        moment_of("9999-12-31", zone="UTC", end_of_day=True)


@given(st.integers(0, 250_000_000_000_000_000))
def test_a_moment_survives_being_written(moment: int) -> None:
    assert moment_of(text_of(moment), zone="Pacific/Auckland", end_of_day=True) == moment


@given(st.dates(), st.sampled_from(ZONES))
def test_no_day_ends_before_it_begins(day: object, zone: str) -> None:
    if str(day) not in {"0001-01-01", "9999-12-31"}:
        first = moment_of(str(day), zone=zone, end_of_day=False)
        assert first <= moment_of(str(day), zone=zone, end_of_day=True)


@pytest.mark.parametrize(
    ("zones", "chosen"),
    [
        (("Asia/Kolkata", "Europe/Paris", "UTC"), "Asia/Kolkata"),
        ((None, "Europe/Paris", "America/New_York"), "Europe/Paris"),
        (("", "", "America/New_York"), "America/New_York"),
        (("EST/EDT", "Europe/Paris", None), "Europe/Paris"),
        (("a\0b", None, None), "UTC"),
        ((None, None, None), "UTC"),
    ],
)
def test_the_first_zone_that_exists_is_the_users(
    zones: tuple[str | None, str | None, str | None], chosen: str
) -> None:
    assert user_zone(*zones) == chosen


def test_the_calendar_of_a_moment_depends_on_the_zone() -> None:
    moment = moment_of("2026-12-01T20:00:00Z", zone=None, end_of_day=False)
    days = [str(day_of(moment, zone)) for zone in ("Pacific/Auckland", "UTC", None, "Nowhere/Atall")]
    assert days == ["2026-12-02", "2026-12-01", "2026-12-01", "2026-12-01"]


def test_zones_are_known_on_a_machine_that_has_none() -> None:
    zoneinfo.reset_tzpath(to=())
    try:
        assert str(zoneinfo.ZoneInfo.no_cache("Pacific/Auckland")) == "Pacific/Auckland"
    finally:
        zoneinfo.reset_tzpath()
