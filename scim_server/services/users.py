"""The life cycle of one user inside a transaction: what is asked, what the rules say, what it becomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from scim_server.lifecycle.assignments import KINDS, ROLES, rows, waiting
from scim_server.lifecycle.catalogue import Catalogue
from scim_server.lifecycle.change import Actor, Change, RuleContext, Transition
from scim_server.lifecycle.documents import Document, differences, get, put
from scim_server.lifecycle.engine import Draft
from scim_server.lifecycle.judgement import Judgement, judge
from scim_server.lifecycle.news import News, news_of
from scim_server.lifecycle.requests import Request
from scim_server.lifecycle.status import INACTIVE
from scim_server.lifecycle.status_rules import FORESEEN
from scim_server.lifecycle.urns import LIFECYCLE
from scim_server.scim.documents import copied
from scim_server.scim.patch.operations import Operation
from scim_server.scim.registry import ResourceType
from scim_server.services.lifecycle import USER, Lifecycle
from scim_server.services.lookups import Finder, lookups_for, settle_manager
from scim_server.store.database import Writer

_TRIGGER_ACTIONS = frozenset(
    {"activate", "cancel", "deactivate", "suspend", "reactivate", "reinstate", "reonboard"}
)


@dataclass(slots=True)
class Outcome:
    """What becomes of a user: the document to store, the moments to come, and what was found on the way."""

    after: Document
    change: Change
    judgement: Judgement
    boundaries: list[tuple[int, Document]] = field(default_factory=list)
    news: list[News] = field(default_factory=list)
    transition: Transition | None = None

    @property
    def action(self) -> str:
        """The name of the audit event."""
        if self.change.is_creation:
            return "user.create"
        if self.change.is_deletion:
            return "user.delete"
        trigger = self.transition.decision.trigger if self.transition else None
        if trigger in _TRIGGER_ACTIONS:
            return f"user.{trigger}"
        if self.change.is_unlocking:
            return "user.unlock"
        return "user.assignRole" if grants_roles(self.change) else "user.update"

    @property
    def is_in_vain(self) -> bool:
        """Whether nothing came of it but a lifted hold: the user was to be active and others hold it."""
        if self.transition is None or not self.transition.decision.blocked_by:
            return False
        changed = differences(self.change.old, self.change.new)
        return all(path.startswith(LIFECYCLE) for path, _, _ in changed)


def grants_roles(change: Change) -> bool:
    """Tell whether a change of a user gives it a role that it did not have."""
    before, after = ({row["value"] for row in rows(one, ROLES)} for one in (change.old, change.new))
    return bool(after - before) and not change.is_creation


@dataclass(slots=True)
class Asked:
    """What a request carries besides the user: why it is made, a password, and what it speaks of."""

    context: Mapping[str, Any] = field(default_factory=dict)
    password: str | None = None
    states_active: bool = False
    additions: tuple[tuple[str, str], ...] = ()
    wants: str | None = None
    is_replacement: bool = False


class UserLifecycle:
    """Applies the life cycle to users for one actor at one moment of one transaction."""

    def __init__(
        self,
        writer: Writer,
        lifecycle: Lifecycle,
        catalogue: Catalogue,
        actor: Actor,
        finder: Finder,
        now: int,
    ) -> None:
        self._writer = writer
        self._engine = lifecycle.engine
        self._catalogue = catalogue
        self._actor = actor
        self._finder = finder
        self._now = now

    @property
    def catalogue(self) -> Catalogue:
        """The tenant's catalogue."""
        return self._catalogue

    def view(self, stored: Document) -> Document:
        """Return a user's document as clients see it now."""
        return self._engine.view(stored, self._catalogue, self._now)

    async def settle(
        self, id: str, stored: Document | None, before: Document | None, after: Document, asked: Asked
    ) -> Outcome:
        """Return what a creation or a change makes of a user.

        Raises one error that reports every violation, with nothing written.
        """
        unresolved = await settle_manager(self._finder, before, after)
        request = Request(
            id,
            self._actor,
            after,
            before,
            stored,
            asked.context,
            asked.password,
            asked.states_active,
            asked.additions,
            asked.wants,
            asked.is_replacement,
        )
        draft = self._engine.draft(request, self._catalogue, self._now)
        if unresolved is not None:
            draft.change = _with_unresolved(draft.change, unresolved)
        outcome = await self._judged(draft)
        outcome.boundaries = self._engine.boundaries(draft.after, self._catalogue, self._now)
        return outcome

    async def derived(self, id: str, before: Document, after: Document, judgement: Judgement) -> Outcome:
        """Return what changed facts make of a user, without asking the rules."""
        seen = self.view(after)
        change = Change(USER, id, self._actor, before, seen)
        boundaries = self._engine.boundaries(seen, self._catalogue, self._now)
        return Outcome(seen, change, judgement, boundaries)

    async def delete(self, id: str, before: Document, asked: Asked) -> Outcome:
        """Return what the rules say of a deletion; raises where they refuse it."""
        change = Change(USER, id, self._actor, before, None, asked.context)
        return await self._judged(Draft(change, before))

    async def foreseen_end(self, id: str, stored: Document, at: int) -> Judgement:
        """Return what the rules say of access that is to end at a later moment; raises where they refuse."""
        before = self._engine.view(stored, self._catalogue, at)
        after = copied(before)
        after["active"] = False
        put(after, LIFECYCLE, "effectiveStatus", INACTIVE)
        change = Change(USER, id, self._actor, before, after)
        lookups = await lookups_for(change, self._catalogue, self._finder, at)
        rules = [rule for rule in self._engine.rules if rule.id in FORESEEN]
        judgement = judge(rules, change, RuleContext(self._catalogue, at, lookups))
        error = judgement.error()
        if error is not None:
            raise error
        return judgement

    async def _judged(self, draft: Draft) -> Outcome:
        lookups = await lookups_for(draft.change, self._catalogue, self._finder, self._now)
        context = RuleContext(self._catalogue, self._now, lookups)
        judgement = draft.judgement
        judgement.findings += judge(self._engine.rules, draft.change, context).findings
        error = judgement.error()
        if error is not None:
            raise error
        news = news_of(draft.change, judgement, self._catalogue, self._now)
        return Outcome(draft.after, draft.change, judgement, news=news, transition=draft.transition)


def _with_unresolved(change: Change, found: tuple[str, str]) -> Change:
    return replace(change, unresolved=(*change.unresolved, found))


def take_asked(document: Document) -> tuple[Document, Asked]:
    """Return a document without changeContext and password, and what these say."""
    taken = dict(document)
    context = get(taken, LIFECYCLE, "changeContext") or {}
    put(taken, LIFECYCLE, "changeContext", None)
    password = taken.pop("password", None)
    return taken, Asked(context, password)


def states_active(operations: list[Operation], resource_type: ResourceType) -> bool:
    """Tell whether a PATCH sets `active`, whatever it was before."""
    return any(
        resource_type.resolve(path) is resource_type.attributes.get("active")
        for operation in operations
        if operation.name != "remove"
        for path in ([operation.path] if operation.path else operation.value)
    )


def additions(
    operations: list[Operation], resource_type: ResourceType, catalogue: Catalogue
) -> tuple[tuple[str, str], ...]:
    """Return path and target of the assignments that a PATCH adds by `add`."""
    found = []
    for operation in operations:
        if operation.name != "add":
            continue
        stated = {operation.path: operation.value} if operation.path else _flattened(operation.value)
        for path, value in stated.items():
            found += _targets(path, value, resource_type, catalogue)
    return tuple(found)


def _flattened(value: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, item in value.items():
        if isinstance(item, dict) and name.lower().startswith("urn:"):
            flat |= {f"{name}:{inner}": part for inner, part in item.items()}
        else:
            flat[name] = item
    return flat


def _targets(
    path: str, value: Any, resource_type: ResourceType, catalogue: Catalogue
) -> list[tuple[str, str]]:
    attribute = resource_type.resolve(path)
    kind = next((one for one in KINDS if attribute is not None and one.path == attribute.path), None)
    if kind is None:
        return []
    found = []
    for item in value if isinstance(value, list) else [value]:
        text = item.get("value") or item.get("code") if isinstance(item, dict) else item
        entry = catalogue.table(kind.type).find(text) if isinstance(text, str) else None
        if entry is not None:
            found.append((kind.path, entry.id))
    return found


def waiting_keys(document: Document) -> dict[str, list[tuple[str, str]]]:
    """Return, by attribute, type and text of every reference of a user that waits for its target."""
    return {
        kind.attribute: [(kind.type, row["value"]) for row in waiting(document, kind)]
        for kind in KINDS
        if waiting(document, kind)
    }
