"""What holds for every file of the project."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.sources import PRODUCT, ROOT, Source, source, sources

LONGEST = 400
COMMITTERS = ("scim_server/services/", "scim_server/store/database.py")
PRINTER = "scim_server/cli/output.py"
READERS_OF_THE_ENVIRONMENT = ("scim_server/settings.py", "scim_server/cli/")
PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[0-9][A-Za-z0-9.+!]*")

_Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def undocumented(file: Source) -> list[str]:
    """Return the module, public classes, functions and methods without a docstring."""
    nodes = [(file.path, file.tree), *((f"{file.path}:{node.lineno}", node) for node in _public(file.tree))]
    return [where for where, node in nodes if not ast.get_docstring(node) and not _is_overload(node)]


def _is_overload(node: ast.AST) -> bool:
    """Tell whether a node only states one more type of a function, whose docstring stands below."""
    decorators = getattr(node, "decorator_list", [])
    return any(isinstance(each, ast.Name) and each.id == "overload" for each in decorators)


def _public(scope: ast.Module | ast.ClassDef) -> Iterator[_Documented]:
    for node in scope.body:
        if isinstance(node, _Documented) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node)


def commits(file: Source) -> list[str]:
    return [
        f"{file.path}:{call.lineno}"
        for call in file.calls()
        if isinstance(call.func, ast.Attribute) and call.func.attr == "commit"
    ]


def prints(file: Source) -> list[str]:
    return [
        f"{file.path}:{call.lineno}"
        for call in file.calls()
        if isinstance(call.func, ast.Name) and call.func.id == "print"
    ]


def environment_reads(file: Source) -> list[str]:
    names = {"os.environ", "os.environb", "os.getenv"}
    imported = [file.path for name in file.imports() if name in names]
    return imported + [
        f"{file.path}:{node.lineno}"
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in names
    ]


def test_no_file_is_longer_than_400_lines() -> None:
    long = [file.path for file in sources(*PRODUCT, "tests") if file.text.count("\n") > LONGEST]
    assert long == []


def test_everything_public_has_a_docstring() -> None:
    documented = sources(*PRODUCT, "tests/support")
    assert [where for file in documented if file.text for where in undocumented(file)] == []


def test_only_services_and_the_unit_of_work_commit() -> None:
    others = [file for file in sources(*PRODUCT) if not file.path.startswith(COMMITTERS)]
    assert [where for file in others for where in commits(file)] == []


def test_only_the_output_of_the_commands_prints() -> None:
    others = [file for file in sources(*PRODUCT) if file.path != PRINTER]
    assert [where for file in others for where in prints(file)] == []


def test_only_settings_and_commands_read_the_environment() -> None:
    others = [file for file in sources(*PRODUCT) if not file.path.startswith(READERS_OF_THE_ENVIRONMENT)]
    assert [where for file in others for where in environment_reads(file)] == []


def test_constraints_are_names_and_versions_and_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not PIN.fullmatch(line)] == []


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.environ['A']",
        "import os\nos.getenv('A')",
        "from os import environ",
    ],
)
def test_a_read_of_the_environment_is_found(text: str) -> None:
    assert environment_reads(source("scim_server/app.py", text)) != []


@pytest.mark.parametrize(
    "text",
    [
        "x = 1",
        '"""Doc."""\ndef public(): ...',
        '"""Doc."""\nclass Public:\n    """Doc."""\n    async def method(self): ...',
    ],
)
def test_a_missing_docstring_is_found(text: str) -> None:
    assert undocumented(source("scim_server/app.py", text)) != []
