"""The engine brings everything together: what a request makes of a user, and how it looks at any moment."""

import copy
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.lifecycle.assignments import DEPARTMENTS, LOCATIONS, ROLES, Kind, rows, waiting
from scim_server.lifecycle.catalogue import Catalogue
from scim_server.lifecycle.change import Actor
from scim_server.lifecycle.documents import Document, get
from scim_server.lifecycle.engine import MOST_BOUNDARIES, Engine
from scim_server.lifecycle.judgement import Finding
from scim_server.lifecycle.state import FACTS, keep_facts
from scim_server.lifecycle.status import Facts, Hold, Lock, Planned
from scim_server.lifecycle.urns import (
    APPROVAL_LIMIT,
    CLEARANCE,
    CONNECTOR,
    DEPARTMENT,
    ENTERPRISE,
    LIFECYCLE,
    LOCATION,
    ROLE,
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
    ORGANISATION,
    READY,
    catalogue,
    changed,
    created,
    extension,
    later,
    nothing,
    role,
    ruled,
    said,
    stored,
    values,
)

WORLD = catalogue(
    *ENTRIES,
    role("chief", clearanceLevel="secret", requiresMfa=True, permissions=["all"]),
    limits={"maxima": [{"level": "secret", "amount": 50, "currency": "EUR"}]},
)
STEPS = st.integers(-3, 6)
OFFSETS = st.none() | STEPS


def spans(*values: str) -> st.SearchStrategy[list[Document]]:
    """Make assignments of different targets, each from and until some day or not."""

    def one(value: str) -> st.SearchStrategy[Document | None]:
        return st.none() | st.tuples(OFFSETS, OFFSETS, st.booleans()).map(
            lambda facts: {
                "value": value,
                "primary": facts[2],
                **({} if facts[0] is None else {"validFrom": later(facts[0] * DAY)}),
                **({} if facts[1] is None else {"validTo": later(facts[1] * DAY)}),
            }
        )

    return st.tuples(*map(one, values)).map(lambda found: [row for row in found if row is not None])


def moments(steps: st.SearchStrategy[int] = STEPS) -> st.SearchStrategy[int]:
    """Make moments some days away."""
    return steps.map(lambda step: NOW + step * DAY)


SOURCES = st.sampled_from(["idp", "hris", "admin", "security"])
HOLDS = st.builds(
    Hold,
    SOURCES,
    st.sampled_from(["leave", "suspension", "termination"]),
    st.just("other"),
    moments(st.integers(-3, 0)),
    st.none() | moments(),
)
PLANS = st.builds(
    Planned,
    st.sampled_from(["1", "2", "3"]),
    st.sampled_from(["activate", "deactivate", "suspend"]),
    moments(),
    SOURCES,
)
FACTS_OF_USERS = st.builds(
    Facts,
    st.sampled_from(["pending", "active", "inactive"]),
    st.lists(HOLDS, max_size=2).map(tuple),
    st.none(),
    st.none(),
    st.none() | st.builds(Lock, moments(st.integers(-3, 0)), st.none() | moments()),
    st.lists(PLANS, max_size=3).map(tuple),
)


@st.composite
def users(draw: st.DrawFn) -> Document:
    """Make users whose every fact may begin and end."""
    limit = {"type": "general", "amount": 70, "currency": "EUR", "validTo": later(draw(STEPS) * DAY)}
    document: Document = {
        **ANN,
        ROLE: {"roleAssignments": draw(spans("clerk", "buyer", "chief"))},
        DEPARTMENT: {"departments": draw(spans("sales", "finance"))},
        LOCATION: {"locations": draw(spans("vienna"))},
        SPECIAL_PERMISSION: {"specialPermissions": draw(spans("crossing", "override"))},
        APPROVAL_LIMIT: {"approvalLimits": draw(st.sampled_from([[], [limit]]))},
        CLEARANCE: {"level": "confidential", "validTo": later(draw(STEPS) * DAY)},
        CONNECTOR: {"primaryRole": "clerk", "departmentCodes": "SALES;FINANCE", "accountStatus": "active"},
        ENTERPRISE: {"department": "Department sales"},
    }
    starts, ends = draw(OFFSETS), draw(OFFSETS)
    validity = {"validFrom": starts, "validTo": ends}
    document[LIFECYCLE] = {
        name: later(offset * DAY) for name, offset in validity.items() if offset is not None
    }
    keep_facts(document, draw(FACTS_OF_USERS))
    return document


def visible(document: Document) -> Document:
    """Return a document without what is never shown."""
    return {name: value for name, value in document.items() if not name.startswith("~")}


@given(users(), st.integers(0, 8 * 24))
def test_nothing_visible_changes_between_boundaries(document: Document, hours: int) -> None:
    moment = NOW + hours * DAY // 24
    seen = [(NOW, ENGINE.view(document, WORLD, NOW)), *ENGINE.boundaries(document, WORLD, NOW)]
    expected = [view for starts, view in seen if starts <= moment]
    assert visible(ENGINE.view(document, WORLD, moment)) == visible(expected[-1])


@given(users())
def test_at_every_boundary_something_changes(document: Document) -> None:
    seen = [ENGINE.view(document, WORLD, NOW), *(view for _, view in ENGINE.boundaries(document, WORLD, NOW))]
    assert all(one != following for one, following in itertools.pairwise(seen))


@given(users())
def test_boundaries_come_in_order_after_now(document: Document) -> None:
    found = [moment for moment, _ in ENGINE.boundaries(document, WORLD, NOW)]
    assert found == sorted({moment for moment in found if moment > NOW})


@given(users())
def test_what_varies_with_time_is_declared(document: Document) -> None:
    rich = {f"{kind.urn}:{kind.attribute}".lower() for kind in (DEPARTMENTS, ROLES)} | {
        f"{LOCATION}:locations".lower(),
        f"{SPECIAL_PERMISSION}:specialPermissions".lower(),
    }
    views = [ENGINE.view(document, WORLD, NOW)]
    views += [view for _, view in ENGINE.boundaries(document, WORLD, NOW)]
    found = {path for one in views for path in _paths(one) if _at(one, path) != _at(views[0], path)}
    found |= {path for one in views for path in _paths(views[0]) if _at(one, path) != _at(views[0], path)}
    assert found <= ENGINE.varying | rich


def _paths(document: Document) -> set[str]:
    core = {name.lower() for name in visible(document) if not name.startswith("urn:")}
    return core | {
        f"{urn}:{name}".lower() for urn in document if urn.startswith("urn:") for name in document[urn]
    }


def _at(document: Document, path: str) -> Any:
    flat = {name.lower(): value for name, value in document.items() if not name.startswith("urn:")}
    for urn in document:
        if urn.startswith("urn:"):
            flat |= {f"{urn}:{name}".lower(): value for name, value in document[urn].items()}
    return flat.get(path)


@given(users(), st.integers(-3, 6))
def test_looking_leaves_the_document_as_it_is(document: Document, step: int) -> None:
    before = copy.deepcopy(document)
    ENGINE.view(document, WORLD, NOW + step * DAY)
    assert document == before


@given(users(), st.integers(-3, 6))
def test_looking_at_what_was_seen_shows_the_same(document: Document, step: int) -> None:
    seen = ENGINE.view(document, WORLD, NOW + step * DAY)
    assert ENGINE.view(seen, WORLD, NOW + step * DAY) == seen


@given(users(), st.sampled_from([ADMIN, IDP, HRIS, IMPORT]))
def test_a_request_that_changes_nothing_changes_nothing(document: Document, actor: Actor) -> None:
    kept = ENGINE.view(document, WORLD, NOW)
    once = changed(kept, nothing, actor, WORLD).after
    assert visible(changed(once, nothing, actor, WORLD).after) == visible(once)


def test_only_so_many_boundaries_are_computed_ahead() -> None:
    plans = tuple(
        Planned(str(step), "suspend" if step % 2 else "activate", NOW + step, "admin")
        for step in range(1, 200)
    )
    document = stored(READY)
    keep_facts(document, Facts(planned=plans))
    found = [moment for moment, _ in ENGINE.boundaries(document, ORGANISATION, NOW)]
    assert found == [NOW + step for step in range(1, MOST_BOUNDARIES + 1)]


def test_a_user_without_times_has_no_boundaries() -> None:
    assert ENGINE.boundaries(stored(READY), ORGANISATION, NOW) == []


@pytest.mark.parametrize("actor", [ADMIN, IDP, HRIS, IMPORT])
def test_flat_and_rich_forms_that_differ_are_refused(actor: Actor) -> None:
    document = {
        **ANN,
        CONNECTOR: {"departmentCode": "SALES"},
        DEPARTMENT: {"departments": [{"value": "finance"}]},
    }
    paths = f"{CONNECTOR}:departmentCode, {CONNECTOR}:departmentCodes"
    message = f"{paths} and {DEPARTMENT}:departments state different values"
    assert said(created(document, actor).judgement, "R-FORMS") == [("refused", message)]


def test_flat_and_rich_forms_that_agree_are_one_fact() -> None:
    document = {
        **ANN,
        CONNECTOR: {"departmentCode": "SALES"},
        DEPARTMENT: {"departments": [{"value": "sales"}]},
    }
    draft = created(document, IDP)
    assert (values(rows(draft.after, DEPARTMENTS)), said(draft.judgement, "R-FORMS")) == (["sales"], [])


@pytest.mark.parametrize(("actor", "effect"), [(IDP, "recorded"), (HRIS, "recorded"), (ADMIN, "refused")])
@pytest.mark.parametrize(
    ("kind", "message"),
    [(DEPARTMENTS, "Department lab does not exist"), (LOCATIONS, "Location lab does not exist")],
)
@pytest.mark.proves("CRE-02")
def test_departments_and_locations_that_do_not_exist_are_refused_or_waited_for(
    kind: Kind, message: str, actor: Actor, effect: str
) -> None:
    draft = created({**ANN, kind.urn: {kind.attribute: [{"value": "lab"}]}}, actor)
    assert values(waiting(draft.after, kind)) == ["lab"]
    assert said(ruled(draft.change), "R-REF") == [(effect, message)]


def test_what_is_waited_for_is_reported_once() -> None:
    kept = stored({**ANN, DEPARTMENT: {"departments": [{"value": "lab"}]}}, IDP)
    assert changed(kept, extension(CONNECTOR, bio="x"), IDP).change.unresolved == ()


def test_what_appears_belongs_to_the_source_that_waited_for_it() -> None:
    kept = stored({**ANN, CONNECTOR: {"departmentCode": "TRADE"}}, IDP, catalogue())
    draft = changed(kept, nothing, ADMIN)
    row = rows(draft.after, DEPARTMENTS)[0]
    assert (row["value"], row["primary"], row["source"], row["owner"]) == ("trade", True, "idp", "okta-1")


@pytest.mark.proves("ROL-04")
def test_the_role_that_became_primary_by_itself_is_named() -> None:
    draft = created({**ANN, ROLE: {"roleAssignments": [{"value": "buyer"}, {"value": "clerk"}]}}, IDP)
    message = "BUYER became the primary role"
    assert draft.judgement.findings == [Finding("R-PRIMARY", "corrected", message, ROLES.path)]


def test_the_only_role_is_primary_without_a_word() -> None:
    draft = created({**ANN, ROLE: {"roleAssignments": [{"value": "buyer"}]}}, IDP)
    assert (rows(draft.after, ROLES)[0]["primary"], draft.judgement.findings) == (True, [])


def test_what_a_connector_dropped_of_others_comes_back_with_a_word() -> None:
    kept = stored(READY)

    def work(document: Document) -> None:
        document[ROLE] = {"roleAssignments": [{"value": "buyer", "primary": True}]}

    draft = changed(kept, work, IDP)
    assert values(rows(draft.after, ROLES)) == ["clerk", "buyer"]
    assert said(draft.judgement, "R-PUT") == [("corrected", "1 role assignments of other sources stayed")]


def test_dates_are_read_where_the_location_of_the_same_request_is() -> None:
    draft = created({**ANN, CONNECTOR: {"locationCode": "AUCKLAND", "startDate": "2027-01-15"}}, HRIS)
    assert get(draft.after, LIFECYCLE, "validFrom") == "2027-01-14T11:00:00Z"
    assert get(draft.after, CONNECTOR, "startDate") == "2027-01-15"


@pytest.mark.proves("CRE-06", "CRE-18", "CRE-22")
def test_everything_that_is_missing_is_said_at_once() -> None:
    draft = created({"userName": "x", "active": True})
    error = ruled(draft.change).error()
    assert error is not None
    assert error.detail.split("; ") == [
        "First name is required",
        "Last name is required",
        "Email is required",
        "Please select a role for this user",
        "Please select a department for this user",
    ]


@pytest.mark.parametrize("actor", [IDP, HRIS])
def test_a_connector_creates_whatever_is_missing(actor: Actor) -> None:
    judgement = ruled(created({"userName": "x", "active": True}, actor).change)
    assert judgement.error() is None
    assert {finding.effect for finding in judgement.findings} == {"recorded"}


def test_a_draft_leaves_the_request_as_it_is() -> None:
    document = {**READY, CONNECTOR: {"departmentCode": "SALES"}}
    before = copy.deepcopy(document)
    created(document)
    assert document == before


def test_an_engine_without_extensions_has_a_life_cycle() -> None:
    engine = Engine([])
    seen = engine.view(dict(ANN), Catalogue.of(), NOW)
    assert (seen["active"], engine.jobs, FACTS in seen) == (True, (), False)
