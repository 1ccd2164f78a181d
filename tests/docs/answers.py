"""Answers as documents print them, compared with what commands printed."""

import json
import re
from typing import Any

ANYTHING = "..."


def same(printed: str, documented: str) -> bool:
    """Tell whether an output is what a document says; `...` stands for what differs from run to run."""
    try:
        expected = json.loads(documented)
    except ValueError:
        return _same_text(printed, documented)
    try:
        return _same_value(json.loads(printed), expected)
    except ValueError:
        return False


def _same_text(printed: str, documented: str) -> bool:
    """Compare line by line; a first line of `...` alone stands for any lines before the others."""
    found, wanted = printed.strip().splitlines(), documented.strip().splitlines()
    if wanted[0] == ANYTHING:
        wanted = wanted[1:]
        found = found[-len(wanted) :]
    return len(found) == len(wanted) and all(map(_same_line, found, wanted))


def _same_line(found: str, wanted: str) -> bool:
    return re.fullmatch(re.escape(wanted).replace(re.escape(ANYTHING), ".*"), found) is not None


def _same_value(found: Any, wanted: Any) -> bool:
    if wanted == ANYTHING:
        return True
    if isinstance(wanted, dict):
        return (
            isinstance(found, dict)
            and list(found) == list(wanted)
            and all(_same_value(found[key], wanted[key]) for key in wanted)
        )
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(_same_value(one, other) for one, other in zip(found, wanted, strict=True))
        )
    return bool(found == wanted)
