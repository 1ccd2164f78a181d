"""What `scim-server audit` reads and shows: checkpoints, keys, verdicts."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from scim_server.cli import output
from scim_server.cli.output import CommandFailed
from scim_server.services.transparency.verification import Verdict

BROKEN, CANNOT_TELL = 1, 2
_MOST_NAMED = 10


class Untold(CommandFailed):
    """What was asked cannot be told; the exit code is 2."""

    code = CANNOT_TELL


def notes_in(path: Path) -> tuple[list[str], list[str]]:
    """Return the checkpoints of a file, one note or the JSON lines of a sink, and what is said of bad lines.

    Raises Untold where the file cannot be read.
    """
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise Untold(f"{path} cannot be read: {error}") from error
    if not any(line.lstrip().startswith("{") for line in text.splitlines()):
        return [text], []
    found, bad = list[str](), list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            found.append(str(orjson.loads(line)["checkpoint"]))
        except (ValueError, KeyError, TypeError):
            bad.append(str(number))
    rest = " and others" if bad[_MOST_NAMED:] else ""
    said = f"{path}: no checkpoint is in line {', '.join(bad[:_MOST_NAMED])}{rest}"
    return found, [said] if bad else []


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdicts, each with the alarm of events that wait too long, and what could not be told at all."""

    verdicts: Sequence[tuple[Verdict, str | None]]
    unknown: Sequence[str] = ()


def _code(verdict: Verdict, late: str | None) -> int:
    return CANNOT_TELL if late and not verdict.code else verdict.code


def facts_of(verdict: Verdict, late: str | None) -> dict[str, Any]:
    """Return a verdict for --json."""
    bad = verdict.bad
    return {
        "tenant": verdict.tenant,
        "verdict": ("intact", "broken", "cannot tell")[_code(verdict, late)],
        "events": verdict.events,
        "from": verdict.first,
        "to": verdict.last,
        "checkpoints": verdict.checkpoints,
        "erased": verdict.erased,
        "first_bad": bad and {"sequence": bad.sequence, "event": bad.event_id, "what": bad.what},
        "unknown": verdict.unknown,
        "remarks": verdict.remarks,
        "late": late,
    }


def show_verdicts(verdicts: Sequence[tuple[Verdict, str | None]]) -> None:
    """Print what was found, one paragraph for each tenant."""
    for verdict, late in verdicts:
        state = ("intact", "BROKEN", "cannot tell")[_code(verdict, late)]
        looked = f"{verdict.events} events looked at, {verdict.checkpoints} checkpoints agree"
        output.say(f"{verdict.tenant}: {state}; {looked}, {verdict.erased} private parts erased")
        if verdict.bad is not None:
            event = f" (event {verdict.bad.event_id})" if verdict.bad.event_id else ""
            output.say(f"  first bad sequence {verdict.bad.sequence}{event}: {verdict.bad.what}")
        for text in (*verdict.unknown, *verdict.remarks, *([late] if late else [])):
            output.say(f"  {text}")


def code_of(answer: Answer) -> int:
    """Return the exit code: broken before cannot tell, which an alarm is, too, before intact."""
    codes = {verdict.code for verdict, _ in answer.verdicts}
    if BROKEN in codes:
        return BROKEN
    is_untold = answer.unknown or any(late for _, late in answer.verdicts)
    return CANNOT_TELL if is_untold or CANNOT_TELL in codes else 0


def write_key(path: Path, text: str) -> None:
    """Write a key to a new file that only its owner can read. Raises CommandFailed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CommandFailed(f"{path} cannot be made: {error.strerror}") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
