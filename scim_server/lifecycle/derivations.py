"""Helpers that the derivations of assignments share."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from scim_server.lifecycle.assignments import Kind, is_valid, keep, rows
from scim_server.lifecycle.catalogue import Catalogue, Entry, Table
from scim_server.lifecycle.documents import Document


def shown_rows(
    document: Document,
    kind: Kind,
    catalogue: Catalogue,
    now: int,
    facts: Callable[[Entry], Mapping[str, Any]],
) -> None:
    """Complete every assignment in place with its status and with facts of what it points at."""
    table = catalogue.table(kind.type)
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
