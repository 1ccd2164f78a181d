"""The core schemas state what RFC 7643 states; scim2-models is the second opinion."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from scim2_models import (
    EnterpriseUser,
    Extension,
    Group,
    Resource,
    ResourceType,
    Schema,
    ServiceProviderConfig,
    User,
)

FOLDER = Path(__file__).parents[2] / "schemas"
MODELS: dict[str, type[Resource[Any] | Extension]] = {
    "user": User,
    "group": Group,
    "enterprise_user": EnterpriseUser,
    "schema": Schema,
    "resource_type": ResourceType,
    "service_provider_config": ServiceProviderConfig,
}
COMPARED = [
    "type",
    "multiValued",
    "required",
    "caseExact",
    "mutability",
    "returned",
    "uniqueness",
    "canonicalValues",
    "referenceTypes",
]
ABSENT = "absent"

Facts = dict[tuple[str, str], Any]


class Deviation(NamedTuple):
    """Where a schema differs from scim2-models, and why."""

    attribute: str
    characteristic: str
    ours: Any
    theirs: Any
    reason: str


DEVIATIONS = {
    "user": [],
    "group": [
        Deviation(
            "displayName",
            "uniqueness",
            "server",
            "none",
            "connectors look groups up by name and expect 409 for a second one, so it is advertised",
        ),
        Deviation(
            "members.display",
            "mutability",
            "readOnly",
            "readWrite",
            "it is computed from the member; RFC 7643 §2.4 lets a sub-attribute be read-only",
        ),
        Deviation(
            "members.display",
            "returned",
            "request",
            "default",
            "clients that compare what they sent with what comes back see nothing they did not send",
        ),
    ],
    "enterprise_user": [
        Deviation(
            "employeeNumber",
            "uniqueness",
            "server",
            "none",
            "two users of one organization never have the same number, so it is advertised",
        ),
        Deviation(
            "manager.value", "required", False, True, "RFC 7643 §4.3 and §8.7.1 say RECOMMENDED, false"
        ),
        Deviation("manager.$ref", "required", False, True, "RFC 7643 §4.3 and §8.7.1 say RECOMMENDED, false"),
        Deviation(
            "manager.displayName",
            "returned",
            "request",
            "default",
            "clients that compare what they sent with what comes back see nothing they did not send",
        ),
    ],
    "schema": [
        Deviation("id", "type", ABSENT, "string", "id is a common attribute (RFC 7643 §3.1)"),
    ],
    "resource_type": [
        Deviation("id", "type", ABSENT, "string", "id is a common attribute (RFC 7643 §3.1)"),
        Deviation(
            "schemaExtensions", "required", False, True, "RFC 7643 §6 says OPTIONAL, only §8.7.2 says true"
        ),
    ],
    "service_provider_config": [
        Deviation("id", "type", ABSENT, "string", "id is a common attribute (RFC 7643 §3.1)"),
    ],
}


def load(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FOLDER / "core" / f"{name}.json").read_text(encoding="utf-8"))
    return document


def every(attributes: Iterable[dict[str, Any]], parent: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for attribute in attributes:
        path = f"{parent}.{attribute['name']}" if parent else attribute["name"]
        yield path, attribute
        yield from every(attribute.get("subAttributes") or (), path)


def facts(document: dict[str, Any]) -> Facts:
    return {
        (path, characteristic): attribute.get(characteristic)
        for path, attribute in every(document["attributes"])
        for characteristic in COMPARED
    }


def differences(ours: Facts, theirs: Facts) -> set[tuple[str, str, str, str]]:
    """Compare every characteristic; of an attribute only one side has, only the type is named."""
    found = set()
    for path, characteristic in ours.keys() | theirs.keys():
        one, other = (side.get((path, characteristic), ABSENT) for side in (ours, theirs))
        if one != other and (ABSENT not in (one, other) or characteristic == "type"):
            found.add((path, characteristic, repr(one), repr(other)))
    return found


@pytest.mark.parametrize("name", MODELS)
def test_a_core_schema_differs_from_scim2_models_only_where_a_reason_is_given(name: str) -> None:
    theirs = json.loads(MODELS[name].to_schema().model_dump_json())
    named = {
        (entry.attribute, entry.characteristic, repr(entry.ours), repr(entry.theirs))
        for entry in DEVIATIONS[name]
    }
    assert differences(facts(load(name)), facts(theirs)) == named


@pytest.mark.parametrize("name", MODELS)
def test_a_core_schema_has_the_id_of_the_standard(name: str) -> None:
    assert load(name)["id"] == MODELS[name].to_schema().id


def test_there_is_one_file_for_each_core_schema() -> None:
    assert {path.stem for path in (FOLDER / "core").glob("*.json")} == MODELS.keys()
