"""Fixtures of the tests that compare the two ways of reading users."""

import pytest

from tests.conftest import Connect
from tests.support.two_paths import TwoPaths


@pytest.fixture
async def paths(connect: Connect) -> TwoPaths:
    """Give what reads users on both paths."""
    return await TwoPaths.of(connect)
