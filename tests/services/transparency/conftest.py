"""A store with an audit trail to work on, on both databases."""

import pytest
import structlog

from benchmarks.tamper import Trail
from scim_server.services.lifecycle import Lifecycle
from scim_server.store.database import Database
from tests.support.time import clock

__all__ = ["clock"]

LIFECYCLE = Lifecycle.of()


@pytest.fixture
async def begun(database: Database) -> Trail:
    """Give a trail of a tenant without events."""
    trail = Trail(database, LIFECYCLE)
    await trail.begin()
    return trail


@pytest.fixture
async def trail(begun: Trail) -> Trail:
    """Give a trail of 40 events with a checkpoint after each ten."""
    await begun.fill()
    return begun


@pytest.fixture(autouse=True)
def heard() -> None:
    """Have the log written to where the test can read it, whatever was tested before."""
    structlog.reset_defaults()
