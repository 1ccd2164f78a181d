"""Values people type on the command line."""

import re
from datetime import timedelta

import typer

from scim_server.cli.output import CommandFailed
from scim_server.cli.store import lifecycle_of
from scim_server.scim.errors import ScimError
from scim_server.scim.filters.binding import bind_filter
from scim_server.scim.filters.grammar import parse_filter
from scim_server.scim.policy import Policy
from scim_server.security.principals import (
    BUNDLES,
    CHANGING,
    CREATING,
    NARROW_PARTS,
    PERMISSIONS,
    READING,
    REMOVING,
    narrow_permission_for,
)
from scim_server.services.clients import NEVER
from scim_server.settings import load_settings

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"([0-9]{1,6})([mhdw])")
LONGEST = timedelta(days=36_500)
_SWITCHED = {"on": True, "true": True, "off": False, "false": False}


def parse_duration(text: str) -> timedelta:
    """Return the time span of `90d`: a number and m, h, d or w. Raises typer.BadParameter."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise typer.BadParameter(f"{text!r} is not a time span like 30m, 12h, 90d or 4w.")
    span = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if not timedelta() < span <= LONGEST:
        raise typer.BadParameter("a time span is longer than nothing and at most 36500d.")
    return span


def parse_lifetime(text: str) -> timedelta:
    """Return the time span of `90d`, or NEVER of `never`. Raises typer.BadParameter."""
    return NEVER if text == "never" else parse_duration(text)


def parse_pairs(texts: list[str]) -> dict[str, str]:
    """Return the pairs of `value=name`, split at the last equals sign. Raises typer.BadParameter."""
    pairs = {}
    for text in texts:
        value, _, name = text.rpartition("=")
        if not value or not name:
            raise typer.BadParameter(f"{text!r} is not a pair like VALUE=CLIENT.")
        pairs[value] = name
    return pairs


def parse_switches(texts: list[str]) -> dict[str, bool]:
    """Return the switches of `name=on` and `name=off`. Raises typer.BadParameter."""
    switches = {}
    for text in texts:
        name, _, state = text.partition("=")
        if not name or state.lower() not in _SWITCHED:
            raise typer.BadParameter(f"{text!r} is not a switch like name=on or name=off.")
        switches[name] = _SWITCHED[state.lower()]
    return switches


def parse_bundle(name: str) -> str:
    """Return the name of a bundle of permissions. Raises typer.BadParameter."""
    if name not in BUNDLES:
        raise typer.BadParameter(f"there is no bundle {name}; choose one of {', '.join(BUNDLES)}.")
    return name


def check_permissions(names: list[str]) -> None:
    """Refuse permissions for types of resources that are not there. Raises CommandFailed."""
    narrow = [name for name in names if name not in PERMISSIONS and name not in NARROW_PARTS]
    if not narrow:
        return
    works = (READING, CREATING, CHANGING, REMOVING)
    types = lifecycle_of(load_settings()).registry.resource_types
    known = sorted(narrow_permission_for(name, work) for name in types for work in works)
    for name in narrow:
        if name not in known:
            choice = ", ".join((*PERMISSIONS, *NARROW_PARTS, *known))
            raise CommandFailed(f"--permission: there is no permission {name}; choose from {choice}")


def check_scope(text: str | None) -> None:
    """Refuse a filter on users that cannot be used. Raises CommandFailed."""
    if text is None:
        return
    registry = lifecycle_of(load_settings()).registry
    try:
        bind_filter(parse_filter(text), registry.resource_types["User"], Policy())
    except ScimError as error:
        raise CommandFailed(f"--scope: {error.detail}") from error
