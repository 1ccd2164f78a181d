"""The page on extension modules shows the example as it is, and the example works once it is installed."""

import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.answers import same
from tests.docs.documents import ROOT, document
from tests.docs.shell import run_examples
from tests.support.server import LiveServer

PAGE = document("docs/extending.md")
EXAMPLE = ROOT / "tests" / "data" / "example_extension"
FILES = sorted(path for path in EXAMPLE.rglob("*") if path.suffix in {".py", ".json"})


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


@pytest.fixture
def parking(database_url: str, tmp_path: Path) -> Iterator[LiveServer]:
    """Give a server in whose environment the example is installed as the page says."""
    packages = tmp_path / "packages"
    shutil.copytree(EXAMPLE, packages / "parking", ignore=shutil.ignore_patterns("__pycache__"))
    facts = packages / "parking-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: parking\nVersion: 1.0\n", encoding="utf-8")
    stated = tomllib.loads(next(block.text for block in PAGE.blocks if block.language == "toml"))
    (named,) = stated["project"]["entry-points"]["scim_server.extensions"].items()
    points = f"[scim_server.extensions]\n{' = '.join(named)}\n"
    (facts / "entry_points.txt").write_text(points, encoding="utf-8")
    server = LiveServer.start(
        database_url, tmp_path, arguments=("--sample",), environment={"PYTHONPATH": str(packages)}
    )
    kept = tmp_path / "var" / "token"
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        kept.symlink_to(tmp_path / "token")
    yield server
    server.stop()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_code_of_the_page_is_the_code_of_the_example(file: Path) -> None:
    mark = file.relative_to(ROOT).as_posix()
    shown = [line for block in PAGE.blocks if block.mark == mark for line in lines(block.text)]
    assert shown == lines(file.read_text(encoding="utf-8"))


def test_every_example_of_the_page_prints_what_it_says(parking: LiveServer) -> None:
    printed = run_examples(PAGE.examples, parking.root_url, parking.database_url, parking.log.parent)
    answers = [(example.answer, output) for example, output in zip(PAGE.examples, printed, strict=True)]
    assert [output for answer, output in answers if answer is None or not same(output, answer)] == []
    assert answers
