"""Schema and resource type documents read from folders of JSON files."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from scim_server.scim.attributes import SchemaError
from scim_server.scim.registry import Registry

BUILT_IN = Path(__file__).resolve().parent.parent / "schemas"
RESOURCE_TYPES = "resource_types.json"


def load_registry(folders: Iterable[Path] = ()) -> Registry:
    """Return the registry of the built-in schemas and those of further folders.

    A folder holds `resource_types.json`, a list of resource types, and any number of other JSON
    files, each a schema or a list of schemas, also in subfolders. A resource type of a further
    folder that has the name of an earlier one replaces it, which is how an extension is added to
    User. Raises SchemaError naming the file.
    """
    schemas: list[Mapping[str, Any]] = []
    resource_types: dict[str, Mapping[str, Any]] = {}
    for folder in (BUILT_IN, *folders):
        if not folder.is_dir():
            raise SchemaError(f"schema folder {folder} is not there")
        for file in sorted(folder.rglob("*.json")):
            documents = _documents(file)
            if file.name == RESOURCE_TYPES:
                resource_types.update({str(document.get("name")): document for document in documents})
            elif any("endpoint" in document for document in documents):
                raise SchemaError(f"{file} holds a resource type; those belong into {RESOURCE_TYPES}")
            else:
                schemas += documents
    return Registry(schemas, resource_types.values())


def _documents(file: Path) -> list[Mapping[str, Any]]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SchemaError(f"{file} is not valid JSON: {error}") from error
    documents = content if isinstance(content, list) else [content]
    if not all(isinstance(document, dict) for document in documents):
        raise SchemaError(f"{file} must hold JSON objects")
    return documents
