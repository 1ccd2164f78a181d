"""Flat forms of facts that belong to no extension module: dates, employee number, business unit."""

from scim_server.lifecycle.assignments import LOCATIONS, assigned_entries
from scim_server.lifecycle.catalogue import Catalogue
from scim_server.lifecycle.change import Actor
from scim_server.lifecycle.dates import moment_of, text_of, user_zone
from scim_server.lifecycle.documents import Document, get, put
from scim_server.lifecycle.extension import Derivation, Mirror
from scim_server.lifecycle.state import moment
from scim_server.lifecycle.urns import CONNECTOR, ENTERPRISE, LIFECYCLE

STARTS, ENDS = ("startDate",), ("endDate", "terminationDate")
_COPIES = (
    ("employee number", "employeeId", (ENTERPRISE, "employeeNumber")),
    ("business unit", "businessUnit", (ENTERPRISE, "division")),
)


def zone_of(document: Document, catalogue: Catalogue) -> str:
    """Return the zone of a user's dates: its own, else its location's, else the organisation's."""
    located = sorted(
        assigned_entries(document, LOCATIONS, catalogue), key=lambda pair: pair[0].get("primary") is not True
    )
    zones = (zone for _, entry in located if (zone := entry.fact("timezone")))
    return user_zone(document.get("timezone"), next(zones, None), catalogue.policies.timezone)


def flat_moment(document: Document, names: tuple[str, ...], catalogue: Catalogue) -> int | None:
    """Return the earliest moment that flat dates mean; what is no date means nothing."""
    zone, found = zone_of(document, catalogue), []
    for name in names:
        text = get(document, CONNECTOR, name)
        if isinstance(text, str) and text:
            try:
                found.append(moment_of(text, zone=zone, end_of_day=names is ENDS))
            except ValueError:
                continue
    return min(found, default=None)


def _write(rich: str, names: tuple[str, ...]) -> Mirror:
    def write(document: Document, _actor: Actor, catalogue: Catalogue) -> None:
        found = flat_moment(document, names, catalogue)
        put(document, LIFECYCLE, rich, None if found is None else text_of(found))

    def agrees(document: Document, catalogue: Catalogue) -> bool:
        return flat_moment(document, names, catalogue) == moment(get(document, LIFECYCLE, rich))

    flat = tuple((CONNECTOR, name) for name in names)
    return Mirror(f"connector {rich}", flat, ((LIFECYCLE, rich),), write, agrees)


def copied(name: str, flat: str, rich: tuple[str, str]) -> Mirror:
    """Return the mirror of a connector attribute that says the same as a rich one in the same words."""

    def write(document: Document, _actor: Actor, _catalogue: Catalogue) -> None:
        put(document, *rich, get(document, CONNECTOR, flat))

    def agrees(document: Document, _catalogue: Catalogue) -> bool:
        return bool(get(document, *rich) == get(document, CONNECTOR, flat))

    return Mirror(f"connector {name}", ((CONNECTOR, flat),), (rich,), write, agrees)


def _derive(document: Document, _now: int, catalogue: Catalogue) -> None:
    """Bring the flat forms that a user has in line with the rich ones."""
    for _, flat, rich in _COPIES:
        if get(document, CONNECTOR, flat) is not None:
            put(document, CONNECTOR, flat, get(document, *rich))
    for names, rich_name in ((STARTS, "validFrom"), (ENDS, "validTo")):
        present = [name for name in names if get(document, CONNECTOR, name) is not None]
        meant = moment(get(document, LIFECYCLE, rich_name))
        if present and flat_moment(document, names, catalogue) != meant:
            put(document, CONNECTOR, present[0], None if meant is None else text_of(meant))
            for name in present[1:]:
                put(document, CONNECTOR, name, None)


MIRRORS = (
    _write("validFrom", STARTS),
    _write("validTo", ENDS),
    *(copied(*facts) for facts in _COPIES),
)
FLAT_FORMS = Derivation(_derive)
