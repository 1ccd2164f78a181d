"""Temporary passwords, made where an administrator asks for one."""

import secrets

_LENGTH = 16
_KINDS = ("ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnpqrstuvwxyz", "23456789", "!#%+-=?@")
"""Characters of each kind that a password needs (S4 USER-005), without those that look alike."""


def temporary_password() -> str:
    """Return a random password of 16 characters with every kind in it: more than 90 random bits."""
    random = secrets.SystemRandom()
    chosen = [secrets.choice(kind) for kind in _KINDS]
    chosen += [secrets.choice("".join(_KINDS)) for _ in range(_LENGTH - len(_KINDS))]
    random.shuffle(chosen)
    return "".join(chosen)
