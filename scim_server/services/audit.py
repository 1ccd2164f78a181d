"""The audit trail: one event for each change, written in its transaction, with what the world is told."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from scim_server.lifecycle.change import Actor
from scim_server.lifecycle.documents import Document, differences
from scim_server.lifecycle.judgement import Finding
from scim_server.scim.documents import encode
from scim_server.scim.identifiers import canonical_id, is_id
from scim_server.scim.normalize import fold_document
from scim_server.scim.registry import Registry, ResourceType
from scim_server.scim.resources import timestamp
from scim_server.security.transparency.canonical import canonical
from scim_server.security.transparency.chain import SALT_LENGTH, commitment
from scim_server.security.transparency.parts import CLIENT_ID, COMMIT, SUBJECT, split
from scim_server.services.context import CallContext
from scim_server.store import audit as rows
from scim_server.store.database import Writer
from scim_server.store.identifiers import new_id

AUDIT_EVENT = rows.AUDIT_EVENT
_CONTEXT = ("reason", "note", "justification", "ticket")
_LONGEST = 2_000
ABOUT_USERS: Mapping[str, str] = {
    "AccountAction": "user",
    "ApiToken": "owner",
    "LoginReport": "user",
    "Obligation": "user",
    "ScheduledChange": "user",
}
"""Types whose resources are about one user, and the attribute that says about which."""
_SERVER_KEPT = frozenset({"owner"})


@dataclass(slots=True)
class Event:
    """One event: what was done to which resource, before and after, why, and what the rules said.

    `subject` is the id of the user it is about where that is not the resource: their erasure is its erasure.
    `tells` are the names of what goes to the outbox, with the facts of each; `receipt` proves what else
    leaves no trace.
    """

    action: str
    type: str
    id: str
    before: Document | None = None
    after: Document | None = None
    outcome: str = "success"
    context: Mapping[str, Any] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    tells: list[tuple[str, Document]] = field(default_factory=list)
    changes: Sequence[tuple[str, Any, Any]] = ()
    receipt: str | None = None
    subject: str | None = None


def user_of(event: Event) -> str | None:
    """Return the id of the user to whom the resource of an event belongs, None where it is nobody's.

    What it belonged to before counts first; what is no id is none, since this is public.
    """
    attribute = ABOUT_USERS.get(event.type)
    for document in (event.before, event.after):
        reference = (document or {}).get(attribute or "")
        value = reference.get("value") if isinstance(reference, dict) else None
        if isinstance(value, str) and is_id(value):
            return canonical_id(value)
    return None


def action_of(resource_type: ResourceType, work: str) -> str:
    """Return what work on a type is called in the audit trail: `scheduledChange.create`."""
    return f"{resource_type.name[0].lower()}{resource_type.name[1:]}.{work}"


async def record(writer: Writer, registry: Registry, call: CallContext, event: Event, moment: int) -> str:
    """Write an event and its outbox rows; returns the event's id."""
    event_id, actor = new_id(), call.actor
    document = _document(event, actor, call.request_id, moment)
    kept = in_parts(document, call.principal.tenant_id, event_id, moment, actor.client_id or None, registry)
    await rows.append(writer, [kept])
    notices = [_notice(call, event, event_id, name, facts, moment) for name, facts in event.tells]
    await rows.outbox(writer, notices)
    return event_id


def in_parts(
    document: Document, tenant_id: int, id: str, moment: int, client_id: str | None, registry: Registry
) -> rows.Event:
    """Return what is stored of an event: its public part in canonical bytes, and the private one salted."""
    public, private = split(document)
    salted = None
    if private:
        salted = os.urandom(SALT_LENGTH) + canonical(private)
        public[COMMIT] = commitment(salted)
    folded = fold_document(public, registry.resource_types[AUDIT_EVENT])
    public["id"] = id
    if client_id:
        public[CLIENT_ID] = client_id
    return rows.Event(tenant_id, id, moment, canonical(public), folded, client_id, salted)


def _notice(
    call: CallContext, event: Event, event_id: str, name: str, facts: Document, moment: int
) -> rows.Notice:
    payload = {"id": event.id, "type": event.type, **facts}
    return rows.Notice(call.principal.tenant_id, new_id(), event_id, name, moment, payload, event.id)


def _document(event: Event, actor: Actor, request_id: str, moment: int) -> Document:
    document: Document = {
        "at": timestamp(moment),
        "action": event.action,
        "outcome": event.outcome,
        "actor": _without_none(
            {"value": actor.user_id, "type": actor.profile, "client": actor.client or None}
        ),
        "resource": _without_none({"value": event.id or None, "type": event.type}),
        SUBJECT: event.subject if event.subject != event.id else None,
        "requestId": request_id or None,
        "receipt": event.receipt,
        **{name: event.context.get(name) for name in _CONTEXT},
    }
    changed = event.changes or differences(event.before or {}, event.after or {})
    document["changes"] = [_change(*one) for one in changed]
    document["rules"] = [
        {"value": finding.rule, "effect": finding.effect, "message": finding.message}
        for finding in event.findings
    ]
    return {name: value for name, value in document.items() if value not in (None, [], {})}


def _change(path: str, old: Any, new: Any) -> Document:
    return _without_none({"path": path, "from": _text(old), "to": _text(new)})


def _text(value: Any) -> str | None:
    """Return a value as text, without what the server keeps for itself; long ones are cut."""
    if value is None:
        return None
    if isinstance(value, str):
        return value[:_LONGEST]
    if isinstance(value, bool | int | Decimal):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return encode(_shown(value)).decode()[:_LONGEST]


def _shown(value: Any) -> Any:
    if isinstance(value, list):
        return [_shown(item) for item in value]
    if isinstance(value, dict):
        return {name: item for name, item in value.items() if name not in _SERVER_KEPT}
    return value


def _without_none(document: Mapping[str, Any]) -> Document:
    return {name: value for name, value in document.items() if value is not None}
