"""A change as the rules see it: who, what before, what after, why; and what they find."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from scim_server.lifecycle.catalogue import Catalogue
from scim_server.lifecycle.documents import Document, get
from scim_server.lifecycle.policies import Mode, Policies
from scim_server.lifecycle.status import SIGNED_IN, Decision, Hold
from scim_server.lifecycle.urns import LIFECYCLE
from scim_server.scim.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidValue,
    Mutability,
    ScimError,
    TooManyRequests,
    Uniqueness,
)

CONNECTORS = frozenset({"idp", "hris"})
HUMANS = frozenset({"admin"})


@dataclass(frozen=True, slots=True)
class Actor:
    """The client behind a change: its profile, permissions, and the user it is bound to, if any.

    `roles` are the values of the roles that user holds now; `acts_for` is the source where that is not the
    profile, such as a group whose members get what it stands for.
    """

    profile: str
    client: str = ""
    client_id: str = ""
    permissions: frozenset[str] = frozenset()
    user_id: str | None = None
    roles: frozenset[str] = frozenset()
    acts_for: str | None = None

    @property
    def source(self) -> str:
        """The source that its assignments and holds are recorded for."""
        return self.acts_for or self.profile

    @property
    def author(self) -> str:
        """Who is named as having done it: the user that the client is bound to, else the client."""
        return self.user_id or self.client

    @property
    def is_connector(self) -> bool:
        """Whether the client synchronises on its own, so that nobody reads a refusal."""
        return self.profile in CONNECTORS

    @property
    def is_human(self) -> bool:
        """Whether a person waits for the answer."""
        return self.profile in HUMANS

    def may(self, permission: str) -> bool:
        """Tell whether the client has a permission; the system has every one."""
        return self.profile == "system" or permission in self.permissions


SYSTEM = Actor("system", "system")


@dataclass(frozen=True, slots=True)
class Obligation:
    """Something open that hangs on a user: its id, kind, display and what it blocks."""

    id: str
    kind: str
    display: str
    blocks: frozenset[str]


@dataclass(frozen=True, slots=True)
class Lookups:
    """What the rules need to know of other resources, read before they run.

    `email_taken`: another live user has the new primary e-mail. `team_state`: "gone" where the new team was
    deleted, "unknown" where there are teams and it is none of them. `managers`: ids above the new manager,
    nearest first. `sole_roles`: values of roles nobody else holds effectively, among those the change
    would take from the user. `obligations`: open ones of the user. `recent`: events of this client in
    the policy's window by action.
    """

    email_taken: bool = False
    team_state: str = ""
    managers: tuple[str, ...] = ()
    sole_roles: frozenset[str] = frozenset()
    is_last_administrator: bool = False
    obligations: tuple[Obligation, ...] = ()
    recent: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleContext:
    """What surrounds a change: the catalogue with the policies, the moment (microseconds), the lookups."""

    catalogue: Catalogue
    now: int
    lookups: Lookups = Lookups()

    @property
    def policies(self) -> Policies:
        """The tenant's policies."""
        return self.catalogue.policies


@dataclass(frozen=True, slots=True)
class Transition:
    """A wish for another status: from which effective status to which, and what the machine decided."""

    before: str
    wanted: str
    decision: Decision
    lifted: tuple[Hold, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one resource; `before` is None for a creation and `after` for a deletion.

    Documents are complete: references are elements of their attributes. `context` is what came as
    changeContext. `unresolved` are path and text of the references that name nothing in the store;
    `additions` are path and target of assignments that the client asked to add.
    """

    type: str
    id: str
    actor: Actor
    before: Document | None
    after: Document | None
    context: Mapping[str, Any] = field(default_factory=dict)
    unresolved: tuple[tuple[str, str], ...] = ()
    password: str | None = None
    transition: Transition | None = None
    additions: tuple[tuple[str, str], ...] = ()

    @property
    def old(self) -> Document:
        """The document before, empty for a creation."""
        return self.before or {}

    @property
    def new(self) -> Document:
        """The document after, empty for a deletion."""
        return self.after or {}

    @property
    def is_creation(self) -> bool:
        """Whether the resource is new."""
        return self.before is None

    @property
    def is_deletion(self) -> bool:
        """Whether the resource goes."""
        return self.after is None

    def differs(self, urn: str | None, name: str) -> bool:
        """Tell whether an attribute has another value after than before."""
        return bool(get(self.old, urn, name) != get(self.new, urn, name))

    @property
    def statuses(self) -> tuple[str | None, str | None]:
        """The effective status before and after."""
        return get(self.old, LIFECYCLE, "effectiveStatus"), get(self.new, LIFECYCLE, "effectiveStatus")

    @property
    def is_unlocking(self) -> bool:
        """Whether the lock after failed logins is taken off."""
        old, new = (get(one, LIFECYCLE, "lockout") or {} for one in (self.old, self.new))
        return bool(old.get("locked") and not new.get("locked") and not self.is_deletion)

    @property
    def is_activation(self) -> bool:
        """Whether the user could not sign in and is to be able to."""
        before, after = self.statuses
        return before not in SIGNED_IN and after in SIGNED_IN

    @property
    def is_deactivation(self) -> bool:
        """Whether the user could sign in and is not to be able to any more, or goes."""
        before, after = self.statuses
        return before in SIGNED_IN and after not in SIGNED_IN

    @property
    def justification(self) -> str | None:
        """What the client gave as justification."""
        found = self.context.get("justification")
        return found if isinstance(found, str) and found.strip() else None

    def overrides(self, *names: str) -> bool:
        """Tell whether the client overrides one of the named rules or policies, and justifies that."""
        stated = {str(name).lower() for name in self.context.get("overrides", ())}
        return bool(stated & {name.lower() for name in names if name}) and self.justification is not None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says: the message for people, the path it is about, and a key that tells findings apart.

    `mode` overrides the rule's mode for the actor's profile.
    """

    message: str
    path: str = ""
    key: str = ""
    mode: Mode | None = None


Check = Callable[[Change, RuleContext], Iterable[Verdict]]
StateCheck = Callable[[Document, Change, RuleContext], Iterable[Verdict]]
ERRORS: Mapping[str, type[ScimError]] = {
    "invalidValue": InvalidValue,
    "mutability": Mutability,
    "uniqueness": Uniqueness,
    "conflict": Conflict,
    "forbidden": Forbidden,
    "badRequest": BadRequest,
    "tooManyRequests": TooManyRequests,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its id, the pure check, the error it refuses with, and its mode for each profile.

    A profile without an entry has the mode `record`. `requirements` are the ids of the requirements it
    answers.
    """

    id: str
    check: Check
    modes: Mapping[str, Mode]
    error: str = "invalidValue"
    requirements: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """What the rule says, in one sentence: the first line of the check's docstring."""
        text = (self.check.__doc__ or "").strip().splitlines()[0]
        return text.removeprefix(f"{self.id}: ")


def modes(idp: Mode, hris: Mode, imported: Mode, admin: Mode, *, app: Mode | None = None) -> dict[str, Mode]:
    """Return the modes of a rule in the order of the table in docs/lifecycle.md."""
    return {
        "idp": idp,
        "hris": hris,
        "import": imported,
        "admin": admin,
        "app": app or admin,
        "system": "record",
    }


def only_new(check: StateCheck) -> Check:
    """Return a check of changes from a check of states: it says only what the change adds.

    A record that already violates a rule does not block changes that have nothing to do with it.
    """

    @wraps(check)
    def changed(change: Change, context: RuleContext) -> Iterable[Verdict]:
        if change.after is None:
            return ()
        found = list(check(change.after, change, context))
        if not found or change.before is None:
            return found
        known = {(one.path, one.key) for one in check(change.before, change, context)}
        return [one for one in found if (one.path, one.key) not in known]

    return changed
