"""Resources with wrong, missing or incomplete `schemas`, and with attributes nobody knows."""

import pytest

from tests.clients.exchanges import (
    ENTERPRISE,
    EVERY_DIALECT,
    FRIENDLY,
    GROUP,
    USER,
    Connect,
    Document,
    call,
    new_user,
    patched,
    read,
)

ACME = "urn:ietf:params:scim:schemas:extension:acme:2.0:User"
WRONG: dict[str, Document] = {
    "missing": {},
    "empty": {"schemas": []},
    "scim-1": {"schemas": ["urn:scim:schemas:core:1.0"]},
    "malformed-extension": {"schemas": [USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0User"]},
    "unknown-extension": {"schemas": [USER, ACME]},
    "extension-only": {"schemas": [ENTERPRISE]},
}
ADSCIM = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("dialect", FRIENDLY)
async def test_wrong_schemas_of_a_user_are_put_right(connect: Connect, dialect: str, wrong: Document) -> None:
    client = await connect(dialect=dialect)
    body = {**wrong, "userName": "bo@corp.example", "title": "Clerk"}
    created = await call(client, "POST", "/Users", body)
    assert created.status_code == 201
    replaced = await call(client, "PUT", f"/Users/{created.json()['id']}", {**body, "title": "Surveyor"})
    assert replaced.status_code == 200
    assert created.json()["schemas"] == replaced.json()["schemas"] == [USER]
    assert (created.json()["title"], replaced.json()["title"]) == ("Clerk", "Surveyor")


@pytest.mark.parametrize("schemas", [[GROUP, ADSCIM], [ADSCIM], []], ids=["also", "only", "empty"])
async def test_wrong_schemas_of_a_group_are_put_right(connect: Connect, schemas: list[str]) -> None:
    client = await connect(dialect="entra")
    answer = await call(client, "POST", "/Groups", {"schemas": schemas, "displayName": "Design Guild"})
    assert answer.status_code == 201
    assert answer.json()["schemas"] == [GROUP]


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_the_strict_dialect_refuses_wrong_schemas(connect: Connect, wrong: Document) -> None:
    client = await connect(dialect="strict")
    answer = await call(client, "POST", "/Users", {**wrong, "userName": "bo@corp.example"})
    assert answer.status_code == 400
    assert (await read(client, "/Users"))["totalResults"] == 0


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("dialect", FRIENDLY)
async def test_extension_data_without_its_schema_is_kept_and_its_schema_listed(
    connect: Connect, dialect: str, method: str
) -> None:
    client = await connect(dialect=dialect)
    path = "/Users" if method == "POST" else await new_user(client)
    body = {"schemas": [USER], "userName": "bo@corp.example", ENTERPRISE: {"department": "Field"}}
    answer = await call(client, method, path, body)
    assert answer.is_success
    assert answer.json()[ENTERPRISE] == {"department": "Field"}
    assert sorted(answer.json()["schemas"]) == sorted([USER, ENTERPRISE])


async def test_the_strict_dialect_refuses_extension_data_without_its_schema(connect: Connect) -> None:
    client = await connect(dialect="strict")
    body = {"schemas": [USER], "userName": "bo@corp.example", ENTERPRISE: {"department": "Field"}}
    assert (await call(client, "POST", "/Users", body)).status_code == 400


@pytest.mark.parametrize("dialect", EVERY_DIALECT)
async def test_an_extension_leaves_schemas_with_its_last_value(connect: Connect, dialect: str) -> None:
    client = await connect(dialect=dialect)
    user = await new_user(client, **{ENTERPRISE: {"department": "Field"}})
    await patched(client, user, {"op": "remove", "path": f"{ENTERPRISE}:department"})
    after = await read(client, user)
    assert after["schemas"] == [USER]
    assert ENTERPRISE not in after


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("dialect", FRIENDLY)
async def test_unknown_attributes_of_a_body_are_ignored(connect: Connect, dialect: str, method: str) -> None:
    client = await connect(dialect=dialect)
    path = "/Users" if method == "POST" else await new_user(client)
    body = {
        "schemas": [USER],
        "userName": "bo@corp.example",
        "shoeSize": 43,
        "name": {"givenName": "Bo", "nick": "B"},
        ACME: {"badgeColor": "teal"},
    }
    answer = await call(client, method, path, body)
    assert answer.is_success
    assert answer.json()["name"] == {"givenName": "Bo"}
    assert not {"shoeSize", ACME} & answer.json().keys()
    assert answer.json()["schemas"] == [USER]


@pytest.mark.parametrize(
    "unknown", [{"shoeSize": 43}, {"name": {"nick": "B"}}, {ACME: {"badgeColor": "teal"}}]
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_the_strict_dialect_refuses_unknown_attributes(
    connect: Connect, method: str, unknown: Document
) -> None:
    client = await connect(dialect="strict")
    path = "/Users" if method == "POST" else await new_user(client, "ann@corp.example")
    answer = await call(client, method, path, {"schemas": [USER], "userName": "bo@corp.example", **unknown})
    assert answer.status_code == 400
    assert answer.json()["scimType"] == "invalidSyntax"
    assert (await read(client, '/Users?filter=userName eq "bo@corp.example"'))["totalResults"] == 0


async def test_attribute_names_are_read_in_any_case_and_answered_in_their_own(connect: Connect) -> None:
    client = await connect(dialect="strict")
    body = {
        "SCHEMAS": [USER, ENTERPRISE.lower()],
        "username": "bo@corp.example",
        "Name": {"GivenName": "Bo"},
        "EMAILS": [{"VALUE": "bo@corp.example", "Type": "work"}],
        ENTERPRISE.lower(): {"DEPARTMENT": "Field"},
    }
    answer = await call(client, "POST", "/Users", body)
    assert answer.status_code == 201
    created = answer.json()
    assert created["name"] == {"givenName": "Bo"}
    assert created["emails"] == [{"value": "bo@corp.example", "type": "work"}]
    assert created[ENTERPRISE] == {"department": "Field"}
    assert sorted(created["schemas"]) == sorted([USER, ENTERPRISE])
