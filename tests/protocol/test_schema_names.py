"""Roles and entitlements under Okta's URNs for clients of that dialect, and of no other."""

import pytest

from tests.protocol.messages import Connect, Json, accepted, listed, operation, patch, refused
from tests.support.client import ScimClient

STANDARD = "urn:ietf:params:scim:schemas:core:2.0"
OKTA = "urn:okta:scim:schemas:core:1.0"
ENDPOINTS = {"Role": "/Roles", "Entitlement": "/Entitlements"}
OTHERS = ["entra", "generic", "strict"]


def body(urn: str, value: str) -> Json:
    return {"schemas": [urn], "value": value, "displayName": value.title(), "supported": True}


async def published(client: ScimClient) -> set[str]:
    return {schema["id"] for schema in (await client.read("/Schemas"))["Resources"]}


@pytest.fixture
async def okta(connect: Connect) -> ScimClient:
    """Give a client of the Okta dialect."""
    return await connect("okta", profile="admin")


@pytest.mark.parametrize("name", ENDPOINTS)
async def test_the_resource_type_names_the_urn_of_the_client(
    okta: ScimClient, scim: ScimClient, name: str
) -> None:
    theirs, ours = await okta.read(f"/ResourceTypes/{name}"), await scim.read(f"/ResourceTypes/{name}")
    assert (theirs["schema"], ours["schema"]) == (f"{OKTA}:{name}", f"{STANDARD}:{name}")
    assert {**theirs, "schema": ours["schema"]} == ours


@pytest.mark.parametrize("name", ENDPOINTS)
async def test_the_schema_is_the_same_under_both_urns(okta: ScimClient, scim: ScimClient, name: str) -> None:
    theirs = await okta.read(f"/Schemas/{OKTA}:{name}")
    ours = await scim.read(f"/Schemas/{STANDARD}:{name}")
    assert theirs["id"] == f"{OKTA}:{name}"
    assert theirs["meta"]["location"] == f"{okta.base_url}/Schemas/{OKTA}:{name}"
    assert theirs["attributes"] == ours["attributes"]


async def test_a_client_sees_each_schema_under_one_urn(okta: ScimClient, scim: ScimClient) -> None:
    theirs, ours = await published(okta), await published(scim)
    assert theirs - ours == {f"{OKTA}:Role", f"{OKTA}:Entitlement"}
    assert ours - theirs == {f"{STANDARD}:Role", f"{STANDARD}:Entitlement"}


@pytest.mark.parametrize("dialect", OTHERS)
@pytest.mark.parametrize("name", ENDPOINTS)
async def test_other_clients_know_the_standard_only(connect: Connect, dialect: str, name: str) -> None:
    client = await connect(dialect, profile="admin")
    refused(await client.get(f"/Schemas/{OKTA}:{name}"), 404)
    assert (await client.read(f"/ResourceTypes/{name}"))["schema"] == f"{STANDARD}:{name}"


@pytest.mark.parametrize(("name", "endpoint"), ENDPOINTS.items())
async def test_a_resource_names_the_urn_of_the_client_that_reads_it(
    okta: ScimClient, scim: ScimClient, name: str, endpoint: str
) -> None:
    created = accepted(await okta.post(endpoint, body(f"{OKTA}:{name}", "auditor")), 201)
    path = f"{endpoint}/{created['id']}"
    assert created["schemas"] == (await okta.read(path))["schemas"] == [f"{OKTA}:{name}"]
    assert [each["schemas"] for each in await listed(okta, endpoint)] == [[f"{OKTA}:{name}"]]
    ours = await scim.read(path)
    assert ours["schemas"] == [f"{STANDARD}:{name}"]
    assert {**ours, "schemas": created["schemas"]} == created


@pytest.mark.parametrize("urn", [OKTA, STANDARD])
async def test_a_client_may_write_under_either_urn(okta: ScimClient, urn: str) -> None:
    created = accepted(await okta.post("/Roles", body(f"{urn}:Role", "auditor")), 201)
    path = f"/Roles/{created['id']}"
    replaced = accepted(await okta.put(path, {**body(f"{urn}:Role", "auditor"), "displayName": "Audit"}))
    assert (replaced["displayName"], replaced["schemas"]) == ("Audit", [f"{OKTA}:Role"])
    change = operation("replace", f"{urn}:Role:displayName", "Auditing")
    assert accepted(await patch(okta, path, change))["displayName"] == "Auditing"


@pytest.mark.parametrize("urn", [OKTA, STANDARD])
async def test_filters_and_projections_read_either_urn(okta: ScimClient, urn: str) -> None:
    created = accepted(await okta.post("/Roles", body(f"{OKTA}:Role", "auditor")), 201)
    found = await listed(
        okta, "/Roles", filter=f'{urn}:Role:value eq "auditor"', attributes=f"{urn}:Role:value"
    )
    assert found == [{"schemas": [f"{OKTA}:Role"], "id": created["id"], "value": "auditor"}]


async def test_a_client_without_leniency_writes_under_its_own_urn(connect: Connect) -> None:
    exact = await connect("okta", profile="admin", switches={"optional_schemas": False})
    accepted(await exact.post("/Roles", body(f"{OKTA}:Role", "auditor")), 201)
    error = refused(await exact.post("/Roles", body(f"{STANDARD}:Role", "reader")), 400, "invalidSyntax")
    assert error["detail"] == f"schemas does not name {OKTA}:Role."


async def test_a_strict_client_cannot_write_under_the_urn_of_another_dialect(connect: Connect) -> None:
    strict = await connect("strict", profile="admin")
    refused(await strict.post("/Roles", body(f"{OKTA}:Role", "auditor")), 400, "invalidSyntax")


async def test_governance_stands_beside_the_urn_of_the_client(okta: ScimClient) -> None:
    governance = "urn:scim-server:schemas:extension:2.0:Role"
    role = {**body(f"{OKTA}:Role", "auditor"), governance: {"riskLevel": "low"}}
    assert accepted(await okta.post("/Roles", role), 201)["schemas"] == [f"{OKTA}:Role", governance]
