"""scim2, the command-line client of another project, against a running server."""

import asyncio
import json
import os
import sys
from pathlib import Path
from subprocess import DEVNULL

import pytest

from scim_server.security.principals import PERMISSIONS
from tests.protocol.messages import Connect, Json, listed, refused, user_names
from tests.support.client import ScimClient


class Command:
    """The command as a person would run it, its server and token in the environment."""

    def __init__(self, scim: ScimClient) -> None:
        self.path = Path(sys.executable).with_name("scim2")
        self.environment = {
            **os.environ,
            "SCIM_CLI_URL": scim.base_url,
            "SCIM_CLI_HEADERS": f"Authorization: Bearer {scim.token}",
        }

    async def run(self, *arguments: str) -> tuple[int, Json]:
        """Run it with those arguments and return its exit code and the JSON it printed."""
        process = await asyncio.create_subprocess_exec(
            self.path,
            *arguments,
            stdin=DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.environment,
        )
        output, errors = await process.communicate()
        assert output or process.returncode == 0, errors.decode()
        return process.returncode or 0, json.loads(output) if output else {}


@pytest.fixture
async def scim(live_connect: Connect) -> ScimClient:
    return await live_connect(profile="idp", permissions=list(PERMISSIONS))


@pytest.fixture
def command(scim: ScimClient) -> Command:
    return Command(scim)


async def test_it_creates_a_user(command: Command, scim: ScimClient) -> None:
    code, body = await command.run(
        "create", "user", "--user-name", "ann", "--emails", '[{"value": "ann@example.com", "primary": true}]'
    )
    assert (code, body["userName"]) == (0, "ann")
    assert await scim.read(f"/Users/{body['id']}") == body


async def test_it_reads_and_lists_users(command: Command, scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    await scim.create_user("bob")
    assert await command.run("query", "user", ann["id"]) == (0, ann)
    code, body = await command.run("query", "user", "--filter", 'userName eq "ann"')
    assert (code, user_names(body["Resources"])) == (0, ["ann"])
    code, body = await command.run("query", "user", "--count", "1", "--start-index", "2")
    assert (code, body["totalResults"], user_names(body["Resources"])) == (0, 2, ["bob"])


async def test_it_searches_for_users(command: Command, scim: ScimClient) -> None:
    await scim.create_user("ann")
    code, body = await command.run("search", "user", "--filter", 'userName sw "a"')
    assert (code, user_names(body["Resources"])) == (0, ["ann"])


async def test_it_changes_a_user(command: Command, scim: ScimClient) -> None:
    ann = await scim.create_user("ann", title="Guide")
    code, _ = await command.run(
        "modify", "user", ann["id"], "replace", "displayName", "Ann Lee", "remove", "title"
    )
    changed = await scim.read(f"/Users/{ann['id']}")
    assert (code, changed["displayName"]) == (0, "Ann Lee")
    assert "title" not in changed


async def test_it_replaces_a_user(command: Command, scim: ScimClient) -> None:
    ann = await scim.create_user("ann", title="Guide")
    code, body = await command.run("replace", "user", "--id", ann["id"], "--user-name", "anna")
    assert (code, body["userName"]) == (0, "anna")
    assert await scim.read(f"/Users/{ann['id']}") == body


async def test_it_changes_the_members_of_a_group(command: Command, scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    code, body = await command.run("create", "group", "--display-name", "Guides")
    assert code == 0
    members = json.dumps([{"value": ann["id"]}])
    code, _ = await command.run("modify", "group", body["id"], "add", "members", members)
    assert code == 0
    assert [each["value"] for each in (await scim.read(f"/Groups/{body['id']}"))["members"]] == [ann["id"]]


async def test_it_deletes_a_user(command: Command, scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    code, _ = await command.run("delete", "user", ann["id"])
    assert code == 0
    refused(await scim.get(f"/Users/{ann['id']}"), 404)


async def test_it_understands_an_error(command: Command, scim: ScimClient) -> None:
    await scim.create_user("ann")
    code, body = await command.run("create", "user", "--user-name", "ANN")
    assert (code, body["status"], body["scimType"]) == (1, "409", "uniqueness")
    assert len(await listed(scim, "/Users")) == 1
