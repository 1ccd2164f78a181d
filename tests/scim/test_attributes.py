"""Attribute definitions: characteristics checked, defaults of RFC 7643 §7, how values are kept."""

from typing import Any

import pytest

from scim_server.scim.attributes import ReferenceKind, SchemaError, compile_attribute
from tests.scim.samples import ENTERPRISE, EXTRA_URN, GROUP, PROBE, USER, attribute, known


def test_an_attribute_without_characteristics_has_the_defaults_of_the_rfc() -> None:
    compiled = compile_attribute({"name": "a"}, "urn:x")
    assert (compiled.type, compiled.mutability, compiled.returned, compiled.uniqueness) == (
        "string",
        "readWrite",
        "default",
        "none",
    )
    assert {compiled.multi_valued, compiled.required, compiled.case_exact} == {False}


@pytest.mark.parametrize("type", ["reference", "binary"])
def test_references_and_binaries_are_case_exact_whatever_is_declared(type: str) -> None:
    assert attribute(type, caseExact=False).case_exact


@pytest.mark.parametrize(
    ("characteristic", "value"),
    [("type", "text"), ("mutability", "readonly"), ("returned", "sometimes"), ("uniqueness", "client")],
)
def test_a_characteristic_that_does_not_exist_is_refused_with_the_attribute_named(
    characteristic: str, value: str
) -> None:
    with pytest.raises(SchemaError, match=f"urn:x:colour: {characteristic} is '{value}'"):
        compile_attribute({"name": "colour", characteristic: value}, "urn:x")


@pytest.mark.parametrize("definition", [{}, {"name": ""}, {"name": 5}])
def test_an_attribute_without_a_name_is_refused(definition: dict[str, Any]) -> None:
    with pytest.raises(SchemaError, match="an attribute has no name"):
        compile_attribute(definition, "urn:x")


def test_a_complex_attribute_inside_a_complex_one_is_refused() -> None:
    inner = {"name": "inner", "type": "complex", "subAttributes": [{"name": "x"}]}
    with pytest.raises(SchemaError, match=r"outer\.inner: .*2\.3\.8"):
        compile_attribute({"name": "outer", "type": "complex", "subAttributes": [inner]}, "urn:x")


def test_a_complex_attribute_without_sub_attributes_is_refused() -> None:
    with pytest.raises(SchemaError, match="needs subAttributes"):
        compile_attribute({"name": "outer", "type": "complex"}, "urn:x")


def test_sub_attributes_are_found_in_any_case() -> None:
    assert known(USER, "name").sub("GIVENNAME") is known(USER, "name.givenName")


def test_the_path_of_an_extension_attribute_has_its_urn() -> None:
    assert known(USER, f"{ENTERPRISE}:manager.value").path == f"{ENTERPRISE}:manager.value"


def test_the_path_of_a_core_attribute_is_bare() -> None:
    assert known(USER, "emails.type").path == "emails.type"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("groups", ReferenceKind.INVERSE),
        (f"{ENTERPRISE}:manager", ReferenceKind.SINGLE_SOURCE),
        ("emails", ReferenceKind.NONE),
        ("photos", ReferenceKind.NONE),
        ("name", ReferenceKind.NONE),
    ],
)
def test_how_a_users_attributes_are_kept(path: str, kind: ReferenceKind) -> None:
    assert known(USER, path).reference_kind is kind


def test_members_of_a_group_are_a_membership() -> None:
    assert known(GROUP, "members").reference_kind is ReferenceKind.MEMBERSHIP


def test_a_multi_valued_reference_with_facts_of_its_own_is_kept_with_its_source() -> None:
    assert known(PROBE, "owners").reference_kind is ReferenceKind.SINGLE_SOURCE


def test_references_to_the_outside_world_stay_in_the_document() -> None:
    subs = [{"name": "value"}, {"name": "$ref", "type": "reference", "referenceTypes": ["external", "uri"]}]
    assert attribute("complex", subAttributes=subs).reference_kind is ReferenceKind.NONE


def test_canonical_values_of_the_core_schemas_are_suggestions() -> None:
    assert not known(USER, "emails.type").closed


def test_canonical_values_of_other_schemas_are_the_only_ones() -> None:
    assert known(PROBE, f"{EXTRA_URN}:shade").closed


def test_the_container_of_a_sub_attribute_is_its_parent_and_of_others_themselves() -> None:
    assert known(PROBE, "place.city").container is known(PROBE, "place")
    assert known(PROBE, "title").container is known(PROBE, "title")
