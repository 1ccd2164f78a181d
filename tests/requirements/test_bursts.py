"""Many of the same by one connector in a short time: deactivations happen, deletions and grants stop."""

import pytest
import sqlalchemy as sa

from scim_server.store.database import Database, Reader
from scim_server.store.tables import outbox
from tests.protocol.messages import Connect
from tests.support.catalogue import create_role, load_catalogue
from tests.support.client import ScimClient
from tests.support.time import Clock

ROLE = "urn:ietf:params:scim:schemas:extension:role:2.0:User"
SAID = "Too many {} in a short time; an administrator was told. Try again later."


@pytest.fixture
async def few(database: Database, clock: Clock) -> Clock:
    """Allow two of each in an hour, at a standing clock."""
    await load_catalogue(database, policies={"burst": {"deactivations": 2, "deletions": 2, "role_grants": 2}})
    return clock


async def users(client: ScimClient, count: int) -> list[str]:
    return [f"/Users/{(await client.create_user(f'user{number}'))['id']}" for number in range(count)]


async def alarmed(reader: Reader) -> list[str]:
    """Return the alarms that the world is to be told of."""
    query = sa.select(outbox.c.event).where(outbox.c.event == "alarm")
    return [row.event for row in await reader.execute(query)]


@pytest.mark.proves("AUD-01")
async def test_the_third_deletion_waits_until_the_window_is_over(
    connect: Connect, few: Clock, database: Database
) -> None:
    client = await connect()
    paths = await users(client, 3)
    assert [(await client.delete(path)).status_code for path in paths] == [204, 204, 429]
    refused = await client.delete(paths[2])
    assert refused.json()["detail"] == SAID.format("deletions")
    assert refused.headers["retry-after"].isdigit()
    assert (await client.get(paths[2])).status_code == 200
    alarms = await database.read(alarmed)
    assert alarms == ["alarm", "alarm"]
    few.advance(hours=1, seconds=1)
    assert (await client.delete(paths[2])).status_code == 204


@pytest.mark.usefixtures("few")
async def test_every_deactivation_happens_and_the_third_raises_an_alarm(
    connect: Connect, admin: ScimClient
) -> None:
    client = await connect()
    for path in await users(client, 3):
        patched = await client.patch(path, {"op": "replace", "path": "active", "value": False})
        assert patched.json()["active"] is False
    events = await admin.find("/AuditEvents", 'action eq "user.deactivate"')
    rules = [[rule["value"] for rule in event.get("rules", ())] for event in events]
    assert ["R-BURST-DEACTIVATE" in found for found in rules] == [False, False, True]


@pytest.mark.usefixtures("few")
async def test_the_third_grant_of_a_role_waits(connect: Connect, admin: ScimClient) -> None:
    await create_role(admin, "viewer")
    client = await connect()
    grant = {"op": "add", "path": "roles", "value": [{"value": "viewer"}]}
    answers = [await client.patch(path, grant) for path in await users(client, 3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["detail"] == SAID.format("role grants")
    assert (
        await admin.find("/AuditEvents", 'action eq "user.assignRole" and outcome eq "success"', count=0)
        == []
    )
