"""Locations: where a user works and whose data it sees."""

from collections.abc import Iterable

from scim_server.lifecycle.assignments import LOCATIONS, inactive_entries, moments, valid_entries
from scim_server.lifecycle.catalogue import Catalogue, Entry
from scim_server.lifecycle.change import Change, Rule, RuleContext, Verdict, modes, only_new
from scim_server.lifecycle.derivations import FlatForm, shown_rows
from scim_server.lifecycle.documents import Document, get, put
from scim_server.lifecycle.extension import Derivation, Extension, Mirror
from scim_server.lifecycle.messages import message
from scim_server.lifecycle.mirrors import copied
from scim_server.lifecycle.urns import CONNECTOR, LOCATION

_FORM = FlatForm(LOCATIONS, "locationCode", "locationCodes")
_FLAT = (_FORM.one, _FORM.many)


def _derive(document: Document, now: int, catalogue: Catalogue) -> None:
    """Show codes, types and status, and name the locations flat where a connector did."""
    shown_rows(document, LOCATIONS, catalogue, now, _facts)
    valid = [entry for _, entry in valid_entries(document, LOCATIONS, catalogue, now)]
    _FORM.derive(document, valid, catalogue)
    scope = get(document, LOCATION, "dataScope")
    if get(document, CONNECTOR, "dataScope") is not None:
        put(document, CONNECTOR, "dataScope", scope)


def _facts(entry: Entry) -> dict[str, str | None]:
    return {"code": entry.fact("code"), "type": entry.fact("type")}


def _active(document: Document, _change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-LOC-ACTIVE: only active locations are assigned (S2 UC-006 MF8)."""
    for entry in inactive_entries(document, LOCATIONS, context.catalogue):
        yield Verdict(message("R-LOC-ACTIVE"), LOCATIONS.path, entry.id)


extension = Extension(
    "locations",
    rules=(
        Rule(
            "R-LOC-ACTIVE",
            only_new(_active),
            modes("record", "record", "enforce", "enforce"),
            requirements=("LOC-04", "CRE-02"),
        ),
    ),
    derivations=(
        Derivation(
            _derive,
            attributes=tuple(f"{CONNECTOR.lower()}:{name.lower()}" for name in _FLAT),
            moments=lambda document: moments(document, LOCATIONS),
        ),
    ),
    mirrors=(
        Mirror(
            "connector locations",
            tuple((CONNECTOR, name) for name in _FLAT),
            ((LOCATION, "locations"),),
            _FORM.write,
            _FORM.agrees,
        ),
        copied("data scope", "dataScope", (LOCATION, "dataScope")),
    ),
)
