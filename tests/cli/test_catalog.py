"""`scim-server catalog load` on both databases."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.support.stores import CATALOGUE

FIRST: dict[str, Any] = {
    "policies": {"activation": {"manager": True}},
    "roles": [{"value": "engineer", "display": "Engineer", "permissions": ["code:write"]}],
    "departments": [
        {"displayName": "Platform", "code": "PLT", "parent": "ENG"},
        {"displayName": "Engineering", "code": "ENG", "defaultRoles": ["engineer"]},
    ],
    "locations": [{"displayName": "Cork", "code": "CRK", "type": "office"}],
    "entitlements": [{"value": "vault", "sensitive": True}],
}
COUNTS = {"policies": 1, "roles": 1, "entitlements": 1, "departments": 2, "locations": 1}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file of a small organisation."""
    path = tmp_path / "organisation.json"
    path.write_text(json.dumps(FIRST), encoding="utf-8")
    return path


def loaded(run_on: Run, file: Path, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = run_on("catalog", "load", str(file), "--json", *options).json()
    return found


def outcomes(summary: dict[str, Any], outcome: str) -> dict[str, int]:
    counted = {section: counts for section, counts in summary.items() if section != "dry_run"}
    return {section: counts[outcome] for section, counts in counted.items() if counts[outcome]}


def test_what_is_not_there_is_created_and_again_left_alone(run_on: Run, file: Path) -> None:
    assert outcomes(loaded(run_on, file), "created") == COUNTS
    assert outcomes(loaded(run_on, file), "unchanged") == COUNTS


def test_a_dry_run_says_the_same_and_writes_nothing(run_on: Run, file: Path) -> None:
    assert outcomes(loaded(run_on, file, "--dry-run"), "created") == COUNTS
    assert outcomes(loaded(run_on, file), "created") == COUNTS


def test_what_differs_is_updated(run_on: Run, file: Path) -> None:
    loaded(run_on, file)
    changed = {"departments": [{"code": "eng", "displayName": "Engineering", "costCenter": "2000"}]}
    file.write_text(json.dumps(changed), encoding="utf-8")
    assert outcomes(loaded(run_on, file), "updated") == {"departments": 1}


def test_a_tenant_of_its_own_gets_its_own(run_on: Run, file: Path) -> None:
    loaded(run_on, file)
    run_on("tenant", "create", "acme")
    assert outcomes(loaded(run_on, file, "--tenant", "acme"), "created") == COUNTS


def test_the_samples_catalogue_loads_and_prints_a_table(run_on: Run) -> None:
    printed = run_on("catalog", "load", str(CATALOGUE)).out
    assert [line.split()[0] for line in printed.splitlines()] == [
        "WHAT", "policies", "roles", "entitlements", "departments", "locations",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "cannot be read"),
        ("[]", "must hold an object"),
        ('{"users": []}', "unknown sections: users"),
        ('{"roles": {}}', "roles must be a list of tables"),
        ('{"roles": [{"display": "x"}]}', "roles[0] has no value"),
        ('{"roles": [{"value": "x", "colour": "red"}]}', "roles x: has no attribute colour"),
        (
            '{"departments": [{"code": "A", "displayName": "A", "parent": "B"}]}',
            "Department B does not exist",
        ),
        ('{"policies": {"timezone": "Mars/Olympus"}}', "policies: timezone: Value error, Mars/Olympus"),
        (
            '{"roles": [{"value": "x", "defaultApprovalLimits": [{"amount": 1.005, "currency": "USD"}]}]}',
            "Approval limit in USD can have at most 2 decimal places",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line_and_writes_nothing(
    run_on: Run, file: Path, content: str, said: str
) -> None:
    good = file.with_name("good.json")
    good.write_text(json.dumps(FIRST), encoding="utf-8")
    file.write_text(content, encoding="utf-8")
    assert said in run_on("catalog", "load", str(file)).complaint()
    assert outcomes(loaded(run_on, good), "created") == COUNTS


def test_half_a_file_is_not_loaded(run_on: Run, file: Path) -> None:
    broken = {**FIRST, "locations": [{"displayName": "Nowhere", "code": "X", "type": "moon"}]}
    bad = file.with_name("bad.json")
    bad.write_text(json.dumps(broken), encoding="utf-8")
    assert "locations X: type must be one of" in run_on("catalog", "load", str(bad)).complaint()
    assert outcomes(loaded(run_on, file), "created") == COUNTS
