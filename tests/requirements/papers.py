"""The requirements, and for each the tests that prove it or why it waits."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from tests.house.sources import ROOT, sources
from tests.requirements.proofs import Proof, proofs

FOLDER = ROOT / "tests" / "requirements"
DOCUMENT = ROOT / "docs" / "requirements.md"
OPEN = FOLDER / "open.json"
REASONS = {
    "screens",
    "delivery",
    "imports",
    "access requests",
    "reviews",
    "privacy",
    "another system",
}

_HEAD = """# Requirements

What the organisation's documents ask of user management, and for each requirement the tests that prove it
or why it waits. `python -m tests.requirements.generate` writes this page.

| Short name | Document |
|---|---|
| S0 | User Management, standard operating procedure |
| S1 | System Access Provisioning Workflow |
| S2 | User Management, use cases UC-USR-001 to 015 (MF main flow, AF alternative flow, EF exception flow) |
| S3 | User workflow |
| S4 | User Management, use case UC-ADMIN-005 |
"""

Row = Mapping[str, Any]


def load(name: str) -> Any:
    """Return a JSON file of this folder."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


@cache
def rows() -> Sequence[Row]:
    """Return the requirements in order: id, group, requirement, class, source."""
    found: Sequence[Row] = load("requirements.json")
    return found


@cache
def waiting() -> Mapping[str, Mapping[str, str]]:
    """Return reason and note of each requirement that is not proved now."""
    found: Mapping[str, Mapping[str, str]] = load("waiting.json")
    return found


@cache
def proved() -> Mapping[str, Sequence[Proof]]:
    """Return the proofs of each id that a test names."""
    by_id = groupby(proofs(sources("tests")), key=lambda proof: proof.id)
    return {name: list(found) for name, found in by_id}


def unproved() -> list[str]:
    """Return the ids of the requirements that are neither proved nor waiting, in order."""
    return [row["id"] for row in rows() if row["id"] not in proved() and row["id"] not in waiting()]


def listed(ids: Sequence[str]) -> str:
    """Return a list of ids as the text of open.json."""
    return json.dumps(ids, indent=1) + "\n"


def document() -> str:
    """Return docs/requirements.md as it must be."""
    parts = [_HEAD]
    for group, members in groupby(rows(), key=lambda row: row["group"]):
        lines = [f"| {row['id']} | {_said(row)} | {_settled(row['id'])} |" for row in members]
        parts.append(
            "\n".join([f"## {group}\n", "| Id | Requirement | Proved by |", "|---|---|---|", *lines, ""])
        )
    return "\n".join(parts)


def _said(row: Row) -> str:
    return f"{row['requirement']} ({row['source']})"


def _settled(id: str) -> str:
    if id in waiting():
        return f"*Waits for {waiting()[id]['reason']}.* {waiting()[id]['note']}"
    links = [f"[{_name(proof)}](../{proof.path})" for proof in proved().get(id, ())]
    return "<br>".join(links) or "*Open.*"


def _name(proof: Proof) -> str:
    return f"{proof.path.removeprefix('tests/')}::{proof.test}".replace("_", "\\_")
