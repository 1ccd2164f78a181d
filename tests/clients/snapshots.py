"""The observable state of a store before and after a request, and what differs."""

from typing import Any

from tests.support.client import ScimClient

Document = dict[str, Any]


async def totals(client: ScimClient) -> dict[str, int]:
    """Return how many resources each endpoint lists."""
    counts: dict[str, int] = {}
    for endpoint in ("/Users", "/Groups"):
        response = await client.request("GET", f"{endpoint}?count=0")
        counts[endpoint] = response.json()["totalResults"]
    return counts


async def snapshot(client: ScimClient, paths: dict[str, str]) -> dict[str, Document | None]:
    """Return the resource at each path by name, None where there is none."""
    documents: dict[str, Document | None] = {}
    for name, path in paths.items():
        response = await client.request("GET", path)
        if response.status_code not in (200, 404):
            raise AssertionError(f"GET {path} answered {response.status_code} {response.text!r}")
        documents[name] = _comparable(response.json()) if response.status_code == 200 else None
    return documents


def _comparable(document: Document) -> Document:
    """Reduce memberships to sorted ids: their order and display names are the server's to choose."""
    for attribute in ("members", "groups"):
        if attribute in document:
            document[attribute] = sorted(element["value"] for element in document[attribute])
    return document


def changed_attributes(before: Document, after: Document) -> set[str]:
    """Return the names of the attributes that differ; those of an extension as `URN/name`."""
    return {name for name in _names(before) | _names(after) if _value(before, name) != _value(after, name)}


def _names(document: Document) -> set[str]:
    names: set[str] = set()
    for name, value in document.items():
        if name.startswith("urn:"):
            names |= {f"{name}/{inner}" for inner in value}
        elif name != "meta":
            names.add(name)
    return names


def _value(document: Document, name: str) -> Any:
    if not name.startswith("urn:"):
        value = document.get(name)
        return sorted(value) if name == "schemas" and value else value
    urn, inner = name.split("/", 1)
    return document.get(urn, {}).get(inner)


def require_same_identity(before: Document, after: Document, name: str) -> None:
    """Raise AssertionError unless what the server assigned at creation is still the same."""
    kept = ("resourceType", "created", "location")
    if before["id"] != after["id"] or any(before["meta"][key] != after["meta"][key] for key in kept):
        raise AssertionError(f"{name} has become another resource: {before!r} -> {after!r}")
    if after["meta"]["lastModified"] < before["meta"]["lastModified"]:
        raise AssertionError(f"{name}: lastModified went back: {before!r} -> {after!r}")
