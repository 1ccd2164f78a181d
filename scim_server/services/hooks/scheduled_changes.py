"""Scheduled changes: planned with the user, so that they take effect on time whoever runs."""

from dataclasses import replace
from typing import TYPE_CHECKING

from scim_server.lifecycle.dates import text_of
from scim_server.lifecycle.documents import Document
from scim_server.lifecycle.judgement import Judgement
from scim_server.lifecycle.messages import message
from scim_server.lifecycle.news import alarms_of
from scim_server.lifecycle.state import facts_of, keep_facts
from scim_server.lifecycle.state import moment as moment_of
from scim_server.lifecycle.status import ENDING, Planned
from scim_server.scim.documents import decode, encode
from scim_server.scim.errors import InvalidValue, ScimError
from scim_server.scim.patch.operations import Operation, parse_patch
from scim_server.scim.resources import Resource
from scim_server.security.principals import DELETE, UPDATE
from scim_server.services.hooks.base import Hook, Members, name_user
from scim_server.services.lookups import quoted
from scim_server.store import settlement

if TYPE_CHECKING:
    from scim_server.services.changes import Changes

TYPE = "ScheduledChange"
OF_STATUS = frozenset({"activate", "deactivate", "suspend"})
PLANNER = "~planner"
"""The member of the document that keeps who planned the change, and may therefore do it; never shown."""
_SERVER_KEPT = ("status", "requestedBy", PLANNER)
_NEEDS = {"delete": DELETE, "patch": UPDATE}


class ScheduledChangeHook(Hook):
    """Plans a change of status as a fact of the user; other changes are carried out when they are due."""

    async def creating(self, changes: "Changes", _id: str, document: Document) -> Document:
        """Name the user, check the change, and take the place of an earlier one for the same event."""
        named = await name_user(changes, document)
        await _check(changes, named)
        await _supersede(changes, named)
        return {**named, "status": "scheduled", **_planned_by(changes)}

    async def created(
        self, changes: "Changes", created: Resource, document: Document, _members: dict[str, list[str]]
    ) -> None:
        """Plan it."""
        await _plan(changes, created.id, document)

    async def changing(
        self, changes: "Changes", _current: Resource, before: Document, after: Document
    ) -> Document:
        """Refuse to change what is over; what the server keeps stays.

        Who moves what is carried out for a client has planned it from then on: it is carried out with what
        the one who moved it may do.
        """
        if before.get("status") != "scheduled":
            raise InvalidValue(f"The scheduled change is {before.get('status')} and cannot be changed.")
        await _check(changes, after)
        kept = {name: before[name] for name in _SERVER_KEPT if name in before}
        if after["kind"] in _NEEDS and before.get("effectiveAt") != after.get("effectiveAt"):
            kept |= _planned_by(changes)
        return {**after, **kept}

    async def changed(
        self,
        changes: "Changes",
        changed: Resource,
        _before: Document,
        after: Document,
        _members: Members | None,
    ) -> None:
        """Plan it for its new moment."""
        await _forget(changes, changed.id, after)
        await _plan(changes, changed.id, after)

    async def deleted(self, changes: "Changes", current: Resource, before: Document) -> None:
        """Cancel it where it is not over."""
        if before.get("status") == "scheduled":
            await _forget(changes, current.id, before)


def _planned_by(changes: "Changes") -> Document:
    """Return what is kept of the client that plans a change."""
    actor, principal = changes.call.actor, changes.principal
    planner: Document = {"client": actor.client_id, "lent": sorted(principal.lent), "user": actor.user_id}
    if principal.narrowed is not None:
        planner["narrowed"] = sorted(principal.narrowed)
    return {"requestedBy": actor.author, PLANNER: planner}


async def _check(changes: "Changes", document: Document) -> None:
    patch, kind = document.get("patch"), document["kind"]
    if kind in _NEEDS:
        changes.principal.require(_NEEDS[kind])
    if kind in ENDING and "reason" not in document and await changes.enforces("R-REASON"):
        raise InvalidValue(message("R-REASON"))
    if kind != "patch":
        if patch is not None:
            raise InvalidValue(f"patch goes with the kind patch, not with {kind}.")
        return
    try:
        operations = parse_patch(decode((patch or "").encode()), changes.principal.policy)
    except (UnicodeEncodeError, ScimError) as error:
        raise InvalidValue("patch must be a PATCH message as JSON text.") from error
    if any(_speaks_of_password(one) for one in operations):
        raise InvalidValue("patch cannot set a password: what is planned is kept, and a password never is.")


def _speaks_of_password(operation: Operation) -> bool:
    text = f"{operation.path or ''} {encode(operation.value).decode()}"
    return "password" in text.lower()


async def _supersede(changes: "Changes", document: Document) -> None:
    event = document.get("sourceEventId")
    if event is None:
        return
    user_id = document["user"]["value"]
    kind = changes.registry.resource_types[TYPE]
    earlier_ones = f'user.value eq "{user_id}" and sourceEventId eq {quoted(event)} and status eq "scheduled"'
    for earlier in await changes.finder.find(TYPE, earlier_ones):
        current = await changes.locked(kind, earlier.id)
        await changes.store_internally(kind, current, {**with_user(current), "status": "superseded"})
        await _forget(changes, current.id, with_user(current))


def with_user(current: Resource) -> Document:
    """Return the document of a scheduled change with the user that it is for."""
    user = current.references.get("user", [])
    return {**current.document, **({"user": {"value": user[0].target}} if user else {})}


async def _plan(changes: "Changes", id: str, document: Document) -> None:
    at = moment_of(document["effectiveAt"]) or changes.moment
    await settlement.settle_by(changes.writer, changes.tenant_id, at)
    if document["kind"] not in OF_STATUS:
        return
    judgement = Judgement()
    if document["kind"] in ENDING:
        judgement = await changes.users.foreseen_end(document["user"]["value"], max(at, changes.moment))
    source, reason = changes.call.actor.source, document.get("reason", "other")
    planned = Planned(id, document["kind"], at, source, reason)

    def work(user: Document) -> None:
        facts = facts_of(user)
        keep_facts(user, replace(facts, planned=(*facts.planned, planned)))

    facts = {"kind": planned.kind, "effectiveAt": text_of(at)}
    tells = [("user.change.scheduled", facts), *alarms_of(judgement)]
    await changes.adjust(
        document["user"]["value"], work, "user.schedule", findings=judgement.findings, tells=tells
    )


async def _forget(changes: "Changes", id: str, document: Document) -> None:
    if document["kind"] not in OF_STATUS:
        return

    def work(user: Document) -> None:
        facts = facts_of(user)
        keep_facts(user, replace(facts, planned=tuple(plan for plan in facts.planned if plan.id != id)))

    await changes.adjust(document["user"]["value"], work, "user.unschedule")
