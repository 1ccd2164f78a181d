"""The benchmark itself works: a short run fills a store, measures every operation, and writes its results."""

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from benchmarks import peers
from benchmarks.operations import World, operations
from benchmarks.processes import ROOT
from benchmarks.walks import SIZE


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the results of a short run."""
    folder = tmp_path_factory.mktemp("bench")
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks", "--database", "sqlite", "--users", "1000"]
    command += ["--seconds", "0.05", "--rounds", "1", "--walk", "0.5", "--no-peers"]
    command += ["--out", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=240)
    return folder


def test_every_operation_has_a_row_with_what_was_measured(results: Path) -> None:
    found: dict[str, Any] = json.loads((results / "results.json").read_text(encoding="utf-8"))
    world = World("", "", ["a"] * 1_000, {10: "g", 1_000: "h"})
    assert [row["operation"] for row in found["rows"]] == [one.name for one in operations(world)]
    assert all(row["ours"]["rate"] > 0 for row in found["rows"])
    assert {row["database"] for row in found["rows"]} == {"sqlite"}


def test_what_the_store_is_like_is_told_beside_it(results: Path) -> None:
    (store,) = json.loads((results / "results.json").read_text(encoding="utf-8"))["stores"]
    assert (store["database"], store["users"]) == ("sqlite", 1_000)
    assert min(store["bulk_creates_per_second"], store["load_rows_per_second"], store["memory_mib"]) > 0


def test_the_results_come_as_a_table_and_a_plot(results: Path) -> None:
    assert (results / "sqlite.md").read_text(encoding="utf-8").startswith("| operation |")
    assert "<svg" in (results / "sqlite.svg").read_text(encoding="utf-8")


def test_every_walk_tells_how_its_pages_compare_with_the_first(results: Path) -> None:
    walks = json.loads((results / "results.json").read_text(encoding="utf-8"))["walks"]
    hows = ["by index", "by cursor", "two walkers at once", "two processes in turns", "jump to the middle"]
    assert [how for how in hows if not any(how in walk["name"] for walk in walks)] == []
    plain = next(walk for walk in walks if walk["name"] == "list, by index")
    assert plain["pages"] == -(-plain["total"] // SIZE)
    assert min(min(walk["first"], walk["p50"], walk["ratio"]) for walk in walks) > 0
    assert "| list, by index |" in (results / "sqlite.md").read_text(encoding="utf-8")


async def test_a_peer_that_cannot_be_had_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(*_: object, **_options: object) -> None:
        raise FileNotFoundError("npm")

    monkeypatch.setattr(subprocess, "run", missing)
    with ExitStack() as stack:
        assert await peers.started(stack, tmp_path, 1_000) == {}
    assert capsys.readouterr().err.splitlines() == ["without scim2-server: npm", "without SCIMMY: npm"]
