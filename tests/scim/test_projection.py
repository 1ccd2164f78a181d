"""What a response shows: the returned characteristic, attributes and excludedAttributes."""

from typing import Any

import pytest

from scim_server.dialects import GENERIC
from scim_server.scim.errors import InvalidValue
from scim_server.scim.projection import Projection
from tests.scim.samples import EXTRA_URN, PROBE, PROBE_URN, known

RENDERED = {
    "schemas": [PROBE_URN, EXTRA_URN],
    "id": "1",
    "title": "a",
    "hidden": "h",
    "pinned": "p",
    "secret": "s",
    "place": {"city": "x", "floor": 1},
    "entries": [{"value": "v", "type": "red"}, {"type": "Green"}],
    EXTRA_URN: {"level": 1, "shade": "Dark"},
    "meta": {"resourceType": "Probe", "version": 'W/"1"'},
}
ALWAYS = {"schemas": [PROBE_URN, EXTRA_URN], "id": "1", "pinned": "p"}


def shown(attributes: tuple[str, ...] = (), excluded: tuple[str, ...] = ()) -> dict[str, Any]:
    return Projection.of(PROBE, attributes, excluded).apply(RENDERED)


def test_by_default_everything_is_shown_but_what_is_hidden_or_secret() -> None:
    assert shown() == {key: value for key, value in RENDERED.items() if key not in {"hidden", "secret"}}


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("title", {"title": "a"}),
        ("TITLE", {"title": "a"}),
        (f"{PROBE_URN}:title", {"title": "a"}),
        (" title ", {"title": "a"}),
        ("hidden", {"hidden": "h"}),
        ("secret", {}),
        ("nothing", {}),
        ("place", {"place": {"city": "x", "floor": 1}}),
        ("place.city", {"place": {"city": "x"}}),
        ("entries.type", {"entries": [{"type": "red"}, {"type": "Green"}]}),
        ("entries.value", {"entries": [{"value": "v"}]}),
        ("entries.count", {}),
        (EXTRA_URN, {EXTRA_URN: {"level": 1, "shade": "Dark"}}),
        (f"{EXTRA_URN}:level", {EXTRA_URN: {"level": 1}}),
        ("meta.version", {"meta": {"version": 'W/"1"'}}),
    ],
)
def test_named_attributes_are_shown_with_what_always_is(name: str, part: dict[str, Any]) -> None:
    assert shown((name,)) == {**ALWAYS, **part}


def test_naming_the_core_schema_names_its_attributes() -> None:
    assert shown((PROBE_URN,)).keys() == {*ALWAYS, "title", "hidden", "place", "entries"}


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("title", ["title"]),
        ("pinned", []),
        ("id", []),
        ("schemas", []),
        ("nothing", []),
        ("meta", ["meta"]),
        (EXTRA_URN.upper(), [EXTRA_URN]),
    ],
)
def test_excluded_attributes_are_not_shown_unless_they_always_are(name: str, gone: list[str]) -> None:
    assert shown() | shown((), (name,)) == shown()
    assert [key for key in shown() if key not in shown((), (name,))] == gone


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("place.city", "place", {"floor": 1}),
        ("entries.value", "entries", [{"type": "red"}, {"type": "Green"}]),
        (f"{EXTRA_URN}:level", EXTRA_URN, {"shade": "Dark"}),
    ],
)
def test_a_part_can_be_excluded(name: str, key: str, value: Any) -> None:
    assert shown((), (name,))[key] == value


def test_both_lists_together_are_refused() -> None:
    with pytest.raises(InvalidValue, match="cannot be given together"):
        Projection.of(PROBE, ["title"], ["text"])


def test_empty_names_are_no_list() -> None:
    assert Projection.of(PROBE, ["", " "], ["title"]).included is None
    assert Projection.of(PROBE, [""], [""]).is_default


@pytest.mark.parametrize("name", ["a b", "5", 'entries[type eq "red"]', "title;"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue, match="is not the name of an attribute"):
        Projection.of(PROBE, [name])


def test_a_value_path_means_its_attribute_for_clients_that_write_it() -> None:
    policy = GENERIC.switched({"value_paths_in_attributes": True})
    kept = Projection.of(PROBE, ['entries[type eq "red"].value'], [], policy)
    assert kept.keeps(known(PROBE, "entries.value"))
    assert not kept.keeps(known(PROBE, "entries.type"))


def test_a_membership_is_kept_only_where_it_is_shown() -> None:
    owners = known(PROBE, "owners")
    assert Projection.of(PROBE).keeps(owners)
    assert Projection.of(PROBE, ["owners.duty"]).keeps(owners)
    assert not Projection.of(PROBE, ["title"]).keeps(owners)
    assert not Projection.of(PROBE, [], ["owners"]).keeps(owners)
