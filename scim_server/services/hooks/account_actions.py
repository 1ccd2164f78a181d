"""Account actions: commands on a user, each recorded, authorised, and possible as a dry run."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from scim_server.lifecycle.dates import text_of
from scim_server.lifecycle.documents import Document, put
from scim_server.lifecycle.state import facts_of, keep_facts, set_fact
from scim_server.lifecycle.status import ACTIVE, INACTIVE, PENDING, SUSPENDED, Lock
from scim_server.lifecycle.urns import LIFECYCLE
from scim_server.scim.errors import InvalidValue, NotFound
from scim_server.scim.resources import Resource
from scim_server.security.passwords import temporary_password
from scim_server.security.principals import (
    CREATE,
    DELETE,
    MANAGE_TOKENS,
    UNLOCK,
)
from scim_server.security.principals import (
    LIFECYCLE as MANAGE_LIFECYCLE,
)
from scim_server.services import revival
from scim_server.services.hooks.base import Hook, name_user
from scim_server.services.hooks.login_reports import unlock
from scim_server.services.row_scope import is_in_scope_to_change
from scim_server.services.users import Asked
from scim_server.store import clients, deleted
from scim_server.store.savepoint import undone

if TYPE_CHECKING:
    from scim_server.services.changes import Changes

_CONTEXT = ("reason", "note", "justification", "ticket", "effectiveAt", "until", "transferTo")
_PLANNABLE = ("activate", "reactivate", "reinstate", "deactivate", "cancel", "suspend")
_DAY = 86_400_000_000
Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Action:
    """One command: the permission it needs and what it does; returns what the answer shows besides."""

    permission: str
    work: Callable[["Changes", str, Document], Awaitable[Facts]]


class AccountActionHook(Hook):
    """Carries out the command of an account action in the transaction that records it."""

    async def creating(self, changes: "Changes", _id: str, document: Document) -> Document:
        """Carry it out, or try it and take it back for a dry run; the record says what came of it."""
        action = _ACTIONS[document["action"]]
        changes.principal.require(action.permission)
        if "effectiveAt" in document and document["action"] not in _PLANNABLE:
            raise InvalidValue(
                f"effectiveAt goes with {', '.join(_PLANNABLE)}, not with {document['action']}."
            )
        if document["action"] != "restore":
            document = await name_user(changes, document)
        user_id = document["user"]["value"]
        seen = len(changes.report)
        if document.get("dryRun"):
            async with undone(changes.writer):
                await action.work(changes, user_id, document)
            return {**document, "status": "preview", "result": _said(changes, seen)}
        shown = await action.work(changes, user_id, document)
        changes.shown = {name: value for name, value in shown.items() if name == "temporaryPassword"}
        status = "scheduled" if _is_scheduled(changes, seen) else "done"
        return {**document, "status": status, "result": _said(changes, seen)}

    async def created(
        self, changes: "Changes", created: Resource, _document: Document, _members: dict[str, list[str]]
    ) -> None:
        """Show a temporary password in this one answer; it is kept nowhere."""
        created.document = {**created.document, **changes.shown}


def _said(changes: "Changes", seen: int) -> list[str]:
    events = changes.report[seen:]
    lines = [f"{event.action}: {event.outcome}" for event in events]
    lines += [finding.message for event in events for finding in event.findings]
    return list(dict.fromkeys(lines)) or ["nothing changed"]


def _is_scheduled(changes: "Changes", seen: int) -> bool:
    return any(event.action == "scheduledChange.create" for event in changes.report[seen:])


def _status(wanted: str) -> Callable[["Changes", str, Document], Awaitable[Facts]]:
    async def work(changes: "Changes", user_id: str, document: Document) -> Facts:
        current = await _user(changes, user_id)
        context = {name: document[name] for name in _CONTEXT if name in document}
        await changes.users.act(current, Asked(context, states_active=True, wants=wanted))
        return {}

    return work


async def _user(changes: "Changes", user_id: str) -> Resource:
    return await changes.locked(changes.registry.resource_types["User"], user_id)


async def _unlock(changes: "Changes", user_id: str, document: Document) -> Facts:
    """Unlock, and ask the login system for a reset link where that is wished (S4 §8)."""
    tells: list[tuple[str, Document]] = [("user.unlocked", {})]
    if document.get("sendResetLink"):
        tells.append(_reset_link(changes))
    await changes.adjust(user_id, unlock, "user.unlock", tells=tells, actor=changes.call.actor)
    return {}


async def _keep_locked(changes: "Changes", user_id: str, _document: Document) -> Facts:
    """Leave the lock on until somebody takes it off (S4 §8)."""

    def work(user: Document) -> None:
        facts = facts_of(user)
        if facts.lock is None or not facts.lock.locks_at(changes.moment):
            raise InvalidValue("The account is not locked.")
        keep_facts(user, replace(facts, lock=Lock(facts.lock.since)))

    await changes.adjust(user_id, work, "user.keepLocked", actor=changes.call.actor)
    return {}


def _reset_link(changes: "Changes") -> tuple[str, Document]:
    return "password.reset.requested", {"expiresAt": text_of(changes.moment + _DAY)}


async def _reset_password(changes: "Changes", user_id: str, _document: Document) -> Facts:
    """Ask the login system for a reset link that is good for a day; the status stays (S4 §7, S3 §4)."""

    def work(user: Document) -> None:
        set_fact(user, "credentials", mustChange=True)

    await changes.adjust(
        user_id, work, "user.resetPassword", tells=[_reset_link(changes)], actor=changes.call.actor
    )
    return {}


async def _temporary_password(changes: "Changes", user_id: str, _document: Document) -> Facts:
    """Make a temporary password, which the caller sees once; the user has to change it (S4 §7)."""
    password = temporary_password()

    def work(user: Document) -> None:
        set_fact(user, "credentials", passwordSetAt=text_of(changes.moment), temporary=True, mustChange=True)

    tells: list[tuple[str, Document]] = [("password.temporary.set", {})]
    await changes.adjust(user_id, work, "user.setTemporaryPassword", tells=tells, actor=changes.call.actor)
    policies = (await changes.catalogue()).policies
    shows = policies.temporary_password != "none"  # noqa: S105 - a setting, no password
    return {"temporaryPassword": password} if shows else {}


async def _revoke_sessions(changes: "Changes", user_id: str, _document: Document) -> Facts:
    def work(user: Document) -> None:
        put(user, LIFECYCLE, "sessionsRevokedAt", text_of(changes.moment))

    tells: list[tuple[str, Document]] = [("sessions.revoked", {})]
    await changes.adjust(user_id, work, "user.revokeSessions", tells=tells, actor=changes.call.actor)
    return {}


async def _revoke_tokens(changes: "Changes", user_id: str, _document: Document) -> Facts:
    def work(user: Document) -> None:
        put(user, LIFECYCLE, "tokensRevokedAt", text_of(changes.moment))

    await clients.revoke_tokens_of_owner(
        changes.writer, changes.tenant_id, user_id, changes.moment, changes.principal.user_id
    )
    await changes.adjust(user_id, work, "user.revokeTokens", actor=changes.call.actor)
    return {}


async def _resend_invitation(changes: "Changes", user_id: str, _document: Document) -> Facts:
    """Send the invitation once more; a mail that failed before is tried again (S4 §19)."""

    def work(user: Document) -> None:
        sent, expires = text_of(changes.moment), text_of(changes.moment + 7 * _DAY)
        set_fact(user, "invitation", state="sent", sentAt=sent, expiresAt=expires)

    tells: list[tuple[str, Document]] = [("invitation.requested", {})]
    await changes.adjust(user_id, work, "user.resendInvite", tells=tells, actor=changes.call.actor)
    return {}


async def _restore(changes: "Changes", user_id: str, _document: Document) -> Facts:
    """Bring a deleted user back as inactive."""
    former = await deleted.fetch_deleted(changes.writer, changes.tenant_id, "User", user_id)
    if former is None:
        raise NotFound("User not found: no deleted user has this id.")
    await revival.undelete(changes, former)
    await is_in_scope_to_change(changes, changes.registry.resource_types["User"], user_id)
    tells: list[tuple[str, Document]] = [("user.restored", {})]
    await changes.adjust(user_id, lambda _user: None, "user.restore", tells=tells, actor=changes.call.actor)
    return {}


_ACTIONS: Mapping[str, Action] = {
    "activate": Action(MANAGE_LIFECYCLE, _status(ACTIVE)),
    "reactivate": Action(MANAGE_LIFECYCLE, _status(ACTIVE)),
    "reinstate": Action(MANAGE_LIFECYCLE, _status(ACTIVE)),
    "deactivate": Action(MANAGE_LIFECYCLE, _status(INACTIVE)),
    "cancel": Action(MANAGE_LIFECYCLE, _status(INACTIVE)),
    "suspend": Action(MANAGE_LIFECYCLE, _status(SUSPENDED)),
    "reonboard": Action(MANAGE_LIFECYCLE, _status(PENDING)),
    "unlock": Action(UNLOCK, _unlock),
    "keepLocked": Action(UNLOCK, _keep_locked),
    "resetPassword": Action(UNLOCK, _reset_password),
    "setTemporaryPassword": Action(UNLOCK, _temporary_password),
    "revokeSessions": Action(MANAGE_LIFECYCLE, _revoke_sessions),
    "revokeTokens": Action(MANAGE_TOKENS, _revoke_tokens),
    "resendInvite": Action(CREATE, _resend_invitation),
    "restore": Action(DELETE, _restore),
}
