"""Fields are checked with the words that people know."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.lifecycle.names import (
    email,
    email_domain,
    employee_number,
    family_name,
    given_name,
    start_date,
)

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    "text",
    ["Ann", "Mary Jane", "O'Neil", "O’Neil", "Anne-Marie", "J.", "Zoë", "Zoe\u0308", "李", "नेहा", "ا ب"],  # noqa: RUF001
)
def test_a_name_of_any_script_is_good(text: str) -> None:
    assert (given_name(text), family_name(text)) == ([], [])


@pytest.mark.parametrize("text", [None, "", "   ", "\t"])
def test_a_name_is_required(text: str | None) -> None:
    assert given_name(text) == ["First name is required"]
    assert family_name(text) == ["Last name is required"]


@pytest.mark.parametrize("text", ["R2D2", "a_b", "a@b", "Ann\n", "Ann;", "😀", "a/b", "--", "'"])
def test_a_name_of_other_characters_is_refused(text: str) -> None:
    said = "can only contain letters, spaces, hyphens, and apostrophes"
    assert given_name(text) == [f"First name {said}"]
    assert family_name(text) == [f"Last name {said}"]


def test_a_name_has_at_most_50_characters_however_they_are_composed() -> None:
    assert given_name("a" * 50) == given_name("e\u0308" * 50) == []
    assert given_name("a" * 51) == ["First name cannot exceed 50 characters"]
    assert family_name("a" * 51) == ["Last name cannot exceed 50 characters"]


def test_everything_wrong_with_a_name_is_said_at_once() -> None:
    assert given_name("1" * 51) == [
        "First name can only contain letters, spaces, hyphens, and apostrophes",
        "First name cannot exceed 50 characters",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "ann@example.com",
        "user@corp.local",
        "first.last+tag@sub.example.co.uk",
        "o'neil@example.com",
        "x@xn--bcher-kva.example",
        "用户@例子.公司",
        "नेहा@उदाहरण.भारत",
        "a" * 64 + "@" + ".".join(["b" * 63, "c" * 63, "d" * 61]),
    ],
)
def test_a_well_formed_email_is_good(text: str) -> None:
    assert email(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "ann",
        "ann@",
        "@example.com",
        "ann@localhost",
        "ann@example",
        "ann@@example.com",
        "a b@example.com",
        ".ann@example.com",
        "ann.@example.com",
        "a..b@example.com",
        "ann@-example.com",
        "ann@example-.com",
        "ann@exa_mple.com",
        "ann@example..com",
        "ann@example.com.",
        "ann@192.168.0.1",
        "ann@[192.168.0.1]",
        " ann@example.com",
        "ann@example.com\n",
        "Ann <ann@example.com>",
        "a" * 65 + "@example.com",
        "ann@" + "b" * 64 + ".com",
        "a" * 64 + "@" + ".".join(["b" * 63, "c" * 63, "d" * 62]),
    ],
)
def test_an_email_that_is_not_well_formed_is_refused(text: str) -> None:
    assert email(text) == ["Please enter a valid email address"]


@pytest.mark.parametrize("text", [None, "", "  "])
def test_an_email_is_required(text: str | None) -> None:
    assert email(text) == ["Email is required"]


@given(st.text(max_size=300))
def test_any_text_is_answered(text: str) -> None:
    assert len(email(text)) <= 1
    assert set(employee_number(text)) <= {
        "Employee ID must be alphanumeric",
        "Employee ID cannot exceed 20 characters",
    }


@pytest.mark.parametrize(
    ("allowed", "messages"),
    [
        ((), []),
        (("company.com",), ["Only @company.com email addresses are allowed"]),
        (("a.com", "b.com"), ["Only @a.com and @b.com email addresses are allowed"]),
        (("a.com", "b.com", "c.com"), ["Only @a.com, @b.com and @c.com email addresses are allowed"]),
        (("example.com",), []),
        (("a.com", "EXAMPLE.com"), []),
        (("ample.com",), ["Only @ample.com email addresses are allowed"]),
    ],
)
def test_an_email_is_of_an_allowed_domain(allowed: tuple[str, ...], messages: list[str]) -> None:
    assert email_domain("Ann@Example.COM", allowed) == messages


@pytest.mark.parametrize("text", ["EMP-2026-0001", "1089", "a", "A" * 20])
def test_an_employee_number_is_good(text: str) -> None:
    assert employee_number(text) == []


@pytest.mark.parametrize("text", ["", "EMP 1", "EMP_1", "É1", "1\n", "٣"])
def test_an_employee_number_of_other_characters_is_refused(text: str) -> None:
    assert employee_number(text) == ["Employee ID must be alphanumeric"]


def test_an_employee_number_has_at_most_20_characters() -> None:
    assert employee_number("A" * 21) == ["Employee ID cannot exceed 20 characters"]


@pytest.mark.parametrize(
    ("days", "messages"),
    [
        (0, []),
        (-90, []),
        (90, []),
        (-91, ["Start date cannot be more than 90 days in the past"]),
        (91, ["Start date cannot be more than 90 days in the future"]),
    ],
)
def test_a_start_date_is_at_most_90_days_away(days: int, messages: list[str]) -> None:
    assert start_date(TODAY + timedelta(days), TODAY) == messages


def test_a_start_date_is_required() -> None:
    assert start_date(None, TODAY) == ["Start date is required"]


def test_the_window_of_start_dates_can_be_another() -> None:
    day = TODAY + timedelta(8)
    assert start_date(day, TODAY, window=7) == ["Start date cannot be more than 7 days in the future"]
