"""Rules are asked together; their modes decide what becomes of what they say."""

from collections.abc import Iterable
from typing import Any, get_args

import pytest

from scim_server.lifecycle.change import SYSTEM, Actor, Change, Rule, RuleContext, Verdict, modes, only_new
from scim_server.lifecycle.documents import Document
from scim_server.lifecycle.judgement import Finding, Judgement, judge, mode_of
from scim_server.lifecycle.policies import Mode, Policies, Profile
from tests.lifecycle.samples import ADMIN, IDP, NOW, catalogue

PROFILES = get_args(Profile)


def rule(id: str, *said: Verdict, mode: Mode = "enforce", error: str = "invalidValue") -> Rule:
    """Return a rule that always says the same, in one mode for everybody."""
    return Rule(id, lambda _change, _context: said, dict.fromkeys(PROFILES, mode), error)


def outcome(
    *rules: Rule, actor: Actor = ADMIN, context: Document | None = None, **policies: Any
) -> Judgement:
    """Return the judgement of some rules about a change."""
    change = Change("User", "u1", actor, {}, {}, context or {})
    return judge(rules, change, RuleContext(catalogue(**policies), NOW))


@pytest.mark.parametrize(
    ("mode", "effects"),
    [
        ("enforce", ["refused"]),
        ("record", ["recorded"]),
        ("warn", ["refused"]),
        ("correct", ["corrected"]),
        ("defer", ["deferred"]),
        ("approve", ["recorded"]),
        ("off", []),
    ],
)
def test_the_mode_decides_what_becomes_of_a_verdict(mode: Mode, effects: list[str]) -> None:
    found = outcome(rule("R-1", Verdict("No"), mode=mode))
    assert [finding.effect for finding in found.findings] == effects


def test_a_rule_that_is_off_is_not_even_asked() -> None:
    def broken(_change: Change, _context: RuleContext) -> Iterable[Verdict]:
        raise AssertionError

    assert outcome(Rule("R-1", broken, dict.fromkeys(PROFILES, "off"))).findings == []


def test_the_modes_of_a_rule_stand_in_the_order_of_the_table() -> None:
    found = modes("off", "record", "warn", "enforce")
    expected = {"idp": "off", "hris": "record", "import": "warn", "admin": "enforce"}
    assert found == {**expected, "app": "enforce", "system": "record"}


def test_apps_can_have_a_mode_of_their_own() -> None:
    assert modes("off", "off", "off", "off", app="defer")["app"] == "defer"


def test_a_profile_without_a_mode_is_recorded() -> None:
    assert mode_of(Rule("R-1", lambda *_: (), {}), "idp", Policies()) == "record"


def test_the_policies_have_the_last_word_on_a_mode() -> None:
    policies = Policies.model_validate({"rules": {"R-1": {"admin": "off"}}})
    assert [mode_of(rule("R-1"), profile, policies) for profile in ("admin", "idp")] == ["off", "enforce"]


def test_a_gradual_organisation_only_records() -> None:
    found = outcome(rule("R-1", Verdict("No")), rule("R-2", Verdict("No"), mode="warn"), gradual=True)
    assert [finding.effect for finding in found.findings] == ["recorded", "recorded"]


def test_a_gradual_organisation_records_what_a_verdict_wants_enforced() -> None:
    found = outcome(rule("R-1", Verdict("No", mode="warn"), mode="record"), gradual=True)
    assert [finding.effect for finding in found.findings] == ["recorded"]


def test_a_gradual_organisation_still_guards_authority() -> None:
    found = outcome(rule("R-1", Verdict("No"), error="forbidden"), gradual=True)
    assert [finding.effect for finding in found.findings] == ["refused"]


def test_a_gradual_organisation_enforces_what_it_says_it_does() -> None:
    found = outcome(rule("R-1", Verdict("No")), gradual=True, rules={"R-1": {"admin": "enforce"}})
    assert [finding.effect for finding in found.findings] == ["refused"]


def test_a_verdict_may_have_a_mode_of_its_own() -> None:
    found = outcome(rule("R-1", Verdict("No", mode="correct")))
    assert [finding.effect for finding in found.findings] == ["corrected"]


@pytest.mark.parametrize(
    ("context", "effect"),
    [
        ({"overrides": ["R-1"], "justification": "agreed"}, "overridden"),
        ({"overrides": ["r-1"], "justification": "agreed"}, "overridden"),
        ({"overrides": ["duties"], "justification": "agreed"}, "overridden"),
        ({"overrides": ["R-2"], "justification": "agreed"}, "refused"),
        ({"overrides": ["R-1"]}, "refused"),
        ({"overrides": ["R-1"], "justification": "  "}, "refused"),
        ({"justification": "agreed"}, "refused"),
        ({}, "refused"),
    ],
)
def test_a_warning_is_overridden_by_name_with_a_justification(context: Document, effect: str) -> None:
    found = outcome(rule("R-1", Verdict("No", key="Duties"), mode="warn"), context=context)
    assert [finding.effect for finding in found.findings] == [effect]


def test_an_empty_name_overrides_nothing() -> None:
    context = {"overrides": [""], "justification": "agreed"}
    assert outcome(rule("R-1", Verdict("No"), mode="warn"), context=context).refusals != []


def test_what_is_enforced_cannot_be_overridden() -> None:
    context = {"overrides": ["R-1"], "justification": "agreed"}
    assert outcome(rule("R-1", Verdict("No")), context=context).refusals != []


def test_all_that_is_wrong_is_said_at_once_and_once() -> None:
    found = outcome(
        rule("R-1", Verdict("One"), Verdict("Two")), rule("R-2", Verdict("One"), Verdict("Three"))
    )
    error = found.error()
    assert error is not None
    assert error.detail == "One; Two; Three"


@pytest.mark.parametrize(
    ("errors", "status", "scim_type"),
    [
        (["invalidValue"], 400, "invalidValue"),
        (["mutability", "invalidValue"], 400, "mutability"),
        (["conflict", "invalidValue"], 409, None),
        (["uniqueness", "conflict"], 409, "uniqueness"),
        (["invalidValue", "forbidden", "uniqueness"], 403, None),
        (["forbidden", "tooManyRequests"], 429, None),
    ],
)
def test_the_gravest_status_wins(errors: list[str], status: int, scim_type: str | None) -> None:
    rules = [rule(f"R-{place}", Verdict("No"), error=name) for place, name in enumerate(errors)]
    error = outcome(*rules).error()
    assert error is not None
    assert (error.status, error.scim_type) == (status, scim_type)


def test_what_is_only_recorded_is_no_error() -> None:
    assert outcome(rule("R-1", Verdict("No"), mode="record")).error() is None


def test_a_finding_names_rule_effect_message_path_and_error() -> None:
    found = outcome(rule("R-1", Verdict("No", "emails"), error="uniqueness"))
    assert found.findings == [Finding("R-1", "refused", "No", "emails", "uniqueness")]


def too_long(document: Document, _change: Change, _context: RuleContext) -> Iterable[Verdict]:
    """Say for each word that it is too long."""
    return [Verdict(f"{word} is too long", "title", word) for word in document.get("title", "").split()]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (None, "one", ["one is too long"]),
        ("one", "one", []),
        ("one", "one two", ["two is too long"]),
        ("one two", "two", []),
        ("one", None, []),
    ],
)
def test_a_change_is_judged_by_what_it_adds(before: str | None, after: str | None, said: list[str]) -> None:
    old, new = (None if text is None else {"title": text} for text in (before, after))
    change = Change("User", "u1", IDP, old, new)
    found = only_new(too_long)(change, RuleContext(catalogue(), NOW))
    assert [verdict.message for verdict in found] == said


def test_the_system_has_every_permission_and_others_have_their_own() -> None:
    assert SYSTEM.may("anything")
    assert (ADMIN.may("user:unlock"), IDP.may("user:unlock")) == (True, False)


def test_a_source_is_the_profile_or_what_the_client_acts_for() -> None:
    assert (IDP.source, Actor("idp", acts_for="group").source) == ("idp", "group")
