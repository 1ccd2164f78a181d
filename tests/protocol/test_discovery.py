"""The discovery endpoints (RFC 7644 §4, RFC 7643 §5 to §7, RFC 9865 §4)."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.protocol.messages import ENTERPRISE, GROUP, LIST_RESPONSE, USER, Json, accepted, refused
from tests.support.client import ScimClient

SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"
RESOURCE_TYPE = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
SERVICE_PROVIDER_CONFIG = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
ENDPOINTS = ("/Schemas", "/ResourceTypes", "/ServiceProviderConfig")


def definitions(attributes: list[Json]) -> Iterator[Json]:
    for attribute in attributes:
        yield attribute
        yield from definitions(attribute.get("subAttributes", []))


def named(attributes: list[Json], name: str) -> Json:
    return {each["name"]: each for each in attributes}[name]


async def attribute(scim: ScimClient, schema: str, name: str) -> Json:
    return named((await scim.read(f"/Schemas/{schema}"))["attributes"], name)


async def test_the_service_provider_configuration_states_every_capability(scim: ScimClient) -> None:
    body = await scim.read("/ServiceProviderConfig")
    assert body["schemas"] == [SERVICE_PROVIDER_CONFIG]
    assert body["patch"] == {"supported": True}
    assert body["bulk"] == {"supported": True, "maxOperations": 1000, "maxPayloadSize": 10 * 1024 * 1024}
    assert body["filter"] == {"supported": True, "maxResults": 1000}
    assert body["sort"] == {"supported": True}
    assert body["etag"] == {"supported": True}
    assert set(body["changePassword"]) == {"supported"}


async def test_both_ways_of_paging_are_advertised(scim: ScimClient) -> None:
    body = await scim.read("/ServiceProviderConfig")
    assert body["pagination"] == {
        "cursor": True,
        "index": True,
        "defaultPaginationMethod": "index",
        "defaultPageSize": 100,
        "maxPageSize": 1000,
        "cursorTimeout": 3600,
    }


async def test_the_authentication_schemes_name_the_bearer_token(scim: ScimClient) -> None:
    schemes = (await scim.read("/ServiceProviderConfig"))["authenticationSchemes"]
    assert "oauthbearertoken" in {scheme["type"] for scheme in schemes}
    assert all(scheme["name"] and scheme["description"] for scheme in schemes)


async def test_the_service_provider_configuration_needs_no_token(scim: ScimClient) -> None:
    response = await scim.request("GET", "/ServiceProviderConfig", headers={"Authorization": None})
    assert accepted(response)["schemas"] == [SERVICE_PROVIDER_CONFIG]


@pytest.mark.parametrize("path", ["/Schemas", "/ResourceTypes", f"/Schemas/{USER}", "/ResourceTypes/User"])
async def test_schemas_and_resource_types_need_a_token(scim: ScimClient, path: str) -> None:
    refused(await scim.request("GET", path, headers={"Authorization": None}), 401)


async def test_schemas_are_one_list_response_of_all_of_them(scim: ScimClient) -> None:
    body = await scim.read("/Schemas")
    assert body["schemas"] == [LIST_RESPONSE]
    assert body["totalResults"] == body["itemsPerPage"] == len(body["Resources"])
    assert body["startIndex"] == 1
    assert {USER, GROUP, ENTERPRISE} <= {schema["id"] for schema in body["Resources"]}


async def test_each_schema_of_the_list_reads_the_same_on_its_own(scim: ScimClient) -> None:
    for schema in (await scim.read("/Schemas"))["Resources"]:
        assert await scim.read(f"/Schemas/{schema['id']}") == schema


async def test_a_schema_says_what_and_where_it_is(scim: ScimClient) -> None:
    body = await scim.read(f"/Schemas/{ENTERPRISE}")
    assert body["schemas"] == [SCHEMA]
    assert body["id"] == ENTERPRISE
    assert body["name"]
    assert body["description"]
    assert body["meta"]["resourceType"] == "Schema"
    assert body["meta"]["location"] == f"{scim.base_url}/Schemas/{ENTERPRISE}"


async def test_every_attribute_states_its_characteristics(scim: ScimClient) -> None:
    characteristics = {"name", "type", "multiValued", "description", "required", "mutability", "returned"}
    incomplete = [
        (schema["id"], each["name"])
        for schema in (await scim.read("/Schemas"))["Resources"]
        for each in definitions(schema["attributes"])
        if not characteristics <= set(each) or (each["type"] == "string" and "caseExact" not in each)
    ]
    assert incomplete == []


async def test_every_characteristic_has_a_value_of_the_standard(scim: ScimClient) -> None:
    found: dict[str, set[str]] = {"type": set(), "mutability": set(), "returned": set(), "uniqueness": set()}
    for schema in (await scim.read("/Schemas"))["Resources"]:
        for each in definitions(schema["attributes"]):
            for characteristic, values in found.items():
                if characteristic in each:
                    values.add(each[characteristic])
    assert found["type"] <= {
        "string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex",
    }  # fmt: skip
    assert found["mutability"] <= {"readOnly", "readWrite", "immutable", "writeOnly"}
    assert found["returned"] <= {"always", "never", "default", "request"}
    assert found["uniqueness"] <= {"none", "server", "global"}


async def test_user_name_is_required_unique_and_in_any_case(scim: ScimClient) -> None:
    found = await attribute(scim, USER, "userName")
    assert (found["required"], found["uniqueness"], found["caseExact"]) == (True, "server", False)


async def test_the_password_is_written_and_never_returned(scim: ScimClient) -> None:
    found = await attribute(scim, USER, "password")
    assert (found["mutability"], found["returned"]) == ("writeOnly", "never")


async def test_the_groups_of_a_user_are_read_only(scim: ScimClient) -> None:
    assert (await attribute(scim, USER, "groups"))["mutability"] == "readOnly"


async def test_the_value_of_a_member_is_immutable(scim: ScimClient) -> None:
    members = await attribute(scim, GROUP, "members")
    assert named(members["subAttributes"], "value")["mutability"] == "immutable"


async def test_the_manager_refers_to_a_user(scim: ScimClient) -> None:
    manager = await attribute(scim, ENTERPRISE, "manager")
    assert named(manager["subAttributes"], "$ref")["referenceTypes"] == ["User"]


async def test_an_unknown_schema_is_not_found(scim: ScimClient) -> None:
    refused(await scim.get("/Schemas/urn:example:nothing"), 404)


async def test_resource_types_are_one_list_response_of_all_of_them(scim: ScimClient) -> None:
    body = await scim.read("/ResourceTypes")
    assert body["schemas"] == [LIST_RESPONSE]
    assert body["totalResults"] == body["itemsPerPage"] == len(body["Resources"])
    assert {"User", "Group"} <= {resource_type["name"] for resource_type in body["Resources"]}


async def test_the_user_resource_type_names_its_schema_and_extension(scim: ScimClient) -> None:
    body = await scim.read("/ResourceTypes/User")
    assert body["schemas"] == [RESOURCE_TYPE]
    assert (body["id"], body["name"], body["endpoint"], body["schema"]) == ("User", "User", "/Users", USER)
    assert {"schema": ENTERPRISE, "required": False} in body["schemaExtensions"]
    assert body["meta"]["resourceType"] == "ResourceType"
    assert body["meta"]["location"] == f"{scim.base_url}/ResourceTypes/User"


async def test_each_resource_type_of_the_list_reads_the_same_on_its_own(scim: ScimClient) -> None:
    for resource_type in (await scim.read("/ResourceTypes"))["Resources"]:
        assert await scim.read(f"/ResourceTypes/{resource_type['id']}") == resource_type


async def test_every_schema_a_resource_type_names_is_published(scim: ScimClient) -> None:
    published = {schema["id"] for schema in (await scim.read("/Schemas"))["Resources"]}
    for resource_type in (await scim.read("/ResourceTypes"))["Resources"]:
        extensions = {each["schema"] for each in resource_type.get("schemaExtensions", [])}
        assert {resource_type["schema"], *extensions} <= published


async def test_every_endpoint_of_a_resource_type_answers(scim: ScimClient) -> None:
    for resource_type in (await scim.read("/ResourceTypes"))["Resources"]:
        assert (await scim.read(resource_type["endpoint"]))["schemas"] == [LIST_RESPONSE]


async def test_an_unknown_resource_type_is_not_found(scim: ScimClient) -> None:
    refused(await scim.get("/ResourceTypes/Nothing"), 404)


@pytest.mark.parametrize("path", ENDPOINTS)
async def test_discovery_refuses_a_filter(scim: ScimClient, path: str) -> None:
    refused(await scim.get(path, filter='id eq "User"'), 403)


@pytest.mark.parametrize("path", ENDPOINTS)
async def test_discovery_refuses_to_sort(scim: ScimClient, path: str) -> None:
    refused(await scim.get(path, sortBy="id"), 403)


@pytest.mark.parametrize("path", ENDPOINTS)
async def test_discovery_ignores_paging(scim: ScimClient, path: str) -> None:
    paged = accepted(await scim.get(path, startIndex=2, count=1))
    assert paged == await scim.read(path)


async def test_every_location_of_discovery_leads_to_the_document(scim: ScimClient) -> None:
    documents = [await scim.read("/ServiceProviderConfig")]
    documents += (await scim.read("/ResourceTypes"))["Resources"]
    documents += (await scim.read("/Schemas"))["Resources"]
    for document in documents:
        path = str(httpx2.URL(document["meta"]["location"])).removeprefix(scim.base_url)
        assert await scim.read(path) == document


async def test_what_clients_can_do_with_a_type_is_no_part_of_discovery(scim: ScimClient) -> None:
    body = await scim.read("/ResourceTypes/AuditEvent")
    assert body.keys() == {
        "schemas", "id", "name", "endpoint", "description", "schema", "schemaExtensions", "meta",
    }  # fmt: skip
