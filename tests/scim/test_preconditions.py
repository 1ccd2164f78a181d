"""Entity tags in If-Match and If-None-Match, compared weakly, with or without quotes."""

import pytest

from scim_server.scim.errors import PreconditionFailed
from scim_server.scim.preconditions import check_if_match, tag_matches

CURRENT = 'W/"3"'


@pytest.mark.parametrize(
    "header",
    [
        'W/"3"',
        '"3"',
        "3",
        "W/3",
        "*",
        " * ",
        ' W/"3" ',
        'W/"1", W/"3"',
        'W/"3","4"',
        '"1" , "2" , "3"',
        "1,3",
        '"a,b", "3"',
    ],
)
def test_a_header_that_names_the_version(header: str) -> None:
    assert tag_matches(header, CURRENT)


@pytest.mark.parametrize(
    "header", ["", " ", 'W/"2"', '"33"', '"03"', '"1", "2"', "**", '"*"', '"a, 3"', ",", "'3'"]
)
def test_a_header_that_does_not_name_the_version(header: str) -> None:
    assert not tag_matches(header, CURRENT)


def test_without_a_condition_every_version_is_good() -> None:
    check_if_match(None, CURRENT)


@pytest.mark.parametrize("header", ["", 'W/"2"'])
def test_another_version_is_refused_and_the_current_one_told(header: str) -> None:
    with pytest.raises(PreconditionFailed, match='at version W/"3"'):
        check_if_match(header, CURRENT)
