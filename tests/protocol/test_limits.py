"""Limits on what one request may hold: each is answered with a status that says which one."""

import json
from typing import Any

import pytest

from scim_server.scim import normalize
from scim_server.scim.messages.query import MAX_NAMES, MAX_PARAMETERS
from scim_server.scim.patch.operations import MAX_OPERATIONS
from scim_server.scim.paths import MAX_LENGTH
from tests.protocol.messages import PATCH_OP, SEARCH_REQUEST, group, operation, refused
from tests.support.client import ScimClient


async def test_more_operations_of_a_patch_than_possible_are_413(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    operations = [operation("add", "title", "x")] * (MAX_OPERATIONS + 1)
    body = {"schemas": [PATCH_OP], "Operations": operations}
    error = refused(await scim.request("PATCH", f"/Users/{ann['id']}", json=body), 413)
    assert "at most 5000" in error["detail"]


async def test_more_values_than_possible_are_an_invalid_value(
    scim: ScimClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(normalize, "MAX_VALUES", 3)
    error = refused(await scim.post("/Groups", group("Guides", "1", "2", "3", "4")), 400, "invalidValue")
    assert error["detail"] == "members has 4 values; at most 3 are possible"


async def test_more_parameters_than_possible_are_an_invalid_value(scim: ScimClient) -> None:
    query = "&".join(f"x{number}=1" for number in range(MAX_PARAMETERS + 1))
    refused(await scim.get(f"/Users?{query}"), 400, "invalidValue")


@pytest.mark.parametrize("name", ["attributes", "excludedAttributes"])
async def test_more_names_of_attributes_than_possible_are_an_invalid_value(
    scim: ScimClient, name: str
) -> None:
    names = ["a"] * (MAX_NAMES + 1)
    refused(await scim.get("/Users", **{name: ",".join(names)}), 400, "invalidValue")
    body: dict[str, Any] = {"schemas": [SEARCH_REQUEST], name: names}
    refused(await scim.post("/Users/.search", body), 400, "invalidValue")


async def test_a_sort_by_longer_than_possible_is_an_invalid_path(scim: ScimClient) -> None:
    body = {"schemas": [SEARCH_REQUEST], "sortBy": "a" * (MAX_LENGTH + 1)}
    refused(await scim.post("/Users/.search", body), 400, "invalidPath")


@pytest.mark.parametrize(
    "filter_",
    [
        " or ".join(['userName eq "a"'] * 401),
        "not (" * 41 + 'userName eq "a"' + ")" * 41,
        'userName eq "' + "a" * 65_536 + '"',
    ],
    ids=["terms", "nesting", "length"],
)
async def test_a_filter_beyond_its_limits_is_an_invalid_filter(scim: ScimClient, filter_: str) -> None:
    body = {"schemas": [SEARCH_REQUEST], "filter": filter_}
    refused(await scim.post("/Users/.search", body), 400, "invalidFilter")


async def test_json_nested_deeper_than_possible_is_invalid_syntax(scim: ScimClient) -> None:
    content = json.dumps({"userName": "ann"})[:-1] + ',"x":' + "[" * 64 + "]" * 64 + "}"
    refused(await scim.request("POST", "/Users", content=content), 400, "invalidSyntax")
