"""Roles that come with a department: they begin and end with the membership (S3 Scenario 1)."""

from scim_server.lifecycle.assignments import (
    DEPARTMENTS,
    OWNER,
    PROMOTED,
    ROLES,
    assigned_entries,
    is_over,
    keep,
    moments,
    rows,
)
from scim_server.lifecycle.catalogue import Catalogue
from scim_server.lifecycle.documents import Document
from scim_server.lifecycle.extension import Derivation

OWN = "department"
"""The owner of such an assignment."""
_SOURCE = "system"
_TAKEN_OVER = ("assignedAt", "assignedBy", "validFrom", "validTo")


def give_default_roles(document: Document, now: int, catalogue: Catalogue) -> None:
    """Assign in place the default roles of a user's departments, and take back those of former ones.

    A role that somebody assigned besides stays as it was assigned.
    """
    assigned = rows(document, ROLES)
    others = [row for row in assigned if row.get(OWNER) != OWN]
    own = {row["value"]: row for row in assigned if row.get(OWNER) == OWN}
    elsewhere = {row["value"] for row in others}
    wanted = _wanted(document, now, catalogue)
    given = [
        {"primary": False, **own.get(target, {}), **facts}
        for target, facts in wanted.items()
        if target not in elsewhere
    ]
    if given or own:
        keep(document, ROLES, _with_primary([*others, *given]))


def _wanted(document: Document, now: int, catalogue: Catalogue) -> dict[str, Document]:
    """Return, by role, the assignment that the first of the departments with this role makes."""
    found: dict[str, Document] = {}
    for row, entry in assigned_entries(document, DEPARTMENTS, catalogue):
        if is_over(row, now):
            continue
        facts = {name: row[name] for name in _TAKEN_OVER if name in row}
        for role in entry.fact("defaultRoles") or ():
            if catalogue.roles.get(role["value"]) is not None:
                given = {"value": role["value"], "source": _SOURCE, OWNER: OWN, **facts}
                found.setdefault(role["value"], given)
    return found


def _with_primary(assigned: list[Document]) -> list[Document]:
    if not assigned or any(row.get("primary") is True for row in assigned):
        return assigned
    return [{**assigned[0], "primary": True, PROMOTED: True}, *assigned[1:]]


DEFAULT_ROLES = Derivation(give_default_roles, moments=lambda document: moments(document, DEPARTMENTS))
"""Runs before everything that looks at roles."""
