"""Fixtures of the protocol tests: the server under settings of the test's own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import count
from typing import Any

import httpx2
import pytest

from scim_server.app import create_app
from scim_server.security.principals import PERMISSIONS
from scim_server.services.clients import Clients
from scim_server.settings import Settings
from scim_server.store.database import Database
from tests.protocol.messages import Serve
from tests.support.client import ScimClient
from tests.support.time import clock

__all__ = ["clock", "serve"]


@pytest.fixture
async def serve(database_url: str, database: Database) -> AsyncIterator[Serve]:
    """Give a function that serves the application under given settings to a connector that may do all."""
    numbers = count(1)
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> ScimClient:
            application = create_app(Settings(database_url=database_url, **settings))
            await stack.enter_async_context(application.router.lifespan_context(application))
            issued = await Clients(database).create(
                f"served-{next(numbers)}", profile="idp", permissions=PERMISSIONS
            )
            transport = httpx2.ASGITransport(app=application)
            return await stack.enter_async_context(
                ScimClient("http://scim.test/scim/v2", issued.token, transport)
            )

        yield start
