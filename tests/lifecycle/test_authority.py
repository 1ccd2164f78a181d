"""Each source writes what is its own: others' values are passed over for connectors, refused for people."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from scim_server.lifecycle import authority, urns
from scim_server.lifecycle.assignments import ROLES, keep_waiting, waiting
from scim_server.lifecycle.authority import GROUPS, SOURCES, groups_changed, settle
from scim_server.lifecycle.change import SYSTEM, Actor
from scim_server.lifecycle.documents import Document, get, put
from scim_server.lifecycle.judgement import Finding, Judgement
from scim_server.lifecycle.policies import Policies
from tests.lifecycle.samples import ADMIN, EVERY_PERMISSION, HRIS, IDP, IMPORT

APP = Actor("app", "portal", "portal-1", frozenset())
PATHS = [(group, path) for group in GROUPS for path in group.paths]
PERMISSION_OF = {
    "employment": "user:update",
    "roles": "user:assign_role",
    "limits": "financial:configure",
    "clearance": "permission:manage",
    "permissions": "permission:manage",
    "status": "user:lifecycle",
    "lockout": "user:unlock",
}
OLD, NEW = [{"value": "old"}], [{"value": "new"}]


def written(
    before: Document, actor: Actor, path: tuple[str | None, str], value: Any = "new", **policies: Any
) -> tuple[Any, list[Finding]]:
    """Return what stands at a path after an actor wrote a value there, and the findings."""
    after, judgement = copy.deepcopy(before), Judgement()
    put(after, *path, value)
    settle(before, after, actor, Policies.model_validate(policies), judgement)
    return get(after, *path), judgement.findings


def known(path: tuple[str | None, str], value: Any = "old", **owners: str) -> Document:
    """Return a document with one value, whose groups belong to sources."""
    document: Document = {SOURCES: owners} if owners else {"id": "u1"}
    put(document, *path, value)
    return document


def test_every_group_has_its_permission() -> None:
    assert {group.name: group.permission for group in GROUPS} == PERMISSION_OF


@pytest.mark.parametrize(("group", "path"), PATHS)
def test_an_administrator_with_the_permission_writes_the_group(
    group: authority.Group, path: tuple[str | None, str]
) -> None:
    actor = replace(ADMIN, permissions=frozenset({group.permission}))
    assert written(known(path, OLD), actor, path, NEW) == (NEW, [])


@pytest.mark.parametrize(("group", "path"), PATHS)
@pytest.mark.parametrize("actor", [ADMIN, IMPORT, APP], ids=["admin", "import", "app"])
@pytest.mark.proves("ROL-01", "LIM-01", "PRM-01")
def test_whoever_reads_answers_is_refused_without_the_permission(
    group: authority.Group, path: tuple[str | None, str], actor: Actor
) -> None:
    actor = replace(actor, permissions=EVERY_PERMISSION - {group.permission})
    _, findings = written(known(path, OLD), actor, path, NEW)
    message = f"The client {actor.client} has no permission {group.permission}."
    assert findings == [Finding("R-AUTHORITY", "refused", message, group.name, "forbidden")]


@pytest.mark.parametrize(("group", "path"), PATHS)
def test_the_system_writes_every_group(group: authority.Group, path: tuple[str | None, str]) -> None:
    assert written(known(path, OLD), SYSTEM, path, NEW) == (NEW, []), group


@pytest.mark.parametrize("name", ["limits", "clearance", "permissions"])
@pytest.mark.parametrize("actor", [IDP, HRIS], ids=["idp", "hris"])
def test_a_connector_writes_restricted_groups_only_where_the_policy_says_so(name: str, actor: Actor) -> None:
    path = authority.BY_NAME[name].paths[0]
    value, findings = written(known(path, OLD), actor, path, NEW)
    message = f"{name} cannot be written by a client of profile {actor.profile}; left as it was"
    assert (value, findings) == (OLD, [Finding("R-AUTHORITY", "corrected", message, name)])
    assert written(known(path, OLD), actor, path, NEW, connector_may_write=[name]) == (NEW, [])


@pytest.mark.parametrize("name", ["employment", "roles", "status"])
@pytest.mark.parametrize("actor", [IDP, HRIS], ids=["idp", "hris"])
def test_a_connector_writes_employment_roles_and_status(name: str, actor: Actor) -> None:
    path = authority.BY_NAME[name].paths[0]
    assert written(known(path, OLD), actor, path, NEW) == (NEW, [])


@pytest.mark.parametrize("actor", [IDP, HRIS], ids=["idp", "hris"])
def test_a_connector_never_unlocks(actor: Actor) -> None:
    actor = replace(actor, permissions=EVERY_PERMISSION)
    value, findings = written({urns.LIFECYCLE: {"lockout": OLD}}, actor, (urns.LIFECYCLE, "lockout"), NEW)
    assert (value, [finding.effect for finding in findings]) == (OLD, ["corrected"])


def test_a_connector_without_the_permission_assigns_no_roles() -> None:
    actor = replace(IDP, permissions=frozenset({"user:update"}))
    value, findings = written(known((None, "roles"), OLD), actor, (None, "roles"), NEW)
    assert (value, [finding.effect for finding in findings]) == (OLD, ["corrected"])


def test_a_connector_without_the_permission_does_not_even_wait_for_a_role() -> None:
    actor = replace(IDP, permissions=frozenset({"user:update"}))
    before: Document = {"userName": "ann"}
    after = dict(before)
    keep_waiting(after, ROLES, [{"value": "root"}])
    settle(before, after, actor, Policies(), Judgement())
    assert waiting(after, ROLES) == []


@pytest.mark.parametrize("name", ["employment", "status"])
def test_who_may_create_users_says_where_a_new_one_works_and_how_it_begins(name: str) -> None:
    actor = Actor("admin", "desk", "desk-1", frozenset({"user:create"}))
    path = authority.BY_NAME[name].paths[0]
    assert written({}, actor, path) == ("new", [])


@pytest.mark.parametrize("name", ["roles", "limits", "clearance", "permissions"])
def test_who_may_only_create_users_grants_them_nothing(name: str) -> None:
    actor = Actor("admin", "desk", "desk-1", frozenset({"user:create"}))
    _, findings = written({}, actor, authority.BY_NAME[name].paths[0], NEW)
    assert [finding.effect for finding in findings] == ["refused"]


PROFILE, EMPLOYMENT = (None, "title"), (urns.ENTERPRISE, "costCenter")
IDENTITY = (None, "userName")
ACTORS = {"idp": IDP, "hris": HRIS, "admin": ADMIN, "import": IMPORT}


@pytest.mark.parametrize(
    ("group", "path", "rank"),
    [
        ("profile", PROFILE, ["hris", "idp", "admin", "import"]),
        ("employment", EMPLOYMENT, ["hris", "admin", "import", "idp"]),
        ("identity", IDENTITY, ["idp", "admin", "import", "hris"]),
    ],
)
@pytest.mark.parametrize("source", ["idp", "hris"])
@pytest.mark.parametrize("owner", ["idp", "hris", "admin", "import"])
def test_a_connector_replaces_only_what_a_source_of_its_rank_or_lower_wrote(
    group: str, path: tuple[str | None, str], rank: list[str], source: str, owner: str
) -> None:
    before = known(path, **{group: owner})
    value, findings = written(before, ACTORS[source], path)
    if rank.index(source) <= rank.index(owner):
        assert (value, findings) == ("new", [])
    else:
        message = f"{group} belongs to {owner}; 1 attributes were left as they were"
        assert (value, findings) == ("old", [Finding("R-AUTHORITY", "corrected", message, group)])


@pytest.mark.parametrize(("group", "path"), [("profile", PROFILE), ("employment", EMPLOYMENT)])
@pytest.mark.parametrize("source", ["admin", "import"])
def test_people_and_imports_replace_what_any_source_wrote(
    group: str, path: tuple[str | None, str], source: str
) -> None:
    assert written(known(path, **{group: "hris"}), ACTORS[source], path) == ("new", [])


def test_a_source_of_lower_rank_fills_what_is_empty() -> None:
    before = known((None, "displayName"), profile="hris")
    assert written(before, IDP, PROFILE) == ("new", [])


def test_a_connector_of_lower_rank_adds_departments_and_leaves_the_primary_one() -> None:
    path = (urns.DEPARTMENT, "departments")
    first, second = {"value": "sales", "primary": True}, {"value": "law", "primary": True}
    before = known(path, [first], employment="hris")
    value, _ = written(before, IDP, path, [{**first, "primary": False}, second])
    assert value == [first, {**second, "primary": False}]


def test_a_connector_of_lower_rank_that_names_one_department_is_passed_over() -> None:
    path = (urns.DEPARTMENT, "departments")
    before = {**known(path, OLD, employment="hris"), urns.ENTERPRISE: {"department": "Sales"}}
    after = {**before, urns.DEPARTMENT: {"departments": NEW}, urns.ENTERPRISE: {"department": "Law"}}
    settle(before, after, IDP, Policies(), Judgement())
    assert after == before


def test_a_source_that_fills_what_is_empty_does_not_own_the_rest() -> None:
    before = known((None, "displayName"), profile="hris")
    after = {**before, "title": "new"}
    settle(before, after, IDP, Policies(), Judgement())
    assert after[SOURCES] == {"profile": "hris"}


def test_the_order_of_the_sources_is_a_policy() -> None:
    before = known(PROFILE, profile="hris")
    assert written(before, IDP, PROFILE, authority={"profile": ["idp", "hris"]}) == ("new", [])


def test_a_source_that_the_order_does_not_name_comes_last() -> None:
    value, _ = written(known(PROFILE, profile="hris"), IDP, PROFILE, authority={"profile": ["hris"]})
    assert value == "old"


def test_who_wrote_a_group_last_is_noted() -> None:
    before = known(PROFILE, profile="idp")
    after = {**before, "title": "new", urns.ENTERPRISE: {"costCenter": "7"}, "userName": "bob"}
    settle(before, after, HRIS, Policies(), Judgement())
    assert after[SOURCES] == {"profile": "hris", "employment": "hris", "identity": "hris"}


def test_who_was_passed_over_is_not_noted() -> None:
    before = known(PROFILE, profile="hris")
    after = {**before, "title": "new"}
    settle(before, after, IDP, Policies(), Judgement())
    assert after == before


@pytest.mark.parametrize("name", ["active", "externalId", "groups"])
def test_what_each_client_says_for_itself_has_no_order(name: str) -> None:
    assert written(known((None, name), profile="hris"), IDP, (None, name)) == ("new", [])


def test_where_the_identity_provider_is_exclusive_people_leave_the_profile_alone() -> None:
    before = known(PROFILE, profile="idp")
    _, findings = written(before, ADMIN, PROFILE, idp_exclusive=True)
    message = "The identity provider alone may change the profile of this user."
    assert findings == [Finding("R-AUTHORITY", "refused", message, "profile", "forbidden")]


@pytest.mark.parametrize("owner", [{}, {"profile": "hris"}])
def test_the_identity_provider_is_exclusive_only_where_it_wrote(owner: dict[str, str]) -> None:
    assert written(known(PROFILE, **owner), ADMIN, PROFILE, idp_exclusive=True) == ("new", [])


def test_the_groups_in_which_documents_differ_are_named() -> None:
    after = {"roles": NEW, urns.LIFECYCLE: {"status": "inactive"}, "title": "new"}
    assert groups_changed({}, after) == ["roles", "status"]
