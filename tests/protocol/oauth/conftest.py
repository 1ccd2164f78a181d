"""Fixtures of the token endpoint: where it is, how it is asked, and whose credentials there are."""

from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from scim_server.services.clients import Clients
from scim_server.services.credentials import Credentials
from scim_server.settings import Settings
from scim_server.store.database import Database

ROOT = "http://scim.test"


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, public_url=ROOT, failed_attempts_per_minute=0)


@pytest.fixture
async def http(application: Starlette) -> Any:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=application), base_url=ROOT) as http:
        yield http


@pytest.fixture
async def credentials(database: Database) -> Credentials:
    await Clients(database).register("payroll", profile="hris")
    return Credentials(database)
