"""Everything the commands print: text, tables and JSON on stdout, one line of complaint on stderr."""

import dataclasses
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any


class CommandFailed(Exception):
    """A command cannot do what was asked; the message is one line for the person who typed it."""


def say(text: str) -> None:
    """Print a line to stdout."""
    print(text, flush=True)


def complain(message: str) -> None:
    """Print the message to stderr as one line, whatever line breaks it holds."""
    print(f"scim-server: {' '.join(message.split())}", file=sys.stderr, flush=True)


def show_json(data: Any) -> None:
    """Print data as JSON: dataclasses as objects, moments as ISO 8601."""
    print(json.dumps(data, indent=2, ensure_ascii=False, default=_plain), flush=True)


def show_facts(facts: dict[str, object]) -> None:
    """Print one line for each fact, the values in one column; None is shown as `-`."""
    width = max(map(len, facts))
    for name, value in facts.items():
        say(f"{name:<{width}}  {_cell(value)}")


def show_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their headings, the columns as wide as their longest cell."""
    lines = [headings, *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return "-" if value is None or value == "" else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
