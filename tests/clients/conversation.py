"""Recorded client conversations: what a client sent and what must have come of it.

The files of `conversations/` hold them; README.md there describes the form.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "conversations"


@dataclass(frozen=True)
class Setup:
    """What exists before the request; the keys of `users` and `groups` are the placeholders bound to ids."""

    users: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    inactive: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    more_users: int = 0
    more_groups: int = 0


@dataclass(frozen=True)
class Request:
    """One HTTP request with exactly the headers to send; `content` is a body that is not JSON."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any = None
    content: str | None = None


@dataclass(frozen=True)
class Read:
    """A read after the request; `same` and `disjoint` compare the lists at a path with the answer's."""

    path: str
    status: int = 200
    body: Mapping[str, Any] = field(default_factory=dict)
    same: str | None = None
    disjoint: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What an answer with one of `status` must look like and what it must have changed.

    `changes` names every resource of the set-up that may differ afterwards, with exactly the
    attributes that differ; `may_change` names those about which nothing is said.
    """

    status: tuple[int, ...]
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    may_change: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    after: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reads: tuple[Read, ...] = ()


@dataclass(frozen=True)
class Conversation:
    """One recorded request, the state it meets and its possible outcomes, preferred first.

    With `catalogue` the server has some roles.
    """

    name: str
    case: str
    dialect: str
    catalogue: bool
    switches: Mapping[str, bool]
    values: Mapping[str, str]
    setup: Setup
    request: Request
    outcomes: tuple[Outcome, ...]

    def outcome(self, status: int) -> Outcome:
        """Return the outcome for a status; AssertionError when the client could not work with it."""
        for outcome in self.outcomes:
            if status in outcome.status:
                return outcome
        allowed = [status for outcome in self.outcomes for status in outcome.status]
        raise AssertionError(f"{self.name}: status {status} is not among {allowed}")


def _template(resources: Mapping[str, Any], definition: Any) -> dict[str, Any]:
    """Return the resource of a definition: a template's name, or an object that may extend one."""
    if isinstance(definition, str):
        return dict(resources[definition])
    body = dict(resources.get(definition.get("like", ""), {}))
    body.update({name: value for name, value in definition.items() if name != "like"})
    return {name: value for name, value in body.items() if value is not None}


def _setup(resources: Mapping[str, Any], data: Mapping[str, Any]) -> Setup:
    users, groups = data.get("users", {}), data.get("groups", {})
    return Setup(
        users={name: _template(resources, definition) for name, definition in users.items()},
        groups={name: _template(resources, definition) for name, definition in groups.items()},
        inactive=tuple(data.get("inactive", ())),
        deleted=tuple(data.get("deleted", ())),
        more_users=data.get("more_users", 0),
        more_groups=data.get("more_groups", 0),
    )


def _request(profiles: Mapping[str, Any], data: Mapping[str, Any]) -> Request:
    return Request(
        method=data["method"],
        path=data["path"],
        headers=profiles[data["profile"]],
        body=_expand(data.get("body")),
        content=data.get("content"),
    )


def _expand(body: Any) -> Any:
    """Return the body with `{"$repeat": n, "$of": value}` written out as a list of n values."""
    if isinstance(body, dict) and "$repeat" in body:
        return [body["$of"]] * int(body["$repeat"])
    if isinstance(body, dict):
        return {name: _expand(value) for name, value in body.items()}
    return body


def _outcome(data: Mapping[str, Any]) -> Outcome:
    names = {"status", "may_change", "deleted"}
    given: dict[str, Any] = {name: tuple(value) if name in names else value for name, value in data.items()}
    given["reads"] = tuple(Read(**read) for read in data.get("reads", ()))
    return Outcome(**given)


def _conversation(defaults: Mapping[str, Any], data: Mapping[str, Any]) -> Conversation:
    variant = data.get("variant")
    return Conversation(
        name=f"{data['id']}-{variant}" if variant else data["id"],
        case=data["case"],
        dialect=defaults["dialect"],
        catalogue=data.get("catalogue", False),
        switches=data.get("switches", {}),
        values=data.get("values", {}),
        setup=_setup(defaults["resources"], data.get("setup", {})),
        request=_request(defaults["profiles"], data["request"]),
        outcomes=tuple(_outcome(outcome) for outcome in data["outcomes"]),
    )


def load_conversations() -> list[Conversation]:
    """Return the conversations of all files in the order of the files and of their lines."""
    conversations: list[Conversation] = []
    for path in sorted(FOLDER.glob("*.json")):
        defaults = json.loads(path.read_text(encoding="utf-8"))
        conversations.extend(_conversation(defaults, data) for data in defaults["conversations"])
    return conversations
