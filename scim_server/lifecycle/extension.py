"""What an extension module offers: rules, derivations and jobs, found by entry point."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from scim_server.lifecycle.catalogue import Catalogue
from scim_server.lifecycle.change import Actor, Rule
from scim_server.lifecycle.documents import Document

GROUP = "scim_server.extensions"


@dataclass(frozen=True, slots=True)
class Derivation:
    """Values that follow from the facts of a user, the catalogue and the time.

    `derive` sets them in a document in place, for a moment in microseconds; `moments` names the moments at
    which they change by themselves; `attributes` are the lower-case paths of the top-level attributes that
    so vary with time, which filters then read as of now.
    """

    derive: Callable[[Document, int, Catalogue], None]
    attributes: tuple[str, ...] = ()
    moments: Callable[[Document], Iterable[int]] = lambda _document: ()


@dataclass(frozen=True, slots=True)
class Mirror:
    """A flat form of a fact beside its rich one; a client may write either (docs/lifecycle.md).

    `flat` and `rich` are extension URN (None for the core schema) and attribute. `write` makes the rich form
    from the flat one in place, `agrees` tells whether both say the same, for a request that states both.
    The way back is a derivation.
    """

    name: str
    flat: tuple[tuple[str | None, str], ...]
    rich: tuple[tuple[str | None, str], ...]
    write: Callable[[Document, Actor, Catalogue], None]
    agrees: Callable[[Document, Catalogue], bool]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a job found about one user, for the audit trail."""

    action: str
    message: str


@dataclass(frozen=True, slots=True)
class Job:
    """Work on users whose time has come: called with a user's document before and after a moment passed."""

    name: str
    run: Callable[[Document, Document, Catalogue], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Extension:
    """One module of the organisation's rules.

    `schemas` are folders with further schema documents, as `SCIM_SCHEMA_FOLDERS` names them.
    """

    name: str
    rules: tuple[Rule, ...] = ()
    derivations: tuple[Derivation, ...] = ()
    mirrors: tuple[Mirror, ...] = ()
    jobs: tuple[Job, ...] = ()
    schemas: tuple[Path, ...] = ()


class ExtensionError(ValueError):
    """An extension cannot be used; the message names it."""


def discover(enabled: Sequence[str] | None = None) -> tuple[Extension, ...]:
    """Return the installed extensions by name, or only the enabled ones; raises ExtensionError.

    Every distribution that has an entry point in the group `scim_server.extensions` offers one.
    """
    points = {point.name: point for point in entry_points(group=GROUP)}
    names = sorted(points) if enabled is None else list(enabled)
    unknown = [name for name in names if name not in points]
    if unknown:
        raise ExtensionError(
            f"there is no extension {', '.join(unknown)}; installed: {', '.join(sorted(points))}"
        )
    found = []
    for name in names:
        extension = points[name].load()
        if not isinstance(extension, Extension):
            raise ExtensionError(f"the extension {name} is not an Extension")
        found.append(extension)
    return tuple(found)
