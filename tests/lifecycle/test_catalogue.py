"""The catalogue finds what is called somehow, and knows what stands above what."""

from decimal import Decimal

import pytest

from scim_server.lifecycle.catalogue import CATALOGUE_TYPES, Catalogue, Entry, Limit
from scim_server.lifecycle.urns import ENTITLEMENT_GOVERNANCE, ROLE_GOVERNANCE
from scim_server.store import catalogue as stored
from tests.lifecycle.samples import ORGANISATION, catalogue, department, role

WORLD = catalogue(
    department("a", displayName="Alpha", code="A1"),
    department("b", "a", displayName="Same", code="B1"),
    department("c", "b", displayName="Same", code="a1x"),
    department("d", displayName="B1", code="D1"),
)


@pytest.mark.parametrize(
    ("text", "id"),
    [("a", "a"), ("ALPHA", "a"), ("a1", "a"), ("A1X", "c"), ("Same", None), ("b1", "b"), ("nobody", None)],
)
def test_an_entry_is_found_by_whatever_only_it_is_called(text: str, id: str | None) -> None:
    found = WORLD.departments.find(text)
    assert (found.id if found else None) == id


def test_an_id_comes_before_the_names_of_others() -> None:
    world = catalogue(department("x", displayName="Y"), department("Y", displayName="Z"))
    found = world.departments.find("Y")
    assert found is not None
    assert found.id == "Y"


def test_only_an_id_gets_an_entry() -> None:
    assert WORLD.departments.get("Alpha") is None


def test_the_store_reads_the_types_that_the_catalogue_has() -> None:
    assert set(stored.CATALOGUE_TYPES) == set(CATALOGUE_TYPES)


def test_each_type_has_its_own_table() -> None:
    found = [len(ORGANISATION.table(name)) for name in ("Role", "Entitlement", "Department", "Location")]
    assert found == [3, 2, 3, 2]


def test_a_table_lists_its_entries() -> None:
    assert [entry.id for entry in ORGANISATION.roles] == ["clerk", "buyer", "auditor"]


def test_the_entries_above_are_listed_nearest_first() -> None:
    entry = WORLD.departments.get("c")
    assert entry is not None
    assert [above.id for above in WORLD.ancestors(entry)] == ["b", "a"]


def test_a_circle_of_parents_ends() -> None:
    world = catalogue(department("a", "b"), department("b", "a"))
    entry = world.departments.get("a")
    assert entry is not None
    assert [above.id for above in world.ancestors(entry)] == ["b"]


def test_a_parent_that_is_gone_ends_the_list() -> None:
    entry = department("a", "gone")
    assert catalogue(entry).ancestors(entry) == []


@pytest.mark.parametrize(
    ("document", "value", "display"),
    [
        ({"value": "v", "display": "D"}, "v", "D"),
        ({"code": "C", "displayName": "N"}, "C", "N"),
        ({"displayName": "N"}, "N", "N"),
        ({"value": "v"}, "v", "v"),
        ({}, "i", "i"),
    ],
)
def test_an_entry_has_a_name_for_machines_and_one_for_people(
    document: dict[str, str], value: str, display: str
) -> None:
    entry = Entry("i", "Role", dict(document))
    assert (entry.value, entry.display) == (value, display)


@pytest.mark.parametrize(
    ("document", "is_active"),
    [({}, True), ({"supported": False}, False), ({"active": False}, False), ({"active": True}, True)],
)
def test_an_entry_may_be_assigned_while_it_is_active(document: dict[str, bool], *, is_active: bool) -> None:
    assert Entry("i", "Role", dict(document)).is_active is is_active


@pytest.mark.parametrize(
    ("type_name", "urn"), [("Role", ROLE_GOVERNANCE), ("Entitlement", ENTITLEMENT_GOVERNANCE)]
)
def test_a_fact_is_read_from_either_schema(type_name: str, urn: str) -> None:
    entry = Entry("i", type_name, {"own": 1, urn: {"sensitive": True, "names": ["a"]}})
    assert (entry.fact("own"), entry.fact("sensitive"), entry.fact("other", 3)) == (1, True, 3)
    assert (entry.names("names"), entry.names("others")) == (("a",), ())


def test_default_limits_are_exact() -> None:
    amounts = [
        {"type": "expense", "amount": Decimal("10.10"), "currency": "EUR"},
        {"amount": 5, "currency": "USD"},
        {"amount": 6},
    ]
    assert role("r", defaultApprovalLimits=amounts).limits == (
        Limit("expense", Decimal("10.10"), "EUR"),
        Limit("general", Decimal(5), "USD"),
    )


def test_a_catalogue_without_entries_has_the_default_policies() -> None:
    world = Catalogue.of(version=4)
    assert (len(world.roles), world.policies.timezone, world.version) == (0, "UTC", 4)
