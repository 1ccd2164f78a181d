"""The two parts of an audit event: the public one, which is chained, and the private one, which is sealed.

The public part says who did what to which attributes of what, by ids and codes. Everything else, above all
values and words of people, is private. What is not named here is private.
"""

import re
from collections.abc import Mapping
from typing import Any

Document = dict[str, Any]

COMMIT = "privateCommit"
CLIENT_ID = "clientId"
SUBJECT = "subject"
"""Whom an event is about, by id, where that is not the resource of it."""
KEPT_BESIDE = ("id", CLIENT_ID)
"""What the public bytes hold besides the attributes of AuditEvent, to bind the columns of the same names."""
_REQUEST_ID = "requestId"
_CHOSEN_BY_CHANCE = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32,64}")
"""Request ids that are public: clients choose them, and any other one may say something of somebody."""
_PUBLIC = frozenset({"at", "action", "outcome", "reason", "receipt", SUBJECT, COMMIT, *KEPT_BESIDE})
_PUBLIC_WITHIN: Mapping[str, frozenset[str]] = {
    "actor": frozenset({"value", "type", "client"}),
    "resource": frozenset({"value", "type"}),
    "changes": frozenset({"path"}),
    "rules": frozenset({"value", "effect"}),
}


def split(document: Mapping[str, Any]) -> tuple[Document, Document]:
    """Return the public and the private part of an event's document; the private one may be empty.

    Entries of lists keep their positions, so that `joined` puts them together again.
    """
    public: Document = {}
    private: Document = {}
    for name, value in document.items():
        within = _PUBLIC_WITHIN.get(name)
        if within is None:
            is_public = name in _PUBLIC or (name == _REQUEST_ID and _CHOSEN_BY_CHANCE.fullmatch(value))
            (public if is_public else private)[name] = value
        elif isinstance(value, list):
            public[name] = [_only(entry, within) for entry in value]
            hidden = [_without(entry, within) for entry in value]
            if any(hidden):
                private[name] = hidden
        else:
            public[name] = _only(value, within)
            if rest := _without(value, within):
                private[name] = rest
    return public, private


def joined(public: Mapping[str, Any], private: Mapping[str, Any] | None) -> Document:
    """Return the document of an event as SCIM shows it; without a private part its values are missing."""
    document = {name: value for name, value in public.items() if name not in KEPT_BESIDE}
    for name, value in (private or {}).items():
        own = document.get(name)
        if isinstance(own, list) and isinstance(value, list) and len(own) == len(value):
            document[name] = [entry | rest for entry, rest in zip(own, value, strict=True)]
        elif isinstance(own, dict) and isinstance(value, dict):
            document[name] = own | value
        elif own is None:
            document[name] = value
    return document


def subject_of(public: Mapping[str, Any], event_id: str) -> str:
    """Return under whose key the private part of an event is sealed, by its public part.

    That is whom it is about, else the resource, else the event itself.
    """
    resource = public.get("resource")
    value = resource.get("value") if isinstance(resource, Mapping) else None
    return str(public.get(SUBJECT) or value or event_id)


def _only(entry: Document, names: frozenset[str]) -> Document:
    return {name: item for name, item in entry.items() if name in names}


def _without(entry: Document, names: frozenset[str]) -> Document:
    return {name: item for name, item in entry.items() if name not in names}
