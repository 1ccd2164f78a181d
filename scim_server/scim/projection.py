"""Which attributes a response carries: returned characteristics, attributes, excludedAttributes."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from scim_server.scim.attributes import Attribute
from scim_server.scim.errors import InvalidValue
from scim_server.scim.policy import Policy
from scim_server.scim.registry import ResourceType

_NAME = re.compile(r"[A-Za-z$][\w$.:-]*", re.ASCII)
_VALUE_FILTER = re.compile(r"\[[^\[\]]*\]")


@dataclass(frozen=True, slots=True)
class Projection:
    """The choice of attributes for one resource type (RFC 7644 §3.9, RFC 7643 §7 `returned`).

    `included` is None where the client named no attributes. Both hold lower-case paths. `quiet` are
    extensions that a client sees only where it names them.
    """

    resource_type: ResourceType
    included: frozenset[str] | None = None
    excluded: frozenset[str] = frozenset()
    quiet: frozenset[str] = frozenset()
    _kept: dict[Attribute, bool] = field(default_factory=dict)
    _whole: dict[Attribute, bool] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        resource_type: ResourceType,
        attributes: Iterable[str] = (),
        excluded_attributes: Iterable[str] = (),
        policy: Policy | None = None,
    ) -> "Projection":
        """Return the projection for the two lists as clients send them; unknown names are passed over.

        Raises InvalidValue where both are given: they are mutually exclusive (RFC 7644 §3.9).
        """
        policy = policy or Policy()
        names, excluded = tuple(attributes), tuple(excluded_attributes)
        if not names and not excluded:
            return _unasked(resource_type, quiet=policy.quiet_extensions)
        return cls._asked(resource_type, names, excluded, policy)

    @classmethod
    def _asked(
        cls,
        resource_type: ResourceType,
        attributes: tuple[str, ...],
        excluded_attributes: tuple[str, ...],
        policy: Policy,
    ) -> "Projection":
        included = _paths(resource_type, attributes, policy)
        stated = any(name.strip() for name in attributes)
        if stated and any(name.strip() for name in excluded_attributes):
            raise InvalidValue("attributes and excludedAttributes cannot be given together.")
        excluded = _paths(resource_type, excluded_attributes, policy)
        quiet = resource_type.quiet_extensions if policy.quiet_extensions else frozenset[str]()
        return cls(resource_type, included if stated else None, excluded, quiet)

    @property
    def is_default(self) -> bool:
        """Whether the client asked for nothing in particular."""
        return self.included is None and not self.excluded

    def keeps(self, attribute: Attribute) -> bool:
        """Tell whether a response shows an attribute, or for a complex one any part of it."""
        kept = self._kept.get(attribute)
        if kept is None:
            kept = self._kept[attribute] = self._decide(attribute, attribute.path.lower())
        return kept

    def _decide(self, attribute: Attribute, path: str) -> bool:
        if attribute.returned == "always":
            return True
        if attribute.returned == "never" or self._covers(self.excluded, attribute):
            return False
        if self.included is None:
            return attribute.returned == "default" and (attribute.extension or "").lower() not in self.quiet
        if self._covers(self.included, attribute):
            return attribute.parent is None or attribute.returned == "default" or path in self.included
        return any(sub.path.lower() in self.included for sub in attribute.sub_attributes.values())

    def _covers(self, paths: frozenset[str], attribute: Attribute) -> bool:
        return (
            attribute.path.lower() in paths
            or attribute.container.path.lower() in paths
            or (attribute.extension or "\x00").lower() in paths
        )

    def apply(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        """Return the part of a rendered resource that the response shows."""
        shown: dict[str, Any] = {}
        for key, value in resource.items():
            extension = self.resource_type.extension(key) if ":" in key else None
            if extension is None:
                self._show(shown, self.resource_type.attributes, key, value)
                continue
            content: dict[str, Any] = {}
            for name, item in value.items():
                self._show(content, extension.attributes, name, item)
            if content:
                shown[key] = content
        if "schemas" in shown:
            shown["schemas"] = [
                urn for urn in shown["schemas"] if urn in shown or self._is_known(urn, resource.get(urn))
            ]
        return shown

    def _is_known(self, urn: str, content: Mapping[str, Any] | None) -> bool:
        """Tell whether a schema is named although none of its attributes is shown.

        An extension is passed over where all of it is returned on request only.
        """
        extension = self.resource_type.extension(urn)
        if extension is None or content is None:
            return True
        if urn.lower() in self.quiet:
            return False
        stated = (extension.attributes.get(name.lower()) for name in content)
        return any(attribute is not None and attribute.returned != "request" for attribute in stated)

    def _show(
        self, shown: dict[str, Any], attributes: Mapping[str, Attribute], name: str, value: Any
    ) -> None:
        """Add an attribute to what is shown, as far as it is."""
        attribute = attributes.get(name.lower())
        if attribute is None or not self.keeps(attribute):
            return
        kept = value if self._is_whole(attribute) else self._value(attribute, value)
        if kept or not isinstance(kept, dict | list):
            shown[name] = kept

    def _is_whole(self, attribute: Attribute) -> bool:
        """Tell whether every part of an attribute that is shown is shown."""
        whole = self._whole.get(attribute)
        if whole is None:
            whole = all(self.keeps(sub) for sub in attribute.sub_attributes.values())
            self._whole[attribute] = whole
        return whole

    def _value(self, attribute: Attribute, value: Any) -> Any:
        if not attribute.sub_attributes:
            return value
        if isinstance(value, list):
            return [part for part in (self._complex(attribute, item) for item in value) if part]
        return self._complex(attribute, value)

    def _complex(self, attribute: Attribute, value: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: item
            for name, item in value.items()
            if (sub := attribute.sub(name)) is not None and self.keeps(sub)
        }


@lru_cache(maxsize=256)
def _unasked(resource_type: ResourceType, *, quiet: bool) -> Projection:
    """Return what is shown to a client that asks for nothing in particular; what it decided is kept."""
    return Projection(resource_type, quiet=resource_type.quiet_extensions if quiet else frozenset())


def _paths(resource_type: ResourceType, names: Iterable[str], policy: Policy) -> frozenset[str]:
    paths = set()
    for text in names:
        name = text.strip()
        if policy.value_paths_in_attributes:
            name = _VALUE_FILTER.sub("", name)
        if name and _NAME.fullmatch(name) is None:
            raise InvalidValue(f"{name[:120]!r} is not the name of an attribute.")
        attribute = resource_type.resolve(name)
        if attribute is not None:
            paths.add(attribute.path.lower())
        elif resource_type.extension(name) is not None:
            paths.add(name.lower())
        elif name.lower() == resource_type.schema.id.lower():
            paths |= {attribute.path.lower() for attribute in resource_type.schema.attributes.values()}
    return frozenset(paths)
