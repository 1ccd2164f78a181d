"""A resource type with an attribute of every kind, and short ways to call the pure functions."""

from typing import Any

from scim_server.dialects import GENERIC
from scim_server.schema_files import load_registry
from scim_server.scim.attributes import Attribute, compile_attribute
from scim_server.scim.filters.binding import Condition, bind_filter
from scim_server.scim.filters.grammar import parse_filter
from scim_server.scim.normalize import Document, Normalizer
from scim_server.scim.patch.apply import PatchResult, apply_patch
from scim_server.scim.patch.operations import PATCH_URN, parse_patch
from scim_server.scim.policy import Policy
from scim_server.scim.registry import Registry, ResourceType

PROBE_URN = "urn:example:schemas:Probe"
EXTRA_URN = "urn:example:schemas:extension:probe:Extra"
USER_URN = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP_URN = "urn:ietf:params:scim:schemas:core:2.0:Group"

ENTRY_SUB_ATTRIBUTES = [
    {"name": "value"},
    {"name": "type", "canonicalValues": ["red", "Green"]},
    {"name": "amount", "type": "decimal"},
    {"name": "count", "type": "integer"},
    {"name": "at", "type": "dateTime"},
    {"name": "done", "type": "boolean"},
    {"name": "tags", "multiValued": True},
    {"name": "stamp", "mutability": "immutable"},
    {"name": "made", "mutability": "readOnly"},
    {"name": "primary", "type": "boolean"},
]
PROBE_SCHEMA: dict[str, Any] = {
    "id": PROBE_URN,
    "name": "Probe",
    "attributes": [
        {"name": "title", "required": True},
        {"name": "text"},
        {"name": "exact", "caseExact": True},
        {"name": "flag", "type": "boolean"},
        {"name": "whole", "type": "integer"},
        {"name": "amount", "type": "decimal"},
        {"name": "moment", "type": "dateTime"},
        {"name": "data", "type": "binary"},
        {"name": "link", "type": "reference", "referenceTypes": ["external"]},
        {"name": "number", "type": "integer", "uniqueness": "server"},
        {"name": "code", "caseExact": True, "uniqueness": "server"},
        {"name": "serial", "mutability": "immutable"},
        {"name": "made", "mutability": "readOnly"},
        {"name": "secret", "mutability": "writeOnly", "returned": "never"},
        {"name": "hidden", "returned": "request"},
        {"name": "pinned", "returned": "always"},
        {"name": "texts", "multiValued": True},
        {"name": "wholes", "type": "integer", "multiValued": True},
        {"name": "moments", "type": "dateTime", "multiValued": True},
        {"name": "entries", "type": "complex", "multiValued": True, "subAttributes": ENTRY_SUB_ATTRIBUTES},
        {
            "name": "place",
            "type": "complex",
            "subAttributes": [{"name": "city"}, {"name": "floor", "type": "integer"}],
        },
        {
            "name": "owners",
            "type": "complex",
            "multiValued": True,
            "subAttributes": [
                {"name": "value"},
                {"name": "$ref", "type": "reference", "referenceTypes": ["User"], "mutability": "readOnly"},
                {"name": "display", "mutability": "readOnly"},
                {"name": "duty"},
                {"name": "since", "type": "dateTime"},
            ],
        },
    ],
}
EXTRA_SCHEMA: dict[str, Any] = {
    "id": EXTRA_URN,
    "name": "Extra",
    "attributes": [
        {"name": "level", "type": "integer"},
        {"name": "shade", "canonicalValues": ["Light", "Dark"]},
        {"name": "label", "mutability": "immutable"},
    ],
}
PROBE_TYPE: dict[str, Any] = {
    "name": "Probe",
    "endpoint": "/Probes",
    "schema": PROBE_URN,
    "schemaExtensions": [{"schema": EXTRA_URN, "required": False}],
}

_CORE = load_registry()
REGISTRY = Registry(
    [*_CORE.schemas.values(), PROBE_SCHEMA, EXTRA_SCHEMA],
    [*(kind.document for kind in _CORE.resource_types.values()), PROBE_TYPE],
)
USER = REGISTRY.resource_types["User"]
GROUP = REGISTRY.resource_types["Group"]
PROBE = REGISTRY.resource_types["Probe"]
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
STRICT = Policy()


def attribute(type: str = "string", **characteristics: Any) -> Attribute:
    """Return an attribute `a` of some type outside any resource type."""
    return compile_attribute({"name": "a", "type": type, **characteristics}, "urn:example:schemas:A")


def known(resource_type: ResourceType, path: str) -> Attribute:
    """Return the attribute at a path, which has to be there."""
    found = resource_type.resolve(path)
    assert found is not None, path
    return found


def normalize(
    data: Any, resource_type: ResourceType = PROBE, policy: Policy = GENERIC, **switches: bool
) -> Document:
    """Return the canonical document of a body."""
    return Normalizer(resource_type, policy.switched(switches)).resource(data)


def operation(op: str, path: str | None = None, value: Any = ...) -> dict[str, Any]:
    """Return one operation as a client writes it; what is not given is left out."""
    members: dict[str, Any] = {"op": op}
    if path is not None:
        members["path"] = path
    if value is not ...:
        members["value"] = value
    return members


def patched(
    document: Document,
    *operations: dict[str, Any],
    resource_type: ResourceType = PROBE,
    policy: Policy = GENERIC,
    **switches: bool,
) -> PatchResult:
    """Return what a PatchOp message of these operations makes of a document."""
    policy = policy.switched(switches)
    message = {"schemas": [PATCH_URN], "Operations": list(operations)}
    return apply_patch(document, parse_patch(message, policy), resource_type, policy, id="own-id")


def bound(text: str, resource_type: ResourceType = PROBE, policy: Policy = STRICT) -> Condition:
    """Return the condition that a filter means."""
    return bind_filter(parse_filter(text, policy), resource_type, policy)
