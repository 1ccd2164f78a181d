"""`scim-server client` on both databases."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.support.client import ScimClient
from tests.support.server import LiveServer


def clients(run_on: Run, *arguments: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = run_on("client", "list", "--json", *arguments).json()
    return listed


def live_prefixes(client: dict[str, Any]) -> list[str]:
    return [token["prefix"] for token in client["tokens"] if token["revoked_at"] is None]


def test_create_keeps_every_option(run_on: Run) -> None:
    run_on("tenant", "create", "acme")
    options = ["--profile", "hris", "--dialect", "okta", "--permission", "user:view", "--tenant", "acme"]
    run_on("client", "create", "payroll", *options, "--switch", "string_booleans=off", "--json").json()
    (client,) = clients(run_on, "--tenant", "acme")
    stated = {
        name: client[name] for name in ("name", "tenant", "profile", "dialect", "switches", "permissions")
    }
    assert stated == {
        "name": "payroll",
        "tenant": "acme",
        "profile": "hris",
        "dialect": "okta",
        "switches": {"string_booleans": False},
        "permissions": ["user:view"],
    }


def test_create_prints_a_token_that_list_shows_only_the_prefix_of(run_on: Run) -> None:
    created = run_on("client", "create", "okta")
    (client,) = clients(run_on)
    (prefix,) = live_prefixes(client)
    assert f" {prefix}" in created.out
    token = next(word for word in created.out.split() if word.startswith(prefix))
    assert token not in run_on("client", "list").out
    assert prefix in run_on("client", "list").out


def test_a_token_ends_after_the_time_asked_for(run_on: Run) -> None:
    issued = run_on("client", "create", "okta", "--expires", "90d", "--json").json()
    left = datetime.fromisoformat(issued["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=89, hours=23) < left <= timedelta(days=90)


def test_a_token_lasts_a_year_unless_asked_for(run_on: Run) -> None:
    issued = run_on("client", "create", "okta", "--json").json()
    left = datetime.fromisoformat(issued["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=364, hours=23) < left <= timedelta(days=365)


@pytest.mark.parametrize("time", ["never", "366d"])
@pytest.mark.parametrize("command", ["create", "rotate", "secret"])
def test_a_token_that_lasts_longer_is_refused(run_on: Run, command: str, time: str) -> None:
    assert run_on("client", "create", "okta").code == 0
    name = "other" if command == "create" else "okta"
    assert "SCIM_TOKEN_ALLOW_NEVER" in run_on("client", command, name, "--expires", time).complaint()
    assert [client["name"] for client in clients(run_on)] == ["okta"]


def test_a_token_has_no_end_where_that_is_allowed(run_on: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCIM_TOKEN_ALLOW_NEVER", "true")
    assert run_on("client", "create", "okta", "--expires", "never", "--json").json()["expires_at"] is None
    assert "never" in run_on("client", "list", "--tokens").out


def test_the_two_newest_tokens_are_live_after_each_rotation(run_on: Run) -> None:
    first = run_on("client", "create", "okta", "--json").json()["prefix"]
    second = run_on("client", "rotate", "okta", "--json").json()["prefix"]
    assert live_prefixes(clients(run_on)[0]) == [first, second]
    third = run_on("client", "rotate", "okta", "--json").json()["prefix"]
    assert live_prefixes(clients(run_on)[0]) == [second, third]


def test_revoke_ends_every_live_token(run_on: Run) -> None:
    run_on("client", "create", "okta")
    run_on("client", "rotate", "okta")
    assert run_on("client", "revoke", "okta", "--json").json()["revoked_tokens"] == 2
    (client,) = clients(run_on)
    assert live_prefixes(client) == []
    assert client["revoked_at"] is not None


def test_a_second_client_of_one_name_is_refused(run_on: Run) -> None:
    run_on("client", "create", "okta")
    assert "okta" in run_on("client", "create", "okta").complaint()
    assert len(clients(run_on)) == 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("create", "x", "--profile", "nope"), "nope"),
        (("create", "x", "--dialect", "nope"), "nope"),
        (("create", "x", "--permission", "nope"), "nope"),
        (("create", "x", "--switch", "nope=on"), "nope"),
        (("rotate", "nope"), "nope"),
        (("revoke", "nope"), "nope"),
    ],
)
def test_a_name_that_does_not_exist_is_refused_in_one_line(
    run_on: Run, arguments: tuple[str, ...], named: str
) -> None:
    assert named in run_on("client", *arguments).complaint()
    assert clients(run_on) == []


@pytest.mark.parametrize("text", ["", "90", "d", "0d", "-1d", "1.5d", "99999999d", "999999w", "90 days"])
def test_a_time_span_that_is_none_is_a_usage_error(run: Run, text: str) -> None:
    outcome = run("client", "create", "okta", f"--expires={text}")
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)


@pytest.mark.parametrize("text", ["", "name", "=on", "name=", "name=maybe"])
def test_a_switch_that_is_none_is_a_usage_error(run: Run, text: str) -> None:
    outcome = run("client", "create", "okta", f"--switch={text}")
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)


async def test_commands_take_effect_on_a_running_server(live_server: LiveServer, run: Run) -> None:
    async def command(*arguments: str) -> Any:
        outcome = await asyncio.to_thread(
            run, *arguments, "--json", "--database-url", live_server.database_url
        )
        return outcome.json()

    first = await command("client", "create", "okta")
    second = await command("client", "rotate", "okta")
    async with (
        ScimClient(live_server.base_url, first["token"]) as old,
        ScimClient(live_server.base_url, second["token"]) as new,
    ):
        assert [(await client.get("/Users")).status_code for client in (old, new)] == [200, 200]
        await command("client", "revoke", "okta")
        assert [(await client.get("/Users")).status_code for client in (old, new)] == [401, 401]
