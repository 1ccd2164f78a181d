"""Which tests prove which requirements, read from the sources of the tests.

A test names them with `@pytest.mark.proves("CRE-07", "CRE-08")`: on the function, on its class, on one
`pytest.param` of it, or for a whole class or module with `pytestmark`.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.house.sources import Source

MARK = "pytest.mark.proves"

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, order=True)
class Proof:
    """One test that proves one requirement."""

    id: str
    path: str
    test: str


def proofs(files: Iterable[Source]) -> list[Proof]:
    """Return what the tests of the files prove, in order; raises ValueError for a mark it cannot read."""
    return sorted({proof for file in files for proof in _of_file(file)})


def _of_file(file: Source) -> Iterator[Proof]:
    if MARK not in file.text:
        return
    tables = dict(_assignments(file.tree))
    for name, test, inherited in _tests(file.tree, "", ()):
        for node in (*inherited, *test.decorator_list):
            yield from (Proof(named, file.path, name) for named in _ids(node, tables, file.path))


def _tests(
    scope: ast.Module | ast.ClassDef, prefix: str, inherited: tuple[ast.expr, ...]
) -> Iterator[tuple[str, _Function, tuple[ast.expr, ...]]]:
    """Yield name and node of every test with the marks that its module and classes give it."""
    marks = (*inherited, *(value for name, value in _assignments(scope) if name == "pytestmark"))
    for node in scope.body:
        if isinstance(node, ast.ClassDef):
            yield from _tests(node, f"{prefix}{node.name}::", (*marks, *node.decorator_list))
        elif isinstance(node, _Function) and node.name.startswith("test"):
            yield f"{prefix}{node.name}", node, marks


def _assignments(scope: ast.Module | ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    for node in scope.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        if isinstance(node, ast.Assign | ast.AnnAssign) and value is not None:
            yield from ((target.id, value) for target in targets if isinstance(target, ast.Name))


def _ids(node: ast.expr, tables: dict[str, ast.expr], path: str) -> Iterator[str]:
    """Yield the ids of the marks in an expression and in the tables of the module that it names."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and ast.unparse(part.func) == MARK:
            for argument in part.args:
                yield _text(argument, path)
        elif isinstance(part, ast.Name) and part.id in tables:
            yield from _ids(tables[part.id], {}, path)


def _text(node: ast.expr, path: str) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise ValueError(f"{path}:{node.lineno}: a requirement is named by its id, as text")
