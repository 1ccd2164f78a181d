"""The documents as the tests read them: fenced blocks, tables, headings and links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ANSWER = "answer"
RUN = "run"

_BLOCK = re.compile(r"^```(\S*) ?(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, what follows the language, and its text."""

    language: str
    mark: str
    text: str


@dataclass(frozen=True, slots=True)
class Example:
    """Shell commands of a document that are run, and what it says they print (None where it does not)."""

    commands: str
    answer: str | None


@dataclass(frozen=True)
class Document:
    """One Markdown file, by its path in the project."""

    path: str

    @property
    def text(self) -> str:
        """The whole text."""
        return (ROOT / self.path).read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """The text without fenced blocks."""
        return _BLOCK.sub("", self.text)

    @property
    def blocks(self) -> list[Block]:
        """The fenced blocks in order."""
        return [Block(*found) for found in _BLOCK.findall(self.text)]

    @property
    def examples(self) -> list[Example]:
        """The blocks marked `run`, each with the block marked `answer` that follows it."""
        following = [*self.blocks[1:], None]
        return [
            Example(block.text, after.text if after is not None and after.mark == ANSWER else None)
            for block, after in zip(self.blocks, following, strict=True)
            if block.mark == RUN
        ]

    @property
    def files(self) -> dict[str, str]:
        """The blocks whose mark is a path, as files."""
        return {block.mark: block.text for block in self.blocks if "/" in block.mark}

    @property
    def anchors(self) -> set[str]:
        """The names under which a link reaches the headings."""
        return {_anchor(heading) for heading in _HEADING.findall(self.prose)}

    @property
    def links(self) -> list[str]:
        """The targets of the links outside fenced blocks."""
        return _LINK.findall(self.prose)

    @property
    def code(self) -> set[str]:
        """Everything the prose sets as code."""
        return set(_CODE.findall(self.prose))

    def rows(self, heading: str) -> Iterator[list[str]]:
        """Yield the cells of the rows of the tables below a heading, without the head of the table."""
        section = self.text.partition(f"# {heading}\n")[2]
        section = re.split(r"^#", section, maxsplit=1, flags=re.MULTILINE)[0]
        for line in section.splitlines():
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if line.startswith("| `"):
                yield cells


def _anchor(heading: str) -> str:
    words = re.sub(r"[^\w\s-]", "", heading.lower())
    return re.sub(r"\s", "-", words)


@cache
def documents() -> tuple[Document, ...]:
    """Return every document of the project."""
    files = [
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        ROOT / "SECURITY.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    ]
    return tuple(Document(file.relative_to(ROOT).as_posix()) for file in files)


def document(path: str) -> Document:
    """Return one document by its path in the project."""
    return next(found for found in documents() if found.path == path)
