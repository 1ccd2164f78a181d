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
    assert [attribute.path for attribute in GROUP.unique_attributes] == ["displayName"]


def test_references_are_listed_by_how_they_are_kept() -> None:
    assert [a.path for a in PROBE.references_of(ReferenceKind.SINGLE_SOURCE)] == ["owners"]
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


def test_a_type_allows_everything_unless_it_says_less() -> None:
    thing = Registry([SCHEMA], [THING]).resource_types["Thing"]
    assert thing.operations == {"create", "read", "replace", "patch", "delete"}
    assert thing.collection_methods == ("GET", "POST")
    assert thing.resource_methods == ("GET", "PUT", "PATCH", "DELETE")


@pytest.mark.parametrize(
    ("operations", "collection", "resource"),
    [
        (["read"], ("GET",), ("GET",)),
        (["read", "create"], ("GET", "POST"), ("GET",)),
        (["delete", "patch", "read"], ("GET",), ("GET", "PATCH", "DELETE")),
        (["read", "replace"], ("GET",), ("GET", "PUT")),
    ],
)
def test_the_methods_of_a_type_follow_from_its_operations(
    operations: list[str], collection: tuple[str, ...], resource: tuple[str, ...]
) -> None:
    thing = Registry([SCHEMA], [{**THING, "operations": operations}]).resource_types["Thing"]
    assert (thing.collection_methods, thing.resource_methods) == (collection, resource)


@pytest.mark.parametrize("operations", [[], ["create"], ["read", "write"], "read", None, 5])
def test_operations_that_are_unknown_or_cannot_read_are_refused(operations: Any) -> None:
    with pytest.raises(SchemaError, match="resource type Thing: operations must be a list with read"):
        Registry([SCHEMA], [{**THING, "operations": operations}])


@pytest.mark.parametrize("extensions", [{}, ["urn:x:Extension"], [{"schema": 5}], [{}], None])
def test_extensions_of_another_form_are_refused(extensions: Any) -> None:
    with pytest.raises(SchemaError, match="resource type Thing: schemaExtensions must list objects"):
        Registry([SCHEMA], [{**THING, "schemaExtensions": extensions}])


def test_a_renamed_schema_is_known_under_both_names_and_shown_under_the_new_one() -> None:
    registry = Registry([SCHEMA], [THING])
    before = registry.resource_types["Thing"]
    other = registry.renamed({"urn:x:Thing": "urn:y:Item", "urn:x:Absent": "urn:y:Absent"})
    after = other.endpoints["/Things"]
    assert other.schemas == {"urn:y:item": {**SCHEMA, "id": "urn:y:Item"}}
    assert after is other.resource_types["Thing"]
    assert (after.schema.id, after.document["schema"]) == ("urn:y:Item", "urn:y:Item")
    assert after.resolve("urn:y:Item:a") is after.resolve("urn:x:Thing:a") is before.resolve("a")


def test_renaming_leaves_the_registry_as_it_was() -> None:
    registry = Registry([SCHEMA], [THING])
    registry.renamed({"urn:x:Thing": "urn:y:Item"})
    thing = registry.resource_types["Thing"]
    assert (list(registry.schemas), thing.schema.id) == (["urn:x:thing"], "urn:x:Thing")
    assert thing.resolve("urn:y:Item:a") is None


PRIVATE = Registry(
    [
        SCHEMA,
        {"id": "urn:x:Own", "attributes": [{"name": "b", "uniqueness": "server"}]},
        {"id": "urn:x:Other"},
    ],
    [
        {**THING, "schemaExtensions": [{"schema": "urn:x:Own", "private": True}]},
        {"name": "Other", "endpoint": "/Others", "schema": "urn:x:Other", "private": True},
    ],
)


def test_the_private_schemas_are_those_of_types_and_extensions() -> None:
    assert PRIVATE.private_schemas == {"urn:x:own", "urn:x:other"}
    assert REGISTRY.private_schemas == frozenset()


def test_a_tenant_without_private_schemas_knows_nothing_of_them() -> None:
    plain = PRIVATE.of_tenant()
    assert list(plain.resource_types) == ["Thing"]
    assert list(plain.schemas) == ["urn:x:thing"]
    thing = plain.resource_types["Thing"]
    assert (thing.resolve("urn:x:Own:b"), thing.extension("urn:x:Own")) == (None, None)
    assert (thing.unique_attributes, thing.document["schemaExtensions"]) == ((), [])


def test_a_tenant_has_the_private_schemas_that_it_is_given() -> None:
    own = PRIVATE.of_tenant(["urn:x:own"])
    assert list(own.schemas) == ["urn:x:thing", "urn:x:own"]
    assert own.resource_types["Thing"] is PRIVATE.resource_types["Thing"]
    assert PRIVATE.of_tenant(["urn:x:own", "urn:x:other"]) is PRIVATE


def test_what_a_tenant_sees_is_made_once() -> None:
    assert PRIVATE.of_tenant(()) is PRIVATE.of_tenant(["urn:nobody"])
    assert PRIVATE.of_tenant((), ("Thing",)) is not PRIVATE.of_tenant()
    assert REGISTRY.of_tenant() is REGISTRY


def test_schemas_stay_private_under_other_names() -> None:
    renamed = PRIVATE.renamed({"urn:x:Thing": "urn:y:Thing"})
    assert renamed.private_schemas == PRIVATE.private_schemas
    assert list(renamed.of_tenant().schemas) == ["urn:y:thing"]


def test_a_private_extension_is_not_required() -> None:
    entry = {"schema": "urn:x:Thing", "private": True, "required": True}
    with pytest.raises(SchemaError, match="a private extension cannot be required"):
        Registry([SCHEMA], [{**THING, "schemaExtensions": [entry]}])
