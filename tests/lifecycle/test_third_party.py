"""A package of somebody else brings schema, rule, derivation and job, and nothing of ours knows of it."""

import re
from importlib.metadata import EntryPoint

import pytest

from scim_server.lifecycle import extension as extensions
from scim_server.lifecycle.change import Actor, RuleContext
from scim_server.lifecycle.documents import Document, get
from scim_server.lifecycle.engine import Engine
from scim_server.lifecycle.extension import GROUP, Extension, ExtensionError, Finding, discover
from scim_server.lifecycle.judgement import Judgement, judge
from scim_server.lifecycle.requests import Request
from scim_server.schema_files import load_registry
from tests.data.example_extension import PARKING
from tests.lifecycle.samples import ADMIN, ANN, DAY, IDP, NOW, ORGANISATION, later

POINTS = {
    "parking": "tests.data.example_extension:extension",
    "roles": "extensions.roles:extension",
    "broken": "tests.data.example_extension:PARKING",
}


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Install the example beside one of the modules of the organisation, and something that is none."""
    points = dict(POINTS)

    def entry_points(*, group: str) -> list[EntryPoint]:
        return [EntryPoint(name, value, group) for name, value in points.items() if group == GROUP]

    monkeypatch.setattr(extensions, "entry_points", entry_points)
    return points


@pytest.fixture
def parking(installed: dict[str, str]) -> Extension:
    """Return the example as it is found by its entry point."""
    (found,) = discover([name for name in installed if name == "parking"])
    return found


def user(**facts: str) -> Document:
    """Return a user with a parking space."""
    return {**ANN, PARKING: facts}


def judged(parking: Extension, document: Document, actor: Actor) -> Judgement:
    """Return what the rules, with that of the example among them, say of a creation."""
    engine = Engine([parking])
    draft = engine.draft(Request("u1", actor, document), ORGANISATION, NOW)
    return judge(engine.rules, draft.change, RuleContext(ORGANISATION, NOW))


@pytest.mark.usefixtures("installed")
def test_an_installed_module_is_found_by_its_entry_point() -> None:
    assert [found.name for found in discover(["roles", "parking"])] == ["roles", "parking"]


def test_all_that_is_installed_is_found_by_name(installed: dict[str, str]) -> None:
    installed.pop("broken")
    assert [found.name for found in discover()] == ["parking", "roles"]


@pytest.mark.usefixtures("installed")
def test_a_module_that_is_not_installed_is_named_with_those_that_are() -> None:
    message = "there is no extension trains, buses; installed: broken, parking, roles"
    with pytest.raises(ExtensionError, match=re.escape(message)):
        discover(["trains", "parking", "buses"])


@pytest.mark.usefixtures("installed")
def test_what_is_no_extension_is_refused() -> None:
    with pytest.raises(ExtensionError, match="the extension broken is not an Extension"):
        discover(["broken"])


@pytest.mark.usefixtures("installed")
def test_no_module_has_to_be_enabled() -> None:
    assert discover([]) == ()


@pytest.mark.parametrize(("actor", "effect"), [(ADMIN, "refused"), (IDP, "recorded")])
def test_its_rule_is_asked_in_the_mode_of_the_profile(parking: Extension, actor: Actor, effect: str) -> None:
    found = [one for one in judged(parking, user(space="P7"), actor).findings if one.rule == "X-PARKING"]
    assert [(one.effect, one.message) for one in found] == [(effect, "A parking space needs a plate")]


def test_its_rule_has_nothing_to_say_of_what_is_right(parking: Extension) -> None:
    findings = judged(parking, user(space="P7", plate="W-1"), ADMIN).findings
    assert [one for one in findings if one.rule == "X-PARKING"] == []


def test_its_derivation_is_seen_at_every_moment(parking: Extension) -> None:
    engine = Engine([parking])
    document = user(space="P7", plate="W-1", until=later(DAY))
    seen = [engine.view(document, ORGANISATION, NOW + offset) for offset in (0, DAY - 1, DAY)]
    assert [get(one, PARKING, "taken") for one in seen] == [True, True, False]


def test_its_moments_are_boundaries_and_its_attributes_vary(parking: Extension) -> None:
    engine = Engine([parking])
    document = user(space="P7", plate="W-1", until=later(DAY))
    assert [moment for moment, _ in engine.boundaries(document, ORGANISATION, NOW)] == [NOW + DAY]
    assert f"{PARKING.lower()}:taken" in engine.varying


def test_its_job_tells_what_time_brought(parking: Extension) -> None:
    engine = Engine([parking])
    document = user(space="P7", plate="W-1", until=later(DAY))
    before, after = (engine.view(document, ORGANISATION, moment) for moment in (NOW, NOW + DAY))
    found = [finding for job in engine.jobs for finding in job.run(before, after, ORGANISATION)]
    assert found == [Finding("parking.freed", "P7")]


def test_its_schema_joins_the_registry(parking: Extension) -> None:
    registry = load_registry(parking.schemas)
    user_type = registry.resource_types["User"]
    attribute = user_type.resolve(f"{PARKING}:taken")
    assert attribute is not None
    assert (attribute.type, attribute.mutability) == ("boolean", "readOnly")
    assert load_registry().resource_types["User"].resolve(f"{PARKING}:taken") is None
