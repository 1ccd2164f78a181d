"""Rules on fields, references and times say their messages, in the mode of the client's profile."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from scim_server.lifecycle.assignments import DEPARTMENTS, LOCATIONS, ROLES
from scim_server.lifecycle.change import Actor, Change, Lookups, RuleContext
from scim_server.lifecycle.documents import Document
from scim_server.lifecycle.judgement import judge
from scim_server.lifecycle.urns import (
    APPROVAL_LIMIT,
    CONNECTOR,
    ENTERPRISE,
    LIFECYCLE,
    LOCATION,
    SPECIAL_PERMISSION,
)
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
    READY,
    catalogue,
    changed,
    created,
    later,
    said,
    stored,
)

ACTORS = {"idp": IDP, "hris": HRIS, "import": IMPORT, "admin": ADMIN}


def found(
    rule: str, document: Document, actor: Actor = ADMIN, lookups: Lookups | None = None, **policies: Any
) -> list[tuple[str, str]]:
    """Return what a rule says of the creation of a user."""
    world = catalogue(*ENTRIES, **policies)
    change = created(document, actor, world).change
    return said(judge(ENGINE.rules, change, RuleContext(world, NOW, lookups or Lookups())), rule)


def email(address: str) -> Document:
    """Return a user with a primary e-mail."""
    return {**ANN, "emails": [{"value": address, "primary": True}]}


@pytest.mark.parametrize(
    ("rule", "document", "effects", "message"),
    [
        (
            "R-NAME",
            {**ANN, "name": {"familyName": "Lee"}},
            ["recorded", "recorded", "refused", "refused"],
            "First name is required",
        ),
        (
            "R-EMAIL",
            email("nobody"),
            ["recorded", "recorded", "refused", "refused"],
            "Please enter a valid email address",
        ),
        (
            "R-EMPID",
            {**ANN, ENTERPRISE: {"employeeNumber": "A_1"}},
            ["recorded", "recorded", "refused", "refused"],
            "Employee ID must be alphanumeric",
        ),
        (
            "R-DATE",
            {**ANN, CONNECTOR: {"hireDate": "soon"}},
            ["refused", "refused", "refused", "refused"],
            "hireDate must be a date or a dateTime",
        ),
    ],
)
def test_a_field_that_is_wrong_is_refused_to_people_and_recorded_for_connectors(
    rule: str, document: Document, effects: list[str], message: str
) -> None:
    for actor, effect in zip(ACTORS.values(), effects, strict=True):
        assert found(rule, document, actor) == [(effect, message)]


@pytest.mark.parametrize(
    ("profile", "effects"), [("idp", []), ("hris", []), ("import", ["refused"]), ("admin", ["refused"])]
)
def test_people_and_imports_give_an_email(profile: str, effects: list[str]) -> None:
    document = {name: value for name, value in ANN.items() if name != "emails"}
    assert found("R-EMAIL-REQ", document, ACTORS[profile]) == [
        (effect, "Email is required") for effect in effects
    ]


@pytest.mark.proves("CRE-13")
def test_an_email_may_be_left_out_where_the_policy_says_so() -> None:
    document = {name: value for name, value in ANN.items() if name != "emails"}
    assert found("R-EMAIL-REQ", document, email={"required": []}) == []


@pytest.mark.proves("CRE-11")
def test_an_email_may_be_kept_to_certain_domains() -> None:
    message = "Only @company.com email addresses are allowed"
    assert found("R-EMAIL-DOMAIN", email("a@b.org"), email={"domains": ["company.com"]}) == [
        ("refused", message)
    ]


@pytest.mark.parametrize(
    ("actor", "effect"), [(IDP, "recorded"), (HRIS, "refused"), (IMPORT, "refused"), (ADMIN, "refused")]
)
def test_an_email_belongs_to_one_user(actor: Actor, effect: str) -> None:
    message = "A user with this email already exists"
    assert found("R-EMAIL-UNIQ", ANN, actor, Lookups(email_taken=True)) == [(effect, message)]


@pytest.mark.parametrize(
    ("policy", "actor", "effects"),
    [
        ("always", ADMIN, []),
        ("admin", ADMIN, []),
        ("never", ADMIN, ["refused"]),
        ("admin", IMPORT, ["refused"]),
        ("admin", IDP, ["recorded"]),
    ],
)
@pytest.mark.proves("UPD-03")
def test_an_email_changes_only_where_the_policy_allows_it(
    policy: str, actor: Actor, effects: list[str]
) -> None:
    world = catalogue(*ENTRIES, email={"change": policy})
    change = changed(stored(READY), lambda document: document.update(email("b@b.org")), actor, world).change
    judgement = judge(ENGINE.rules, change, RuleContext(world, NOW))
    assert said(judgement, "R-EMAIL-CHANGE") == [(effect, "Email cannot be changed") for effect in effects]


def test_a_first_email_is_no_change_of_it() -> None:
    world = catalogue(*ENTRIES, email={"change": "never"})
    kept = stored({**READY, "emails": []}, IDP)
    change = changed(kept, lambda document: document.update(email("b@b.org")), ADMIN, world).change
    assert said(judge(ENGINE.rules, change, RuleContext(world, NOW)), "R-EMAIL-CHANGE") == []


@pytest.mark.parametrize(
    ("actor", "effects"), [(IDP, []), (HRIS, []), (IMPORT, ["recorded"]), (ADMIN, ["refused"])]
)
def test_a_start_date_is_near_today(actor: Actor, effects: list[str]) -> None:
    message = "Start date cannot be more than 90 days in the future"
    document = {**READY, CONNECTOR: {"startDate": "2027-02-20"}}
    assert found("R-START-WINDOW", document, actor) == [(effect, message) for effect in effects]
    assert found("R-START-WINDOW", {**READY, CONNECTOR: {"startDate": "2027-02-19"}}, actor) == []


@pytest.mark.parametrize(
    ("actor", "effects"), [(IDP, ["refused"]), (HRIS, []), (IMPORT, ["refused"]), (ADMIN, ["refused"])]
)
@pytest.mark.proves("PWD-02")
def test_a_password_satisfies_the_policy_whoever_sets_it(actor: Actor, effects: list[str]) -> None:
    change = replace(created(READY).change, actor=actor, password="Password")
    judgement = judge(ENGINE.rules, change, RuleContext(catalogue(*ENTRIES), NOW))
    message = "Password must contain uppercase, lowercase, number, and special character"
    assert said(judgement, "R-PWD") == [(effect, message) for effect in effects]


def test_a_name_that_was_wrong_before_stands_in_nobodys_way() -> None:
    kept = stored({**READY, "name": {"givenName": "R2D2"}}, IDP)
    change = changed(kept, lambda document: document.update(title="x")).change
    assert judge(ENGINE.rules, change, RuleContext(catalogue(*ENTRIES), NOW)).error() is None


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (DEPARTMENTS.path, "Department x does not exist"),
        (LOCATIONS.path, "Location x does not exist"),
        (ROLES.path, "Selected role is not available"),
        (f"{SPECIAL_PERMISSION}:specialPermissions", "Special permission x does not exist"),
        (f"{ENTERPRISE}:manager", "Manager x does not exist"),
    ],
)
def test_what_is_referred_to_is_there(path: str, message: str) -> None:
    for actor, effect in ((ADMIN, "refused"), (IMPORT, "refused"), (IDP, "recorded"), (HRIS, "recorded")):
        change = Change("User", "u1", actor, READY, READY, unresolved=((path, "x"),))
        judgement = judge(ENGINE.rules, change, RuleContext(catalogue(*ENTRIES), NOW))
        assert said(judgement, "R-REF") == [(effect, message)]


def test_nobody_reports_to_himself_through_others() -> None:
    message = "A user cannot report to itself, directly or through others"
    assert found("R-REF", READY, lookups=Lookups(managers=("u7", "u1"))) == [("refused", message)]
    assert found("R-REF", READY, lookups=Lookups(managers=("u7",))) == []


@pytest.mark.parametrize(
    ("path", "target", "actor", "expected"),
    [
        (DEPARTMENTS.path, "sales", ADMIN, [("refused", "User already assigned to this department")]),
        (DEPARTMENTS.path, "sales", IDP, [("corrected", "User already assigned to this department")]),
        (LOCATIONS.path, "vienna", ADMIN, [("corrected", "Location already assigned")]),
        (ROLES.path, "clerk", ADMIN, [("refused", "User already has this role")]),
        (ROLES.path, "buyer", ADMIN, []),
    ],
)
@pytest.mark.proves("DEP-05", "LOC-05", "ROL-21")
def test_an_assignment_is_made_once(
    path: str, target: str, actor: Actor, expected: list[tuple[str, str]]
) -> None:
    kept = stored({**READY, LOCATION: {"locations": [{"value": "vienna"}]}})
    change = changed(kept, lambda _: None, actor, additions=((path, target),)).change
    judgement = judge(ENGINE.rules, change, RuleContext(catalogue(*ENTRIES), NOW))
    assert said(judgement, "R-DUP") == expected


def validity(document: Document, span: Document) -> None:
    """Give the user a validity."""
    document[LIFECYCLE] = span


def role_span(document: Document, span: Document) -> None:
    """Give the role of the user a validity."""
    row = document["urn:ietf:params:scim:schemas:extension:role:2.0:User"]["roleAssignments"][0]
    row.update(span)


def limit_span(document: Document, span: Document) -> None:
    """Give the user a limit with a validity."""
    document[APPROVAL_LIMIT] = {"approvalLimits": [{"amount": 5, "currency": "EUR", **span}]}


def permission_span(document: Document, span: Document) -> None:
    """Give the user a special permission with a validity."""
    document[SPECIAL_PERMISSION] = {"specialPermissions": [{"value": "crossing", **span}]}


@pytest.mark.parametrize(
    ("work", "what"),
    [
        (validity, "validity"),
        (role_span, "role"),
        (permission_span, "special permission"),
        (limit_span, "approval limit"),
    ],
)
@pytest.mark.parametrize("actor", ACTORS.values(), ids=ACTORS)
@pytest.mark.proves("PRM-03", "ROL-05")
def test_what_begins_ends_later(work: Callable[[Document, Document], None], what: str, actor: Actor) -> None:
    said_of: list[list[tuple[str, str]]] = []
    for ends in (DAY + 1, DAY, 0):
        document = copy.deepcopy(READY)
        work(document, {"validFrom": later(DAY), "validTo": later(ends)})
        change = Change("User", "u1", actor, None, document)
        judgement = judge(ENGINE.rules, change, RuleContext(catalogue(*ENTRIES), NOW))
        said_of.append(said(judgement, "R-TIME"))
    wrong = [("refused", f"The end of {what} must be after its beginning")]
    assert said_of == [[], wrong, wrong]
