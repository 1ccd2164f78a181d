"""Assignments of a user: departments, locations, roles, special permissions.

Each is an element of a reference attribute with its validity and, in members that no schema declares, who
owns it. Replacing is scoped to the owner: what a connector sends never removes what others assigned.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scim_server.lifecycle import urns
from scim_server.lifecycle.catalogue import DEPARTMENT, ENTITLEMENT, LOCATION, ROLE, Catalogue, Entry
from scim_server.lifecycle.change import Actor
from scim_server.lifecycle.dates import text_of
from scim_server.lifecycle.documents import Document, get, put
from scim_server.lifecycle.state import moment
from scim_server.scim.values import fold_text

OWNER = "owner"
PROMOTED = "promoted"
"""Member of an assignment that became primary because there has to be one; no schema declares it."""
WAITING = "~waiting"
_SERVER_KEPT = frozenset(
    {
        PROMOTED,
        "$ref",
        "display",
        "type",
        "status",
        "source",
        "assignedAt",
        "assignedBy",
        "grantedAt",
        "grantedBy",
        OWNER,
    }
)


_SHOWN = frozenset({"code", "sensitive", "emergency"})
"""Facts of the target that are shown with an assignment."""
_UNSTATED = _SERVER_KEPT | _SHOWN


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of assignment: where it stands, what it points at, and the names of its stamps."""

    urn: str
    attribute: str
    type: str
    noun: str
    at: str = "assignedAt"
    by: str = "assignedBy"
    has_primary: bool = True

    @property
    def path(self) -> str:
        """The attribute's path."""
        return f"{self.urn}:{self.attribute}"


DEPARTMENTS = Kind(urns.DEPARTMENT, "departments", DEPARTMENT, "department")
LOCATIONS = Kind(urns.LOCATION, "locations", LOCATION, "location")
ROLES = Kind(urns.ROLE, "roleAssignments", ROLE, "role")
PERMISSIONS = Kind(
    urns.SPECIAL_PERMISSION,
    "specialPermissions",
    ENTITLEMENT,
    "special permission",
    at="grantedAt",
    by="grantedBy",
    has_primary=False,
)
KINDS = (DEPARTMENTS, LOCATIONS, ROLES, PERMISSIONS)
_AT: Mapping[tuple[str | None, str], Kind] = {(kind.urn, kind.attribute): kind for kind in KINDS}


def rows(document: Document, kind: Kind) -> list[Document]:
    """Return the assignments of a kind."""
    content = document.get(kind.urn)
    return list(content.get(kind.attribute) or ()) if content else []


def waiting(document: Document, kind: Kind) -> list[Document]:
    """Return the assignments whose target is not there yet; `value` is what the client called it."""
    waits = document.get(WAITING)
    return list(waits.get(kind.attribute, ())) if waits else []


def concerns(kind: Kind, *documents: Document) -> bool:
    """Tell whether any of the documents has an assignment of a kind, or waits for one."""
    return any(get(one, kind.urn, kind.attribute) or waiting(one, kind) for one in documents)


def keep(document: Document, kind: Kind, assigned: Iterable[Document]) -> None:
    """Write the assignments of a kind in place."""
    put(document, kind.urn, kind.attribute, list(assigned))


def keep_waiting(document: Document, kind: Kind, unresolved: Iterable[Document]) -> None:
    """Write the assignments that wait for their target in place."""
    found = list(unresolved)
    if not found and WAITING not in document:
        return
    kept = {name: value for name, value in document.get(WAITING, {}).items() if name != kind.attribute}
    if found:
        kept[kind.attribute] = found
    if kept:
        document[WAITING] = kept
    else:
        document.pop(WAITING, None)


def is_valid(row: Mapping[str, Any], now: int) -> bool:
    """Tell whether an assignment is valid at a moment."""
    starts, ends = moment(row.get("validFrom")), moment(row.get("validTo"))
    return (starts is None or starts <= now) and (ends is None or now < ends)


def is_over(row: Mapping[str, Any], now: int) -> bool:
    """Tell whether an assignment has ended."""
    ends = moment(row.get("validTo"))
    return ends is not None and ends <= now


def assigned_entries(document: Document, kind: Kind, catalogue: Catalogue) -> list[tuple[Document, Entry]]:
    """Return the assignments, valid or not, with what they point at."""
    table = catalogue.table(kind.type)
    found = ((row, table.get(row["value"])) for row in rows(document, kind))
    return [(row, entry) for row, entry in found if entry is not None]


def inactive_entries(document: Document, kind: Kind, catalogue: Catalogue) -> list[Entry]:
    """Return what is assigned and should not be, as it is not active."""
    return [entry for _, entry in assigned_entries(document, kind, catalogue) if not entry.is_active]


def valid_entries(
    document: Document, kind: Kind, catalogue: Catalogue, now: int
) -> list[tuple[Document, Entry]]:
    """Return the assignments valid at a moment with what they point at, the primary one first."""
    found = (pair for pair in assigned_entries(document, kind, catalogue) if is_valid(pair[0], now))
    return sorted(found, key=lambda pair: pair[0].get("primary") is not True)


def moments(document: Document, kind: Kind) -> list[int]:
    """Return the moments at which assignments begin or end."""
    return moments_of(rows(document, kind))


def moments_of(spans: Iterable[Mapping[str, Any]]) -> list[int]:
    """Return the moments at which what has a validity begins or ends."""
    texts = [span.get(name) for span in spans for name in ("validFrom", "validTo")]
    return [found for text in texts if (found := moment(text)) is not None]


def stated(row: Mapping[str, Any]) -> Document:
    """Return what a client can say of an assignment."""
    return {name: value for name, value in row.items() if name not in _UNSTATED}


def is_changed(before: Document, after: Document, kind: Kind) -> bool:
    """Tell whether a client's part of the assignments differs."""
    old, new = ({row["value"]: stated(row) for row in rows(one, kind)} for one in (before, after))
    return old != new


def differ(before: Document, after: Document, paths: Iterable[tuple[str | None, str]]) -> bool:
    """Tell whether what clients say at some paths, of extension and attribute, differs."""
    for path in paths:
        if get(before, *path) == get(after, *path):
            continue
        kind = _AT.get(path)
        if kind is None or is_changed(before, after, kind):
            return True
    return False


def resolve(document: Document, kind: Kind, catalogue: Catalogue) -> list[str]:
    """Name targets by id in place, wait for those that are not there, and return how those are called.

    Two spellings of one target become one assignment.
    """
    table = catalogue.table(kind.type)
    found: dict[str, Document] = {}
    unresolved: dict[str, Document] = {fold_text(row["value"]): row for row in waiting(document, kind)}
    for row in rows(document, kind):
        text = row.get("value") or row.get("code") or ""
        entry = table.find(text)
        if entry is None:
            unresolved[fold_text(text)] = {**row, "value": text}
        else:
            named = {name: value for name, value in row.items() if name != "code"}
            found[entry.id] = {**found.get(entry.id, {}), **named, "value": entry.id}
    for key in list(unresolved):
        entry = table.find(unresolved[key]["value"])
        if entry is not None:
            found.setdefault(entry.id, {**unresolved.pop(key), "value": entry.id})
    keep(document, kind, found.values())
    keep_waiting(document, kind, unresolved.values())
    return [row["value"] for row in unresolved.values()]


def scope(before: Document, after: Document, kind: Kind, actor: Actor) -> list[str]:
    """Put back in place what a connector dropped and others own; returns the ids that were put back.

    What a client repeats keeps its stamps and its owner; of what others own a connector may repeat the
    assignment and make it the primary one, and changes nothing else.
    """
    old = {row["value"]: row for row in rows(before, kind)}
    new = {row["value"]: row for row in rows(after, kind)}
    back = [target for target, row in old.items() if target not in new and not _is_own(row, actor)]
    merged = {target: _repeated(old.get(target), row, actor) for target, row in new.items()}
    if back:
        places = {target: place for place, target in enumerate(old)}
        merged |= {target: old[target] for target in back}
        merged = dict(sorted(merged.items(), key=lambda item: places.get(item[0], len(places))))
    keep(after, kind, merged.values())
    return back


def _repeated(old: Document | None, new: Document, actor: Actor) -> Document:
    """Return what becomes of an assignment that a client states; one that waited brings its own stamps."""
    if old is None:
        return {**(_kept(new) if OWNER in new else {}), **stated(new)}
    if _is_own(old, actor):
        return {**_kept(old), **stated(new)}
    return {**old, "primary": True} if new.get("primary") is True else old


def _kept(row: Mapping[str, Any]) -> Document:
    return {name: value for name, value in row.items() if name in _SERVER_KEPT}


def stamp(before: Document, after: Document, kind: Kind, actor: Actor, source: str, now: int) -> None:
    """Write in place who assigned what is new, when, and for which source."""
    known = {row["value"] for row in rows(before, kind)}
    owner = actor.client_id or actor.profile
    marks = {"source": source, kind.at: text_of(now), kind.by: actor.author, OWNER: owner}
    keep(after, kind, [row if row["value"] in known else {**marks, **row} for row in rows(after, kind)])
    keep_waiting(after, kind, [row if OWNER in row else {**marks, **row} for row in waiting(after, kind)])


def settle_primary(before: Document, after: Document, kind: Kind) -> str | None:
    """Leave exactly one assignment primary, in place: the one chosen last, else the first.

    Returns the id of one that became primary without anybody saying so (S2 UC-007 AF1, AF3).
    """
    assigned = rows(after, kind)
    if not kind.has_primary or not assigned:
        return None
    was = {row["value"] for row in rows(before, kind) if row.get("primary") is True}
    marked = [row["value"] for row in assigned if row.get("primary") is True]
    fresh = [target for target in marked if target not in was]
    chosen = (fresh or marked or [assigned[0]["value"]])[-1 if fresh else 0]
    keep(
        after,
        kind,
        [
            {
                **{name: value for name, value in row.items() if name not in {"primary", PROMOTED}},
                "primary": row["value"] == chosen,
                **({PROMOTED: True} if row["value"] == chosen and _is_promoted(row, marked) else {}),
            }
            for row in assigned
        ],
    )
    return None if marked else chosen


def _is_promoted(row: Mapping[str, Any], marked: Iterable[str]) -> bool:
    """Tell whether nobody asked for an assignment to be primary, now or when it became so."""
    return row["value"] not in marked or row.get(PROMOTED) is True


@dataclass(frozen=True, slots=True)
class Wanted:
    """An assignment that the flat form of a user asks for."""

    text: str
    primary: bool | None = None
    facts: tuple[tuple[str, Any], ...] = ()


def adopt(after: Document, kind: Kind, wanted: Iterable[Wanted], actor: Actor, catalogue: Catalogue) -> None:
    """Make the assignments those that the flat form asks for, in place.

    Of what is assigned already, a connector drops only what it owns itself.
    """
    table = catalogue.table(kind.type)
    current = {row["value"]: row for row in rows(after, kind)}
    asked: dict[str, Document] = {}
    unresolved = [row for row in waiting(after, kind) if not _is_own(row, actor)]
    for one in wanted:
        entry = table.find(one.text)
        facts = dict(one.facts) | ({} if one.primary is None else {"primary": one.primary})
        if entry is None:
            unresolved.append({"value": one.text, **facts})
        else:
            known = asked.get(entry.id) or current.get(entry.id, {})
            asked[entry.id] = _repeated(known or None, {**known, "value": entry.id, **facts}, actor)
    others = [row for target, row in current.items() if target not in asked and not _is_own(row, actor)]
    if any(row.get("primary") is True for row in asked.values()):
        others = [{**row, "primary": False} for row in others]
    keep(after, kind, [*others, *asked.values()])
    keep_waiting(after, kind, unresolved)


def _is_own(row: Mapping[str, Any], actor: Actor) -> bool:
    return not actor.is_connector or row.get(OWNER) in (None, actor.client_id)
