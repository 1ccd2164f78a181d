"""Fixtures of the stories: an organisation and the people and systems that work with it."""

import pytest

from tests.stories.cast import Cast, Connect
from tests.support.time import Clock, clock

__all__ = ["clock"]


@pytest.fixture
def database_url(furnished_database_url: str) -> str:
    """URL of the organisation's store."""
    return furnished_database_url


@pytest.fixture
async def cast(connect: Connect, clock: Clock) -> Cast:
    """Give everybody who plays a part, at a standing clock."""
    return await Cast.gather(connect, clock)
