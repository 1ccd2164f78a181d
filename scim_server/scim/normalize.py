"""From a decoded JSON object to the canonical document, in one walk over the attribute table."""

import json
from collections.abc import Mapping
from typing import Any

from scim_server.scim.attributes import Attribute, ReferenceKind
from scim_server.scim.documents import is_storable
from scim_server.scim.errors import InvalidSyntax, InvalidValue
from scim_server.scim.identifiers import canonical_id
from scim_server.scim.policy import Policy
from scim_server.scim.registry import ResourceType
from scim_server.scim.values import WrongValue, check, fold, json_type

Document = dict[str, Any]
"""A canonical resource: declared names, extensions as objects under their URN; no id, meta, schemas."""

_PLACEHOLDER_SUB_ATTRIBUTES = frozenset({"type", "primary"})
MAX_REFERENCE = 255
MAX_VALUES = 50_000


class Normalizer:
    """Turns client JSON into canonical values for one resource type under one policy.

    Violations are collected in `violations` so that all of them can be reported together;
    `finish` raises them.
    """

    def __init__(self, resource_type: ResourceType, policy: Policy) -> None:
        self.resource_type = resource_type
        self.policy = policy
        self.violations: list[str] = []
        self.unknown: list[str] = []

    def finish(self) -> None:
        """Raise every violation found so far: InvalidSyntax for unknown attributes, else InvalidValue."""
        if self.violations:
            raise InvalidValue.of(self.violations)
        if self.unknown and not self.policy.ignore_unknown_attributes:
            raise InvalidSyntax(f"{self.resource_type.name} has no attribute {', '.join(self.unknown)}.")

    def resource(self, data: Any) -> Document:
        """Return the canonical document of a POST or PUT body.

        readOnly attributes are dropped (RFC 7644 §3.3, §3.5.1), null and empty arrays mean
        unassigned (RFC 7643 §2.5). Raises InvalidSyntax where the body is not an object or names
        wrong schemas, InvalidValue with every violation.
        """
        if not isinstance(data, dict):
            raise InvalidSyntax(f"The body must be a JSON object, not {json_type(data)}.")
        self._check_schemas(data)
        document: Document = {}
        core = self.resource_type.attributes
        for key, value in data.items():
            lowered = key.lower()
            extension = self.resource_type.extension(lowered)
            if extension is not None:
                self._add_extension(document, extension.id, extension.attributes, value)
            elif lowered in core:
                self._add(document, core[lowered], value)
            elif lowered == self.resource_type.schema.id.lower() and isinstance(value, dict):
                self._content(document, core, value, "")
            else:
                self.unknown.append(key[:80])
        self.check_required(document)
        self.finish()
        return document

    def _add_extension(
        self, document: Document, urn: str, attributes: Mapping[str, Attribute], value: Any
    ) -> None:
        if value is None:
            return
        if not isinstance(value, dict):
            self.violations.append(f"{urn} must be an object, not {json_type(value)}")
            return
        if urn in document:
            raise InvalidSyntax(f"{urn} stands twice in the body, in different cases.")
        content: Document = {}
        self._content(content, attributes, value, f"{urn}:")
        if content:
            document[urn] = content

    def _content(
        self, target: Document, attributes: Mapping[str, Attribute], value: Mapping[str, Any], prefix: str
    ) -> None:
        for key, item in value.items():
            attribute = attributes.get(key.lower())
            if attribute is None and key.lower() == "schemas":
                continue  # scim2-client 0.6 gives every extension object a `schemas` of its own
            if attribute is None:
                self.unknown.append(f"{prefix}{key[:80]}")
            else:
                self._add(target, attribute, item)

    def _add(self, target: Document, attribute: Attribute, value: Any) -> None:
        if attribute.mutability == "readOnly" or attribute.key == "schemas":
            return
        if attribute.name in target:
            raise InvalidSyntax(f"{attribute.path} stands twice in the body, in different cases.")
        normalized = self.value(attribute, value)
        if normalized is not None:
            target[attribute.name] = normalized

    def value(self, attribute: Attribute, value: Any) -> Any:
        """Return the canonical value of a whole attribute, None where it is unassigned."""
        if not attribute.multi_valued:
            if isinstance(value, list) and len(value) == 1 and self.policy.single_value_for_list:
                value = value[0]
            return self.element(attribute, value, attribute.path)
        if value is None or (value == "" and self.policy.empty_string_clears):
            return None
        if not isinstance(value, list):
            if not self.policy.single_value_for_list:
                self.violations.append(f"{attribute.path} must be an array, not {json_type(value)}")
                return None
            value = [value]
        if len(value) > MAX_VALUES:
            self.violations.append(
                f"{attribute.path} has {len(value)} values; at most {MAX_VALUES} are possible"
            )
            return None
        elements = [
            self.element(attribute, item, f"{attribute.path}[{index}]") for index, item in enumerate(value)
        ]
        kept = [element for element in elements if element is not None]
        if attribute.reference_kind is ReferenceKind.MEMBERSHIP and len(kept) < len(value):
            self.violations.append(f"{attribute.path} has an entry without a value")
        if sum(1 for item in kept if isinstance(item, dict) and item.get("primary") is True) > 1:
            self.violations.append(f"{attribute.path} has more than one primary value")
        if attribute.reference_kind is ReferenceKind.MEMBERSHIP:
            kept = list({item["value"]: item for item in kept}.values())
        return kept or None

    def element(self, attribute: Attribute, value: Any, where: str, *, partial: bool = False) -> Any:
        """Return one canonical value of an attribute, None where it is unassigned.

        A partial complex value need not have the required sub-attributes.
        """
        if value is None or (value == "" and self.policy.empty_string_clears):
            return None
        if attribute.type == "complex":
            return self._complex(attribute, value, where, partial=partial)
        if attribute.type == "boolean" and self.policy.string_booleans and isinstance(value, str):
            value = {"true": True, "false": False}.get(value.lower(), value)
        try:
            checked = check(attribute, value)
        except WrongValue as error:
            self.violations.append(f"{where} {error}")
            return None
        closed = attribute.closed or not self.policy.open_canonical_values
        if closed and attribute.canonical_values and checked not in attribute.canonical_values.values():
            allowed = ", ".join(attribute.canonical_values.values())
            self.violations.append(f"{where} must be one of {allowed}")
            return None
        return checked

    def _complex(self, attribute: Attribute, value: Any, where: str, *, partial: bool) -> Document | None:
        if self.policy.json_text_roles and attribute.key == "roles":
            value = _parsed_role(value)
        if not isinstance(value, dict | list) and self.policy.scalar_for_complex and attribute.sub("value"):
            value = {"value": value}
        if not isinstance(value, dict):
            self.violations.append(f"{where} must be an object, not {json_type(value)}")
            return None
        content = self._sub_values(attribute, value, where)
        if attribute.reference_kind in {ReferenceKind.MEMBERSHIP, ReferenceKind.SINGLE_SOURCE}:
            return self._reference(attribute, content, where, partial=partial)
        if not partial:
            self.check_required_parts(attribute, content, where)
        return content or None

    def check_required_parts(self, attribute: Attribute, content: Document, where: str) -> None:
        """Note a violation for every required sub-attribute that a complex value lacks."""
        for sub in attribute.sub_attributes.values():
            if sub.required and content and sub.name not in content and sub.mutability != "readOnly":
                self.violations.append(f"{where}.{sub.name} is required")

    def _sub_values(self, attribute: Attribute, value: Mapping[str, Any], where: str) -> Document:
        content: Document = {}
        for key, item in value.items():
            sub = attribute.sub(key)
            if sub is None:
                self.unknown.append(f"{attribute.path}.{key[:80]}")
            elif sub.mutability != "readOnly":
                if sub.name in content:
                    raise InvalidSyntax(f"{where}.{sub.name} stands twice in the body, in different cases.")
                part = self._sub_value(sub, item, f"{where}.{sub.name}")
                if part is not None:
                    content[sub.name] = part
        return content

    def _sub_value(self, sub: Attribute, value: Any, where: str) -> Any:
        if not sub.multi_valued:
            return self.element(sub, value, where)
        if value is None:
            return None
        if not isinstance(value, list):
            self.violations.append(f"{where} must be an array, not {json_type(value)}")
            return None
        kept = [self.element(sub, item, f"{where}[{index}]") for index, item in enumerate(value)]
        return [item for item in kept if item is not None] or None

    def _reference(
        self, attribute: Attribute, content: Document, where: str, *, partial: bool
    ) -> Document | None:
        target = content.get("value")
        if target is None and isinstance(content.get("$ref"), str):
            target = content["$ref"].rstrip("/").rpartition("/")[2]
        target = target or content.get("code")
        own = {
            key: item
            for key, item in content.items()
            if key.lower() not in {"value", "$ref", "type", "display", "code"}
        }
        if not target and partial:
            return own or None
        if not target:
            if attribute.multi_valued:
                self.violations.append(f"{where}.value is required")
            return None
        if len(target) > MAX_REFERENCE:
            self.violations.append(f"{where}.value is longer than {MAX_REFERENCE} characters")
            return None
        named = canonical_id(target) if attribute.reference_kind is ReferenceKind.MEMBERSHIP else target
        return {"value": named, **own}

    def _check_schemas(self, data: Mapping[str, Any]) -> None:
        stated = next((value for key, value in data.items() if key.lower() == "schemas"), None)
        if self.policy.optional_schemas:
            return
        known = {self.resource_type.schema.id.lower(), *self.resource_type.extensions}
        if not isinstance(stated, list) or not all(isinstance(urn, str) for urn in stated):
            raise InvalidSyntax(f"schemas must be an array that names {self.resource_type.schema.id}.")
        lowered = {urn.lower() for urn in stated}
        if self.resource_type.schema.id.lower() not in lowered:
            raise InvalidSyntax(f"schemas does not name {self.resource_type.schema.id}.")
        unstated = {key.lower() for key in data if self.resource_type.extension(key)} - lowered
        if unstated:
            raise InvalidSyntax(
                f"schemas does not name {', '.join(sorted(unstated))}, which the body has data of."
            )
        if lowered - known:
            strange = ", ".join(sorted(lowered - known))
            raise InvalidSyntax(f"schemas names {strange}, not a schema of {self.resource_type.name}.")

    def check_required(self, document: Document) -> None:
        """Note a violation for every required attribute that the document lacks."""
        for attribute in self.missing_required(document):
            self.violations.append(f"{attribute} is required")

    def missing_required(self, document: Document) -> list[str]:
        """Return the paths of the required attributes a document lacks, and of required extensions."""
        missing = []
        for urn, required in self.resource_type.required:
            content = document if urn is None else document.get(urn)
            if content is not None:
                missing += [one.path for one in required if content.get(one.name) in (None, "")]
            elif urn in self.resource_type.required_extensions:
                missing.append(urn)
        return missing


def is_placeholder(element: Mapping[str, Any]) -> bool:
    """Tell whether a multi-valued attribute's element says nothing but its type."""
    return not set(element) - _PLACEHOLDER_SUB_ATTRIBUTES


def _parsed_role(value: Any) -> Any:
    """Return a role sent as JSON text as the role it describes (Entra's app role assignments)."""
    text = value.get("value") if isinstance(value, dict) else value
    if not isinstance(text, str) or not text.lstrip().startswith("{"):
        return value
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return value
    if not isinstance(parsed, dict):
        return value
    names = {"value": parsed.get("value"), "display": parsed.get("displayName")}
    role = {name: part for name, part in names.items() if isinstance(part, str) and is_storable(part)}
    if "value" not in role:
        return value
    outer = {key: item for key, item in value.items() if key != "value"} if isinstance(value, dict) else {}
    return {**role, **outer}


def fold_document(document: Document, resource_type: ResourceType) -> Document:
    """Return the comparable copy of a document that filters and sorting read.

    Names are lower-case, values folded (see values.fold); references and attributes that are
    never returned are left out.
    """
    folded: Document = {}
    for name, value in document.items():
        attribute = resource_type.attributes.get(name.lower())
        if attribute is not None:
            _fold_into(folded, attribute, value)
            continue
        extension = resource_type.extension(name)
        if extension is None:
            continue
        part: Document = {}
        for own, item in value.items():
            attribute = extension.attributes.get(own.lower())
            if attribute is not None:
                _fold_into(part, attribute, item)
        if part:
            folded[name.lower()] = part
    return folded


def _fold_into(target: Document, attribute: Attribute, value: Any) -> None:
    if attribute.returned == "never" or attribute.reference_kind is not ReferenceKind.NONE:
        return
    fold_one = fold_complex if attribute.type == "complex" else fold
    target[attribute.key] = (
        [fold_one(attribute, item) for item in value]
        if attribute.multi_valued
        else fold_one(attribute, value)
    )


def fold_complex(attribute: Attribute, value: Mapping[str, Any]) -> Document:
    """Return the comparable copy of one value of a complex attribute."""
    folded: Document = {}
    for name, item in value.items():
        sub = attribute.sub(name)
        if sub is None or sub.returned == "never":
            continue
        folded[sub.key] = [fold(sub, part) for part in item] if sub.multi_valued else fold(sub, item)
    return folded
