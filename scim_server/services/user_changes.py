"""Changes of users: the life cycle applied, the result stored, the trail written, effects carried out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scim_server.lifecycle.assignments import ROLES, valid_entries
from scim_server.lifecycle.catalogue import Catalogue
from scim_server.lifecycle.change import SYSTEM, Actor
from scim_server.lifecycle.documents import Document, get
from scim_server.lifecycle.judgement import Finding, Judgement
from scim_server.lifecycle.urns import ENTERPRISE
from scim_server.scim.contents import put_references
from scim_server.scim.documents import copied
from scim_server.scim.errors import InvalidValue
from scim_server.scim.normalize import Normalizer
from scim_server.scim.patch.operations import Operation
from scim_server.scim.registry import ResourceType
from scim_server.scim.resources import ReferenceValue, Resource
from scim_server.scim.values import fold_text
from scim_server.services import audit, creation, effects, revival
from scim_server.services.lifecycle import SEEN_UNDER, USER
from scim_server.services.lookups import MANAGER_KEY
from scim_server.services.persistence import Show
from scim_server.services.showing import pieces_of
from scim_server.services.users import (
    Asked,
    Outcome,
    UserLifecycle,
    additions,
    states_active,
    take_asked,
    waiting_keys,
)
from scim_server.store import pending, recalculation

if TYPE_CHECKING:
    from scim_server.services.changes import Changes

_INTERNAL = "~"
RECALCULATED_AT_ONCE = 200


class UserChanges:
    """The part of a transaction's changes that is about users."""

    def __init__(self, changes: "Changes") -> None:
        self._changes = changes

    @property
    def _type(self) -> ResourceType:
        return self._changes.registry.resource_types[USER]

    async def normalized(self, data: Any) -> Document:
        """Return the canonical document of a POST body; its user name may be the e-mail (S4 Step 2).

        Raises InvalidSyntax, and InvalidValue with every violation, that of missing fields among them.
        """
        data = creation.with_user_name(data, self._changes.principal.profile)
        normalizer = Normalizer(self._changes.own_kind(USER), self._changes.principal.policy)
        try:
            return normalizer.resource(data)
        except InvalidValue:
            catalogue = await self._changes.catalogue()
            normalizer.violations += creation.missing_fields(data, self._changes.call.actor, catalogue)
            normalizer.finish()
            raise

    async def seen(self, stored: Document) -> Document:
        """Return a user's document as clients see it now."""
        return (await self._lifecycle(self._changes.call.actor)).view(stored)

    async def create(self, id: str, document: Document) -> Resource:
        """Create a user from a canonical body, or bring back one that the client means by it."""
        stated = "active" in document
        document, asked = take_asked(document)
        asked.states_active = stated
        revived = await revival.revived(self._changes, document)
        if revived is not None:
            current, is_deleted = revived
            return await self._revive(current, document, asked, is_deleted=is_deleted)
        actor = await self._actor()
        lifecycle = await self._lifecycle(actor)
        document = await creation.with_defaults(self._changes, document, actor, lifecycle.catalogue)
        outcome = await lifecycle.settle(id, None, None, document, asked)
        created = await self._changes.persistence.insert(
            self._type,
            id,
            await self._signed(outcome.after),
            boundaries=outcome.boundaries,
            show=self._shown(outcome, None, lifecycle.catalogue),
        )
        if self._changes.finder.foreseen is not None:
            self._changes.finder.foreseen.add(id, outcome.after)
        await self._finish(created, outcome, None)
        return created

    async def patch(
        self,
        current: Resource,
        before: Document,
        after: Document,
        operations: list[Operation],
        resource_type: ResourceType,
    ) -> Resource:
        """Store what a PATCH made of a user."""
        after, asked = take_asked(after)
        asked.states_active = states_active(operations, resource_type)
        asked.additions = additions(operations, resource_type, await self._changes.catalogue())
        return await self._change(current, before, after, asked)

    async def change(
        self, current: Resource, before: Document, after: Document, *, states_active: bool
    ) -> Resource:
        """Store what a PUT made of a user."""
        after, asked = take_asked(after)
        asked.states_active, asked.is_replacement = states_active, True
        return await self._change(current, before, after, asked)

    async def act(self, current: Resource, asked: Asked) -> Resource:
        """Carry out the status that an account action asks for."""
        before = await self.seen(put_references(current, self._type))
        return await self._change(current, before, before, asked)

    async def foreseen_end(self, id: str, at: int) -> Judgement:
        """Return what the rules say of access that is to end at a later moment; raises where they refuse."""
        current = await self._changes.locked(self._type, id)
        lifecycle = await self._lifecycle(self._changes.call.actor)
        return await lifecycle.foreseen_end(current.id, put_references(current, self._type), at)

    async def delete(self, current: Resource, asked: Asked | None = None) -> None:
        """Delete a user where the rules allow it."""
        actor = await self._actor()
        lifecycle = await self._lifecycle(actor)
        before = lifecycle.view(put_references(current, self._type))
        outcome = await lifecycle.delete(current.id, before, asked or Asked())
        await self._changes.remove(self._type, current)
        await pending.forget(self._changes.writer, self._changes.tenant_id, current.id)
        await effects.carry_out(self._changes, current.id, outcome)
        await self._record(current.id, outcome, before, None)

    async def adjust(
        self,
        id: str,
        work: Callable[[Document], None],
        action: str,
        *,
        actor: Actor = SYSTEM,
        findings: Sequence[Finding] = (),
        tells: Sequence[tuple[str, Document]] = (),
    ) -> Resource | None:
        """Change the facts of a user in place by `work`, without rules; None where the user is not there."""
        current = await self._changes.find_locked(self._type, id)
        if current is None:
            return None
        lifecycle = await self._lifecycle(actor)
        stored = put_references(current, self._type)
        before = lifecycle.view(stored)
        facts = {name: value for name, value in stored.items() if name.startswith(_INTERNAL)}
        after = {**before, **facts}
        work(after)
        judgement = Judgement(list(findings))
        outcome = await lifecycle.derived(id, before, after, judgement)
        return await self._save(current, before, outcome, action, list(tells))

    async def assign(self, id: str, group_id: str, work: Callable[[Document], None]) -> None:
        """Change the assignments of a user in the name of a group, which then owns them."""
        current = await self._changes.find_locked(self._type, id)
        if current is None:
            return
        actor = replace(await self._actor(), client_id=group_id, acts_for="group")
        before = await self.seen(put_references(current, self._type))
        after = copied(before)
        work(after)
        await self._change(current, before, after, Asked(), actor)

    async def recalculate(self, ids: Sequence[str]) -> None:
        """Bring what the store keeps of users in line with the catalogue, which reading does anyway.

        Beyond RECALCULATED_AT_ONCE the worker does it, and filters on derived values see it then.
        """
        at_once, later = ids[:RECALCULATED_AT_ONCE], ids[RECALCULATED_AT_ONCE:]
        if later:
            await recalculation.enqueue(self._changes.writer, self._changes.tenant_id, later)
        lifecycle = await self._lifecycle(SYSTEM)
        for user_id in at_once:
            current = await self._changes.find_locked(self._type, user_id)
            if current is None:
                continue
            stored = put_references(current, self._type)
            outcome = await lifecycle.derived(user_id, stored, stored, Judgement())
            await self._changes.persistence.update(
                self._type,
                current,
                stored,
                outcome.after,
                boundaries=outcome.boundaries,
                show=self._shown(outcome, current, lifecycle.catalogue),
            )

    async def _change(
        self,
        current: Resource,
        before: Document,
        after: Document,
        asked: Asked,
        actor: Actor | None = None,
    ) -> Resource:
        if before.get("active") and not after.get("active"):
            self._changes.writer.needs_transaction()
        actor = actor or await self._actor()
        lifecycle = await self._lifecycle(actor)
        stored = put_references(current, self._type)
        after = {**after, **{name: value for name, value in stored.items() if name.startswith(_INTERNAL)}}
        planned = await effects.planned(self._changes, current.id, before, after, asked)
        if planned is not None:
            after = planned
            current = await self._changes.locked(self._type, current.id)
            stored = put_references(current, self._type)
        outcome = await lifecycle.settle(current.id, stored, before, after, asked)
        return await self._save(current, before, outcome, outcome.action, list(outcome.news))

    async def _save(
        self,
        current: Resource,
        before: Document,
        outcome: Outcome,
        action: str,
        news: list[tuple[str, Document]],
    ) -> Resource:
        stored = put_references(current, self._type)
        unchanged = outcome.after == {
            **before,
            **{n: v for n, v in stored.items() if n.startswith(_INTERNAL)},
        }
        if unchanged:
            outcome.news = news
            if news:
                await self._record(current.id, outcome, before, before, action)
            elif outcome.judgement.findings:
                await self._record(current.id, outcome, before, before, is_noop=True)
            return current
        changed, _ = await self._changes.persistence.update(
            self._type,
            current,
            stored,
            await self._signed(outcome.after),
            boundaries=outcome.boundaries,
            show=self._shown(outcome, current, await self._changes.catalogue()),
        )
        outcome.news = news
        await self._finish(changed, outcome, before, action)
        return changed

    async def _revive(
        self, current: Resource, document: Document, asked: Asked, *, is_deleted: bool
    ) -> Resource:
        """Give a former user its place back: the same id, the facts of the new request, active again."""
        if is_deleted:
            await revival.undelete(self._changes, current)
        fresh = await self._changes.locked(self._type, current.id)
        before = await self.seen(put_references(fresh, self._type))
        after = {**before, **document, "active": document.get("active", True)}
        asked.states_active = True
        return await self._change(fresh, before, after, asked)

    def _shown(self, outcome: Outcome, current: Resource | None, catalogue: Catalogue) -> Show:
        """Return what makes the pieces for reading of what becomes of a user."""
        held = [] if current is None else current.references.get(MANAGER_KEY, [])
        known = next((value for value in held if value.target_type is not None), None)
        manager = get(outcome.after, ENTERPRISE, "manager")
        is_named = not any("manager" in path for path, _ in outcome.change.unresolved)
        if manager and is_named and all(value.target != manager["value"] for value in held):
            known = ReferenceValue(manager["value"], USER)
        return lambda user: pieces_of(user, self._changes.registry, catalogue, known)

    async def _signed(self, document: Document) -> Document:
        """Return a document with the version of the catalogue under which it was computed."""
        return {**document, SEEN_UNDER: (await self._changes.catalogue()).version}

    async def _finish(
        self, saved: Resource, outcome: Outcome, before: Document | None, action: str | None = None
    ) -> None:
        await self._wait(saved.id, outcome)
        await effects.carry_out(self._changes, saved.id, outcome)
        await self._record(saved.id, outcome, before, outcome.after, action)
        if before is None or _is_called_otherwise(before, outcome.after):
            await effects.resolve_waiting(self._changes, USER, saved.id, effects.keys_of_user(outcome.after))

    async def _wait(self, id: str, outcome: Outcome) -> None:
        """Note what a user waits for, so that it is resolved when that appears."""
        waits = waiting_keys(outcome.after)
        changes, manager = (
            self._changes,
            [text for path, text in outcome.change.unresolved if "manager" in path],
        )
        if manager:
            waits["manager"] = [(USER, manager[0])]
            if changes.finder.foreseen is not None:
                changes.finder.foreseen.is_waited_for = True
        if waits or any(waiting_keys(outcome.change.old)):
            await pending.forget(changes.writer, changes.tenant_id, id)
        for attribute, wanted in waits.items():
            for type_name, text in wanted:
                await pending.wait(
                    changes.writer, changes.tenant_id, id, attribute, type_name, [fold_text(text)]
                )

    async def _record(
        self,
        id: str,
        outcome: Outcome,
        before: Document | None,
        after: Document | None,
        action: str | None = None,
        *,
        is_noop: bool = False,
    ) -> None:
        event = audit.Event(
            action or outcome.action,
            USER,
            id,
            before,
            after,
            "noop" if is_noop or outcome.is_in_vain else "success",
            outcome.change.context,
            outcome.judgement.findings,
            [] if is_noop else list(outcome.news),
        )
        await self._changes.record(event)

    async def _lifecycle(self, actor: Actor) -> UserLifecycle:
        changes = self._changes
        catalogue = await changes.catalogue()
        return UserLifecycle(
            changes.writer, changes.lifecycle, catalogue, actor, changes.finder, changes.moment
        )

    async def _actor(self) -> Actor:
        """Return the client with the roles of the user it is bound to, as far as that one is active."""
        changes, actor = self._changes, self._changes.call.actor
        if actor.user_id is None:
            return actor
        own = await changes.find_locked(self._type, actor.user_id)
        if own is None:
            return actor
        lifecycle = await self._lifecycle(actor)
        seen = lifecycle.view(put_references(own, self._type))
        held = valid_entries(seen, ROLES, lifecycle.catalogue, changes.moment) if seen.get("active") else []
        return replace(actor, roles=frozenset(entry.value for _, entry in held))


def _is_called_otherwise(before: Document, after: Document) -> bool:
    return effects.keys_of_user(before) != effects.keys_of_user(after)
