"""Input made to be slow: at this length, work that grows with its square would take hours."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from scim_server.dialects import GENERIC
from scim_server.scim.documents import decode
from scim_server.scim.errors import ScimError
from scim_server.scim.filters.grammar import parse_filter
from scim_server.scim.messages.bulk import parse_bulk
from scim_server.scim.preconditions import tag_matches

LONG = 1_000_000


def unfinished_string(size: int) -> None:
    decode(("[" * 70 + '"' + '\\"' * size).encode())


def brackets_in_a_string(size: int) -> None:
    decode(b'{"a": "' + b"[" * size + b'"}')


def tag_without_end(size: int) -> None:
    tag_matches("a" * size + '"', 'W/"1"')


def tags_between_blanks(size: int) -> None:
    tag_matches("x" + " " * size + '"y', 'W/"1"')


def filter_without_end(size: int) -> None:
    parse_filter('title eq "' + '\\"' * (size // 4), GENERIC)


def bulk_of_references(size: int) -> None:
    parse_bulk({"Operations": [{"data": "bulkId:" * size}]}, GENERIC, maximum=10)


@pytest.mark.parametrize(
    "work",
    [
        unfinished_string,
        brackets_in_a_string,
        tag_without_end,
        tags_between_blanks,
        filter_without_end,
        bulk_of_references,
    ],
)
def test_long_input_is_worked_through(work: Callable[[int], None]) -> None:
    with suppress(ScimError):
        work(LONG)
