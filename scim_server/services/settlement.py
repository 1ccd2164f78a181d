"""Scheduled changes that need a write, carried out before anybody can read what they change.

Changes of status take effect by themselves, and what became of them is noted; a scheduled PATCH or deletion
is carried out by the worker, or by the first request after its moment, whichever comes first.
"""

from dataclasses import replace

from scim_server.dialects import GENERIC
from scim_server.lifecycle.dates import text_of
from scim_server.lifecycle.documents import Document
from scim_server.lifecycle.messages import message
from scim_server.lifecycle.standing import missing
from scim_server.lifecycle.state import moment as moment_of
from scim_server.scim.contents import put_references
from scim_server.scim.documents import decode
from scim_server.scim.errors import Forbidden, InvalidValue, ScimError
from scim_server.scim.patch.operations import parse_patch
from scim_server.scim.registry import Registry
from scim_server.scim.resources import Resource
from scim_server.security.principals import PERMISSIONS, Principal, within
from scim_server.security.tenants import NOTHING_SET, TenantSettings
from scim_server.services import audit
from scim_server.services.authentication import principal_of
from scim_server.services.changes import Changes
from scim_server.services.context import CallContext, filter_context
from scim_server.services.hooks.scheduled_changes import OF_STATUS, PLANNER, TYPE, with_user
from scim_server.services.lifecycle import USER, Lifecycle
from scim_server.services.row_scope import stays_in_scope
from scim_server.store import clients
from scim_server.store.clock import now
from scim_server.store.database import Database, Writer
from scim_server.store.savepoint import whole
from scim_server.store.settlement import settled_until

AT_ONCE = 200
UNFORESEEN = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a defect raises; one change or tenant that has it must not stop the others."""


class Settlement:
    """Carries out what is due in a tenant."""

    def __init__(self, database: Database, registry: Registry, lifecycle: Lifecycle) -> None:
        self._database = database
        self._registry = registry
        self._lifecycle = lifecycle

    async def settle(self, call: CallContext) -> None:
        """Carry out what is due, where anything is; a call costs nothing otherwise."""
        due = call.principal.settle_at
        if due is not None and due <= now():
            await self.settle_tenant(call.principal.tenant_id, call.principal.tenant)

    async def settle_tenant(self, tenant_id: int, tenant: str) -> int:
        """Carry out what is due in a tenant; returns how many changes were."""
        call = system_call(tenant_id, tenant)
        waiting = await self._database.write(lambda writer: self._due(writer, call))
        for due in waiting:
            await self._database.write(lambda writer, own=due: self._carry_out(writer, call, own))  # type: ignore[misc]
        await self._database.write(lambda writer: self._note_next(writer, call))
        return len(waiting)

    def _changes(self, writer: Writer, call: CallContext) -> Changes:
        context = filter_context(self._database, self._registry, call, self._lifecycle.engine.varying)
        return Changes(writer, self._registry, self._lifecycle, call, context)

    async def _due(self, writer: Writer, call: CallContext) -> list[str]:
        changes = self._changes(writer, call)
        until = text_of(changes.moment)
        due = f'status eq "scheduled" and effectiveAt le "{until}"'
        return [found.id for found in await changes.finder.find(TYPE, due, AT_ONCE, by="effectiveAt")]

    async def _carry_out(self, writer: Writer, call: CallContext, id: str) -> None:
        changes = self._changes(writer, call)
        kind = self._registry.resource_types[TYPE]
        current = await changes.find_locked(kind, id)
        if current is None or current.document.get("status") != "scheduled":
            return
        try:
            async with whole(writer):
                done = await self._done(changes, current)
        except (ScimError, *UNFORESEEN) as error:
            detail = error.detail if isinstance(error, ScimError) else "The change cannot be carried out."
            done = {"status": "failed", "error": detail[:500]}
            alarm: list[tuple[str, Document]] = [("alarm", {"message": detail})]
            event = audit.Event("scheduledChange.fail", TYPE, id, outcome="refused", tells=alarm)
            event.subject = with_user(current).get("user", {}).get("value")
            await changes.record(event)
        current = await changes.locked(kind, id)
        await changes.store_internally(kind, current, {**with_user(current), **done})

    async def _done(self, changes: Changes, current: Resource) -> Document:
        """Carry one change out, as whoever planned it; raises what refuses it."""
        kind, users = current.document["kind"], self._registry.resource_types[USER]
        targets = current.references.get("user")
        user = await changes.find_locked(users, targets[0].target) if targets else None
        if user is None:
            return {"status": "cancelled"}
        if kind in OF_STATUS:
            return await self._noted(changes, current, user)
        own = self._changes(changes.writer, await _call_of_planner(changes, current))
        if kind == "delete":
            await own.delete(users, user.id)
        else:
            said = decode(current.document["patch"].encode())
            changed = await own.patch(own.own_kind(USER), user.id, parse_patch(said, own.principal.policy))
            await stays_in_scope(own, changed)
        return {"status": "applied", "appliedAt": text_of(changes.moment)}

    async def _noted(self, changes: Changes, current: Resource, user: Resource) -> Document:
        """Return what became of a change of status, which took effect by itself at its moment."""
        at = moment_of(current.document["effectiveAt"]) or changes.moment
        stored = put_references(user, self._registry.resource_types[USER])
        lacks = missing(stored, await changes.catalogue(), at)
        if current.document["kind"] == "activate" and lacks:
            raise InvalidValue("; ".join(message(f"R-READY.{name}") for name in lacks))
        return {"status": "applied", "appliedAt": text_of(at)}

    async def _note_next(self, writer: Writer, call: CallContext) -> None:
        """Note when the next change is due; who plans an earlier one meanwhile waits and notes it then."""
        changes, tenant_id = self._changes(writer, call), call.principal.tenant_id
        await settled_until(writer, tenant_id, None)
        for found in await changes.finder.find(TYPE, 'status eq "scheduled"', 1, by="effectiveAt"):
            await settled_until(writer, tenant_id, moment_of(found.document.get("effectiveAt")))


async def _call_of_planner(changes: Changes, current: Resource) -> CallContext:
    """Return a call of the client that planned a change, with what it may do now; raises Forbidden."""
    planner = current.document.get(PLANNER, {})
    caller = await clients.caller_by_client(changes.writer, changes.tenant_id, planner.get("client", ""))
    if caller is None or caller.client_revoked is not None:
        raise Forbidden(message("R-PERMISSIONS"))
    lent = frozenset(planner["lent"])
    own = principal_of(caller)
    held = within(planner.get("narrowed", own.permissions), own.permissions)
    return CallContext(replace(own, permissions=held | lent, user_id=planner.get("user"), lent=lent), "")


def system_call(tenant_id: int, tenant: str, settings: TenantSettings = NOTHING_SET) -> CallContext:
    """Return the call of the server itself in a tenant; its settings matter for what others wrote."""
    permissions = frozenset(PERMISSIONS)
    principal = Principal(
        tenant_id, tenant, "", "system", "system", "generic", GENERIC, permissions, settings=settings
    )
    return CallContext(principal, "")
