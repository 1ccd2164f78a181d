"""What `scim-server audit` reads and shows: checkpoints, keys, verdicts."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from scim_server.cli import output
from scim_server.cli.output import CommandFailed
from scim_server.services.transparency.verification import Verdict

BROKEN, CANNOT_TELL = 1, 2


class Untold(CommandFailed):
    """What was asked cannot be told; the exit code is 2."""

    code = CANNOT_TELL


def notes_in(path: Path) -> list[str]:
    """Return the checkpoints of a file: one note, or the JSON lines of a sink. Raises Untold."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Untold(f"{path} cannot be read: {error}") from error
    if not text.lstrip().startswith("{"):
        return [text]
    try:
        return [str(orjson.loads(line)["checkpoint"]) for line in text.splitlines() if line.strip()]
    except (ValueError, KeyError, TypeError) as error:
        raise Untold(f"{path} is neither a checkpoint nor the lines of a sink") from error


def facts_of(verdict: Verdict, late: str | None) -> dict[str, Any]:
    """Return a verdict for --json."""
    bad = verdict.bad
    return {
        "tenant": verdict.tenant,
        "verdict": ("intact", "broken", "cannot tell")[verdict.code],
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
        state = ("intact", "BROKEN", "cannot tell")[verdict.code]
        looked = f"{verdict.events} events looked at, {verdict.checkpoints} checkpoints agree"
        output.say(f"{verdict.tenant}: {state}; {looked}, {verdict.erased} private parts erased")
        if verdict.bad is not None:
            event = f" (event {verdict.bad.event_id})" if verdict.bad.event_id else ""
            output.say(f"  first bad sequence {verdict.bad.sequence}{event}: {verdict.bad.what}")
        for text in (*verdict.unknown, *verdict.remarks, *([late] if late else [])):
            output.say(f"  {text}")


def code_of(verdicts: Sequence[tuple[Verdict, str | None]]) -> int:
    """Return the exit code: broken before cannot tell before intact."""
    codes = {verdict.code for verdict, _ in verdicts}
    return BROKEN if BROKEN in codes else CANNOT_TELL if CANNOT_TELL in codes else 0


def write_key(path: Path, text: str) -> None:
    """Write a key to a new file that only its owner can read. Raises CommandFailed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CommandFailed(f"{path} cannot be made: {error.strerror}") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
