"""An extension module of somebody else in a running server: attributes, rule, filter, job."""

from collections.abc import AsyncIterator
from importlib.metadata import EntryPoint, entry_points

import httpx2
import pytest

from scim_server.app import create_app
from scim_server.lifecycle import extension as extensions
from scim_server.security.principals import PERMISSIONS
from scim_server.services import housekeeping
from scim_server.services.clients import Clients
from scim_server.services.lifecycle import Lifecycle
from scim_server.settings import Settings
from scim_server.store.database import Database
from tests.data.example_extension import PARKING
from tests.support.client import ScimClient
from tests.support.time import Clock, clock

__all__ = ["clock"]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the example beside the organisation's own modules."""
    own = tuple(entry_points(group=extensions.GROUP))
    parking = EntryPoint("parking", "tests.data.example_extension:extension", extensions.GROUP)
    monkeypatch.setattr(extensions, "entry_points", lambda *, group: (*own, parking) if group else ())


@pytest.fixture
async def person(installed: None, database: Database) -> AsyncIterator[ScimClient]:
    """Give an administrator's client of a server with the example."""
    del installed
    application = create_app(Settings(database_url=database.url.render_as_string(hide_password=False)))
    async with application.router.lifespan_context(application):
        issued = await Clients(database).create("person", profile="admin", permissions=PERMISSIONS)
        transport = httpx2.ASGITransport(app=application)
        async with ScimClient("http://scim.test/scim/v2", issued.token, transport) as client:
            yield client


def body(**parking: str) -> dict[str, object]:
    return {
        "name": {"givenName": "Ann", "familyName": "Lee"},
        "emails": [{"value": "ann@example.com"}],
        PARKING: parking,
    }


async def test_its_rule_refuses_people_with_its_message(person: ScimClient) -> None:
    refused = await person.post("/Users", body(space="A1"))
    assert (refused.status_code, refused.json()["detail"]) == (400, "A parking space needs a plate")


async def test_its_attributes_are_filtered_and_change_with_time_and_its_job_tells(
    person: ScimClient, database: Database, clock: Clock
) -> None:
    created = await person.post("/Users", body(space="A1", plate="C 17", until=clock.text(days=1)))
    assert created.status_code == 201, created.text
    assert created.json()[PARKING]["taken"] is True
    assert len(await person.find("/Users", f"{PARKING}:taken eq true")) == 1
    clock.advance(days=2)
    assert await person.find("/Users", f"{PARKING}:taken eq true") == []
    await housekeeping.run_once(database, Lifecycle.of())
    (event,) = await person.find("/AuditEvents", 'action eq "parking.freed"', attributes="note")
    assert event["note"] == "A1"
