"""`scim-server load` on both databases."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.support.client import GROUP_SCHEMA, USER_SCHEMA

ANN = {"schemas": [USER_SCHEMA], "userName": "ann"}
BOB = {"userName": "bob"}
TEAM = {"schemas": [GROUP_SCHEMA], "displayName": "Team"}


@pytest.fixture
def client(run_on: Run) -> Run:
    """Make a client, and give what runs commands on its store."""
    run_on("client", "create", "hr", "--profile", "idp", "--json").json()
    return run_on


def lines(folder: Path, *rows: Any) -> str:
    """Write a file of these rows, texts as they are, and return its path."""
    file = folder / "users.jsonl"
    texts = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    file.write_text("\n".join(texts), encoding="utf-8")
    return str(file)


def counts(printed: dict[str, Any]) -> tuple[int, int]:
    return printed["created"], printed["refused"]


def test_each_line_makes_a_resource_of_the_type_it_names_or_a_user(client: Run, tmp_path: Path) -> None:
    file = lines(tmp_path, ANN, BOB, "", TEAM)
    assert counts(client("load", file, "--client", "hr", "--json").json()) == (3, 0)


def test_a_line_that_is_refused_is_told_with_its_number_and_stops_no_other(
    client: Run, tmp_path: Path
) -> None:
    file = lines(tmp_path, ANN, "{nonsense", ANN, {"active": True}, BOB)
    outcome = client("load", file, "--client", "hr", "--json")
    printed = json.loads(outcome.out)
    assert counts(printed) == (2, 3)
    assert [one["line"] for one in printed["refusals"]] == [2, 3, 4]
    assert outcome.complaint() == "scim-server: 3 lines were refused"


def test_loading_goes_on_from_a_line(client: Run, tmp_path: Path) -> None:
    file = lines(tmp_path, ANN, BOB)
    assert counts(client("load", file, "--client", "hr", "--from", "2", "--json").json()) == (1, 0)
    assert counts(client("load", lines(tmp_path, ANN), "--client", "hr", "--json").json()) == (1, 0)


def test_what_the_client_may_not_do_is_refused(run_on: Run, tmp_path: Path) -> None:
    run_on("client", "create", "reader", "--permission", "user:view", "--json").json()
    outcome = run_on("load", lines(tmp_path, ANN), "--client", "reader", "--json")
    (refusal,) = json.loads(outcome.out)["refusals"]
    assert "user:create" in refusal["detail"]


def test_an_unknown_client_is_named(run_on: Run, tmp_path: Path) -> None:
    complaint = run_on("load", lines(tmp_path, ANN), "--client", "nobody").complaint()
    assert complaint == "scim-server: there is no client nobody in the tenant default, or it was revoked"
