"""Helpers that the derivations of assignments share."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scim_server.lifecycle.assignments import (
    Kind,
    Wanted,
    adopt,
    is_over,
    is_valid,
    keep,
    rows,
    settle_primary,
    waiting,
)
from scim_server.lifecycle.catalogue import Catalogue, Entry, Table
from scim_server.lifecycle.change import Actor
from scim_server.lifecycle.documents import Document, get, put
from scim_server.lifecycle.urns import CONNECTOR


def shown_rows(
    document: Document,
    kind: Kind,
    catalogue: Catalogue,
    now: int,
    facts: Callable[[Entry], Mapping[str, Any]],
) -> None:
    """Leave in place the assignments that have not ended, with status and facts of what they point at.

    Of a kind with a primary one, the next becomes primary where that one has ended.
    """
    if not get(document, kind.urn, kind.attribute):
        return
    table = catalogue.table(kind.type)
    keep(document, kind, [row for row in rows(document, kind) if not is_over(row, now)])
    settle_primary({}, document, kind)
    shown = []
    for row in rows(document, kind):
        entry = table.get(row["value"])
        found = (
            {}
            if entry is None
            else {name: value for name, value in facts(entry).items() if value is not None}
        )
        shown.append({**row, **found, "status": "active" if is_valid(row, now) else "scheduled"})
    keep(document, kind, shown)


def still_called(text: str | None, entry: Entry | None, table: Table, waits: Collection[str]) -> bool:
    """Tell whether a flat value names the entry, or something not there yet; it then stays as sent."""
    if text is None:
        return False
    found = table.find(text)
    if found is None:
        return text in waits
    return entry is not None and found.id == entry.id


def codes_of(text: str, entries: Sequence[Entry], table: Table, waits: Collection[str]) -> str | None:
    """Return a list of codes: as it was sent where it names just the entries, else anew, None without any.

    What is not there yet and is waited for stays in it.
    """
    named = {code: table.find(code) for code in codes_in(text)}
    known = {entry.id for entry in named.values() if entry is not None}
    gone = [code for code, entry in named.items() if entry is None and code not in waits]
    if known == {entry.id for entry in entries} and not gone:
        return text
    unknown = [code for code, entry in named.items() if entry is None and code in waits]
    return ";".join([*(entry.value for entry in entries), *unknown]) or None


def codes_in(text: str) -> list[str]:
    """Return the codes of a list that is separated by semicolons."""
    return [part.strip() for part in text.split(";") if part.strip()]


@dataclass(frozen=True, slots=True)
class FlatForm:
    """The flat form of assignments in the `connector` extension: one value and a list."""

    kind: Kind
    one: str
    many: str

    def named(self, document: Document) -> list[str]:
        """Return what the flat form names, the primary first."""
        one, many = get(document, CONNECTOR, self.one), get(document, CONNECTOR, self.many)
        return [*([one] if one else []), *(text for text in codes_in(many or "") if text != one)]

    def write(
        self, document: Document, actor: Actor, catalogue: Catalogue, facts: tuple[tuple[str, Any], ...] = ()
    ) -> None:
        """Make in place the assignments that the flat form asks for; `facts` go with the first."""
        has_primary = bool(get(document, CONNECTOR, self.one))
        wanted = [
            Wanted(text, (has_primary or None) if index == 0 else None, facts if index == 0 else ())
            for index, text in enumerate(self.named(document))
        ]
        adopt(document, self.kind, wanted, actor, catalogue)

    def agrees(self, document: Document, catalogue: Catalogue) -> bool:
        """Tell whether everything that the flat form names is assigned."""
        table = catalogue.table(self.kind.type)
        assigned = {row["value"] for row in rows(document, self.kind)}
        found = (table.find(text) for text in self.named(document))
        return all(entry is None or entry.id in assigned for entry in found)

    def derive(self, document: Document, entries: Sequence[Entry], catalogue: Catalogue) -> None:
        """Bring in place what a user has of the flat form in line with the assignments in force."""
        table = catalogue.table(self.kind.type)
        waits = {row["value"] for row in waiting(document, self.kind)}
        primary = entries[0] if entries else None
        one, many = get(document, CONNECTOR, self.one), get(document, CONNECTOR, self.many)
        if one is not None and not still_called(one, primary, table, waits):
            put(document, CONNECTOR, self.one, primary.value if primary else None)
        if many is not None:
            put(document, CONNECTOR, self.many, codes_of(many, entries, table, waits))
