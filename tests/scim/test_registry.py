"""The registry: documents compiled once, every path a client may write resolved by one table."""

from typing import Any

import pytest

from scim_server.scim.attributes import ReferenceKind, SchemaError
from scim_server.scim.registry import Registry
from tests.scim.samples import ENTERPRISE, EXTRA_URN, GROUP, PROBE, PROBE_URN, REGISTRY, USER, USER_URN, known

SCHEMA = {"id": "urn:x:Thing", "attributes": [{"name": "a"}]}
THING = {"name": "Thing", "endpoint": "/Things", "schema": "urn:x:Thing"}


@pytest.mark.parametrize(
    "path",
    [
        "userName",
        "USERNAME",
        f"{USER_URN}:userName",
        f"{USER_URN.upper()}:USERNAME",
    ],
)
def test_a_core_attribute_is_found_in_any_case_with_and_without_its_urn(path: str) -> None:
    assert USER.resolve(path) is known(USER, "userName")


@pytest.mark.parametrize("path", ["department", f"{ENTERPRISE}.department", f"{USER_URN}:department"])
def test_an_extension_attribute_needs_its_own_urn(path: str) -> None:
    assert USER.resolve(path) is None


@pytest.mark.parametrize("path", ["id", "externalId", "meta.created", "schemas", "meta.resourceType"])
@pytest.mark.parametrize("name", ["User", "Group", "Probe"])
def test_every_type_has_the_common_attributes(name: str, path: str) -> None:
    assert REGISTRY.resource_types[name].resolve(path) is not None


def test_the_whole_urn_is_no_attribute() -> None:
    assert USER.resolve(ENTERPRISE) is None


def test_an_extension_is_found_in_any_case() -> None:
    assert USER.extension(ENTERPRISE.upper()) is USER.extension(ENTERPRISE.lower())


def test_unique_attributes_are_those_the_server_watches_without_id() -> None:
    assert [attribute.path for attribute in PROBE.unique_attributes] == ["number", "code"]
    assert [attribute.path for attribute in USER.unique_attributes] == ["userName"]
    assert [attribute.path for attribute in GROUP.unique_attributes] == ["displayName"]


def test_references_are_listed_by_how_they_are_kept() -> None:
    assert [a.path for a in USER.references_of(ReferenceKind.SINGLE_SOURCE)] == [f"{ENTERPRISE}:manager"]
    assert [a.path for a in USER.references_of(ReferenceKind.INVERSE)] == ["groups"]
    assert USER.references_of(ReferenceKind.MEMBERSHIP) == ()


def test_a_group_takes_users_and_groups() -> None:
    assert REGISTRY.member_types(known(GROUP, "members")) == {"User", "Group"}


def test_other_references_take_what_they_declare() -> None:
    assert REGISTRY.member_types(known(PROBE, "owners")) == {"User"}


def test_every_attribute_gives_the_core_before_the_extensions() -> None:
    paths = [attribute.path for attribute in PROBE.every_attribute()]
    assert paths[:5] == ["schemas", "id", "externalId", "meta", "title"]
    assert paths[-3:] == [f"{EXTRA_URN}:{name}" for name in ("level", "shade", "label")]


def test_types_are_found_by_endpoint() -> None:
    assert REGISTRY.endpoints["/Probes"] is PROBE
    assert PROBE.schema.id == PROBE_URN


def test_a_type_without_a_display_name_is_shown_by_its_user_name() -> None:
    assert (USER.display_attribute, PROBE.display_attribute) == ("displayName", "userName")


def test_a_schema_defined_twice_in_different_case_is_refused() -> None:
    with pytest.raises(SchemaError, match="defined twice"):
        Registry([SCHEMA, {**SCHEMA, "id": "URN:X:thing"}], [])


@pytest.mark.parametrize("id", [None, "", 5])
def test_a_schema_without_an_id_is_refused(id: Any) -> None:
    with pytest.raises(SchemaError, match="has no id"):
        Registry([{"id": id}], [])


@pytest.mark.parametrize("key", ["name", "endpoint", "schema"])
def test_a_resource_type_lacking_a_part_is_refused(key: str) -> None:
    with pytest.raises(SchemaError, match=f"{key} is missing"):
        Registry([SCHEMA], [{**THING, key: ""}])


def test_a_resource_type_of_an_unknown_schema_is_refused() -> None:
    with pytest.raises(SchemaError, match="schema urn:x:Other is not defined"):
        Registry([SCHEMA], [{**THING, "schema": "urn:x:Other"}])


def test_a_resource_type_with_an_unknown_extension_is_refused() -> None:
    with pytest.raises(SchemaError, match="schema urn:x:Other is not defined"):
        Registry([SCHEMA], [{**THING, "schemaExtensions": [{"schema": "urn:x:Other"}]}])


@pytest.mark.parametrize("change", [{"name": "Other"}, {"endpoint": "/Others"}])
def test_two_types_cannot_share_a_name_or_an_endpoint(change: dict[str, str]) -> None:
    with pytest.raises(SchemaError, match="or its endpoint is defined twice"):
        Registry([SCHEMA], [THING, {**THING, **change}])


def test_a_required_extension_is_known_as_such() -> None:
    extension = {"id": "urn:x:Extension", "attributes": [{"name": "b"}]}
    entry = {"schema": "urn:x:Extension", "required": True}
    registry = Registry([SCHEMA, extension], [{**THING, "schemaExtensions": [entry]}])
    assert registry.resource_types["Thing"].required_extensions == {"urn:x:Extension"}
