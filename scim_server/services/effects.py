"""What follows from a change of a user beyond its own document, in the same transaction."""

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from scim_server.lifecycle import assignments
from scim_server.lifecycle.assignments import KINDS
from scim_server.lifecycle.catalogue import DEPARTMENT, ENTITLEMENT, ROLE
from scim_server.lifecycle.documents import Document, get, put
from scim_server.lifecycle.messages import message
from scim_server.lifecycle.state import moment as moment_of
from scim_server.lifecycle.status import ENDING
from scim_server.lifecycle.urns import CONNECTOR, ENTERPRISE, LIFECYCLE
from scim_server.scim.errors import Forbidden, InvalidValue
from scim_server.scim.resources import Resource
from scim_server.scim.values import fold_text
from scim_server.security.principals import LIFECYCLE as MANAGE_LIFECYCLE
from scim_server.security.principals import UPDATE
from scim_server.services.lifecycle import USER
from scim_server.services.lookups import MANAGER_KEY
from scim_server.services.row_scope import is_in_scope
from scim_server.services.users import Asked, Outcome
from scim_server.store import clients, pending, references

if TYPE_CHECKING:
    from scim_server.services.changes import Changes

_PLANNED = {"active": "activate", "inactive": "deactivate", "suspended": "suspend"}
_GRANTED_BY = {ROLE: "R-ROLE-AUTH", DEPARTMENT: "R-ROLE-AUTH", ENTITLEMENT: "R-PERM-AUTH"}
"""The rule that says who grants what, by type; a department grants its default roles."""
Work = Callable[[Document], None]


async def carry_out(changes: "Changes", id: str, outcome: Outcome) -> None:
    """Revoke the tokens of a user whose access ends and hand over what is open (S4 Step 4)."""
    trigger = outcome.transition.decision.trigger if outcome.transition else None
    if trigger not in ENDING and not outcome.change.is_deletion:
        return
    changes.writer.needs_transaction()
    await clients.revoke_tokens_of_owner(
        changes.writer, changes.tenant_id, id, changes.moment, changes.principal.user_id
    )
    transfer_to = outcome.change.context.get("transferTo")
    if transfer_to:
        await _transfer(changes, id, transfer_to)


async def _transfer(changes: "Changes", id: str, text: str) -> None:
    """Hand the open obligations of a user to another one, where the client knows that one."""
    found = await changes.finder.users_called(text)
    if len(found) != 1:
        return
    heir = Resource(USER, found[0], 1, 0, 0, {})
    if not await is_in_scope(changes.writer, changes.context, changes.principal, heir):
        return
    kind = changes.registry.resource_types["Obligation"]
    for open_one in await changes.finder.find("Obligation", f'user.value eq "{id}" and status eq "open"'):
        current = await changes.locked(kind, open_one.id)
        before = {**current.document}
        after = {**before, "status": "transferred", "transferredTo": {"value": found[0]}}
        await changes.store_internally(kind, current, after)


async def planned(
    changes: "Changes", id: str, before: Document, after: Document, asked: Asked
) -> Document | None:
    """Turn a change of status for a later moment into a scheduled change.

    Returns the document without the wish, None where the change is for now (S4 Step 4).
    """
    at = moment_of(asked.context.get("effectiveAt"))
    if at is None or at <= changes.moment:
        return None
    wanted = asked.wants or _wanted(before, after, asked)
    if wanted not in _PLANNED:
        if asked.states_active:
            return None
        raise InvalidValue(
            "changeContext.effectiveAt goes with a change of status; plan another change with a POST to"
            " /ScheduledChanges."
        )
    actor = changes.call.actor
    if actor.is_human or not actor.may(UPDATE):
        changes.principal.require(MANAGE_LIFECYCLE)
    body = {
        "user": {"value": id},
        "kind": _PLANNED[wanted],
        "effectiveAt": asked.context["effectiveAt"],
        **{name: asked.context[name] for name in ("reason", "note") if name in asked.context},
    }
    await changes.create_internally("ScheduledChange", body)
    current = await changes.locked(changes.registry.resource_types["User"], id)
    later = {**after, **{name: value for name, value in current.document.items() if name.startswith("~")}}
    for urn, name in ((LIFECYCLE, "status"), (CONNECTOR, "accountStatus"), (None, "active")):
        put(later, urn, name, get(before, urn, name))
    later["active"] = before.get("active")
    asked.wants, asked.states_active = None, False
    return later


def _wanted(before: Document, after: Document, asked: Asked) -> str | None:
    for urn, name in ((LIFECYCLE, "status"), (CONNECTOR, "accountStatus")):
        if get(after, urn, name) != get(before, urn, name):
            return str(get(after, urn, name))
    if asked.states_active and after.get("active") != before.get("active"):
        return "active" if after.get("active") else "inactive"
    return None


def keys_of_user(document: Document) -> set[str]:
    """Return what a user may be called by another one that reports to it, folded."""
    addresses = [item.get("value") for item in document.get("emails", ())]
    names = [document.get("userName"), get(document, ENTERPRISE, "employeeNumber"), *addresses]
    return {fold_text(name) for name in names if isinstance(name, str) and name}


async def resolve_waiting(changes: "Changes", type_name: str, id: str, keys: Iterable[str]) -> None:
    """Complete the users that waited for a resource, now that it is there under one of its names."""
    foreseen = changes.finder.foreseen
    if foreseen is not None and not foreseen.is_waited_for:
        return
    wanted = sorted({*keys, id})
    found = await pending.waiting(changes.writer, changes.tenant_id, type_name, wanted)
    await _refuse_own(changes, type_name, id, {source_id for source_id, _ in found})
    refusal = await _protected(changes, type_name, id)
    for source_id, attribute in found:
        if attribute == "manager":
            circular = changes.call.actor.is_human and await references.is_reachable(
                changes.writer, changes.tenant_id, MANAGER_KEY, [id], source_id
            )
            work = _manager_work(None if circular else id, wanted)
            refused = message("R-REF.cycle") if circular else None
        else:
            work, refused = await _assignment_work(changes, wanted if refusal else ()), refusal
        if refused:
            await changes.adjust(
                source_id, work, "user.reference.refused", tells=[("alarm", {"message": refused})]
            )
        else:
            await changes.adjust(source_id, work, "user.reference.resolved")
    if found:
        await pending.found(changes.writer, changes.tenant_id, type_name, wanted)


def to_oneself(what: str) -> Forbidden:
    """Return the refusal of what a client would grant to the user that it is bound to (R-SELF)."""
    return Forbidden(message("R-SELF.escalate", what=what))


async def _refuse_own(changes: "Changes", type_name: str, id: str, waiting: Collection[str]) -> None:
    """Refuse to make what the user waits for whom the client is bound to (R-SELF)."""
    rule_id = _GRANTED_BY.get(type_name)
    if rule_id is None or changes.principal.user_id not in waiting:
        return
    entry = (await changes.catalogue()).table(type_name).get(id)
    if entry is None or (type_name == DEPARTMENT and not entry.document.get("defaultRoles")):
        return
    if await changes.enforces(rule_id):
        what = "a role" if type_name == DEPARTMENT else entry.display
        raise to_oneself(what)


async def _protected(changes: "Changes", type_name: str, id: str) -> str | None:
    """Return why a resource is not given to those who waited for it: who asked may not have been allowed."""
    kind = next((kind for kind in KINDS if kind.type == type_name), None)
    entry = (await changes.catalogue()).table(type_name).get(id) if kind else None
    if entry is None or not entry.names("assignableBy"):
        return None
    return message("R-ROLE-AUTH", name=entry.display)


def _manager_work(id: str | None, wanted: list[str]) -> Work:
    def work(document: Document) -> None:
        manager = get(document, ENTERPRISE, "manager")
        if manager and fold_text(manager["value"]) in wanted:
            put(document, ENTERPRISE, "manager", None if id is None else {**manager, "value": id})

    return work


async def _assignment_work(changes: "Changes", refused: Collection[str]) -> Work:
    """Return what assigns what is there by now; what is refused, by its names, is waited for no more."""
    catalogue = await changes.catalogue()

    def work(document: Document) -> None:
        for kind in KINDS:
            waits = assignments.waiting(document, kind)
            if waits:
                allowed = [row for row in waits if fold_text(row["value"]) not in refused]
                assignments.keep_waiting(document, kind, allowed)
                assignments.resolve(document, kind, catalogue)
                assignments.settle_primary(document, document, kind)

    return work
