"""Discovery documents."""

import pytest

from scim_server.scim.errors import NotFound
from scim_server.scim.messages import discovery
from scim_server.scim.messages.discovery import Limits
from tests.scim.samples import EXTRA_URN, PROBE_URN, REGISTRY

BASE = "https://x.test/scim/v2"


def test_the_configuration_advertises_the_limits() -> None:
    config = discovery.service_provider_config(BASE, Limits(11, 22, 33, 44, 55))
    assert config["bulk"] == {"supported": True, "maxOperations": 11, "maxPayloadSize": 22}
    assert config["filter"] == {"supported": True, "maxResults": 44}
    assert config["pagination"]["defaultPageSize"] == 33
    assert config["pagination"]["maxPageSize"] == 44
    assert config["pagination"]["cursorTimeout"] == 55


def test_one_authentication_scheme_is_the_primary_one() -> None:
    config = discovery.service_provider_config(BASE, Limits(1, 1, 1, 1, 1))
    assert [scheme.get("primary") for scheme in config["authenticationSchemes"]] == [True, None, None]


def test_a_resource_type_tells_its_extensions_and_where_it_is() -> None:
    shown = discovery.resource_type(REGISTRY, "Probe", BASE)
    assert shown["schemaExtensions"] == [{"schema": EXTRA_URN, "required": False}]
    assert shown["meta"] == {"resourceType": "ResourceType", "location": f"{BASE}/ResourceTypes/Probe"}
    assert shown["id"] == shown["name"] == "Probe"


def test_all_resource_types_are_listed() -> None:
    listed = discovery.resource_types(REGISTRY, BASE)
    assert [entry["name"] for entry in listed] == list(REGISTRY.resource_types)


def test_a_schema_is_found_in_any_case() -> None:
    assert discovery.schema(REGISTRY, PROBE_URN.upper(), BASE)["id"] == PROBE_URN


def test_all_schemas_are_listed_with_their_attributes() -> None:
    listed = {entry["id"]: entry for entry in discovery.schemas(REGISTRY, BASE)}
    assert listed.keys() == {document["id"] for document in REGISTRY.schemas.values()}
    assert listed[EXTRA_URN]["attributes"][0]["name"] == "level"


@pytest.mark.parametrize("name", ["probe", "", "Nothing"])
def test_an_unknown_resource_type_is_not_there(name: str) -> None:
    with pytest.raises(NotFound):
        discovery.resource_type(REGISTRY, name, BASE)


def test_an_unknown_schema_is_not_there() -> None:
    with pytest.raises(NotFound):
        discovery.schema(REGISTRY, "urn:x", BASE)
