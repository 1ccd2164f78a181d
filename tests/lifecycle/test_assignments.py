"""Assignments are named by id, wait for what is not there, and belong to whoever made them."""

import copy
from typing import Any

import pytest

from scim_server.lifecycle.assignments import (
    DEPARTMENTS,
    PERMISSIONS,
    ROLES,
    Wanted,
    adopt,
    is_changed,
    is_over,
    is_valid,
    keep,
    moments,
    resolve,
    rows,
    scope,
    settle_primary,
    stamp,
    valid_entries,
    waiting,
)
from scim_server.lifecycle.change import Actor
from scim_server.lifecycle.documents import Document
from tests.lifecycle.samples import (
    ADMIN,
    DAY,
    HRIS,
    IDP,
    NOW,
    ORGANISATION,
    catalogue,
    department,
    later,
    values,
)


def assigned(*elements: str | Document) -> Document:
    """Return a document with roles; a text stands for its value."""
    document: Document = {}
    keep(document, ROLES, [{"value": one} if isinstance(one, str) else one for one in elements])
    return document


def by(actor: Actor, value: str, **facts: Any) -> Document:
    """Return an assignment that an actor made."""
    return {
        "value": value,
        "source": actor.profile,
        "assignedAt": later(-DAY),
        "owner": actor.client_id,
        **facts,
    }


@pytest.mark.parametrize("text", ["sales", "SALES", "Sales", "Department sales", "department SALES"])
def test_a_target_is_named_by_id_code_or_name_in_any_case(text: str) -> None:
    document: Document = {}
    keep(document, DEPARTMENTS, [{"value": text, "headOfDepartment": True}])
    assert resolve(document, DEPARTMENTS, ORGANISATION) == []
    assert rows(document, DEPARTMENTS) == [{"value": "sales", "headOfDepartment": True}]


def test_a_target_is_named_by_the_code_beside_it() -> None:
    document: Document = {}
    keep(document, DEPARTMENTS, [{"code": "SALES"}])
    resolve(document, DEPARTMENTS, ORGANISATION)
    assert rows(document, DEPARTMENTS) == [{"value": "sales"}]


def test_two_spellings_of_one_target_are_one_assignment() -> None:
    document = assigned({"value": "CLERK", "primary": True}, {"value": "clerk", "validTo": later(DAY)})
    resolve(document, ROLES, ORGANISATION)
    assert rows(document, ROLES) == [{"value": "clerk", "primary": True, "validTo": later(DAY)}]


def test_a_target_that_is_not_there_is_waited_for() -> None:
    document = assigned("clerk", {"value": "Pilot", "primary": True})
    assert resolve(document, ROLES, ORGANISATION) == ["Pilot"]
    assert (rows(document, ROLES), waiting(document, ROLES)) == (
        [{"value": "clerk"}],
        [{"value": "Pilot", "primary": True}],
    )


def test_a_name_that_two_targets_share_is_not_there() -> None:
    world = catalogue(department("a", displayName="Same"), department("b", displayName="Same"))
    document: Document = {}
    keep(document, DEPARTMENTS, [{"value": "Same"}])
    assert resolve(document, DEPARTMENTS, world) == ["Same"]


def test_what_waited_is_assigned_once_its_target_appears() -> None:
    document: Document = {}
    keep(document, DEPARTMENTS, [{"value": "Lab", "primary": True}])
    resolve(document, DEPARTMENTS, ORGANISATION)
    assert resolve(document, DEPARTMENTS, catalogue(department("lab"))) == []
    assert rows(document, DEPARTMENTS) == [{"value": "lab", "primary": True}]
    assert "~waiting" not in document


def test_what_waited_stays_with_the_source_that_asked_for_it() -> None:
    before: Document = {}
    waits = assigned("pilot")
    resolve(waits, ROLES, ORGANISATION)
    stamp(before, waits, ROLES, IDP, "idp", NOW)
    keep(waits, ROLES, [{"value": row["value"], **row} for row in waiting(waits, ROLES)])
    known = copy.deepcopy(waits)
    known.pop("~waiting")
    scope(before, known, ROLES, ADMIN)
    stamp(before, known, ROLES, ADMIN, "admin", NOW + DAY)
    assert [(row["owner"], row["source"], row["assignedAt"]) for row in rows(known, ROLES)] == [
        ("okta-1", "idp", later(0))
    ]


def test_a_connector_drops_only_what_it_owns() -> None:
    before = assigned(by(IDP, "clerk"), by(ADMIN, "buyer"), by(HRIS, "auditor"))
    after = assigned()
    assert scope(before, after, ROLES, IDP) == ["buyer", "auditor"]
    assert rows(after, ROLES) == [by(ADMIN, "buyer"), by(HRIS, "auditor")]


def test_a_person_drops_what_anybody_owns() -> None:
    after = assigned()
    assert scope(assigned(by(IDP, "clerk"), by(HRIS, "auditor")), after, ROLES, ADMIN) == []
    assert rows(after, ROLES) == []


def test_two_connectors_of_one_profile_own_each_their_own() -> None:
    other = Actor("idp", "entra", "entra-1")
    after = assigned()
    assert scope(assigned(by(IDP, "clerk"), by(other, "buyer")), after, ROLES, other) == ["clerk"]


def test_what_nobody_owns_anybody_drops() -> None:
    after = assigned()
    assert scope(assigned("clerk"), after, ROLES, IDP) == []


def test_what_is_put_back_stands_where_it_stood() -> None:
    before = assigned(by(IDP, "clerk"), by(ADMIN, "buyer"))
    after = assigned("auditor", "clerk")
    scope(before, after, ROLES, IDP)
    assert values(rows(after, ROLES)) == ["clerk", "buyer", "auditor"]


def test_the_same_write_once_more_changes_nothing() -> None:
    before = assigned(by(IDP, "clerk"), by(ADMIN, "buyer"))
    after = assigned("clerk")
    scope(before, after, ROLES, IDP)
    assert after == before


def test_what_is_repeated_keeps_its_stamps() -> None:
    after = assigned({"value": "clerk", "validTo": later(DAY), "owner": "me", "source": "me"})
    scope(assigned(by(IDP, "clerk")), after, ROLES, ADMIN)
    assert rows(after, ROLES) == [by(IDP, "clerk", validTo=later(DAY))]


def test_a_connector_does_not_rewrite_what_others_own() -> None:
    before = assigned(by(ADMIN, "clerk", validTo=later(DAY)))
    after = assigned({"value": "clerk", "primary": True})
    scope(before, after, ROLES, IDP)
    assert rows(after, ROLES) == [by(ADMIN, "clerk", validTo=later(DAY), primary=True)]


@pytest.mark.proves("DEP-06", "ROL-21")
def test_an_assignment_says_when_it_was_made_and_by_whom() -> None:
    after = assigned("clerk")
    stamp({}, after, ROLES, Actor("admin", "console", "c1", user_id="u9"), "admin", NOW)
    marks = {"source": "admin", "assignedAt": later(0), "assignedBy": "u9", "owner": "c1"}
    assert rows(after, ROLES) == [{"value": "clerk", **marks}]


def test_a_grant_of_a_permission_has_stamps_of_its_own() -> None:
    after: Document = {}
    keep(after, PERMISSIONS, [{"value": "crossing"}])
    stamp({}, after, PERMISSIONS, ADMIN, "admin", NOW)
    marks = {"source": "admin", "grantedAt": later(0), "grantedBy": "console", "owner": "console-1"}
    assert rows(after, PERMISSIONS) == [{"value": "crossing", **marks}]


def test_what_was_there_is_not_stamped_again() -> None:
    before, after = assigned(by(IDP, "clerk")), assigned(by(IDP, "clerk"))
    stamp(before, after, ROLES, ADMIN, "admin", NOW)
    assert after == before


@pytest.mark.parametrize(
    ("before", "after", "primary", "promoted"),
    [
        ([], ["a", "b"], "a", "a"),
        ([], ["a", "b*"], "b", None),
        ([], ["a*", "b*"], "b", None),
        (["a*", "b"], ["a*", "b*"], "b", None),
        (["a", "b*"], ["a*", "b*"], "a", None),
        (["a*", "b"], ["b"], "b", "b"),
        (["a*", "b", "c"], ["b", "c"], "b", "b"),
        (["a*"], ["a"], "a", "a"),
        (["a*", "b*"], ["a*", "b*"], "a", None),
    ],
)
@pytest.mark.proves("ROL-03", "ROL-04")
def test_exactly_one_assignment_is_primary(
    before: list[str], after: list[str], primary: str, promoted: str | None
) -> None:
    old, new = (
        assigned(*({"value": name[0], "primary": name.endswith("*")} for name in names))
        for names in (before, after)
    )
    assert settle_primary(old, new, ROLES) == promoted
    assert [row["value"] for row in rows(new, ROLES) if row["primary"]] == [primary]
    assert all(row["primary"] in {True, False} for row in rows(new, ROLES))


def test_special_permissions_have_no_primary() -> None:
    document: Document = {}
    keep(document, PERMISSIONS, [{"value": "crossing"}])
    assert settle_primary({}, document, PERMISSIONS) is None
    assert rows(document, PERMISSIONS) == [{"value": "crossing"}]


def test_the_flat_form_replaces_what_the_connector_owns() -> None:
    document = assigned(by(IDP, "clerk"), by(ADMIN, "auditor"))
    adopt(document, ROLES, [Wanted("BUYER", primary=True)], IDP, ORGANISATION)
    assert rows(document, ROLES) == [by(ADMIN, "auditor", primary=False), {"value": "buyer", "primary": True}]


def test_the_flat_form_repeats_what_another_source_owns_without_taking_it() -> None:
    document = assigned(by(ADMIN, "clerk", validTo=later(DAY)))
    adopt(document, ROLES, [Wanted("clerk", facts=(("validTo", None),))], IDP, ORGANISATION)
    assert rows(document, ROLES) == [by(ADMIN, "clerk", validTo=later(DAY))]


def test_the_flat_form_keeps_the_stamps_of_what_it_repeats() -> None:
    document = assigned(by(IDP, "clerk", validTo=later(DAY)))
    adopt(document, ROLES, [Wanted("clerk")], IDP, ORGANISATION)
    assert rows(document, ROLES) == [by(IDP, "clerk", validTo=later(DAY))]


def test_two_spellings_in_the_flat_form_are_one_assignment() -> None:
    document = assigned()
    adopt(document, ROLES, [Wanted("clerk", primary=True), Wanted("CLERK")], IDP, ORGANISATION)
    assert rows(document, ROLES) == [{"value": "clerk", "primary": True}]


def test_the_flat_form_waits_for_what_is_not_there() -> None:
    document = assigned()
    adopt(document, ROLES, [Wanted("Pilot", primary=True)], IDP, ORGANISATION)
    assert (rows(document, ROLES), waiting(document, ROLES)) == ([], [{"value": "Pilot", "primary": True}])


def test_the_flat_form_forgets_only_what_the_connector_itself_waits_for() -> None:
    document = assigned()
    document["~waiting"] = {"roleAssignments": [by(IDP, "pilot"), by(HRIS, "cook")]}
    adopt(document, ROLES, [], IDP, ORGANISATION)
    assert waiting(document, ROLES) == [by(HRIS, "cook")]


@pytest.mark.parametrize(
    ("starts", "ends", "valid", "over"),
    [
        (None, None, True, False),
        (0, None, True, False),
        (1, None, False, False),
        (None, 1, True, False),
        (None, 0, False, True),
        (-2, -1, False, True),
    ],
)
@pytest.mark.proves("ROL-05")
def test_an_assignment_is_valid_from_its_beginning_until_its_end(
    starts: int | None, ends: int | None, *, valid: bool, over: bool
) -> None:
    row = {"validFrom": starts, "validTo": ends}
    stated = {name: later(offset) for name, offset in row.items() if offset is not None}
    assert (is_valid(stated, NOW), is_over(stated, NOW)) == (valid, over)


def test_the_valid_assignments_come_with_what_they_point_at_the_primary_one_first() -> None:
    document = assigned(
        "clerk", {"value": "buyer", "primary": True}, {"value": "auditor", "validFrom": later(1)}, "gone"
    )
    found = valid_entries(document, ROLES, ORGANISATION, NOW)
    assert [entry.value for _, entry in found] == ["buyer", "clerk"]


def test_the_moments_are_the_beginnings_and_ends() -> None:
    document = assigned({"value": "clerk", "validFrom": later(1), "validTo": later(2)}, "buyer")
    assert moments(document, ROLES) == [NOW + 1, NOW + 2]


def test_what_only_the_server_writes_is_no_change() -> None:
    assert not is_changed(assigned(by(IDP, "clerk", status="active")), assigned("clerk"), ROLES)
    assert is_changed(assigned("clerk"), assigned({"value": "clerk", "primary": True}), ROLES)
