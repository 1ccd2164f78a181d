"""`scim-server client undo`: a batch of deactivations taken back, on both databases."""

import json
from datetime import timedelta

import pytest

from scim_server.services.clients import UnknownClient
from scim_server.services.lifecycle import Lifecycle
from scim_server.services.undo import Undo, Undone
from scim_server.store.clock import now
from scim_server.store.database import Database
from tests.cli.conftest import Run
from tests.conftest import Connect
from tests.support.client import ScimClient

OFF = {"op": "replace", "path": "active", "value": False}


@pytest.fixture
def undo(database: Database) -> Undo:
    """Return what takes back on the store of the test."""
    return Undo(database, Lifecycle.of())


async def active(client: ScimClient) -> list[str]:
    return [user["userName"] for user in await client.find("/Users", "active eq true")]


async def test_only_the_holds_of_the_client_since_then_are_lifted(connect: Connect, undo: Undo) -> None:
    okta, hr = await connect(profile="idp"), await connect(profile="hris")
    users = {name: f"/Users/{(await okta.create_user(name))['id']}" for name in ("ann", "bob", "cyd", "dan")}
    await okta.patch_ok(users["ann"], OFF)
    since = now()
    for name in ("bob", "cyd"):
        await okta.patch_ok(users[name], OFF)
    await hr.patch_ok(users["cyd"], OFF)
    await hr.patch_ok(users["dan"], OFF)
    dry = await undo.deactivations("client-1", since, is_dry_run=True)
    assert (dry, await active(okta)) == (Undone(2, 2), [])
    assert await undo.deactivations("client-1", since) == Undone(2, 2)
    assert await active(okta) == ["bob"]
    assert await undo.deactivations("client-1", since) == Undone(2, 0)


async def test_a_client_that_is_not_there_is_said(undo: Undo) -> None:
    with pytest.raises(UnknownClient, match="no client nobody"):
        await undo.deactivations("nobody", 0)


def test_the_command_says_what_it_did(run_on: Run) -> None:
    run_on("client", "create", "okta")
    printed = run_on("client", "undo", "okta", "--since", "2h", "--dry-run", "--json")
    assert json.loads(printed.out) == {"client": "okta", "dry_run": True, "deactivated": 0, "lifted": 0}
    said = run_on("client", "undo", "okta", "--since", str(timedelta(hours=2).seconds // 60) + "m")
    assert said.out == "okta deactivated 0 users since then; lifted its holds of 0\n"
    assert "no client other" in run_on("client", "undo", "other", "--since", "1d").complaint()
