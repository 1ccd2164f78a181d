"""What the product depends on: a short list, explained, pinned and fitting; and nothing that runs text."""

import ast
import re
import subprocess
import sys
import tomllib

import pytest

from tests.docs.documents import ROOT
from tests.house.sources import sources

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_ROW = re.compile(r"^\| ([\w-]+) \| [^|]{5,} \|$", re.MULTILINE)


def names(requirements: list[str]) -> set[str]:
    """Return the names of requirements, as package indexes compare them."""
    return {match[0].lower().replace("_", "-") for each in requirements if (match := _NAME.match(each))}


PINNED = {
    name.lower().replace("_", "-"): version
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
    for name, _, version in [line.partition("==")]
}
RUNTIME = names(PROJECT["project"]["dependencies"])
ASKED = RUNTIME.union(*(names(extra) for extra in PROJECT["project"]["optional-dependencies"].values()))


def test_every_dependency_is_explained() -> None:
    text = (ROOT / "docs/security.md").read_text(encoding="utf-8").partition("| Dependency | For |")[2]
    assert set(_ROW.findall(text)) == RUNTIME


def test_the_list_is_short() -> None:
    assert len(RUNTIME) <= 16


@pytest.mark.parametrize("name", sorted(ASKED))
def test_every_dependency_is_pinned_to_one_version(name: str) -> None:
    assert re.fullmatch(r"[0-9][0-9A-Za-z.+!]*", PINNED.get(name, ""))


def test_what_is_installed_fits_together() -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "pip", "check", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (outcome.returncode, outcome.stdout.strip()) == (0, "No broken requirements found.")


def test_the_rules_about_security_are_on() -> None:
    lint = PROJECT["tool"]["ruff"]["lint"]
    assert lint["select"] == ["ALL"]
    assert [rule for rule in lint["ignore"] if re.fullmatch(r"S\d*", rule)] == []


_TEXT_RUNNERS = {"eval", "exec", "compile", "__import__"}
_MODULES = {"pickle", "marshal", "shelve", "subprocess", "telnetlib", "xml"}


def test_no_code_runs_text_or_a_shell_or_reads_pickles() -> None:
    found = []
    for file in sources("scim_server", "extensions"):
        for node in ast.walk(file.tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in _TEXT_RUNNERS
            ):
                found.append(f"{file.path}:{node.lineno} {node.func.id}")
            imported = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            found += [f"{file.path} {name}" for name in imported if name.partition(".")[0] in _MODULES]
    assert found == []
