"""A resource as a client sees it: document, references and meta put together."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from scim_server.scim.attributes import Attribute, ReferenceKind
from scim_server.scim.normalize import Document
from scim_server.scim.registry import Registry, ResourceType

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ReferenceValue:
    """One value of a reference attribute: the target, what is known of it, what the source says.

    `target_type` is None where nothing of that id is in the store. `kind` is direct or indirect
    for inverse references.
    """

    target: str
    target_type: str | None = None
    display: str | None = None
    payload: Mapping[str, Any] | None = None
    kind: str | None = None


@dataclass(slots=True)
class Resource:
    """A stored resource: canonical document plus the references that were loaded with it.

    Times are microseconds since 1970-01-01 UTC; `references` maps an attribute's storage key to
    its values. `boundaries` are the moments to come at which anything visible changes by itself,
    in their order; `version` and `modified` are those at the moment of reading. `stored_version`
    is the version of the row that was read, None for a resource that was not, and `is_timed` tells
    whether that row has boundaries, passed ones included.
    """

    type: str
    id: str
    version: int
    created: int
    modified: int
    document: Document
    references: dict[str, list[ReferenceValue]] = field(default_factory=dict)
    boundaries: tuple[int, ...] = ()
    stored_version: int | None = field(default=None, compare=False)
    is_timed: bool = field(default=False, compare=False)

    def effective_version(self, now: int) -> int:
        """Return the version at a moment: each boundary that has passed made one."""
        return self.version + bisect_right(self.boundaries, now)

    def effective_modified(self, now: int) -> int:
        """Return when the resource last changed at a moment, by a write or by itself."""
        passed = bisect_right(self.boundaries, now)
        return max(self.modified, self.boundaries[passed - 1]) if passed else self.modified

    @property
    def etag(self) -> str:
        """The weak entity tag of this version (RFC 7644 §3.14)."""
        return etag(self.version)


def etag(version: int) -> str:
    """Return the weak entity tag of a version number."""
    return f'W/"{version}"'


def timestamp(microseconds: int) -> str:
    """Return a stored time as an xsd:dateTime in UTC with milliseconds or microseconds."""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


class Renderer:
    """Builds the JSON form of resources for one base URL."""

    def __init__(self, registry: Registry, base_url: str) -> None:
        self.registry = registry
        self.base_url = base_url

    def location(self, resource_type: ResourceType, id: str) -> str:
        """Return the URL of a resource."""
        return f"{self.base_url}{resource_type.endpoint}/{id}"

    def render(self, resource: Resource) -> dict[str, Any]:
        """Return the whole resource with schemas, id, references and meta (RFC 7643 §3.1).

        An extension without data is not named in `schemas`.
        """
        resource_type = self.registry.resource_types[resource.type]
        document = dict(resource.document)
        for attribute in resource_type.references:
            values = resource.references.get(attribute.storage_key)
            if values:
                self._place(document, attribute, values)
        extensions = [schema.id for schema in resource_type.extensions.values() if document.get(schema.id)]
        rendered: dict[str, Any] = {"schemas": [resource_type.schema.id, *extensions], "id": resource.id}
        rendered.update(document)
        rendered["meta"] = {
            "resourceType": resource_type.name,
            "created": timestamp(resource.created),
            "lastModified": timestamp(resource.modified),
            "location": self.location(resource_type, resource.id),
            "version": resource.etag,
        }
        return rendered

    def _place(self, document: Document, attribute: Attribute, values: list[ReferenceValue]) -> None:
        rendered = [self._reference(attribute, value) for value in values]
        value = rendered if attribute.multi_valued else rendered[0]
        if attribute.extension is None:
            document[attribute.name] = value
        else:
            document[attribute.extension] = {**document.get(attribute.extension, {}), attribute.name: value}

    def _reference(self, attribute: Attribute, value: ReferenceValue) -> dict[str, Any]:
        rendered: dict[str, Any] = {"value": value.target}
        target_type = self.registry.resource_types.get(value.target_type or "")
        if target_type is not None:
            rendered["$ref"] = self.location(target_type, value.target)
            if value.display is not None:
                display = attribute.sub("display") or attribute.sub("displayName")
                if display is not None:
                    rendered[display.name] = value.display
            if attribute.reference_kind is ReferenceKind.MEMBERSHIP and attribute.sub("type"):
                rendered["type"] = target_type.name
        if value.kind is not None:
            rendered["type"] = value.kind
        if value.payload:
            rendered.update(value.payload)
        return rendered
