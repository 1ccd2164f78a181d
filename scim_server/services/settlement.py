"""Scheduled changes that need a write, carried out before anybody can read what they change.

Changes of status take effect by themselves; a scheduled PATCH or deletion is carried out by the worker, or
by the first request after its moment, whichever comes first.
"""

import json
from typing import Any

from scim_server.dialects import GENERIC
from scim_server.lifecycle.dates import text_of
from scim_server.lifecycle.documents import Document
from scim_server.lifecycle.state import moment as moment_of
from scim_server.scim.errors import ScimError
from scim_server.scim.patch.operations import parse_patch
from scim_server.scim.registry import Registry
from scim_server.scim.resources import Resource
from scim_server.security.principals import PERMISSIONS, Principal
from scim_server.services import audit
from scim_server.services.changes import Changes
from scim_server.services.context import CallContext, filter_context
from scim_server.services.hooks.scheduled_changes import TYPE
from scim_server.services.lifecycle import USER, Lifecycle
from scim_server.store.clock import now
from scim_server.store.database import Database, Writer
from scim_server.store.settlement import settled_until

AT_ONCE = 200


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
        due = f'status eq "scheduled" and effectiveAt le "{until}" and (kind eq "patch" or kind eq "delete")'
        return [found.id for found in await changes.finder.find(TYPE, due, AT_ONCE)]

    async def _carry_out(self, writer: Writer, call: CallContext, id: str) -> None:
        changes = self._changes(writer, call)
        kind = self._registry.resource_types[TYPE]
        current = await changes.find_locked(kind, id)
        if current is None or current.document.get("status") != "scheduled":
            return
        before = {**current.document}
        outcome = await self._outcome(changes, current)
        await changes.store_internally(kind, current, {**_with_user(current, before), **outcome})

    async def _outcome(self, changes: Changes, current: Resource) -> Document:
        users = self._registry.resource_types[USER]
        user_id = current.references["user"][0].target
        try:
            if current.document["kind"] == "delete":
                await changes.users.delete(await changes.locked(users, user_id))
            else:
                message: Any = json.loads(current.document["patch"])
                await changes.patch(users, user_id, parse_patch(message, changes.principal.policy))
        except ScimError as error:
            alarm: list[tuple[str, Document]] = [("alarm", {"message": error.detail})]
            event = audit.Event("scheduledChange.fail", TYPE, current.id, outcome="refused", tells=alarm)
            await changes.record(event)
            return {"status": "failed", "error": error.detail[:500]}
        return {"status": "applied", "appliedAt": text_of(changes.moment)}

    async def _note_next(self, writer: Writer, call: CallContext) -> None:
        changes = self._changes(writer, call)
        waiting = await changes.finder.find(
            TYPE, 'status eq "scheduled" and (kind eq "patch" or kind eq "delete")'
        )
        moments = [at for found in waiting if (at := moment_of(found.document.get("effectiveAt")))]
        await settled_until(writer, call.principal.tenant_id, min(moments, default=None))


def _with_user(current: Resource, document: Document) -> Document:
    user = current.references.get("user", [])
    return {**document, **({"user": {"value": user[0].target}} if user else {})}


def system_call(tenant_id: int, tenant: str) -> CallContext:
    """Return the call of the server itself in a tenant."""
    principal = Principal(
        tenant_id, tenant, "", "system", "system", "generic", GENERIC, frozenset(PERMISSIONS)
    )
    return CallContext(principal, "")
