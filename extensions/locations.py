"""Locations: where a user works and whose data it sees."""

from collections.abc import Iterable

from scim_server.lifecycle.assignments import (
    LOCATIONS,
    Wanted,
    adopt,
    is_over,
    keep,
    moments,
    rows,
    settle_primary,
    valid_entries,
    waiting,
)
from scim_server.lifecycle.catalogue import Catalogue, Entry
from scim_server.lifecycle.change import Actor, Change, Rule, RuleContext, Verdict, modes, only_new
from scim_server.lifecycle.derivations import codes_in, codes_of, shown_rows, still_called
from scim_server.lifecycle.documents import Document, get, put
from scim_server.lifecycle.extension import Derivation, Extension, Mirror
from scim_server.lifecycle.messages import message
from scim_server.lifecycle.urns import CONNECTOR, LOCATION

_FLAT = ("locationCode", "locationCodes")


def _derive(document: Document, now: int, catalogue: Catalogue) -> None:
    """Show codes, types and status, and name the locations flat where a connector did."""
    keep(document, LOCATIONS, [row for row in rows(document, LOCATIONS) if not is_over(row, now)])
    settle_primary({}, document, LOCATIONS)
    shown_rows(document, LOCATIONS, catalogue, now, _facts)
    valid = [entry for _, entry in valid_entries(document, LOCATIONS, catalogue, now)]
    waits = {row["value"] for row in waiting(document, LOCATIONS)}
    code, codes = get(document, CONNECTOR, "locationCode"), get(document, CONNECTOR, "locationCodes")
    primary = valid[0] if valid else None
    if code is not None and not still_called(code, primary, catalogue.locations, waits):
        put(document, CONNECTOR, "locationCode", primary.value if primary else None)
    if codes is not None:
        put(document, CONNECTOR, "locationCodes", codes_of(codes, valid, catalogue.locations, waits))
    scope = get(document, LOCATION, "dataScope")
    if get(document, CONNECTOR, "dataScope") is not None:
        put(document, CONNECTOR, "dataScope", scope)


def _facts(entry: Entry) -> dict[str, str | None]:
    return {"code": entry.fact("code"), "type": entry.fact("type")}


def _write_flat(document: Document, actor: Actor, catalogue: Catalogue) -> None:
    code, codes = get(document, CONNECTOR, "locationCode"), get(document, CONNECTOR, "locationCodes")
    wanted = [Wanted(code, primary=True)] if code else []
    wanted += [Wanted(text) for text in codes_in(codes or "") if text != code]
    adopt(document, LOCATIONS, wanted, actor, catalogue)


def _agrees(document: Document, catalogue: Catalogue) -> bool:
    code, codes = get(document, CONNECTOR, "locationCode"), get(document, CONNECTOR, "locationCodes")
    assigned = {row["value"] for row in rows(document, LOCATIONS)}
    named = [text for text in (code, *codes_in(codes or "")) if text]
    return all((entry := catalogue.locations.find(text)) is None or entry.id in assigned for text in named)


def _write_scope(document: Document, _actor: Actor, _catalogue: Catalogue) -> None:
    put(document, LOCATION, "dataScope", get(document, CONNECTOR, "dataScope"))


def _same_scope(document: Document, _catalogue: Catalogue) -> bool:
    return bool(get(document, LOCATION, "dataScope") == get(document, CONNECTOR, "dataScope"))


def _active(document: Document, _change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-LOC-ACTIVE: only active locations are assigned (S2 UC-006 MF8)."""
    for row in rows(document, LOCATIONS):
        entry = context.catalogue.locations.get(row["value"])
        if entry is not None and not entry.is_active:
            yield Verdict(message("R-LOC-ACTIVE"), LOCATIONS.path, row["value"])


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
            _write_flat,
            _agrees,
        ),
        Mirror(
            "connector data scope",
            ((CONNECTOR, "dataScope"),),
            ((LOCATION, "dataScope"),),
            _write_scope,
            _same_scope,
        ),
    ),
)
