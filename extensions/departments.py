"""Departments: many a user, one primary, mirrored to the flat attributes that connectors know."""

from collections.abc import Iterable

from scim_server.lifecycle.assignments import (
    DEPARTMENTS,
    Wanted,
    adopt,
    inactive_entries,
    keep,
    moments,
    rows,
    valid_entries,
    waiting,
)
from scim_server.lifecycle.catalogue import Catalogue, Entry
from scim_server.lifecycle.change import Actor, Change, Rule, RuleContext, Verdict, modes, only_new
from scim_server.lifecycle.derivations import FlatForm, shown_rows, still_called
from scim_server.lifecycle.documents import Document, get, put
from scim_server.lifecycle.extension import Derivation, Extension, Mirror
from scim_server.lifecycle.messages import message
from scim_server.lifecycle.urns import CONNECTOR, DEPARTMENT, ENTERPRISE

_FORM = FlatForm(DEPARTMENTS, "departmentCode", "departmentCodes")
_FLAT = (_FORM.one, _FORM.many, "headOfDepartment")


def _derive(document: Document, now: int, catalogue: Catalogue) -> None:
    """Show codes and status, name the primary department flat, and list departments with those above."""
    shown_rows(document, DEPARTMENTS, catalogue, now, lambda entry: {"code": entry.fact("code")})
    valid = [entry for _, entry in valid_entries(document, DEPARTMENTS, catalogue, now)]
    _derive_flat(document, valid, catalogue)
    if valid:
        every = [entry.value for own in valid for entry in (own, *catalogue.ancestors(own))]
        put(document, DEPARTMENT, "effectiveDepartments", list(dict.fromkeys(every)))
    else:
        put(document, DEPARTMENT, "effectiveDepartments", None)


def _derive_flat(document: Document, valid: list[Entry], catalogue: Catalogue) -> None:
    waits = {row["value"] for row in waiting(document, DEPARTMENTS)}
    primary = valid[0] if valid else None
    named = get(document, ENTERPRISE, "department")
    if primary is not None and not still_called(named, primary, catalogue.departments, waits):
        put(document, ENTERPRISE, "department", primary.display)
    elif primary is None and named and catalogue.departments.find(named) is not None:
        put(document, ENTERPRISE, "department", None)
    _FORM.derive(document, valid, catalogue)
    if get(document, CONNECTOR, "headOfDepartment") is not None and not waits:
        heads = {row["value"] for row in rows(document, DEPARTMENTS) if row.get("headOfDepartment")}
        put(document, CONNECTOR, "headOfDepartment", primary is not None and primary.id in heads)


def _write_flat(document: Document, actor: Actor, catalogue: Catalogue) -> None:
    """Make the assignments that departmentCode and departmentCodes ask for, and the head of the first."""
    head = get(document, CONNECTOR, "headOfDepartment")
    _FORM.write(document, actor, catalogue, () if head is None else (("headOfDepartment", head),))


def _write_head(document: Document, _actor: Actor, _catalogue: Catalogue) -> None:
    """Make the user head of its primary department, or no longer; what it is assigned stays."""
    head = get(document, CONNECTOR, "headOfDepartment")
    facts = {} if head is None else {"headOfDepartment": head}
    led = _led(document)
    changed = [{**row, **facts} if row in led else row for row in rows(document, DEPARTMENTS)]
    keep(document, DEPARTMENTS, changed)


def _agrees_head(document: Document, _catalogue: Catalogue) -> bool:
    head = get(document, CONNECTOR, "headOfDepartment")
    heads = {bool(row.get("headOfDepartment")) for row in _led(document)}
    return head is None or not heads or head in heads


def _led(document: Document) -> list[Document]:
    """Return the assignments that the flat head of department is about: the primary one, or the only one."""
    assigned = rows(document, DEPARTMENTS)
    return [row for row in assigned if row.get("primary") is True or len(assigned) == 1]


def _write_enterprise(document: Document, actor: Actor, catalogue: Catalogue) -> None:
    """Make the primary department the one that the enterprise extension names."""
    named = get(document, ENTERPRISE, "department")
    kept = [Wanted(row["value"]) for row in rows(document, DEPARTMENTS) if row.get("primary") is not True]
    adopt(document, DEPARTMENTS, [Wanted(named, primary=True), *kept] if named else kept, actor, catalogue)


def _agrees_enterprise(document: Document, catalogue: Catalogue) -> bool:
    named = get(document, ENTERPRISE, "department")
    entry = catalogue.departments.find(named) if named else None
    primary = {row["value"] for row in rows(document, DEPARTMENTS) if row.get("primary") is True}
    return entry is None or not primary or entry.id in primary


def _active(document: Document, change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-DEPT-ACTIVE: only active departments are assigned (S2 UC-001 AF2, UC-005 AF2)."""
    text = "R-DEPT-ACTIVE.create" if change.is_creation else "R-DEPT-ACTIVE.assign"
    for entry in inactive_entries(document, DEPARTMENTS, context.catalogue):
        yield Verdict(message(text), DEPARTMENTS.path, entry.id)


def _maximum(document: Document, _change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-DEPT-MAX: not more departments than the organisation allows (X-06)."""
    most = context.policies.departments_maximum
    if most is not None and len(rows(document, DEPARTMENTS)) > most:
        yield Verdict(message("R-DEPT-MAX", most=most), DEPARTMENTS.path)


extension = Extension(
    "departments",
    rules=(
        Rule(
            "R-DEPT-ACTIVE",
            only_new(_active),
            modes("record", "record", "enforce", "enforce"),
            requirements=("DEP-04", "CRE-02"),
        ),
        Rule(
            "R-DEPT-MAX",
            only_new(_maximum),
            modes("record", "record", "enforce", "enforce"),
            requirements=("DEP-02",),
        ),
    ),
    derivations=(
        Derivation(
            _derive,
            attributes=(
                f"{ENTERPRISE.lower()}:department",
                f"{DEPARTMENT.lower()}:effectivedepartments",
                *(f"{CONNECTOR.lower()}:{name.lower()}" for name in _FLAT),
            ),
            moments=lambda document: moments(document, DEPARTMENTS),
        ),
    ),
    mirrors=(
        Mirror(
            "connector departments",
            tuple((CONNECTOR, name) for name in (_FORM.one, _FORM.many)),
            ((DEPARTMENT, "departments"),),
            _write_flat,
            _FORM.agrees,
        ),
        Mirror(
            "head of department",
            ((CONNECTOR, "headOfDepartment"),),
            ((DEPARTMENT, "departments"),),
            _write_head,
            _agrees_head,
        ),
        Mirror(
            "enterprise department",
            ((ENTERPRISE, "department"),),
            ((DEPARTMENT, "departments"),),
            _write_enterprise,
            _agrees_enterprise,
        ),
    ),
)
