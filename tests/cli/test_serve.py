"""`scim-server serve` and `scim-server worker` as processes."""

import asyncio
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support.client import ScimClient
from tests.support.server import LiveServer

COMMAND = str(Path(sys.executable).with_name("scim-server"))
WITHOUT_BOOTSTRAP = {"SCIM_BOOTSTRAP_TOKEN": None}


def start_with_sample(database_url: str, folder: Path) -> LiveServer:
    return LiveServer.start(database_url, folder, arguments=["--sample"], environment=WITHOUT_BOOTSTRAP)


def printed_token(server: LiveServer) -> str:
    found = re.search(r"^Token +(\S+)$", server.log.read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    return found[1]


async def totals(server: LiveServer) -> tuple[int, int]:
    async with ScimClient(server.base_url, printed_token(server)) as client:
        users, groups = await client.read("/Users"), await client.read("/Groups")
    return users["totalResults"], groups["totalResults"]


async def test_sample_fills_an_empty_store_once_and_prints_the_same_token_again(
    database_url: str, tmp_path: Path
) -> None:
    first = start_with_sample(database_url, tmp_path)
    try:
        assert await totals(first) == (8, 3)
    finally:
        first.stop()
    second = start_with_sample(database_url, tmp_path)
    try:
        assert printed_token(second) == printed_token(first)
        assert await totals(second) == (8, 3)
    finally:
        second.stop()


async def test_the_sample_holds_managers_and_a_nested_group(sqlite_url: str, tmp_path: Path) -> None:
    server = start_with_sample(sqlite_url, tmp_path)
    try:
        async with ScimClient(server.base_url, printed_token(server)) as client:
            (everyone,) = await client.find("/Groups", 'displayName eq "Everyone"')
            (jonas,) = await client.find("/Users", 'userName eq "jonas.lindqvist@example.com"')
            (amara,) = await client.find("/Users", 'userName eq "amara.okafor@example.com"')
    finally:
        server.stop()
    assert sorted(member["type"] for member in everyone["members"]) == ["Group", "Group", "User"]
    enterprise = jonas["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]
    assert enterprise["manager"]["value"] == amara["id"]


def test_the_printed_curl_line_works_as_pasted(sqlite_url: str, tmp_path: Path) -> None:
    server = start_with_sample(sqlite_url, tmp_path)
    try:
        line = re.search(r"^Try +(curl .*)$", server.log.read_text(encoding="utf-8"), re.MULTILINE)
        assert line
        answer = subprocess.check_output(["bash", "-c", line[1]], stderr=subprocess.DEVNULL)
    finally:
        server.stop()
    assert b'"totalResults":8' in answer


def test_the_token_of_the_sample_is_readable_only_by_its_owner(sqlite_url: str, tmp_path: Path) -> None:
    server = start_with_sample(sqlite_url, tmp_path)
    server.stop()
    kept = tmp_path / "token"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.read_text(encoding="ascii").strip() == printed_token(server)


def test_the_sample_has_a_key_for_its_checkpoints(run: Run, sqlite_url: str, tmp_path: Path) -> None:
    start_with_sample(sqlite_url, tmp_path).stop()
    key = tmp_path / "audit.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    assert run("audit", "verify", "--database-url", sqlite_url).code in {0, 2}


async def test_sample_leaves_a_store_with_clients_alone(run: Run, sqlite_url: str, tmp_path: Path) -> None:
    create = ("client", "create", "okta", "--json", "--database-url", sqlite_url)
    token = (await asyncio.to_thread(run, *create)).json()["token"]
    server = start_with_sample(sqlite_url, tmp_path)
    try:
        async with ScimClient(server.base_url, token) as client:
            assert (await client.read("/Users"))["totalResults"] == 0
    finally:
        server.stop()
    assert "scim-server client create" in server.log.read_text(encoding="utf-8")


async def test_several_processes_serve_one_address(database_url: str, tmp_path: Path) -> None:
    server = LiveServer.start(database_url, tmp_path, arguments=["--workers", "2"])
    try:
        async with ScimClient(server.base_url, server.token) as client:
            await client.create_group("Staff")
            assert len(await client.find("/Groups", 'displayName eq "Staff"')) == 1
    finally:
        server.stop()


def test_a_port_that_is_taken_is_one_line(run: Run, sqlite_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        complaint = run("serve", "--port", port, "--database-url", sqlite_url).complaint()
    assert f"port {port}" in complaint


def test_worker_runs_one_round(run: Run, database_url: str) -> None:
    outcome = run("worker", "--once", "--database-url", database_url)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("housekeeping: ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_worker_runs_round_after_round_and_stops_cleanly(sqlite_url: str, number: signal.Signals) -> None:
    command = [COMMAND, "worker", "--interval", "0.1", "--database-url", sqlite_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        rounds = [process.stdout.readline() for _ in range(3)]
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
    assert all(line.startswith("housekeeping: ") for line in rounds)
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nope",),
        ("serve", "--nope"),
        ("client", "create"),
        ("db",),
        ("serve", "--port", "x"),
        ("db", "check", "x"),
    ],
)
def test_a_wrongly_typed_command_is_one_line_and_exit_code_2(run: Run, arguments: tuple[str, ...]) -> None:
    outcome = run(*arguments)
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)


def test_no_command_at_all_prints_the_commands(run: Run) -> None:
    outcome = run()
    assert outcome.code == 0
    assert all(name in outcome.out for name in ("serve", "worker", "db", "client"))
