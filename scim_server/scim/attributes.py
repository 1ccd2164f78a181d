"""Attribute definitions compiled from RFC 7643 §7 schema documents."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

TYPES = frozenset({"string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"})
MUTABILITIES = frozenset({"readOnly", "readWrite", "immutable", "writeOnly"})
RETURNED = frozenset({"always", "never", "default", "request"})
UNIQUENESS = frozenset({"none", "server", "global"})
DERIVED_SUB_ATTRIBUTES = frozenset({"$ref", "type", "display", "displayname"})


class SchemaError(ValueError):
    """A schema or resource type document is not usable; the message names the place."""


class ReferenceKind(StrEnum):
    """How the values of an attribute that points at resources are kept.

    NONE: in the document. SINGLE_SOURCE: a few rows of the reference table that are loaded and
    saved with their resource. MEMBERSHIP: rows that may be many and are only ever changed one by
    one. INVERSE: not kept, but read from another type's membership.
    """

    NONE = "none"
    SINGLE_SOURCE = "single source"
    MEMBERSHIP = "membership"
    INVERSE = "inverse"


@dataclass(frozen=True, eq=False)
class Attribute:
    """One attribute of one schema with its characteristics (RFC 7643 §2.2).

    `schema` is the URN that defines it, `extension` that URN where it is an extension of the
    resource type and None for core and common attributes, `parent` the complex attribute it
    belongs to, `sub_attributes` its own by lower-case name.
    """

    name: str
    schema: str
    extension: str | None = None
    type: str = "string"
    multi_valued: bool = False
    description: str = ""
    required: bool = False
    case_exact: bool = False
    mutability: str = "readWrite"
    returned: str = "default"
    uniqueness: str = "none"
    canonical_values: Mapping[str, str] = field(default_factory=dict)
    reference_types: tuple[str, ...] = ()
    parent: "Attribute | None" = None
    sub_attributes: dict[str, "Attribute"] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        """The name as filters and the folded document spell it."""
        return self.name.lower()

    @cached_property
    def path(self) -> str:
        """The path as a client writes it, with the URN for extension attributes."""
        own = f"{self.parent.name}.{self.name}" if self.parent else self.name
        return f"{self.extension}:{own}" if self.extension else own

    @cached_property
    def storage_key(self) -> str:
        """The short stable name of a reference attribute in the reference table."""
        if self.extension is None:
            return self.name
        return f"{self.extension.removeprefix('urn:ietf:params:scim:schemas:extension:')}:{self.name}"

    @cached_property
    def container(self) -> "Attribute":
        """The attribute itself, or the complex attribute it is a part of."""
        return self.parent or self

    @cached_property
    def closed(self) -> bool:
        """Whether the canonical values are the only ones; in the RFC's own schemas they are suggestions."""
        return bool(self.canonical_values) and not self.schema.startswith(
            "urn:ietf:params:scim:schemas:core:2.0:"
        )

    def sub(self, name: str) -> "Attribute | None":
        """Return the sub-attribute of that name, in any case."""
        return self.sub_attributes.get(name.lower())

    @cached_property
    def reference_kind(self) -> ReferenceKind:
        """How this attribute's values are kept (see ReferenceKind)."""
        ref = self.sub_attributes.get("$ref")
        if self.type != "complex" or ref is None or "value" not in self.sub_attributes:
            return ReferenceKind.NONE
        if all(name in {"external", "uri"} for name in ref.reference_types):
            return ReferenceKind.NONE
        if self.mutability == "readOnly":
            return ReferenceKind.INVERSE if self.key == "groups" and self.multi_valued else ReferenceKind.NONE
        own = set(self.sub_attributes) - {"value"} - DERIVED_SUB_ATTRIBUTES
        return ReferenceKind.MEMBERSHIP if self.multi_valued and not own else ReferenceKind.SINGLE_SOURCE

    @cached_property
    def target_types(self) -> tuple[str, ...]:
        """The resource types that a reference attribute may point at."""
        ref = self.sub_attributes.get("$ref")
        return ref.reference_types if ref else ()


def compile_attribute(
    definition: Mapping[str, Any],
    schema: str,
    *,
    extension: str | None = None,
    parent: Attribute | None = None,
) -> Attribute:
    """Return the compiled form of one entry of a schema's `attributes`.

    Raises SchemaError with the attribute named where a characteristic is not one of RFC 7643 §7.
    """
    name = definition.get("name")
    if not isinstance(name, str) or not name:
        raise SchemaError(f"{schema}: an attribute has no name")
    where = f"{schema}:{parent.name + '.' if parent else ''}{name}"
    checked = {
        "type": (definition.get("type", "string"), TYPES),
        "mutability": (definition.get("mutability", "readWrite"), MUTABILITIES),
        "returned": (definition.get("returned", "default"), RETURNED),
        "uniqueness": (definition.get("uniqueness", "none"), UNIQUENESS),
    }
    for characteristic, (value, allowed) in checked.items():
        if value not in allowed:
            raise SchemaError(
                f"{where}: {characteristic} is {value!r}, must be one of {', '.join(sorted(allowed))}"
            )
    attribute = Attribute(
        name=name,
        schema=schema,
        extension=extension,
        multi_valued=bool(definition.get("multiValued", False)),
        description=definition.get("description", ""),
        required=bool(definition.get("required", False)),
        case_exact=_case_exact(definition),
        canonical_values={str(value).lower(): value for value in definition.get("canonicalValues", ())},
        reference_types=tuple(definition.get("referenceTypes", ())),
        parent=parent,
        **{characteristic: value for characteristic, (value, _) in checked.items()},
    )
    for sub_definition in definition.get("subAttributes", ()):
        sub = compile_attribute(sub_definition, schema, extension=extension, parent=attribute)
        if sub.type == "complex":
            raise SchemaError(
                f"{where}.{sub.name}: a complex attribute cannot hold another one (RFC 7643 §2.3.8)"
            )
        attribute.sub_attributes[sub.key] = sub
    if attribute.type == "complex" and not attribute.sub_attributes:
        raise SchemaError(f"{where}: a complex attribute needs subAttributes")
    return attribute


def _case_exact(definition: Mapping[str, Any]) -> bool:
    if definition.get("type") in {"reference", "binary"}:
        return True
    return bool(definition.get("caseExact", False))
