"""Checks of passwords by preset, each a list of messages that is empty where the password is good."""

import json
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal

Preset = Literal["seed", "nist"]

_SEED_LENGTH = 8
_NIST_LENGTH = 15
_MAX_LENGTH = 1_024
_BLOCKED = Path(__file__).with_name("blocked_passwords.json")

_KINDS: tuple[Callable[[str], bool], ...] = (
    str.isupper,
    str.islower,
    str.isdecimal,
    lambda character: not character.isalnum(),
)


def password(text: str, preset: Preset) -> list[str]:
    """Check a password: `seed` as S4 USER-005, `nist` as NIST SP 800-63B-4 §3.1.1.2.

    Characters are counted after NFC, so that every keyboard counts the same.
    """
    normal = unicodedata.normalize("NFC", text)
    if len(normal) > _MAX_LENGTH:
        return [f"Password cannot exceed {_MAX_LENGTH} characters"]
    return _PRESETS[preset](normal)


def _seed(text: str) -> list[str]:
    messages = _length(text, _SEED_LENGTH)
    if not all(any(map(kind, text)) for kind in _KINDS):
        messages.append("Password must contain uppercase, lowercase, number, and special character")
    return messages


def _nist(text: str) -> list[str]:
    common = ["Password is too easy to guess"] if _unit(_letters(text)) in _blocked() else []
    return _length(text, _NIST_LENGTH) + common


def _length(text: str, least: int) -> list[str]:
    return [] if len(text) >= least else [f"Password must have at least {least} characters"]


def _letters(text: str) -> str:
    """Return a password as guessers see it: without case, and without what is added at its end."""
    folded = text.casefold()
    return folded.rstrip("0123456789!?.,-_#$* ") or folded


def _unit(text: str) -> str:
    """Return the part that a text repeats, the text itself where it repeats none."""
    return text[: (text + text).index(text, 1)] if text else text


@cache
def _blocked() -> frozenset[str]:
    words = json.loads(_BLOCKED.read_text(encoding="utf-8"))
    return frozenset(_unit(_letters(word)) for word in words)


_PRESETS: dict[Preset, Callable[[str], list[str]]] = {"seed": _seed, "nist": _nist}
