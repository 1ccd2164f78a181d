"""Roles: one primary, permissions as a union, protected and conflicting ones, three forms of one fact."""

from dataclasses import replace
from typing import Any

import pytest

from scim_server.lifecycle.assignments import ROLES, rows, waiting
from scim_server.lifecycle.change import SYSTEM, Actor, Lookups, RuleContext
from scim_server.lifecycle.documents import Document, get
from scim_server.lifecycle.judgement import judge
from scim_server.lifecycle.urns import CONNECTOR, DEPARTMENT, LIFECYCLE, ROLE
from tests.lifecycle.samples import (
    ADMIN,
    ANN,
    DAY,
    ENGINE,
    ENTRIES,
    HRIS,
    IDP,
    IMPORT,
    NOW,
    ORGANISATION,
    catalogue,
    changed,
    created,
    extension,
    later,
    role,
    ruled,
    said,
    stored,
    values,
)

WORLD = catalogue(
    *ENTRIES,
    role("retired", supported=False),
    role("root", assignableBy=["root"], requiresMfa=True),
    role("solo", requiresTeam=True),
    role("seller", departments=["trade"]),
    sod=[{"name": "books", "left": ["auditor"], "right": ["BUYER"], "mode": "warn"}],
)
CORE = {**ANN, "roles": [{"value": "clerk"}, {"value": "BUYER", "type": "work"}]}


def holder(*elements: str | Document, **facts: Any) -> Document:
    """Return a user with roles; a text stands for its value."""
    found = [{"value": one} if isinstance(one, str) else one for one in elements]
    return {**ANN, ROLE: {"roleAssignments": found}, **facts}


def shown(document: Document) -> list[tuple[str, bool]]:
    """Return the roles of a user and which is the primary one."""
    return [(row["value"], row["primary"]) for row in rows(document, ROLES)]


def judged(rule: str, document: Document, actor: Actor = ADMIN, **context: Any) -> list[tuple[str, str]]:
    """Return what a rule says of the creation of a user."""
    return said(ruled(created(document, actor, WORLD, **context).change, WORLD), rule)


@pytest.mark.parametrize(
    ("actor", "effect"), [(ADMIN, "refused"), (IMPORT, "refused"), (IDP, "recorded"), (HRIS, "recorded")]
)
@pytest.mark.proves("CRE-19", "ROL-18")
def test_only_roles_in_use_are_assigned(actor: Actor, effect: str) -> None:
    message = "Selected role is not available"
    assert judged("R-ROLE-ACTIVE", holder("retired"), actor) == [(effect, message)]
    assert judged("R-REF", holder("deleted"), actor) == [(effect, message)]


def test_the_number_of_roles_can_be_limited() -> None:
    world = catalogue(*ENTRIES, roles_maximum=1)
    found = [
        said(ruled(created(document, ADMIN, world).change, world), "R-ROLE-MAX")
        for document in (holder("clerk", "buyer"), holder("clerk"))
    ]
    assert found == [[("refused", "A user can have 1 roles at most")], []]


@pytest.mark.parametrize(
    ("departments", "fits"), [(["sales"], True), (["trade"], True), (["finance"], False)]
)
@pytest.mark.proves("ROL-22")
def test_a_role_that_names_departments_fits_those_of_the_user(departments: list[str], *, fits: bool) -> None:
    found = [{"value": value} for value in departments]
    document = holder("seller", **{DEPARTMENT: {"departments": found}})
    message = "Role SELLER is not meant for the user's departments"
    assert judged("R-ROLE-DEPT", document) == ([] if fits else [("recorded", message)])


@pytest.mark.parametrize(
    ("actor", "effect"), [(ADMIN, "refused"), (IMPORT, "refused"), (IDP, "recorded"), (HRIS, "recorded")]
)
def test_some_roles_need_a_team(actor: Actor, effect: str) -> None:
    message = "Pod assignment is required for this role"
    assert judged("R-TEAM", holder("solo"), actor) == [(effect, message)]
    assert judged("R-TEAM", holder("solo", **{CONNECTOR: {"teamCode": "P1"}}), actor) == []


@pytest.mark.parametrize("actor", [ADMIN, IDP])
@pytest.mark.proves("ROL-13", "CRE-37")
def test_a_role_can_make_the_second_factor_necessary(actor: Actor) -> None:
    message = "Two-factor authentication is required for ROOT"
    assert judged("R-MFA", holder("root"), actor) == [("corrected", message)]
    kept = stored(holder("root"), actor, WORLD)
    assert get(kept, LIFECYCLE, "credentials") == {"mfaRequired": True}


def test_a_second_factor_is_needed_only_while_the_role_is_valid() -> None:
    kept = stored(
        holder("clerk", {"value": "root", "validTo": later(DAY)}, **{CONNECTOR: {"bio": "x"}}), SYSTEM, WORLD
    )
    seen = [ENGINE.view(kept, WORLD, NOW + step * DAY) for step in range(2)]
    assert [get(one, LIFECYCLE, "credentials") for one in seen] == [
        {"mfaRequired": True},
        {"mfaRequired": False},
    ]
    assert [get(one, CONNECTOR, "mfaRequired") for one in seen] == [True, None]


@pytest.mark.parametrize(
    ("actor", "effect"), [(ADMIN, "refused"), (IMPORT, "refused"), (IDP, "recorded"), (HRIS, "recorded")]
)
@pytest.mark.proves("ROL-08", "ROL-09")
def test_roles_that_conflict_are_a_warning(actor: Actor, effect: str) -> None:
    found = judged("R-SOD", holder("auditor", "buyer"), actor)
    assert found == [(effect, "Selected roles have conflicting permissions")]


@pytest.mark.parametrize("name", ["R-SOD", "books", "BOOKS"])
@pytest.mark.proves("ROL-08")
def test_the_warning_is_overridden_with_a_justification(name: str) -> None:
    found = judged("R-SOD", holder("auditor", "buyer"), overrides=[name], justification="small office")
    assert found[0][0] == "overridden"


@pytest.mark.parametrize(
    ("mode", "effect"), [("record", "recorded"), ("warn", "refused"), ("enforce", "refused")]
)
def test_a_policy_says_how_grave_a_conflict_is_for_people(mode: str, effect: str) -> None:
    policy = {"name": "books", "left": ["auditor"], "right": ["buyer"], "mode": mode}
    world = catalogue(*ENTRIES, sod=[policy])
    draft = created(holder("auditor", "buyer"), ADMIN, world)
    assert said(ruled(draft.change, world), "R-SOD")[0][0] == effect


def test_a_conflict_of_old_stands_in_nobodys_way() -> None:
    kept = stored(holder("auditor", "buyer"), IDP, WORLD)
    draft = changed(kept, lambda document: document.update(title="x"), ADMIN, WORLD)
    assert said(ruled(draft.change, WORLD), "R-SOD") == []


@pytest.mark.parametrize(
    ("actor", "refused"),
    [
        (replace(ADMIN, permissions=frozenset({"user:assign_role"})), True),
        (replace(ADMIN, permissions=frozenset({"user:assign_role"}), roles=frozenset({"clerk"})), True),
        (replace(ADMIN, permissions=frozenset({"user:assign_role"}), roles=frozenset({"Root"})), False),
        (ADMIN, False),
        (IDP, True),
        (SYSTEM, False),
    ],
    ids=["nobody", "clerk", "root", "permission", "idp", "system"],
)
@pytest.mark.proves("CRE-03", "CRE-04")
def test_a_protected_role_is_granted_by_those_it_names(actor: Actor, *, refused: bool) -> None:
    found = judged("R-ROLE-AUTH", holder("root"), actor)
    assert found == ([("refused", "Insufficient authority to grant ROOT")] if refused else [])


def test_nobody_grants_himself_a_role() -> None:
    kept = stored(holder("clerk"))
    actor = replace(ADMIN, user_id="u1")
    draft = changed(kept, extension(ROLE, roleAssignments=[{"value": "clerk"}, {"value": "buyer"}]), actor)
    assert said(ruled(draft.change), "R-ROLE-AUTH") == [("refused", "You cannot grant BUYER to yourself")]


@pytest.mark.parametrize(("actor", "effect"), [(ADMIN, "refused"), (IDP, "recorded"), (HRIS, "recorded")])
@pytest.mark.proves("ROL-10")
def test_the_only_role_stays(actor: Actor, effect: str) -> None:
    kept = stored(holder("clerk"), actor)
    draft = changed(kept, extension(ROLE, roleAssignments=[]), actor)
    message = "The only role of a user cannot be removed"
    assert said(ruled(draft.change), "R-LAST-ROLE") == [(effect, message)]


@pytest.mark.proves("ROL-10")
def test_after_a_removal_the_next_role_is_primary_and_permissions_follow() -> None:
    kept = stored(holder({"value": "buyer", "primary": True}, "clerk"))
    draft = changed(kept, extension(ROLE, roleAssignments=[{"value": "clerk"}]))
    assert (shown(draft.after), get(draft.after, ROLE, "effectivePermissions")) == (
        [("clerk", True)],
        ["orders.read"],
    )


def test_mass_grants_of_roles_are_stopped() -> None:
    world = catalogue(*ENTRIES, burst={"role_grants": 3})
    grant, other = created(holder("clerk"), IDP, world).change, created(ANN, IDP, world).change
    context = RuleContext(world, NOW, Lookups(recent={"role_grants": 3}))
    error = judge(ENGINE.rules, grant, context).error()
    assert error is not None
    assert (error.status, judge(ENGINE.rules, other, context).error()) == (429, None)


@pytest.mark.proves("ROL-07")
def test_effective_permissions_are_those_of_all_valid_roles_together() -> None:
    document = holder("clerk", {"value": "buyer", "validFrom": later(DAY), "validTo": later(2 * DAY)})
    seen = [
        get(ENGINE.view(document, ORGANISATION, NOW + step * DAY), ROLE, "effectivePermissions")
        for step in range(3)
    ]
    assert seen == [["orders.read"], ["orders.read", "orders.write"], ["orders.read"]]


def test_core_roles_assign_and_stay_as_they_were_sent() -> None:
    document = stored(CORE, IDP)
    assert shown(document) == [("clerk", True), ("buyer", False)]
    assert document["roles"] == [{"value": "clerk"}, {"value": "BUYER", "type": "work"}]


def test_core_roles_show_what_is_assigned() -> None:
    document = stored(holder("clerk", {"value": "buyer", "primary": True}))
    assert document["roles"] == [
        {"value": "buyer", "display": "BUYER", "primary": True},
        {"value": "clerk", "display": "CLERK"},
    ]


def test_core_roles_follow_the_primary_one() -> None:
    kept = stored(CORE, IDP)
    rich = [{"value": "clerk"}, {"value": "buyer", "primary": True}]
    draft = changed(kept, extension(ROLE, roleAssignments=rich))
    assert [(one["value"], one.get("primary", False)) for one in draft.after["roles"]] == [
        ("clerk", False),
        ("BUYER", True),
    ]


def test_a_core_role_that_was_primary_says_that_it_is_no_longer() -> None:
    kept = stored({**ANN, "roles": [{"value": "clerk", "primary": True}, {"value": "buyer"}]}, IDP)
    rich = [{"value": "clerk"}, {"value": "buyer", "primary": True}]
    draft = changed(kept, extension(ROLE, roleAssignments=rich))
    assert [(one["value"], one["primary"]) for one in draft.after["roles"]] == [
        ("clerk", False),
        ("buyer", True),
    ]


def test_core_roles_are_those_of_the_moment() -> None:
    document = holder("clerk", {"value": "buyer", "validFrom": later(DAY), "validTo": later(2 * DAY)})
    seen = [values(ENGINE.view(document, ORGANISATION, NOW + step * DAY)["roles"]) for step in range(3)]
    assert seen == [["clerk"], ["clerk", "buyer"], ["clerk"]]


def test_core_roles_of_ours_that_are_called_by_display_are_the_same() -> None:
    document = stored({**ANN, "roles": [{"display": "Buyer"}]}, IDP)
    assert (shown(document), document["roles"]) == (
        [("buyer", True)],
        [{"display": "Buyer"}],
    )


def test_a_core_role_that_is_none_of_ours_stays_and_is_waited_for() -> None:
    document = stored({**ANN, "roles": [{"value": "Pilot", "primary": True}]}, IDP)
    assert (document["roles"], values(waiting(document, ROLES))) == (
        [{"value": "Pilot", "primary": True}],
        ["Pilot"],
    )


@pytest.mark.parametrize("actor", [ADMIN, IDP])
def test_writing_core_roles_keeps_what_is_scheduled(actor: Actor) -> None:
    kept = stored(holder("clerk", {"value": "buyer", "validFrom": later(DAY)}), actor)

    def work(document: Document) -> None:
        document["roles"] = [{"value": "auditor"}]
        known = document[ROLE]["roleAssignments"]
        hidden = {"status", "source", "assignedAt", "assignedBy", "owner"}
        stated = [{name: value for name, value in row.items() if name not in hidden} for row in known]
        document[ROLE] = {"roleAssignments": stated}

    draft = changed(kept, work, actor)
    assert sorted(shown(draft.after)) == [("auditor", True), ("buyer", False)]


def test_the_core_roles_of_a_connector_leave_what_others_assigned() -> None:
    kept = stored(holder({"value": "buyer", "primary": True}))
    draft = changed(kept, lambda document: document.update(roles=[{"value": "clerk"}]), IDP)
    assert (shown(draft.after), [row["owner"] for row in rows(draft.after, ROLES)]) == (
        [("buyer", True), ("clerk", False)],
        ["console-1", "okta-1"],
    )


def test_a_core_role_that_is_marked_becomes_the_primary_one() -> None:
    kept = stored(CORE, IDP)
    roles = [{"value": "clerk", "primary": True}, {"value": "buyer", "primary": True}]
    draft = changed(kept, lambda document: document.update(roles=roles), IDP)
    assert shown(draft.after) == [("clerk", False), ("buyer", True)]


def test_flat_roles_assign_and_stay_as_they_were_sent() -> None:
    document = stored({**ANN, CONNECTOR: {"primaryRole": "Buyer", "roleCodes": "clerk;buyer"}}, IDP)
    assert (shown(document), document[CONNECTOR]) == (
        [("buyer", True), ("clerk", False)],
        {"primaryRole": "Buyer", "roleCodes": "clerk;buyer"},
    )


def test_flat_roles_follow_what_others_assign() -> None:
    kept = stored({**ANN, CONNECTOR: {"primaryRole": "buyer", "roleCodes": "buyer"}}, IDP)
    draft = changed(kept, extension(ROLE, roleAssignments=[{"value": "clerk"}, {"value": "auditor"}]))
    assert draft.after[CONNECTOR] == {"primaryRole": "clerk", "roleCodes": "clerk;auditor"}


def test_flat_roles_end_with_what_they_named() -> None:
    rich = holder({"value": "clerk", "validTo": later(DAY)})
    kept = stored({**rich, CONNECTOR: {"primaryRole": "clerk", "roleCodes": "clerk"}}, IDP)
    assert CONNECTOR not in ENGINE.view(kept, ORGANISATION, NOW + DAY)


@pytest.mark.parametrize(
    "flat",
    [{"roles": [{"value": "buyer"}]}, {CONNECTOR: {"primaryRole": "buyer"}}],
    ids=["core", "connector"],
)
def test_other_forms_that_say_something_else_are_refused(flat: Document) -> None:
    draft = created({**holder("clerk"), **flat}, IDP)
    assert [finding.rule for finding in draft.judgement.refusals] == ["R-FORMS"]
