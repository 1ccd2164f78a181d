"""What a client asks of a user, as the engine takes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scim_server.lifecycle.change import Actor
from scim_server.lifecycle.documents import Document


@dataclass(frozen=True, slots=True)
class Request:
    """One request about one user.

    `stored` is the document with the facts, None for a creation; `before` is how the client sees it, and
    `after` what the client makes of that, both with references as elements. `states_active` tells whether
    the request speaks of `active` at all. `additions` are path and target of assignments that a PATCH adds.
    `wants` is a status that an account action asks for. `is_replacement` tells that `after` is the whole
    of what a client states (PUT), so that what is missing is not said rather than taken away.
    """

    id: str
    actor: Actor
    after: Document
    before: Document | None = None
    stored: Document | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    password: str | None = None
    states_active: bool = False
    additions: tuple[tuple[str, str], ...] = ()
    wants: str | None = None
    is_replacement: bool = False
