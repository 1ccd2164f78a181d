"""PATCH paths: attributes, value paths, parts of either, in every spelling clients use."""

import pytest

from scim_server.scim.errors import InvalidFilter, InvalidPath
from scim_server.scim.filters.grammar import Comparison
from scim_server.scim.paths import MAX_LENGTH, Path, parse_path
from tests.scim.samples import EXTRA_URN, PROBE, PROBE_URN, STRICT, known


def path(text: str) -> Path:
    found = parse_path(text, PROBE, STRICT)
    assert found is not None
    return found


@pytest.mark.parametrize("text", ["entries", "ENTRIES", f"{PROBE_URN}:entries", " entries "])
def test_a_whole_attribute(text: str) -> None:
    assert path(text) == Path(known(PROBE, "entries"))


@pytest.mark.parametrize("text", ["place.city", "PLACE.CITY", f"{PROBE_URN}:place.city"])
def test_a_part_of_an_attribute(text: str) -> None:
    assert path(text) == Path(known(PROBE, "place"), sub_attribute=known(PROBE, "place.city"))


@pytest.mark.parametrize("text", ['entries[type eq "red"]', f'{PROBE_URN}:Entries[TYPE EQ "red"]'])
def test_selected_values_of_an_attribute(text: str) -> None:
    found = path(text)
    assert found.attribute is known(PROBE, "entries")
    assert found.sub_attribute is None
    assert found.condition is not None
    assert isinstance(found.expression, Comparison)


def test_a_part_of_selected_values() -> None:
    assert path('entries[type eq "red"].Count').sub_attribute is known(PROBE, "entries.count")


@pytest.mark.parametrize("value", ["a]b", "a].value", "a[b", 'a\\"]b'])
def test_brackets_inside_a_string_select_nothing(value: str) -> None:
    found = path(f'entries[value eq "{value}"].count')
    assert found.sub_attribute is known(PROBE, "entries.count")


def test_selected_values_of_a_simple_attribute() -> None:
    assert path('texts[value eq "x"]').attribute is known(PROBE, "texts")


def test_a_whole_extension() -> None:
    extension = path(EXTRA_URN.upper()).extension
    assert extension is not None
    assert extension.id == EXTRA_URN


def test_an_attribute_of_an_extension() -> None:
    assert path(f"{EXTRA_URN}:level").attribute is known(PROBE, f"{EXTRA_URN}:level")


@pytest.mark.parametrize(
    "text",
    [
        "nothing",
        "place.street",
        "text.part",
        "urn:x:text",
        'nothing[type eq "red"]',
        'entries[type eq "red"].nothing',
        f"{EXTRA_URN}:nothing",
    ],
)
def test_a_well_formed_path_of_no_attribute_is_none(text: str) -> None:
    assert parse_path(text, PROBE, STRICT) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "5",
        "a b",
        "text,whole",
        "entries[",
        "entries]",
        'entries[type eq "red"',
        'entries[type eq "red"]x',
        '[type eq "red"]',
        "/text",
        'place[city eq "x"]',
        'text[value eq "x"]',
        "é",
        "entries.type eq",
    ],
)
def test_a_malformed_path_is_refused(text: str) -> None:
    with pytest.raises(InvalidPath):
        parse_path(text, PROBE, STRICT)


@pytest.mark.parametrize(
    "text", ["entries[]", "entries[type]", "entries[nothing pr]", "entries[count sw 5]", "entries[0]"]
)
def test_a_bad_filter_in_a_path_is_refused_as_a_filter(text: str) -> None:
    with pytest.raises(InvalidFilter):
        parse_path(text, PROBE, STRICT)


def test_the_length_of_a_path_is_limited() -> None:
    with pytest.raises(InvalidPath, match=f"longer than {MAX_LENGTH}"):
        parse_path("a" * (MAX_LENGTH + 1), PROBE, STRICT)
