"""Departments: many a user, active ones, one primary, flat forms both ways."""

from typing import Any

import pytest

from scim_server.lifecycle.assignments import DEPARTMENTS, rows, waiting
from scim_server.lifecycle.change import Actor
from scim_server.lifecycle.documents import Document, get
from scim_server.lifecycle.urns import CONNECTOR, DEPARTMENT, ENTERPRISE
from tests.lifecycle.samples import (
    ADMIN,
    ANN,
    DAY,
    ENGINE,
    ENTRIES,
    HRIS,
    IDP,
    NOW,
    ORGANISATION,
    catalogue,
    changed,
    created,
    department,
    extension,
    later,
    ruled,
    said,
    stored,
    values,
)

CLOSED = catalogue(*ENTRIES, department("closed", active=False))


def member(*elements: Document, **facts: Any) -> Document:
    """Return a user in departments."""
    return {**ANN, DEPARTMENT: {"departments": list(elements)}, **facts}


def flat(**facts: Any) -> Document:
    """Return a user with flat attributes of the connector."""
    return {**ANN, CONNECTOR: facts}


def shown(document: Document) -> list[tuple[str, bool]]:
    """Return the departments of a user and which is the primary one."""
    return [(row["value"], row["primary"]) for row in rows(document, DEPARTMENTS)]


@pytest.mark.parametrize(("actor", "effect"), [(ADMIN, "refused"), (IDP, "recorded"), (HRIS, "recorded")])
@pytest.mark.proves("DEP-04")
def test_only_active_departments_are_assigned(actor: Actor, effect: str) -> None:
    draft = created(member({"value": "closed"}), actor, CLOSED)
    assert said(ruled(draft.change, CLOSED), "R-DEPT-ACTIVE") == [(effect, "Selected department is inactive")]
    draft = changed(
        stored(ANN, actor), extension(DEPARTMENT, departments=[{"value": "closed"}]), actor, CLOSED
    )
    message = "Cannot assign to inactive department"
    assert said(ruled(draft.change, CLOSED), "R-DEPT-ACTIVE") == [(effect, message)]


def test_who_is_in_a_department_that_closed_can_still_be_edited() -> None:
    kept = stored(member({"value": "closed"}), IDP, CLOSED)
    draft = changed(kept, lambda document: document.update(title="x"), ADMIN, CLOSED)
    assert said(ruled(draft.change, CLOSED), "R-DEPT-ACTIVE") == []


def test_the_number_of_departments_can_be_limited() -> None:
    world = catalogue(*ENTRIES, departments_maximum=1)
    two = created(member({"value": "sales"}, {"value": "finance"}), ADMIN, world)
    one = created(member({"value": "sales"}), ADMIN, world)
    found = [said(ruled(draft.change, world), "R-DEPT-MAX") for draft in (two, one)]
    assert found == [[("refused", "A user can be in 1 departments at most")], []]


@pytest.mark.proves("DEP-02", "DEP-03")
def test_a_membership_shows_code_status_and_whether_the_user_is_head() -> None:
    row = rows(stored(member({"value": "sales", "headOfDepartment": True})), DEPARTMENTS)[0]
    assert (row["code"], row["status"], row["headOfDepartment"]) == ("SALES", "active", True)


def test_a_membership_is_scheduled_then_active_then_gone() -> None:
    document = member({"value": "sales", "validFrom": later(DAY), "validTo": later(2 * DAY)})
    seen = [
        [row["status"] for row in rows(ENGINE.view(document, ORGANISATION, NOW + step * DAY), DEPARTMENTS)]
        for step in range(3)
    ]
    assert seen == [["scheduled"], ["active"], []]


def test_effective_departments_are_the_valid_ones_with_those_above() -> None:
    document = member({"value": "sales"}, {"value": "finance", "validTo": later(DAY)})
    seen = [
        get(ENGINE.view(document, ORGANISATION, NOW + step * DAY), DEPARTMENT, "effectiveDepartments")
        for step in range(2)
    ]
    assert seen == [["SALES", "TRADE", "FINANCE"], ["SALES", "TRADE"]]


@pytest.mark.proves("DEP-10")
def test_the_primary_department_is_named_in_the_enterprise_extension() -> None:
    document = stored(member({"value": "sales"}, {"value": "finance", "primary": True}))
    assert get(document, ENTERPRISE, "department") == "Department finance"


def test_the_name_of_a_department_that_ended_goes_with_it() -> None:
    document = stored(member({"value": "sales", "validTo": later(DAY)}))
    assert get(ENGINE.view(document, ORGANISATION, NOW + DAY), ENTERPRISE, "department") is None


def test_an_enterprise_department_that_is_none_of_ours_stays_as_it_was_sent() -> None:
    document = stored({**ANN, ENTERPRISE: {"department": "Wizards"}}, IDP)
    assert get(document, ENTERPRISE, "department") == "Wizards"
    assert values(waiting(document, DEPARTMENTS)) == ["Wizards"]


@pytest.mark.parametrize("text", ["Department sales", "department SALES", "SALES", "sales"])
def test_an_enterprise_department_assigns_and_stays_as_it_was_sent(text: str) -> None:
    document = stored({**ANN, ENTERPRISE: {"department": text}}, IDP)
    assert (shown(document), get(document, ENTERPRISE, "department")) == ([("sales", True)], text)


def test_another_enterprise_department_takes_the_place_of_the_primary_one_alone() -> None:
    kept = stored(member({"value": "sales", "primary": True}, {"value": "finance"}))
    draft = changed(kept, extension(ENTERPRISE, department="Department trade"))
    assert shown(draft.after) == [("trade", True), ("finance", False)]


def test_an_enterprise_department_that_is_assigned_already_becomes_primary() -> None:
    kept = stored(member({"value": "sales", "primary": True}, {"value": "finance"}))
    draft = changed(kept, extension(ENTERPRISE, department="Department finance"))
    assert shown(draft.after) == [("finance", True)]


def test_the_enterprise_department_of_a_connector_leaves_owner_and_facts_of_the_others() -> None:
    kept = stored(member({"value": "sales", "primary": True}, {"value": "finance", "headOfDepartment": True}))
    draft = changed(kept, extension(ENTERPRISE, department="Department trade"), HRIS)
    facts = {
        row["value"]: (row["owner"], row.get("headOfDepartment")) for row in rows(draft.after, DEPARTMENTS)
    }
    assert facts == {
        "sales": ("console-1", None),
        "finance": ("console-1", True),
        "trade": ("workday-1", None),
    }
    assert [value for value, primary in shown(draft.after) if primary] == ["trade"]


def test_the_identity_provider_moves_nobody_whom_a_person_placed() -> None:
    kept = stored(member({"value": "sales"}))
    draft = changed(kept, extension(ENTERPRISE, department="Department trade"), IDP)
    assert shown(draft.after) == [("sales", True)]
    assert [finding.rule for finding in draft.judgement.findings] == ["R-AUTHORITY"]


def test_flat_codes_assign_and_stay_as_they_were_sent() -> None:
    document = stored(flat(departmentCode="sales", departmentCodes="Sales; FINANCE"), IDP)
    assert shown(document) == [("sales", True), ("finance", False)]
    assert document[CONNECTOR] == {"departmentCode": "sales", "departmentCodes": "Sales; FINANCE"}


@pytest.mark.parametrize(
    ("facts", "heads"),
    [
        ({"departmentCode": "SALES", "headOfDepartment": True}, ["sales"]),
        ({"departmentCodes": "FINANCE;SALES", "headOfDepartment": True}, ["finance"]),
        (
            {"departmentCode": "SALES", "departmentCodes": "SALES;FINANCE", "headOfDepartment": True},
            ["sales"],
        ),
        ({"departmentCode": "SALES", "headOfDepartment": False}, []),
    ],
)
@pytest.mark.proves("CRE-21")
def test_the_flat_head_is_head_of_the_primary_department(facts: Document, heads: list[str]) -> None:
    document = stored(flat(**facts), IDP)
    assert [row["value"] for row in rows(document, DEPARTMENTS) if row.get("headOfDepartment")] == heads


def test_another_flat_code_replaces_what_the_connector_assigned() -> None:
    kept = stored(flat(departmentCode="SALES"), IDP)
    draft = changed(kept, extension(CONNECTOR, departmentCode="FINANCE"), IDP)
    assert shown(draft.after) == [("finance", True)]


def test_flat_codes_follow_what_others_assign() -> None:
    kept = stored(flat(departmentCode="SALES", departmentCodes="SALES", headOfDepartment=True), HRIS)
    rich = [{"value": "finance", "primary": True}, {"value": "trade"}]
    draft = changed(kept, extension(DEPARTMENT, departments=rich))
    assert draft.after[CONNECTOR] == {
        "departmentCode": "FINANCE",
        "departmentCodes": "FINANCE;TRADE",
        "headOfDepartment": False,
    }


def test_flat_codes_end_with_what_they_named() -> None:
    kept = stored(
        member({"value": "sales", "validTo": later(DAY)}, **{CONNECTOR: {"departmentCodes": "SALES"}}), IDP
    )
    assert CONNECTOR not in ENGINE.view(kept, ORGANISATION, NOW + DAY)


def test_a_flat_code_that_is_not_there_yet_stays_and_is_waited_for() -> None:
    document = stored(flat(departmentCode="LAB", departmentCodes="LAB;SALES"), IDP)
    assert document[CONNECTOR] == {"departmentCode": "LAB", "departmentCodes": "LAB;SALES"}
    assert (shown(document), values(waiting(document, DEPARTMENTS))) == ([("sales", True)], ["LAB"])


def test_a_user_whom_no_connector_knows_has_no_flat_codes() -> None:
    assert CONNECTOR not in stored(member({"value": "sales"}))
