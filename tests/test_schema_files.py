"""Folders of schemas: what is read, and how a document that cannot be used is named."""

import json
from pathlib import Path
from typing import Any

import pytest

from scim_server.schema_files import RESOURCE_TYPES, load_registry
from scim_server.scim.attributes import SchemaError

BADGE: dict[str, Any] = {"id": "urn:example:Badge", "name": "Badge", "attributes": [{"name": "label"}]}
BADGES: dict[str, Any] = {"name": "Badge", "endpoint": "/Badges", "schema": "urn:example:Badge"}


def written(folder: Path, **files: Any) -> Path:
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    return folder


def test_a_folder_adds_a_resource_type(tmp_path: Path) -> None:
    registry = load_registry([written(tmp_path, badge=BADGE, resource_types=[BADGES])])
    assert set(registry.endpoints) == {"/Users", "/Groups", "/Badges"}


def test_a_resource_type_of_the_same_name_replaces_the_built_in_one(tmp_path: Path) -> None:
    user = {
        **load_registry().resource_types["User"].document,
        "schemaExtensions": [{"schema": BADGE["id"], "required": False}],
    }
    registry = load_registry([written(tmp_path, badge=BADGE, resource_types=[user])])
    assert registry.resource_types["User"].resolve("urn:example:Badge:label") is not None


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"badge": "{"}, "badge.json is not valid JSON"),
        ({"badge": [5]}, "badge.json must hold JSON objects"),
        ({"badge": BADGES}, f"those belong into {RESOURCE_TYPES}"),
        ({"resource_types": [BADGES]}, "schema urn:example:Badge is not defined"),
        ({"badge": {**BADGE, "attributes": [{"name": "label", "type": "text"}]}}, "label: type is 'text'"),
    ],
)
def test_a_document_that_cannot_be_used_is_named(tmp_path: Path, files: dict[str, Any], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        load_registry([written(tmp_path, **files)])


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="nowhere is not there"):
        load_registry([tmp_path / "nowhere"])
