"""`scim-server tenant` on both databases."""

import gzip
import json
from pathlib import Path

from tests.cli.conftest import Run


def states(run_on: Run) -> dict[str, str]:
    return {one["name"]: one["state"] for one in run_on("tenant", "list", "--json").json()}


def test_a_tenant_is_made_suspended_and_resumed(run_on: Run) -> None:
    run_on("tenant", "create", "acme", "--json").json()
    seen = [states(run_on)["acme"]]
    run_on("tenant", "suspend", "acme", "--json").json()
    seen.append(states(run_on)["acme"])
    run_on("tenant", "resume", "acme", "--json").json()
    seen.append(states(run_on)["acme"])
    assert seen == ["active", "suspended", "active"]


def test_a_client_of_no_tenant_names_the_command_that_makes_one(run_on: Run) -> None:
    said = run_on("client", "create", "okta", "--tenant", "typo").complaint()
    assert said == "scim-server: There is no tenant typo; make it with: scim-server tenant create typo"


def test_the_list_is_a_table(run_on: Run) -> None:
    run_on("tenant", "create", "acme")
    heading, row = run_on("tenant", "list").out.splitlines()
    assert heading.split() == ["NAME", "STATE", "USERS", "GROUPS", "CLIENTS", "CREATED"]
    assert row.split()[:5] == ["acme", "active", "0", "0", "0"]


def test_a_dry_run_of_a_deletion_shows_counts_and_removes_nothing(run_on: Run) -> None:
    run_on("tenant", "create", "acme")
    run_on("client", "create", "okta", "--tenant", "acme")
    rows = run_on("tenant", "delete", "acme", "--dry-run", "--json").json()["rows"]
    assert rows == {"client": 1, "token": 1}
    assert states(run_on) == {"acme": "active"}


def test_a_tenant_in_use_is_not_deleted(run_on: Run) -> None:
    run_on("tenant", "create", "acme")
    said = run_on("tenant", "delete", "acme", "--yes").complaint()
    assert said == "scim-server: The tenant acme is in use; first run: scim-server tenant suspend acme"


def test_a_deleted_tenant_is_gone(run_on: Run) -> None:
    run_on("tenant", "create", "acme")
    run_on("tenant", "suspend", "acme")
    run_on("tenant", "delete", "acme", "--yes", "--json").json()
    assert states(run_on) == {}
    run_on("tenant", "create", "acme", "--json").json()


def test_an_export_ends_with_its_manifest(run_on: Run, tmp_path: Path) -> None:
    run_on("tenant", "create", "acme")
    run_on("client", "create", "okta", "--tenant", "acme")
    file = tmp_path / "acme.jsonl"
    printed = run_on("tenant", "export", "acme", "--to", str(file), "--json").json()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines[-1] == printed
    assert printed["counts"] == {"client": 1, "token": 1}
    assert file.stat().st_mode & 0o077 == 0


def test_an_export_is_compressed_by_its_suffix(run_on: Run, tmp_path: Path) -> None:
    run_on("tenant", "create", "acme")
    file = tmp_path / "acme.jsonl.gz"
    run_on("tenant", "export", "acme", "--to", str(file), "--json").json()
    assert json.loads(gzip.decompress(file.read_bytes()).splitlines()[0])["name"] == "acme"


def test_an_export_of_an_unknown_tenant_leaves_no_file(run_on: Run, tmp_path: Path) -> None:
    file = tmp_path / "acme.jsonl"
    assert "no tenant acme" in run_on("tenant", "export", "acme", "--to", str(file)).complaint()
    assert list(tmp_path.glob("acme*")) == []


def test_what_is_set_is_shown(run_on: Run) -> None:
    run_on("tenant", "create", "acme")
    run_on("tenant", "set", "acme", "page_size_max=50", "hidden_resource_types=Group", "--json").json()
    shown = run_on("tenant", "show", "acme", "--json").json()
    assert shown == {"page_size_max": 50, "hidden_resource_types": ["Group"]}


def test_an_assignment_needs_an_equals_sign(run_on: Run) -> None:
    run_on("tenant", "create", "acme")
    assert "page_size_max=VALUE" in run_on("tenant", "set", "acme", "page_size_max").complaint()
