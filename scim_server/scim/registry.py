"""The compiled schemas and resource types: one attribute table that drives everything else."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from scim_server.scim.attributes import Attribute, ReferenceKind, SchemaError, compile_attribute

SCHEMA_URN = "urn:ietf:params:scim:schemas:core:2.0:Schema"
RESOURCE_TYPE_URN = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
OPERATIONS = frozenset({"create", "read", "replace", "patch", "delete"})
"""What a client can do with resources; a resource type may allow less than all of it."""

_COLLECTION_METHODS = {"read": "GET", "create": "POST"}
_RESOURCE_METHODS = {"read": "GET", "replace": "PUT", "patch": "PATCH", "delete": "DELETE"}

_KEPT = 256
"""Registries of tenants that are kept, one for each choice of private schemas and hidden types."""
_SELF_DESCRIBING = frozenset({SCHEMA_URN, RESOURCE_TYPE_URN})
"""Schemas of schemas nest complex attributes, which no resource's schema may (RFC 7643 §2.3.8, §7)."""

_META = {
    "name": "meta",
    "type": "complex",
    "mutability": "readOnly",
    "subAttributes": [
        {"name": "resourceType", "caseExact": True, "mutability": "readOnly"},
        {"name": "created", "type": "dateTime", "mutability": "readOnly"},
        {"name": "lastModified", "type": "dateTime", "mutability": "readOnly"},
        {"name": "location", "type": "reference", "referenceTypes": ["uri"], "mutability": "readOnly"},
        {"name": "version", "caseExact": True, "mutability": "readOnly"},
    ],
}
_COMMON = (
    {
        "name": "schemas",
        "type": "reference",
        "multiValued": True,
        "returned": "always",
        "referenceTypes": ["uri"],
    },
    {"name": "id", "caseExact": True, "mutability": "readOnly", "returned": "always", "uniqueness": "server"},
    {"name": "externalId", "caseExact": True},
    _META,
)
COMMON_ATTRIBUTES = tuple(compile_attribute(definition, "") for definition in _COMMON)


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """A schema with its attributes by lower-case name; `document` is its discovery form."""

    id: str
    name: str
    description: str
    attributes: Mapping[str, Attribute]
    document: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class ResourceType:
    """A resource type with the one table that resolves every attribute path of it.

    `paths` maps every lower-case path a client may write, with and without URN, to its
    attribute; `extensions` maps the lower-case URN to the extension's schema; `operations` is what
    clients can do, a part of OPERATIONS. A private type or extension, by its lower-case URN, is only of those
    tenants that have it.
    """

    name: str
    endpoint: str
    description: str
    schema: Schema
    extensions: Mapping[str, Schema]
    required_extensions: frozenset[str]
    quiet_extensions: frozenset[str]
    document: Mapping[str, Any]
    paths: dict[str, Attribute] = field(default_factory=dict)
    attributes: dict[str, Attribute] = field(default_factory=dict)
    references: tuple[Attribute, ...] = ()
    unique_attributes: tuple[Attribute, ...] = ()
    operations: frozenset[str] = OPERATIONS
    is_private: bool = False
    private_extensions: frozenset[str] = frozenset()

    def resolve(self, path: str) -> Attribute | None:
        """Return the attribute a path names, in any case and with or without its schema's URN."""
        return self.paths.get(path.lower())

    def extension(self, urn: str) -> Schema | None:
        """Return the extension of that URN, in any case."""
        return self.extensions.get(urn.lower())

    def every_attribute(self) -> Iterator[Attribute]:
        """Yield the top-level attributes of the core schema, then of every extension."""
        yield from self.attributes.values()
        for extension in self.extensions.values():
            yield from extension.attributes.values()

    @property
    def collection_methods(self) -> tuple[str, ...]:
        """The HTTP methods of the endpoint (RFC 7644 §3.2)."""
        return tuple(method for name, method in _COLLECTION_METHODS.items() if name in self.operations)

    @property
    def resource_methods(self) -> tuple[str, ...]:
        """The HTTP methods of one resource (RFC 7644 §3.2)."""
        return tuple(method for name, method in _RESOURCE_METHODS.items() if name in self.operations)

    def without(self, lacks: Collection[str]) -> "ResourceType":
        """Return the type without those of its private extensions that a tenant lacks."""
        gone = self.private_extensions.intersection(lacks)
        if not gone:
            return self

        def is_kept(attribute: Attribute) -> bool:
            return attribute.extension is None or attribute.extension.lower() not in gone

        kept = [one for one in extension_entries(self.document) if one["schema"].lower() not in gone]
        return replace(
            self,
            extensions={urn: schema for urn, schema in self.extensions.items() if urn not in gone},
            document={**self.document, "schemaExtensions": kept},
            paths={path: attribute for path, attribute in self.paths.items() if is_kept(attribute)},
            references=tuple(filter(is_kept, self.references)),
            unique_attributes=tuple(filter(is_kept, self.unique_attributes)),
        )

    def references_of(self, kind: ReferenceKind) -> tuple[Attribute, ...]:
        """Return the attributes whose values are kept in the given way."""
        return self._references[kind]

    @cached_property
    def _references(self) -> Mapping[ReferenceKind, tuple[Attribute, ...]]:
        return {
            kind: tuple(attribute for attribute in self.references if attribute.reference_kind is kind)
            for kind in ReferenceKind
        }

    @cached_property
    def never_returned(self) -> tuple[Attribute, ...]:
        """The attributes that no answer ever shows."""
        return tuple(attribute for attribute in self.every_attribute() if attribute.returned == "never")

    @cached_property
    def required(self) -> tuple[tuple[str | None, tuple[Attribute, ...]], ...]:
        """What a document has to have, by the URN of the extension, None for the core schema."""
        parts = [(None, self.attributes), *((one.id, one.attributes) for one in self.extensions.values())]
        return tuple((urn, tuple(filter(_is_required, attributes.values()))) for urn, attributes in parts)

    @property
    def display_attribute(self) -> str:
        """The attribute that names a resource to people where another one points at it."""
        return "displayName" if "displayname" in self.attributes else "userName"


class Registry:
    """All schemas and resource types a server speaks, immutable after construction.

    `schemas` holds the documents by lower-case URN, `resource_types` the compiled types by name,
    `endpoints` the same by path.
    """

    def __init__(
        self, schemas: Iterable[Mapping[str, Any]], resource_types: Iterable[Mapping[str, Any]]
    ) -> None:
        """Compile the documents; raises SchemaError naming the first that is not usable."""
        self.schemas: dict[str, Mapping[str, Any]] = {}
        for document in schemas:
            urn = document.get("id")
            if not isinstance(urn, str) or not urn:
                raise SchemaError("a schema has no id")
            if urn.lower() in self.schemas:
                raise SchemaError(f"schema {urn} is defined twice")
            self.schemas[urn.lower()] = document
            if urn not in _SELF_DESCRIBING:
                compile_schema(document, None)
        self.resource_types: dict[str, ResourceType] = {}
        self.endpoints: dict[str, ResourceType] = {}
        self._of_tenants: dict[tuple[frozenset[str], tuple[str, ...]], Registry] = {}
        for document in resource_types:
            resource_type = self._compile_resource_type(document)
            if resource_type.name in self.resource_types or resource_type.endpoint in self.endpoints:
                raise SchemaError(f"resource type {resource_type.name} or its endpoint is defined twice")
            self.resource_types[resource_type.name] = resource_type
            self.endpoints[resource_type.endpoint] = resource_type

    @cached_property
    def private_schemas(self) -> frozenset[str]:
        """The lower-case URNs of the schemas that only those tenants have that are given them."""
        kinds = self.resource_types.values()
        types = frozenset(kind.schema.id.lower() for kind in kinds if kind.is_private)
        return types.union(*(kind.private_extensions for kind in kinds))

    def of_tenant(self, private: Collection[str] = (), hidden: tuple[str, ...] = ()) -> "Registry":
        """Return the registry as a tenant has it: with these private schemas and no other, by lower-case URN.

        The types of the `hidden` names are not in it, nor schemas that no other type has.
        """
        lacks = self.private_schemas.difference(private)
        if not lacks and not hidden:
            return self
        found = self._of_tenants.get((lacks, hidden))
        if found is None:
            if len(self._of_tenants) >= _KEPT:
                self._of_tenants.clear()
            found = self._of_tenants[lacks, hidden] = self._without(lacks, hidden)
        return found

    def _copied(self) -> "Registry":
        other = copy(self)
        other._of_tenants = {}  # noqa: SLF001 - of the same class
        other.__dict__.pop("private_schemas", None)
        return other

    def _without(self, lacks: frozenset[str], hidden: tuple[str, ...]) -> "Registry":
        other = self._copied()
        other.resource_types = {
            name: kind.without(lacks)
            for name, kind in self.resource_types.items()
            if name not in hidden and not (kind.is_private and kind.schema.id.lower() in lacks)
        }
        other.endpoints = {kind.endpoint: kind for kind in other.resource_types.values()}
        before, after = (
            {urn.lower() for kind in kinds.values() for urn in (kind.schema.id, *kind.extensions)}
            for kinds in (self.resource_types, other.resource_types)
        )
        other.schemas = {urn: document for urn, document in self.schemas.items() if urn not in before - after}
        return other

    def _compile_resource_type(self, document: Mapping[str, Any]) -> ResourceType:
        for key in ("name", "endpoint", "schema"):
            if not isinstance(document.get(key), str) or not document[key]:
                raise SchemaError(f"resource type {document.get('name', '?')}: {key} is missing")
        name = document["name"]
        core = self._schema_document(document["schema"], name)
        entries = extension_entries(document)
        extensions = [
            compile_schema(self._schema_document(entry["schema"], name), entry["schema"]) for entry in entries
        ]
        resource_type = ResourceType(
            name=name,
            endpoint=document["endpoint"],
            description=document.get("description", ""),
            schema=compile_schema(core, None),
            extensions={extension.id.lower(): extension for extension in extensions},
            quiet_extensions=frozenset(entry["schema"].lower() for entry in entries if entry.get("quiet")),
            required_extensions=frozenset(entry["schema"] for entry in entries if entry.get("required")),
            document=document,
            operations=_operations(document),
            is_private=bool(document.get("private")),
            private_extensions=_private(document, entries),
        )
        return _with_tables(resource_type)

    def _schema_document(self, urn: str, resource_type: str) -> Mapping[str, Any]:
        document = self.schemas.get(urn.lower())
        if document is None:
            raise SchemaError(f"resource type {resource_type}: schema {urn} is not defined")
        return document

    def renamed(self, names: Mapping[str, str]) -> "Registry":
        """Return this registry with the core schemas of some types under other URNs.

        `names` maps the URN of a schema to the one to show; one that is not here is passed over.
        Only the URN differs: attributes are the same objects, and a path may go on with the old URN.
        """
        other = self._copied()
        shown = [_named(document, names) for document in self.schemas.values()]
        other.schemas = {document["id"].lower(): document for document in shown}
        other.resource_types = {kind.name: _renamed(kind, names) for kind in self.resource_types.values()}
        other.endpoints = {kind.endpoint: kind for kind in other.resource_types.values()}
        return other

    def member_types(self, attribute: Attribute) -> frozenset[str]:
        """Return the resource types that a reference attribute accepts.

        Besides the declared ones, a group takes every type that shows its groups.
        """
        named = frozenset(attribute.target_types)
        if attribute.storage_key != "members":
            return named
        shown = {
            kind.name for kind in self.resource_types.values() if kind.references_of(ReferenceKind.INVERSE)
        }
        return named | shown


def _is_required(attribute: Attribute) -> bool:
    return (
        attribute.required
        and attribute.mutability != "readOnly"
        and attribute.reference_kind is not ReferenceKind.MEMBERSHIP
    )


def compile_schema(document: Mapping[str, Any], extension: str | None) -> Schema:
    """Compile one schema document; `extension` is its URN where it extends a resource type."""
    urn = document["id"]
    attributes: dict[str, Attribute] = {}
    for definition in document.get("attributes", ()):
        attribute = compile_attribute(definition, urn, extension=extension)
        attributes[attribute.key] = attribute
    return Schema(
        id=urn,
        name=document.get("name", urn),
        description=document.get("description", ""),
        attributes=attributes,
        document=document,
    )


def extension_entries(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the `schemaExtensions` of a resource type's document; raises SchemaError for any other form."""
    entries = document.get("schemaExtensions", [])
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("schema"), str) for entry in entries
    ):
        raise SchemaError(
            f"resource type {document.get('name', '?')}: schemaExtensions must list objects with a schema"
        )
    return entries


def _private(document: Mapping[str, Any], entries: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    private = [entry for entry in entries if entry.get("private")]
    if any(entry.get("required") for entry in private):
        raise SchemaError(f"resource type {document['name']}: a private extension cannot be required")
    return frozenset(entry["schema"].lower() for entry in private)


def _operations(document: Mapping[str, Any]) -> frozenset[str]:
    stated = document.get("operations", sorted(OPERATIONS))
    if not isinstance(stated, list) or "read" not in stated or not OPERATIONS.issuperset(stated):
        raise SchemaError(
            f"resource type {document['name']}: operations must be a list with read, "
            f"and otherwise of {', '.join(sorted(OPERATIONS - {'read'}))}"
        )
    return frozenset(stated)


def _named(document: Mapping[str, Any], names: Mapping[str, str]) -> Mapping[str, Any]:
    return {**document, "id": names[document["id"]]} if document["id"] in names else document


def _renamed(resource_type: ResourceType, names: Mapping[str, str]) -> ResourceType:
    urn = names.get(resource_type.schema.id)
    if urn is None:
        return resource_type
    own = {path: attribute for path, attribute in resource_type.paths.items() if ":" not in path}
    return replace(
        resource_type,
        schema=replace(resource_type.schema, id=urn, document=_named(resource_type.schema.document, names)),
        document={**resource_type.document, "schema": urn},
        paths={
            **resource_type.paths,
            **{f"{urn.lower()}:{path}": attribute for path, attribute in own.items()},
        },
    )


def _with_tables(resource_type: ResourceType) -> ResourceType:
    for attribute in (*COMMON_ATTRIBUTES, *resource_type.schema.attributes.values()):
        resource_type.attributes[attribute.key] = attribute
        _add_paths(resource_type, attribute, ("", f"{resource_type.schema.id.lower()}:"))
    for urn, extension in resource_type.extensions.items():
        for attribute in extension.attributes.values():
            _add_paths(resource_type, attribute, (f"{urn}:",))
    every = tuple(resource_type.every_attribute())
    references = tuple(attribute for attribute in every if attribute.reference_kind is not ReferenceKind.NONE)
    unique = tuple(
        attribute
        for attribute in every
        if attribute.uniqueness != "none" and attribute.key != "id" and attribute.type != "complex"
    )
    object.__setattr__(resource_type, "references", references)
    object.__setattr__(resource_type, "unique_attributes", unique)
    return resource_type


def _add_paths(resource_type: ResourceType, attribute: Attribute, prefixes: tuple[str, ...]) -> None:
    for prefix in prefixes:
        resource_type.paths[prefix + attribute.key] = attribute
        for sub in attribute.sub_attributes.values():
            resource_type.paths[f"{prefix}{attribute.key}.{sub.key}"] = sub
