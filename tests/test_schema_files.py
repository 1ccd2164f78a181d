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
    assert set(registry.endpoints) == {*load_registry().endpoints, "/Badges"}


@pytest.mark.parametrize(
    "further",
    [
        {"name": "User"},
        {"name": "User", "endpoint": "/Users", "schema": "urn:ietf:params:scim:schemas:core:2.0:User"},
        {"name": "User", "description": "Somebody"},
    ],
)
def test_a_resource_type_of_the_same_name_adds_its_extensions(
    tmp_path: Path, further: dict[str, Any]
) -> None:
    built_in = load_registry().resource_types["User"]
    document = {**further, "schemaExtensions": [{"schema": BADGE["id"]}]}
    user = load_registry([written(tmp_path, badge=BADGE, resource_types=[document])]).resource_types["User"]
    assert list(user.extensions) == [*built_in.extensions, BADGE["id"].lower()]
    assert user.description == further.get("description", built_in.description)
    assert (user.endpoint, user.schema.id) == (built_in.endpoint, built_in.schema.id)


def test_an_extension_that_is_named_again_is_there_once_and_as_said_last(tmp_path: Path) -> None:
    (name, *_) = load_registry().resource_types["User"].extensions.values()
    document = {"name": "User", "schemaExtensions": [{"schema": name.id, "required": True}]}
    user = load_registry([written(tmp_path, resource_types=[document])]).resource_types["User"]
    assert list(user.extensions) == list(load_registry().resource_types["User"].extensions)
    assert user.required_extensions == {name.id}


def test_folders_add_to_each_other(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    other = {**BADGE, "id": "urn:example:Other"}
    written(
        first, badge=BADGE, resource_types=[{"name": "User", "schemaExtensions": [{"schema": BADGE["id"]}]}]
    )
    written(
        second, other=other, resource_types=[{"name": "User", "schemaExtensions": [{"schema": other["id"]}]}]
    )
    extensions = load_registry([first, second]).resource_types["User"].extensions
    assert {BADGE["id"].lower(), other["id"].lower()} <= set(extensions)


@pytest.mark.parametrize(
    "change", [{"endpoint": "/People"}, {"schema": BADGE["id"]}, {"operations": ["read"]}]
)
def test_a_resource_type_that_is_there_cannot_become_another_one(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    folder = written(tmp_path, badge=BADGE, resource_types=[{"name": "User", **change}])
    with pytest.raises(
        SchemaError, match=rf"{RESOURCE_TYPES}: {next(iter(change))} of the resource type User"
    ):
        load_registry([folder])


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
