"""The Python sources of the project as the house rules see them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("scim_server", "extensions")


@dataclass(frozen=True, eq=False)
class Source:
    """One file: its path in the project, its text and syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def layer(self) -> str:
        """The part of the product it belongs to: `store` for scim_server/store/..., `app` for app.py."""
        package, _, rest = self.path.partition("/")
        return rest.partition("/")[0].removesuffix(".py") if package == "scim_server" else package

    def calls(self) -> Iterator[ast.Call]:
        """Give every call in the file."""
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def imports(self) -> Iterator[str]:
        """Give the full dotted name of everything the file imports, wherever it does."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from (f"{self._origin(node)}.{alias.name}" for alias in node.names)

    def _origin(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = Path(self.path).parts[: -node.level]
        return ".".join([*package, *([node.module] if node.module else [])])


def source(path: str, text: str) -> Source:
    """Return a source made of a text."""
    return Source(path, text, ast.parse(text))


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Return every Python file below the folders of the project."""
    files = (file for folder in folders for file in sorted((ROOT / folder).rglob("*.py")))
    return tuple(
        source(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")) for file in files
    )
