"""Token buckets, by a clock of the test."""

from scim_server.security.rates import Bucket, Limit

LIMIT = Limit("client", 2, 4, '"client";q=4;w=2')


def taken(bucket: Bucket, moment: float, times: int) -> int:
    return sum(bucket.take(LIMIT, moment) == 0 for _ in range(times))


def test_a_rate_of_nothing_is_no_limit() -> None:
    assert Limit.of("client", 0, 4) is None


def test_a_full_bucket_gives_its_burst_at_once_and_no_more() -> None:
    assert taken(Bucket(LIMIT, 0), 0, 10) == 4


def test_permits_come_back_with_time() -> None:
    bucket = Bucket(LIMIT, 0)
    taken(bucket, 0, 4)
    assert taken(bucket, 1.5, 10) == 3


def test_a_bucket_holds_no_more_than_its_burst() -> None:
    bucket = Bucket(LIMIT, 0)
    assert taken(bucket, 1_000, 10) == 4


def test_an_empty_bucket_says_how_long_to_wait() -> None:
    bucket = Bucket(LIMIT, 0)
    taken(bucket, 0, 4)
    assert bucket.take(LIMIT, 0) == 0.5
    assert bucket.take(LIMIT, 0.25) == 0.25


def test_a_permit_given_back_is_there_again() -> None:
    bucket = Bucket(LIMIT, 0)
    taken(bucket, 0, 4)
    bucket.give_back()
    assert taken(bucket, 0, 10) == 1


def test_a_limit_says_its_policy_and_where_it_stands() -> None:
    assert Limit.of("client", 2, 4) == LIMIT
    assert LIMIT.standing(1.7) == '"client";r=1;t=2'
