"""What the tests of the life cycle are made of: a moment, actors, a small organisation, requests."""

import copy
from collections.abc import Callable, Iterable
from typing import Any

from extensions import approval_limits, clearance, departments, locations, roles, special_permissions
from scim_server.lifecycle.catalogue import Catalogue, Entry
from scim_server.lifecycle.change import Actor, Change, RuleContext
from scim_server.lifecycle.dates import moment_of, text_of
from scim_server.lifecycle.documents import Document
from scim_server.lifecycle.engine import Draft, Engine
from scim_server.lifecycle.judgement import Judgement, judge
from scim_server.lifecycle.policies import Policies
from scim_server.lifecycle.requests import Request
from scim_server.lifecycle.urns import (
    DEPARTMENT,
    ENTITLEMENT_GOVERNANCE,
    LIFECYCLE,
    ROLE,
    ROLE_GOVERNANCE,
    SPECIAL_PERMISSION,
)

NOW = moment_of("2026-11-21T12:00:00Z", zone="UTC", end_of_day=False)
HOUR = 3_600_000_000
DAY = 24 * HOUR
MODULES = (approval_limits, clearance, departments, locations, roles, special_permissions)
ENGINE = Engine([module.extension for module in MODULES])

EVERY_PERMISSION = frozenset(
    {
        "user:create",
        "user:update",
        "user:delete",
        "user:assign_role",
        "user:lifecycle",
        "user:unlock",
        "financial:configure",
        "permission:manage",
    }
)
SYNCHRONISING = frozenset({"user:create", "user:update", "user:delete", "user:assign_role"})
IDP = Actor("idp", "okta", "okta-1", SYNCHRONISING)
HRIS = Actor("hris", "workday", "workday-1", SYNCHRONISING | {"user:lifecycle"})
IMPORT = Actor("import", "file", "file-1", SYNCHRONISING | {"user:lifecycle"})
ADMIN = Actor("admin", "console", "console-1", EVERY_PERMISSION)
SECURITY = Actor("admin", "soc", "soc-1", EVERY_PERMISSION | {"security:manage"})


def later(microseconds: int) -> str:
    """Return the dateTime that is so long after NOW."""
    return text_of(NOW + microseconds)


def role(id: str, **governance: Any) -> Entry:
    """Return the role of an id, which is also its value; its display is in capitals."""
    document = {"value": id, "display": id.upper(), "supported": governance.pop("supported", True)}
    return Entry(id, "Role", {**document, ROLE_GOVERNANCE: governance})


def entitlement(id: str, **governance: Any) -> Entry:
    """Return the special permission of an id, which is also its value."""
    document = {"value": id, "display": id.upper(), "supported": governance.pop("supported", True)}
    return Entry(id, "Entitlement", {**document, ENTITLEMENT_GOVERNANCE: governance})


def department(id: str, parent: str | None = None, **facts: Any) -> Entry:
    """Return the department of an id; its code is in capitals and its name says Department."""
    above = {} if parent is None else {"parent": {"value": parent}}
    return Entry(id, "Department", {"displayName": f"Department {id}", "code": id.upper(), **above, **facts})


def location(id: str, **facts: Any) -> Entry:
    """Return the location of an id; its code is in capitals."""
    return Entry(id, "Location", {"displayName": f"Site {id}", "code": id.upper(), **facts})


def catalogue(*entries: Entry, **policies: Any) -> Catalogue:
    """Return the catalogue of some entries, with policies as they are written in a file."""
    return Catalogue.of(entries, Policies.model_validate(policies))


ENTRIES = (
    role("clerk", permissions=["orders.read"]),
    role("buyer", permissions=["orders.read", "orders.write"]),
    role("auditor"),
    department("sales", "trade"),
    department("trade"),
    department("finance"),
    location("vienna", timezone="Europe/Vienna", type="office"),
    location("auckland", timezone="Pacific/Auckland", type="inventory"),
    entitlement("override", sensitive=True),
    entitlement("crossing"),
)
ORGANISATION = catalogue(*ENTRIES)
ANN = {
    "userName": "ann",
    "name": {"givenName": "Ann", "familyName": "Lee"},
    "emails": [{"value": "ann@example.com", "primary": True}],
}
READY = {
    **ANN,
    ROLE: {"roleAssignments": [{"value": "clerk", "primary": True}]},
    DEPARTMENT: {"departments": [{"value": "sales", "primary": True}]},
}


def granted(*values: str, **facts: Any) -> Document:
    """Return the part of a document that grants special permissions."""
    return {SPECIAL_PERMISSION: {"specialPermissions": [{"value": value, **facts} for value in values]}}


def created(
    document: Document,
    actor: Actor = ADMIN,
    world: Catalogue = ORGANISATION,
    now: int = NOW,
    **context: Any,
) -> Draft:
    """Return what a creation makes of a document."""
    request = Request(
        "u1", actor, copy.deepcopy(document), context=context, states_active="active" in document
    )
    return ENGINE.draft(request, world, now)


def stored(
    document: Document, actor: Actor = ADMIN, world: Catalogue = ORGANISATION, now: int = NOW
) -> Document:
    """Return the document that the store has after a creation."""
    return created(document, actor, world, now).after


def changed(
    kept: Document,
    work: Callable[[Document], Any],
    actor: Actor = ADMIN,
    world: Catalogue = ORGANISATION,
    now: int = NOW,
    *,
    states_active: bool = False,
    wants: str | None = None,
    additions: tuple[tuple[str, str], ...] = (),
    **context: Any,
) -> Draft:
    """Return what a change in place, by `work`, of what the client sees makes of a stored document."""
    before = ENGINE.view(kept, world, now)
    after = copy.deepcopy(before)
    work(after)
    request = Request(
        "u1",
        actor,
        after,
        before,
        kept,
        context,
        states_active=states_active,
        wants=wants,
        additions=additions,
    )
    return ENGINE.draft(request, world, now)


def activity(active: bool) -> Callable[[Document], None]:
    """Return the change that sets `active`."""

    def work(document: Document) -> None:
        document["active"] = active

    return work


def lifecycle(**facts: Any) -> Callable[[Document], None]:
    """Return the change that sets attributes of the lifecycle extension."""

    def work(document: Document) -> None:
        document[LIFECYCLE] = {**document.get(LIFECYCLE, {}), **facts}

    return work


def extension(urn: str, **facts: Any) -> Callable[[Document], None]:
    """Return the change that sets attributes of an extension."""

    def work(document: Document) -> None:
        document[urn] = {**document.get(urn, {}), **facts}

    return work


def nothing(_document: Document) -> None:
    """Change nothing."""


def ruled(change: Change, world: Catalogue = ORGANISATION, now: int = NOW) -> Judgement:
    """Return what the rules say of a change."""
    return judge(ENGINE.rules, change, RuleContext(world, now))


def said(judgement: Judgement, rule: str) -> list[tuple[str, str]]:
    """Return effect and message of the findings of a rule."""
    return [(one.effect, one.message) for one in judgement.findings if one.rule == rule]


def values(rows: Iterable[Document]) -> list[str]:
    """Return what the rows point at."""
    return [row["value"] for row in rows]
