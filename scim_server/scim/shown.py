"""A resource as clients see it by default, made at writing: JSON in pieces that reading puts together.

Decoding, projecting and encoding a user takes ten times as long as reading its row does
(docs/performance.md). What only the reader knows has a place of its own: the base URL stands as one
control character, which JSON never contains as such, and the groups come between two pieces.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from scim_server.scim.documents import encode
from scim_server.scim.policy import Policy
from scim_server.scim.projection import Projection
from scim_server.scim.registry import Registry
from scim_server.scim.resources import Renderer, Resource, etag

BASE_URL = "\x01"
"""Stands for the base URL in what is stored."""
_ENCODED = "\\u0001"
_BETWEEN = "\x1e"
_HEAD = ("schemas", "id", "meta")
_QUIET, _LOUD = Policy(quiet_extensions=True), Policy()


class Shown(NamedTuple):
    """A resource in stored pieces; `groups` is the JSON of the groups it is in, empty for none."""

    type: str
    id: str
    version: int
    stored: str
    groups: str = ""

    @property
    def etag(self) -> str:
        """The weak entity tag of this version (RFC 7644 §3.14)."""
        return etag(self.version)

    def is_made_under(self, catalogue_version: int) -> bool:
        """Tell whether the pieces were made under a version of the catalogue."""
        return self.stored.endswith(made_under(catalogue_version))

    def json(self, base_url: str, *, is_quiet: bool) -> str:
        """Return the JSON form for a base URL; a quiet client does not see quiet extensions."""
        return _joined((self,), is_quiet=is_quiet).replace(BASE_URL, base_url)


def pieces(resource: Resource, registry: Registry, computed_under: int) -> str | None:
    """Return what is stored for a resource with its references, whose targets are all known.

    None where a text of it has the character that stands for the base URL.
    """
    rendered = Renderer(registry, BASE_URL).render(resource)
    kind = registry.resource_types[resource.type]
    loud = Projection.of(kind, policy=_LOUD).apply(rendered)
    is_quiet = all(
        kind.extension(name) is None or name.lower() not in kind.quiet_extensions for name in rendered
    )
    quiet = loud if is_quiet else Projection.of(kind, policy=_QUIET).apply(rendered)
    further = {name: value for name, value in loud.items() if name not in quiet}
    urns = [urn for urn in loud["schemas"] if urn not in quiet["schemas"]]
    if _ENCODED in _text([resource.document, list(resource.references.values())]):
        return None
    parts = (
        _bare(quiet["schemas"]),
        "".join(f",{_text(urn)}" for urn in urns),
        _members(quiet),
        _members(further),
        f',"meta":{_text(rendered["meta"])}',
        str(computed_under),
    )
    return _BETWEEN.join(parts).replace(_ENCODED, BASE_URL)


def joined(resources: Iterable[Shown], base_url: str, *, is_quiet: bool) -> str:
    """Return the JSON array of resources."""
    return f"[{_joined(resources, is_quiet=is_quiet)}]".replace(BASE_URL, base_url)


def made_under(catalogue_version: int) -> str:
    """Return how what was made under a version of the catalogue ends."""
    return f"{_BETWEEN}{catalogue_version}"


def _joined(resources: Iterable[Shown], *, is_quiet: bool) -> str:
    texts = []
    for _, own_id, _, stored, memberships in resources:
        schemas, further_schemas, members, further, meta, _ = stored.split(_BETWEEN)
        groups = f',"groups":{memberships}' if memberships else ""
        if is_quiet:
            texts.append(f'{{"schemas":[{schemas}],"id":"{own_id}"{members}{groups}{meta}}}')
        else:
            texts.append(
                f'{{"schemas":[{schemas}{further_schemas}],"id":"{own_id}"{members}{further}{groups}{meta}}}'
            )
    return ",".join(texts)


def _members(document: dict[str, Any]) -> str:
    kept = {name: value for name, value in document.items() if name not in _HEAD}
    return f",{_bare(kept)}" if kept else ""


def _bare(value: Any) -> str:
    """Return JSON without its outer brackets."""
    return _text(value)[1:-1]


def _text(value: Any) -> str:
    return encode(value).decode()
