"""What a document is split into for the store: contents, references, memberships, unique values."""

from collections.abc import Iterable
from typing import Any

from scim_server.scim.attributes import Attribute, ReferenceKind
from scim_server.scim.normalize import Document, fold_complex
from scim_server.scim.registry import ResourceType
from scim_server.scim.resources import Resource
from scim_server.scim.values import fold

References = dict[str, dict[str, tuple[Document, Document]]]
"""By storage key and target: what the source says of the reference, and the folded copy of that."""
DISPLAY_NAMES = ("displayName", "userName", "display", "value")
"""What people call a resource: the first of these attributes that it has."""


def with_defaults(document: Document, resource_type: ResourceType) -> Document:
    """Return a document with the defaults that a client may rely on: `active` is true."""
    active = resource_type.attributes.get("active")
    if active is None or active.type != "boolean" or active.mutability == "readOnly" or "active" in document:
        return document
    return {**document, active.name: True}


def without_secrets(document: Document, resource_type: ResourceType) -> Document:
    """Return the document without attributes that are never returned, such as password."""
    return _without(document, resource_type.never_returned)


def take_memberships(
    document: Document, resource_type: ResourceType
) -> tuple[Document, dict[str, list[str]]]:
    """Return the document without its memberships, and the targets of each by storage key."""
    attributes = resource_type.references_of(ReferenceKind.MEMBERSHIP)
    found = {
        attribute.storage_key: [element["value"] for element in value]
        for attribute in attributes
        if (value := value_of(document, attribute))
    }
    return _without(document, attributes), found


def take_references(document: Document, resource_type: ResourceType) -> tuple[Document, References]:
    """Return the document without its single-source references, and those by storage key."""
    attributes = resource_type.references_of(ReferenceKind.SINGLE_SOURCE)
    found: References = {}
    for attribute in attributes:
        value = value_of(document, attribute)
        elements = value if isinstance(value, list) else [value] if value else []
        for element in elements:
            payload = {name: part for name, part in element.items() if name != "value"}
            folded = fold_complex(attribute, payload)
            found.setdefault(attribute.storage_key, {})[element["value"]] = (payload, folded)
    return _without(document, attributes), found


def put_references(resource: Resource, resource_type: ResourceType) -> Document:
    """Return a loaded resource's document with its single-source references, as clients write them."""
    document = dict(resource.document)
    for attribute in resource_type.references_of(ReferenceKind.SINGLE_SOURCE):
        values = resource.references.get(attribute.storage_key)
        if not values:
            continue
        elements = [{"value": value.target, **(value.payload or {})} for value in values]
        value: Any = elements if attribute.multi_valued else elements[0]
        if attribute.extension is None:
            document[attribute.name] = value
        else:
            document[attribute.extension] = {**document.get(attribute.extension, {}), attribute.name: value}
    return document


def unique_keys(document: Document, resource_type: ResourceType) -> set[tuple[str, str]]:
    """Return path and folded value of every unique attribute a document has."""
    keys: set[tuple[str, str]] = set()
    for attribute in resource_type.unique_attributes:
        value = value_of(document, attribute)
        for item in value if isinstance(value, list) else [value]:
            if item is not None:
                keys.add((attribute.path, str(fold(attribute, item))))
    return keys


def display_of(document: Document, resource_type: ResourceType) -> str | None:
    """Return what people call the resource."""
    for name in (resource_type.display_attribute, *DISPLAY_NAMES):
        value = document.get(name)
        if isinstance(value, str):
            return value
    return None


def value_of(document: Document, attribute: Attribute) -> Any:
    """Return the value of a top-level or extension attribute, None where there is none."""
    holder = document if attribute.extension is None else document.get(attribute.extension, {})
    return holder.get(attribute.name)


def _without(document: Document, attributes: Iterable[Attribute]) -> Document:
    result = dict(document)
    for attribute in attributes:
        if attribute.extension is None:
            result.pop(attribute.name, None)
        elif attribute.name in result.get(attribute.extension, {}):
            content = {
                name: value for name, value in result[attribute.extension].items() if name != attribute.name
            }
            if content:
                result[attribute.extension] = content
            else:
                del result[attribute.extension]
    return result
