"""Required sub-attributes under PATCH: what is not stated stays, what is required cannot go."""

from typing import Any

import pytest

from scim_server.dialects import GENERIC
from scim_server.scim.errors import InvalidValue
from scim_server.scim.patch.apply import apply_patch
from scim_server.scim.patch.operations import Operation
from scim_server.scim.registry import Registry

URN = "urn:example:Place"
SPOT = {
    "name": "spot",
    "type": "complex",
    "subAttributes": [{"name": "row", "required": True}, {"name": "seat"}],
}
PLACE = Registry(
    [{"id": URN, "attributes": [SPOT, {**SPOT, "name": "spots", "multiValued": True}]}],
    [{"name": "Place", "endpoint": "/Places", "schema": URN}],
).resource_types["Place"]


def patched(document: dict[str, Any], name: str, path: str, value: Any = None) -> dict[str, Any]:
    operation = Operation(name, path, value, has_value=True)
    return apply_patch(document, [operation], PLACE, GENERIC, id="1").document


@pytest.mark.parametrize("path", ["spot.seat", "spot"])
def test_a_required_part_need_not_be_stated_again(path: str) -> None:
    value: Any = "2" if path == "spot.seat" else {"seat": "2"}
    assert patched({"spot": {"row": "A"}}, "replace", path, value) == {"spot": {"row": "A", "seat": "2"}}


def test_a_required_part_of_a_selected_value_need_not_be_stated_again() -> None:
    before = {"spots": [{"row": "A"}, {"row": "B"}]}
    assert patched(before, "replace", 'spots[row eq "B"].seat', "2") == {
        "spots": [{"row": "A"}, {"row": "B", "seat": "2"}]
    }


def test_a_required_part_cannot_be_removed_from_what_stays() -> None:
    with pytest.raises(InvalidValue, match=r"spot\.row is required"):
        patched({"spot": {"row": "A", "seat": "2"}}, "remove", "spot.row")


def test_a_value_without_its_required_part_is_not_added() -> None:
    with pytest.raises(InvalidValue, match=r"row is required"):
        patched({}, "add", "spots", [{"seat": "2"}])
