"""The paths and tables that the documents name are there."""

import re

import pytest

from scim_server.services import search, walks
from scim_server.store.database import BUSY_TIMEOUT_MILLISECONDS
from scim_server.store.tables import metadata
from tests.docs.documents import ROOT, document, documents

PATH = re.compile(r"(?:scim_server|schemas|tests|extensions)(?:/[\w./]*)?\w|docker-compose\.yml|Dockerfile")
ARCHITECTURE = document("docs/architecture.md")


@pytest.mark.parametrize("path", [found.path for found in documents()])
def test_every_path_that_is_named_exists(path: str) -> None:
    named = {code for code in document(path).code if PATH.fullmatch(code)}
    assert {code for code in named if not (ROOT / code).exists()} == set()


def test_the_line_of_a_request_names_its_files() -> None:
    line = ARCHITECTURE.text.partition("## The line of a request\n")[2].partition("\n## ")[0]
    assert len(re.findall(r"`scim_server/[\w/]+\.py`", line)) > 15


def test_every_table_is_described() -> None:
    assert set(metadata.tables) - ARCHITECTURE.code == set()


def test_every_part_of_the_server_is_described() -> None:
    parts = {
        f"scim_server/{folder.name}"
        for folder in (ROOT / "scim_server").iterdir()
        if (folder / "__init__.py").is_file()
    }
    assert parts - ARCHITECTURE.code == set()


def test_the_figures_of_the_walk_memory_are_the_ones_of_the_code() -> None:
    section = ARCHITECTURE.text.partition("## Paging and the memory of walks\n")[2].partition("\n## ")[0]
    facts = [
        f"offsets from {search.WALK_FROM:,} on",
        f"{walks.MARKS_KEPT} positions of {walks.WALKS_KEPT:,} walks at most",
        f"remembered for {walks.COUNT_SECONDS} seconds",
        f"for {walks.START_SECONDS} seconds or a hundred times as long as counting took",
    ]
    assert [fact for fact in facts if fact not in section] == []
    assert (walks.WALK_SECONDS, "for ten minutes" in section) == (600, True)


@pytest.mark.parametrize("path", ["docs/architecture.md", "docs/operations.md"])
def test_the_patience_with_a_locked_file_is_the_one_of_the_code(path: str) -> None:
    text = document(path).text
    assert re.findall(r"(?:up to|more than) (\d+) seconds", text) == [str(BUSY_TIMEOUT_MILLISECONDS // 1_000)]
