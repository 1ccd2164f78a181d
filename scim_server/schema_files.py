"""Schema and resource type documents read from folders of JSON files."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from scim_server.scim.attributes import SchemaError
from scim_server.scim.registry import Registry, extension_entries

BUILT_IN = Path(__file__).resolve().parent.parent / "schemas"
RESOURCE_TYPES = "resource_types.json"
_FIXED = ("schema", "endpoint", "operations")
"""What a resource type keeps when a further folder adds to it."""


def load_registry(folders: Iterable[Path] = ()) -> Registry:
    """Return the registry of the built-in schemas and those of further folders.

    A folder holds `resource_types.json`, a list of resource types, and any number of other JSON
    files, each a schema or a list of schemas, also in subfolders. A resource type of a further
    folder that has the name of an earlier one adds its extensions to it and may describe it anew;
    nothing that was there is lost. Raises SchemaError naming the file.
    """
    schemas: list[Mapping[str, Any]] = []
    resource_types: dict[str, Mapping[str, Any]] = {}
    for folder in (BUILT_IN, *folders):
        if not folder.is_dir():
            raise SchemaError(f"schema folder {folder} is not there")
        for file in sorted(folder.rglob("*.json")):
            documents = _documents(file)
            if file.name == RESOURCE_TYPES:
                _add_resource_types(resource_types, documents, file)
            elif any("endpoint" in document for document in documents):
                raise SchemaError(f"{file} holds a resource type; those belong into {RESOURCE_TYPES}")
            else:
                schemas += documents
    return Registry(schemas, resource_types.values())


def _add_resource_types(
    known: dict[str, Mapping[str, Any]], documents: Iterable[Mapping[str, Any]], file: Path
) -> None:
    for document in documents:
        name = str(document.get("name"))
        known[name] = _merged(known[name], document, file) if name in known else document


def _merged(earlier: Mapping[str, Any], further: Mapping[str, Any], file: Path) -> Mapping[str, Any]:
    for key in _FIXED:
        if key in further and further[key] != earlier.get(key):
            raise SchemaError(f"{file}: {key} of the resource type {earlier['name']} cannot be another one")
    before = {entry["schema"].lower(): entry for entry in extension_entries(earlier)}
    for entry in extension_entries(further):
        known = before.get(entry["schema"].lower(), entry)
        if bool(entry.get("private")) != bool(known.get("private")):
            raise SchemaError(
                f"{file}: {entry['schema']} is private in every folder that names it, or in none"
            )
    if further.get("private") and not earlier.get("private"):
        raise SchemaError(f"{file}: the resource type {earlier['name']} is for every tenant")
    entries = (*before.values(), *extension_entries(further))
    return {
        **earlier,
        "description": further.get("description", earlier.get("description", "")),
        "schemaExtensions": list({entry["schema"].lower(): entry for entry in entries}.values()),
    }


def _documents(file: Path) -> list[Mapping[str, Any]]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SchemaError(f"{file} is not valid JSON: {error}") from error
    documents = content if isinstance(content, list) else [content]
    if not all(isinstance(document, dict) for document in documents):
        raise SchemaError(f"{file} must hold JSON objects")
    return documents
