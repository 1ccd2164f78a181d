"""The schemas of the product: complete, consistent with each other, and kept as each attribute needs."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scim_server.schema_files import load_registry
from scim_server.scim.attributes import Attribute, ReferenceKind
from scim_server.scim.registry import OPERATIONS

FOLDER = Path(__file__).parents[2] / "schemas"
FILES = sorted(path for path in FOLDER.rglob("*.json") if path.parent != FOLDER)
PRODUCT = [path for path in FILES if path.parent.name != "core"]
REGISTRY = load_registry()
CORE = "urn:ietf:params:scim:schemas:core:2.0"
EXTENSION = "urn:ietf:params:scim:schemas:extension"
GOVERNANCE = "urn:scim-server:schemas:extension:2.0"
OWN = "urn:scim-server:schemas:2.0"
LIFECYCLE = f"{EXTENSION}:lifecycle:2.0:User"
SPELLED_OUT = {
    "name",
    "type",
    "multiValued",
    "description",
    "required",
    "caseExact",
    "mutability",
    "returned",
    "uniqueness",
}
USER_EXTENSIONS = [
    "enterprise",
    "connector",
    "lifecycle",
    "department",
    "location",
    "role",
    "approvalLimit",
    "clearance",
    "specialPermission",
]
TYPES = {
    "User": ("/Users", f"{CORE}:User", [f"{EXTENSION}:{name}:2.0:User" for name in USER_EXTENSIONS]),
    "Group": ("/Groups", f"{CORE}:Group", [f"{EXTENSION}:mapping:2.0:Group"]),
    "Role": ("/Roles", f"{CORE}:Role", [f"{GOVERNANCE}:Role"]),
    "Entitlement": ("/Entitlements", f"{CORE}:Entitlement", [f"{GOVERNANCE}:Entitlement"]),
    "Department": ("/Departments", f"{OWN}:Department", []),
    "Location": ("/Locations", f"{OWN}:Location", []),
    "ScheduledChange": ("/ScheduledChanges", f"{OWN}:ScheduledChange", []),
    "Obligation": ("/Obligations", f"{OWN}:Obligation", []),
    "AccountAction": ("/AccountActions", f"{OWN}:AccountAction", []),
    "LoginReport": ("/LoginReports", f"{OWN}:LoginReport", []),
    "ApiToken": ("/ApiTokens", f"{OWN}:ApiToken", []),
    "AuditEvent": ("/AuditEvents", f"{OWN}:AuditEvent", []),
}
LIMITED = {
    "AccountAction": {"create", "read"},
    "LoginReport": {"create", "read"},
    "ApiToken": {"create", "read", "patch", "delete"},
    "AuditEvent": {"read"},
}
SINGLE_SOURCE = {
    "User": [
        "enterprise:2.0:User:manager",
        "department:2.0:User:departments",
        "location:2.0:User:locations",
        "role:2.0:User:roleAssignments",
        "specialPermission:2.0:User:specialPermissions",
    ],
    "Group": ["mapping:2.0:Group:mapsTo"],
    "Role": [],
    "Entitlement": [],
    "Department": ["parent", "manager", "defaultRoles"],
    "Location": ["parent"],
    "ScheduledChange": ["user"],
    "Obligation": ["user", "transferredTo"],
    "AccountAction": ["user"],
    "LoginReport": ["user"],
    "ApiToken": ["owner"],
    "AuditEvent": [],
}
SOURCES = ["admin", "idp", "hris", "import", "app", "security", "system", "group"]
SOURCE_ATTRIBUTES = [
    f"{EXTENSION}:connector:2.0:User:sourceOfAuthority",
    f"{LIFECYCLE}:statusReason.source",
    f"{LIFECYCLE}:holds.source",
    f"{LIFECYCLE}:holds.liftableBy",
    f"{EXTENSION}:department:2.0:User:departments.source",
    f"{EXTENSION}:location:2.0:User:locations.source",
    f"{EXTENSION}:role:2.0:User:roleAssignments.source",
    f"{EXTENSION}:specialPermission:2.0:User:specialPermissions.source",
]
REASON_ATTRIBUTES = [
    ("User", f"{EXTENSION}:connector:2.0:User:statusReason"),
    ("User", f"{LIFECYCLE}:statusReason.code"),
    ("User", f"{LIFECYCLE}:holds.reason"),
    ("User", f"{LIFECYCLE}:changeContext.reason"),
    ("ScheduledChange", "reason"),
    ("AccountAction", "reason"),
]


def every(attributes: Iterable[dict[str, Any]], parent: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for attribute in attributes:
        path = f"{parent}.{attribute['name']}" if parent else attribute["name"]
        yield path, attribute
        yield from every(attribute.get("subAttributes") or (), path)


def loaded(path: Path) -> list[tuple[str, dict[str, Any]]]:
    return list(every(json.loads(path.read_text(encoding="utf-8"))["attributes"]))


def known(type_name: str, path: str) -> Attribute:
    attribute = REGISTRY.resource_types[type_name].resolve(path)
    assert attribute is not None, path
    return attribute


def named(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize("path", FILES, ids=named)
def test_every_attribute_spells_out_every_characteristic(path: Path) -> None:
    lacking = {name: SPELLED_OUT - attribute.keys() for name, attribute in loaded(path)}
    assert {name: missing for name, missing in lacking.items() if missing} == {}


@pytest.mark.parametrize("path", FILES, ids=named)
def test_exactly_complex_attributes_have_sub_attributes_and_references_their_types(path: Path) -> None:
    wrong = [
        name
        for name, attribute in loaded(path)
        if (attribute["type"] == "complex") != ("subAttributes" in attribute)
        or (attribute["type"] == "reference") != ("referenceTypes" in attribute)
    ]
    assert wrong == []


@pytest.mark.parametrize("path", PRODUCT, ids=named)
def test_every_attribute_is_described_in_sentences(path: Path) -> None:
    described = {name: attribute["description"] for name, attribute in loaded(path)}
    assert [name for name, text in described.items() if not text.endswith(".") or " " not in text] == []


@pytest.mark.parametrize("path", PRODUCT, ids=named)
def test_what_is_never_returned_or_read_only_is_so_in_all_its_parts(path: Path) -> None:
    wrong = [
        f"{name}.{sub['name']}"
        for name, attribute in loaded(path)
        for sub in attribute.get("subAttributes", ())
        if (attribute["returned"] == "never" and sub["returned"] != "never")
        or (attribute["mutability"] == "readOnly" and sub["mutability"] != "readOnly")
    ]
    assert wrong == []


def test_the_resource_types_are_these() -> None:
    assert {
        kind.name: (
            kind.endpoint,
            kind.schema.id,
            [extension.id for extension in kind.extensions.values()],
        )
        for kind in REGISTRY.resource_types.values()
    } == TYPES


def test_no_extension_is_required() -> None:
    assert [kind.name for kind in REGISTRY.resource_types.values() if kind.required_extensions] == []


def test_every_schema_of_the_product_belongs_to_a_resource_type() -> None:
    used = {urn for _, core, extensions in TYPES.values() for urn in (core, *extensions)}
    assert {json.loads(path.read_text(encoding="utf-8"))["id"] for path in PRODUCT} <= used


def test_what_clients_can_do_is_limited_for_records_and_tokens() -> None:
    assert {
        kind.name: kind.operations
        for kind in REGISTRY.resource_types.values()
        if kind.operations != OPERATIONS
    } == LIMITED


@pytest.mark.parametrize("name", SINGLE_SOURCE)
def test_these_references_are_saved_with_their_resource(name: str) -> None:
    found = REGISTRY.resource_types[name].references_of(ReferenceKind.SINGLE_SOURCE)
    assert [attribute.storage_key for attribute in found] == SINGLE_SOURCE[name]


def test_only_a_group_has_members_and_only_a_user_is_in_groups() -> None:
    kept = (ReferenceKind.MEMBERSHIP, ReferenceKind.INVERSE)
    found = [
        (kind.name, attribute.path)
        for kind in REGISTRY.resource_types.values()
        for each in kept
        for attribute in kind.references_of(each)
    ]
    assert found == [("User", "groups"), ("Group", "members")]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("Department", "heads"),
        ("AuditEvent", "resource"),
        ("User", f"{LIFECYCLE}:holds"),
        ("User", f"{LIFECYCLE}:scheduledChanges"),
        ("User", f"{LIFECYCLE}:obligations"),
    ],
)
def test_what_the_server_computes_is_no_reference(name: str, path: str) -> None:
    assert known(name, path).reference_kind is ReferenceKind.NONE


def test_references_point_at_types_that_are_there() -> None:
    missing = {
        (attribute.path, name)
        for kind in REGISTRY.resource_types.values()
        for attribute in kind.every_attribute()
        for name in attribute.target_types
        if name not in {*TYPES, "uri", "external"}
    }
    assert missing == set()


def test_a_reference_can_be_made_without_an_id() -> None:
    required = [
        attribute.path
        for kind in REGISTRY.resource_types.values()
        for attribute in kind.references
        if (value := attribute.sub("value")) is not None and value.required
    ]
    assert required == []


def test_unique_values_are_these() -> None:
    assert {
        kind.name: [attribute.path for attribute in kind.unique_attributes]
        for kind in REGISTRY.resource_types.values()
        if kind.unique_attributes
    } == {
        "User": [
            "userName",
            f"{EXTENSION}:enterprise:2.0:User:employeeNumber",
            f"{EXTENSION}:connector:2.0:User:ssoIdentifier",
            f"{EXTENSION}:connector:2.0:User:hrisId",
        ],
        "Group": ["displayName"],
        "Role": ["value"],
        "Entitlement": ["value"],
        "Department": ["code"],
        "Location": ["code"],
    }


@pytest.mark.parametrize("path", SOURCE_ATTRIBUTES)
def test_sources_are_the_same_everywhere(path: str) -> None:
    assert list(known("User", path).canonical_values.values()) == SOURCES


@pytest.mark.parametrize(("name", "path"), REASON_ATTRIBUTES)
def test_reasons_are_the_same_everywhere(name: str, path: str) -> None:
    reasons = known("User", f"{LIFECYCLE}:changeContext.reason").canonical_values
    assert len(reasons) == 15
    assert known(name, path).canonical_values == reasons


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("User", f"{LIFECYCLE}:status"),
        ("User", f"{EXTENSION}:clearance:2.0:User:level"),
        ("Group", f"{EXTENSION}:mapping:2.0:Group:kind"),
        ("Role", f"{GOVERNANCE}:Role:riskLevel"),
        ("Location", "type"),
        ("AccountAction", "action"),
        ("LoginReport", "outcome"),
    ],
)
def test_lists_of_values_of_the_product_are_closed(name: str, path: str) -> None:
    assert known(name, path).closed


def test_lists_of_values_of_the_standard_are_suggestions() -> None:
    emails = known("User", "emails.type")
    assert (bool(emails.canonical_values), emails.closed) == (True, False)


def test_the_state_of_an_account_is_shown_on_request_but_for_what_a_client_sent() -> None:
    extension = REGISTRY.resource_types["User"].extension(LIFECYCLE)
    assert extension is not None
    returned = {attribute.name: attribute.returned for attribute in extension.attributes.values()}
    by_default = {"validFrom", "validTo"}
    assert {name for name, how in returned.items() if how == "default"} == by_default
    assert {name for name, how in returned.items() if how == "never"} == {"changeContext"}


def test_the_context_of_a_change_is_only_written() -> None:
    context = known("User", f"{LIFECYCLE}:changeContext")
    characteristics = {(each.mutability, each.returned) for each in context.sub_attributes.values()}
    assert {(context.mutability, context.returned), *characteristics} == {("writeOnly", "never")}


@pytest.mark.parametrize(
    "path", ["departmentCodes", "locationCodes", "roleCodes", "startDate", "endDate", "hireDate"]
)
def test_a_connector_sends_lists_and_dates_as_one_text(path: str) -> None:
    attribute = known("User", f"{EXTENSION}:connector:2.0:User:{path}")
    assert (attribute.type, attribute.multi_valued) == ("string", False)
