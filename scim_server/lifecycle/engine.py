"""The life cycle of users as one pure function: from what a client asks for to what the user becomes.

The order is that of docs/lifecycle.md: flat and rich forms brought together, references named, other
sources' facts put back, authority, status, defaults, derived values. What the rules say of the result comes
after, when the lookups they need are known.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from scim_server.lifecycle import assignments, authority
from scim_server.lifecycle.assignments import KINDS
from scim_server.lifecycle.catalogue import Catalogue
from scim_server.lifecycle.change import Actor, Change, Rule, Transition
from scim_server.lifecycle.default_roles import DEFAULT_ROLES, give_default_roles
from scim_server.lifecycle.documents import Document, get, put
from scim_server.lifecycle.extension import Derivation, Extension, Job, Mirror
from scim_server.lifecycle.failed_logins import FAILED_LOGINS
from scim_server.lifecycle.judgement import Judgement
from scim_server.lifecycle.messages import message
from scim_server.lifecycle.mirrors import FLAT_FORMS, MIRRORS
from scim_server.lifecycle.profile_rules import PROFILE_RULES
from scim_server.lifecycle.reference_rules import REFERENCE_RULES
from scim_server.lifecycle.requests import Request
from scim_server.lifecycle.standing import PLANS, STANDING
from scim_server.lifecycle.status_rules import STATUS_RULES
from scim_server.lifecycle.transitions import settle_status
from scim_server.lifecycle.urns import LIFECYCLE
from scim_server.scim.documents import copied

MOST_BOUNDARIES = 64
"""Moments that are computed ahead for one user; further ones follow when the first have passed."""


Paths = tuple[tuple[str | None, str], ...]


@dataclass(slots=True)
class Draft:
    """What a request makes of a user, before the rules have seen it."""

    change: Change
    after: Document
    transition: Transition | None = None
    judgement: Judgement = field(default_factory=Judgement)


class Engine:
    """The rules, derivations, mirrors and jobs of the core and of the enabled extensions."""

    def __init__(self, extensions: Sequence[Extension]) -> None:
        self.rules: tuple[Rule, ...] = (
            *PROFILE_RULES,
            *REFERENCE_RULES,
            *(rule for extension in extensions for rule in extension.rules),
            *STATUS_RULES,
        )
        self._derivations: tuple[Derivation, ...] = (
            PLANS,
            DEFAULT_ROLES,
            FLAT_FORMS,
            *(one for extension in extensions for one in extension.derivations),
            STANDING,
            FAILED_LOGINS,
        )
        self._mirrors: tuple[Mirror, ...] = (
            *(mirror for extension in extensions for mirror in extension.mirrors),
            *MIRRORS,
        )
        self.jobs: tuple[Job, ...] = tuple(job for extension in extensions for job in extension.jobs)
        self.varying = frozenset(path for one in self._derivations for path in one.attributes)

    def view(self, document: Document, catalogue: Catalogue, now: int) -> Document:
        """Return a user's document with every derived value as of a moment; the given one stays as it is."""
        seen: Document = copied(document)
        self._derive(seen, catalogue, now)
        return seen

    def _derive(self, document: Document, catalogue: Catalogue, now: int) -> None:
        for derivation in self._derivations:
            derivation.derive(document, now, catalogue)

    def boundaries(self, document: Document, catalogue: Catalogue, now: int) -> list[tuple[int, Document]]:
        """Return the moments after now at which a user looks different by itself, with how it looks then."""
        moments = {moment for one in self._derivations for moment in one.moments(document) if moment > now}
        found: list[tuple[int, Document]] = []
        if not moments:
            return found
        current = self.view(document, catalogue, now)
        for moment in sorted(moments):
            seen = self.view(document, catalogue, moment)
            if seen != current:
                found.append((moment, seen))
                current = seen
            if len(found) == MOST_BOUNDARIES:
                break
        return found

    def draft(self, request: Request, catalogue: Catalogue, now: int) -> Draft:
        """Return what a request makes of a user at a moment (see Request)."""
        judgement = Judgement()
        after = copied(request.after)
        before = request.before or {}
        _repeat_unstated(before, after, judgement)
        unresolved = self._settle_forms(request, before, after, catalogue, judgement)
        sets_password = request.password is not None
        authority.settle(
            before, after, request.actor, catalogue.policies, judgement, sets_password=sets_password
        )
        self._complete_assignments(before, after, request.actor, catalogue, now, judgement)
        transition = settle_status(request, before, after, catalogue, now)
        self._derive(after, catalogue, now)
        change = Change(
            "User",
            request.id,
            request.actor,
            request.before,
            after,
            request.context,
            tuple(unresolved),
            request.password,
            transition,
            request.additions,
        )
        return Draft(change, after, transition, judgement)

    def _settle_forms(
        self,
        request: Request,
        before: Document,
        after: Document,
        catalogue: Catalogue,
        judgement: Judgement,
    ) -> list[tuple[str, str]]:
        """Name targets by id, keep what others own, bring both forms together; returns what names nothing.

        A flat form is free text where the organisation has nothing of the kind.
        """
        stated: set[tuple[str, str]] = set()
        for kind in KINDS:
            if not assignments.concerns(kind, before, after):
                continue
            stated |= {(kind.path, text) for text in assignments.resolve(after, kind, catalogue)}
            back = assignments.scope(before, after, kind, request.actor)
            if back:
                text = f"{len(back)} {kind.noun} assignments of other sources stayed"
                judgement.add("R-PUT", "corrected", text, kind.path)
        self._settle_mirrors(request, before, after, catalogue, judgement)
        known = {(kind.path, row["value"]) for kind in KINDS for row in assignments.waiting(before, kind)}
        return [
            (kind.path, row["value"])
            for kind in KINDS
            for row in assignments.waiting(after, kind)
            if (kind.path, row["value"]) not in known
            and ((kind.path, row["value"]) in stated or len(catalogue.table(kind.type)) > 0)
        ]

    def _settle_mirrors(
        self,
        request: Request,
        before: Document,
        after: Document,
        catalogue: Catalogue,
        judgement: Judgement,
    ) -> None:
        """Write in place what flat forms say; a form that a replacement leaves out says nothing."""
        said: set[Paths] = set()
        for mirror in self._mirrors:
            if not assignments.differ(before, after, mirror.flat):
                continue
            flat, rich = (_has_any(request.after, paths) for paths in (mirror.flat, mirror.rich))
            if request.is_replacement and not flat and (rich or mirror.rich in said):
                continue
            if mirror.rich not in said and (not rich or not assignments.differ(before, after, mirror.rich)):
                mirror.write(after, request.actor, catalogue)
                said.add(mirror.rich)
            elif not mirror.agrees(after, catalogue):
                names = (_names(paths) for paths in (mirror.flat, mirror.rich))
                text = message("R-FORMS", **dict(zip(("flat", "rich"), names, strict=True)))
                judgement.add("R-FORMS", "refused", text, _names(mirror.flat))

    def _complete_assignments(
        self,
        before: Document,
        after: Document,
        actor: Actor,
        catalogue: Catalogue,
        now: int,
        judgement: Judgement,
    ) -> None:
        for kind in KINDS:
            if not assignments.concerns(kind, before, after):
                continue
            promoted = assignments.settle_primary(before, after, kind)
            entry = None if promoted is None else catalogue.table(kind.type).get(promoted)
            if entry is not None and len(assignments.rows(after, kind)) > 1:
                text = message("R-PRIMARY", name=entry.display, noun=kind.noun)
                judgement.add("R-PRIMARY", "corrected", text, kind.path)
            assignments.stamp(before, after, kind, actor, actor.source, now)
        give_default_roles(after, now, catalogue)


def _repeat_unstated(before: Document, after: Document, judgement: Judgement) -> None:
    """Complete in place what only the server writes and a client need not repeat: status and lock."""
    if get(after, LIFECYCLE, "status") is None:
        put(after, LIFECYCLE, "status", get(before, LIFECYCLE, "status"))
    was, stated = (get(document, LIFECYCLE, "lockout") or {} for document in (before, after))
    if stated.get("locked") is True and not was.get("locked"):
        judgement.add("R-LOCK", "refused", message("R-LOCK"), f"{LIFECYCLE}:lockout.locked", "mutability")
    put(after, LIFECYCLE, "lockout", {**was, **stated})


def _has_any(document: Document, paths: Paths) -> bool:
    return any(get(document, *path) for path in paths)


def _names(paths: Iterable[tuple[str | None, str]]) -> str:
    return ", ".join(name if urn is None else f"{urn}:{name}" for urn, name in paths)
