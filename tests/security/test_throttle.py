"""Sources that fail again and again wait longer and longer, others not at all."""

import pytest

from scim_server.security.throttle import FORGIVEN_AFTER, MOST, Throttle

SECOND = 1_000_000


def fail(throttle: Throttle, times: int, at: int = 0, key: str = "a") -> int:
    """Fail so often and return how long is to be waited then."""
    for _ in range(times):
        throttle.failed(key, at)
    return throttle.wait(key, at)


@pytest.mark.parametrize(("times", "wait"), [(0, 0), (1, 0), (9, 0), (10, 30)])
def test_the_tenth_failure_of_a_minute_begins_a_wait(times: int, wait: int) -> None:
    assert fail(Throttle(10), times) == wait


def test_a_wait_ends() -> None:
    throttle = Throttle(10)
    fail(throttle, 10)
    assert [throttle.wait("a", at * SECOND) for at in (0, 1, 29, 30, 31)] == [30, 29, 1, 0, 0]


def test_each_wait_is_twice_as_long_up_to_a_quarter_of_an_hour() -> None:
    throttle, at, waits = Throttle(10), 0, []
    for _ in range(8):
        waits.append(fail(throttle, 10, at))
        at += waits[-1] * SECOND
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]


def test_failures_that_are_far_apart_slow_nobody() -> None:
    throttle = Throttle(10)
    assert [fail(throttle, 1, minute * 7 * SECOND) for minute in range(50)] == [0] * 50


def test_after_an_hour_of_peace_a_wait_is_short_again() -> None:
    throttle = Throttle(10)
    fail(throttle, 10)
    fail(throttle, 10, 40 * SECOND)
    assert fail(throttle, 10, 101 * SECOND + FORGIVEN_AFTER) == 30


def test_others_do_not_wait() -> None:
    throttle = Throttle(10)
    fail(throttle, 100)
    assert throttle.wait("b", 0) == 0


def test_a_limit_of_nothing_slows_nobody() -> None:
    assert fail(Throttle(0), 1_000) == 0


def test_only_so_many_sources_are_remembered() -> None:
    throttle = Throttle(1)
    for number in range(MOST + 1):
        throttle.failed(str(number), 0)
    assert [throttle.wait(key, 0) for key in ("0", "1", str(MOST))] == [0, 30, 30]
