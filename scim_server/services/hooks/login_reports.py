"""Reports of the login system: failures that lock an account, successes, passwords and second factors."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from scim_server.lifecycle.dates import text_of
from scim_server.lifecycle.documents import Document, get
from scim_server.lifecycle.failed_logins import count_failure
from scim_server.lifecycle.policies import LockoutPolicy
from scim_server.lifecycle.state import facts_of, keep_facts, set_fact, unlocked
from scim_server.lifecycle.state import moment as moment_of
from scim_server.lifecycle.status import ACTIVE, PENDING, Lock
from scim_server.lifecycle.urns import LIFECYCLE
from scim_server.scim.resources import Resource
from scim_server.services.hooks.base import Hook, name_user

if TYPE_CHECKING:
    from scim_server.services.changes import Changes

_MINUTE = 60_000_000


class LoginReportHook(Hook):
    """Keeps what the login system tells of a user, and locks after too many failures (S4 USER-004)."""

    async def creating(self, changes: "Changes", _id: str, document: Document) -> Document:
        """Name the user, and take now for a report without a moment."""
        return {"at": text_of(changes.moment), **await name_user(changes, document)}

    async def created(
        self, changes: "Changes", _created: Resource, document: Document, _members: dict[str, list[str]]
    ) -> None:
        """Carry the report into the user's facts."""
        user_id, stated = document["user"]["value"], moment_of(document["at"])
        at = changes.moment if stated is None else min(stated, changes.moment)
        if document["outcome"] == "failure":
            await _fail(changes, user_id, at)
            return
        work = _WORKS[document["outcome"]]
        await changes.adjust(user_id, lambda user: work(user, at), f"login.{document['outcome']}")


async def _fail(changes: "Changes", user_id: str, at: int) -> None:
    policy = (await changes.catalogue()).policies.lockout
    locked: list[bool] = []

    def work(user: Document) -> None:
        locked.append(_count_failure(user, at, policy))

    await changes.adjust(user_id, work, "login.failure")
    if any(locked):
        await changes.adjust(user_id, lambda _user: None, "user.lock", tells=[("user.locked", {})])


def _count_failure(user: Document, at: int, policy: LockoutPolicy) -> bool:
    """Count a failure in place; returns whether it locks the account.

    A lock that has ended by itself is forgotten, so that what comes after it is counted from nothing.
    """
    known = facts_of(user)
    if known.lock is not None and not known.lock.locks_at(at):
        keep_facts(user, replace(known, lock=None))
    lockout = get(user, LIFECYCLE, "lockout") or {}
    failures = int(lockout.get("failedAttempts", 0)) + 1
    login = get(user, LIFECYCLE, "login") or {}
    count_failure(user, at)
    set_fact(user, "lockout", failedAttempts=failures)
    set_fact(user, "login", lastFailedAt=_latest(login.get("lastFailedAt"), at))
    facts = facts_of(user)
    is_locked = facts.lock is not None and facts.lock.locks_at(at)
    if failures < policy.threshold or is_locked:
        return False
    times = int(user.get("~locks", 0)) + 1
    user["~locks"] = times
    is_permanent = policy.minutes == 0 or times >= policy.permanent_after
    until = None if is_permanent else at + policy.minutes * _MINUTE
    set_fact(user, "lockout", reason=f"{policy.threshold} failed login attempts")
    keep_facts(user, replace(facts, lock=Lock(at, until)))
    return True


def _latest(known: str | None, at: int) -> str:
    """Return the later of two moments as text: reports may come in any order."""
    return text_of(max(at, moment_of(known) or at))


def unlock(user: Document) -> None:
    """Take the lock off in place and count from nothing again."""
    keep_facts(user, unlocked(user, facts_of(user)))


def _succeed(user: Document, at: int) -> None:
    login = get(user, LIFECYCLE, "login") or {}
    count = int(login.get("loginCount", 0)) + 1
    set_fact(user, "login", lastLoginAt=_latest(login.get("lastLoginAt"), at), loginCount=count)
    if get(user, LIFECYCLE, "lockout"):
        set_fact(user, "lockout", failedAttempts=0)
    user.pop("~locks", None)


def _set_password(user: Document, at: int) -> None:
    """Let a user who has set a password sign in again, whatever failed before."""
    set_fact(
        user, "credentials", passwordSetAt=text_of(at), temporary=False, mustChange=False, expiresAt=None
    )
    unlock(user)


def _enrol(user: Document, at: int) -> None:
    set_fact(user, "credentials", mfaEnrolled=True, mfaEnrolledAt=text_of(at))


def _remove_factor(user: Document, _at: int) -> None:
    set_fact(user, "credentials", mfaEnrolled=False, mfaEnrolledAt=None)


def _accept(user: Document, _at: int) -> None:
    """Activate a pending user who accepts the invitation (S3 Scenario 1)."""
    set_fact(user, "invitation", state="accepted")
    facts = facts_of(user)
    if facts.status == PENDING:
        keep_facts(user, replace(facts, status=ACTIVE))


_WORKS: Mapping[str, Callable[[Document, int], None]] = {
    "success": _succeed,
    "passwordChanged": _set_password,
    "mfaEnrolled": _enrol,
    "mfaRemoved": _remove_factor,
    "invitationAccepted": _accept,
}
