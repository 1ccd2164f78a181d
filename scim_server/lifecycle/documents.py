"""Reading and writing canonical documents by extension and attribute."""

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]
_NOTHING: tuple[Any, ...] = (None, [], {})


def get(document: Document, urn: str | None, name: str) -> Any:
    """Return the value of an attribute of the core schema (`urn` None) or of an extension, else None."""
    holder = document if urn is None else document.get(urn)
    return holder.get(name) if holder else None


def put(document: Document, urn: str | None, name: str, value: Any) -> None:
    """Set an attribute of a document in place; None and empty values remove it, and an emptied extension."""
    if urn is None:
        _set(document, name, value)
        return
    content = document.get(urn, {})
    if name not in content and value in _NOTHING:
        return
    content = dict(content)
    _set(content, name, value)
    if content:
        document[urn] = content
    else:
        document.pop(urn, None)


def _set(holder: Document, name: str, value: Any) -> None:
    if value in _NOTHING:
        holder.pop(name, None)
    else:
        holder[name] = value


def primary_of(values: Any) -> Document | None:
    """Return the primary element of a multi-valued complex attribute, else the first, None without any."""
    elements = [item for item in values or () if isinstance(item, dict)]
    return next((item for item in elements if item.get("primary") is True), elements[0] if elements else None)


def primary_email(document: Document) -> str | None:
    """Return the address of the primary e-mail."""
    found = primary_of(document.get("emails"))
    return found.get("value") if found else None


def differences(before: Document, after: Document) -> list[tuple[str, Any, Any]]:
    """Return path, old and new value of every attribute that differs, extension attributes with their URN."""
    return [
        (f"{urn}:{name}" if urn else name, old, new) for urn, name, old, new in _changed(before, after, None)
    ]


def changed_paths(before: Document, after: Document) -> list[tuple[str | None, str]]:
    """Return extension and attribute of everything that differs."""
    return [(urn, name) for urn, name, _, _ in _changed(before, after, None)]


def _changed(
    before: Document, after: Document, urn: str | None
) -> Iterator[tuple[str | None, str, Any, Any]]:
    """Give what differs of a document or an extension by name, without what is internal."""
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old == new or name.startswith("~"):
            continue
        if name.startswith("urn:"):
            yield from _changed(old or {}, new or {}, name)
        else:
            yield urn, name, old, new
