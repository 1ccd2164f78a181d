"""POST: creating a resource (RFC 7644 §3.3) under the characteristics of RFC 7643 §2.2 and §7."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.protocol.messages import (
    ENTERPRISE,
    GROUP,
    USER,
    Connect,
    Json,
    accepted,
    group,
    listed,
    refused,
    sent,
    user,
)
from tests.support.client import ScimClient

FULL: Json = {
    "schemas": [USER, ENTERPRISE],
    "userName": "bjensen@example.com",
    "externalId": "701984",
    "name": {
        "formatted": "Ms. Barbara J Jensen, III",
        "familyName": "Jensen",
        "givenName": "Barbara",
        "middleName": "Jane",
        "honorificPrefix": "Ms.",
        "honorificSuffix": "III",
    },
    "displayName": "Babs Jensen",
    "nickName": "Babs",
    "profileUrl": "https://login.example.com/bjensen",
    "emails": [
        {"value": "bjensen@example.com", "type": "work", "primary": True},
        {"value": "babs@jensen.org", "type": "home"},
    ],
    "addresses": [
        {
            "type": "work",
            "streetAddress": "100 Universal City Plaza",
            "locality": "Hollywood",
            "region": "CA",
            "postalCode": "91608",
            "country": "US",
            "formatted": "100 Universal City Plaza\nHollywood, CA 91608 USA",
            "primary": True,
        }
    ],
    "phoneNumbers": [{"value": "555-555-5555", "type": "work"}, {"value": "555-555-4444", "type": "mobile"}],
    "ims": [{"value": "someaimhandle", "type": "aim"}],
    "photos": [{"value": "https://photos.example.com/profilephoto/72930000000Ccne/F", "type": "photo"}],
    "userType": "Employee",
    "title": "Tour Guide",
    "preferredLanguage": "en-US",
    "locale": "en-US",
    "timezone": "America/Los_Angeles",
    "active": True,
    "entitlements": [{"value": "tour", "type": "app"}],
    "roles": [{"value": "guide", "primary": True}],
    "x509Certificates": [{"value": "MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAw"}],
    ENTERPRISE: {
        "employeeNumber": "701984",
        "costCenter": "4130",
        "organization": "Universal Studios",
        "division": "Theme Park",
        "department": "Tour Operations",
        "manager": {"value": "26118915-6090-4610-87e4-49d8ca9f808d"},
    },
}


async def test_the_least_user_is_answered_whole(scim: ScimClient) -> None:
    body = accepted(await scim.post("/Users", user("ann")), 201)
    assert body == {
        "schemas": [USER],
        "id": body["id"],
        "userName": "ann",
        "active": True,
        "meta": {
            "resourceType": "User",
            "created": body["meta"]["created"],
            "lastModified": body["meta"]["created"],
            "location": f"{scim.base_url}/Users/{body['id']}",
            "version": body["meta"]["version"],
        },
    }


async def test_the_least_group_is_answered_whole(scim: ScimClient) -> None:
    body = accepted(await scim.post("/Groups", group("Guides")), 201)
    assert {name: value for name, value in body.items() if name not in {"id", "meta"}} == {
        "schemas": [GROUP],
        "displayName": "Guides",
    }
    assert body["meta"]["resourceType"] == "Group"
    assert body["meta"]["location"] == f"{scim.base_url}/Groups/{body['id']}"


async def test_every_attribute_comes_back_as_it_was_sent(scim: ScimClient) -> None:
    body = accepted(await scim.post("/Users", FULL), 201)
    assert sent(body) == FULL


async def test_what_was_created_is_what_is_read(scim: ScimClient) -> None:
    created = accepted(await scim.post("/Users", FULL), 201)
    assert await scim.read(f"/Users/{created['id']}") == created
    assert await listed(scim, "/Users") == [created]


async def test_the_location_and_version_are_also_headers(scim: ScimClient) -> None:
    response = await scim.post("/Users", user("ann"))
    meta = accepted(response, 201)["meta"]
    assert response.headers["location"] == meta["location"]
    assert response.headers["etag"] == meta["version"]


async def test_the_times_are_the_clock_in_utc(scim: ScimClient) -> None:
    created = datetime.fromisoformat((await scim.create_user("ann"))["meta"]["created"])
    assert created.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - created) < timedelta(minutes=1)


async def test_what_only_the_server_may_write_is_ignored(scim: ScimClient) -> None:
    body = user("ann", id="mine", meta={"resourceType": "Cat"}, groups=[{"value": "g"}])
    created = accepted(await scim.post("/Users", body), 201)
    assert created["id"] != "mine"
    assert created["meta"]["resourceType"] == "User"
    assert "groups" not in created


async def test_a_password_is_never_returned(scim: ScimClient) -> None:
    created = accepted(await scim.post("/Users", user("ann", password="t1meMa$heen")), 201)
    path = f"/Users/{created['id']}"
    answers = [
        created,
        await scim.read(path),
        accepted(await scim.get(path, attributes="password")),
        accepted(await scim.get("/Users", attributes="password")),
        accepted(await scim.request("PUT", path, json=user("ann", password="An0ther$1"))),
    ]
    assert ["password" in str(answer) for answer in answers] == [False] * 5


@pytest.mark.parametrize("dialect", ["generic", "strict"])
@pytest.mark.parametrize("name", [{}, {"userName": None}, {"userName": ""}])
async def test_a_user_without_a_name_is_refused(connect: Connect, dialect: str, name: Json) -> None:
    scim = await connect(dialect=dialect)
    body = refused(await scim.post("/Users", {"schemas": [USER], **name}), 400, "invalidValue")
    assert "userName" in body["detail"]
    assert await listed(scim, "/Users") == []


async def test_a_group_without_a_name_is_refused(scim: ScimClient) -> None:
    body = refused(await scim.post("/Groups", {"schemas": [GROUP]}), 400, "invalidValue")
    assert "displayName" in body["detail"]


@pytest.mark.parametrize("taken", ["ann@example.com", "ANN@Example.com"])
async def test_a_user_name_is_taken_in_any_case(scim: ScimClient, taken: str) -> None:
    ann = await scim.create_user("ann@example.com")
    refused(await scim.post("/Users", user(taken)), 409, "uniqueness")
    assert await listed(scim, "/Users") == [ann]


@pytest.mark.parametrize("taken", ["Guides", "GUIDES"])
async def test_a_group_name_is_taken_in_any_case(scim: ScimClient, taken: str) -> None:
    guides = await scim.create_group("Guides")
    refused(await scim.post("/Groups", group(taken)), 409, "uniqueness")
    assert await listed(scim, "/Groups") == [guides]


async def test_an_external_id_may_be_shared(scim: ScimClient) -> None:
    await scim.create_user("ann", externalId="1")
    await scim.create_user("bob", externalId="1")
    assert len(await listed(scim, "/Users", filter='externalId eq "1"')) == 2


async def test_attribute_names_are_read_in_any_case(scim: ScimClient) -> None:
    body = {
        "SCHEMAS": [USER],
        "USERNAME": "ann",
        "Name": {"GIVENNAME": "Ann"},
        "emails": [{"Value": "ann@example.com", "TYPE": "work"}],
        ENTERPRISE.upper(): {"DEPARTMENT": "Tours"},
    }
    assert sent(accepted(await scim.post("/Users", body), 201)) == {
        "schemas": [USER, ENTERPRISE],
        "userName": "ann",
        "name": {"givenName": "Ann"},
        "emails": [{"value": "ann@example.com", "type": "work"}],
        "active": True,
        ENTERPRISE: {"department": "Tours"},
    }


async def test_null_and_empty_lists_are_unassigned(scim: ScimClient) -> None:
    body = user("ann", title=None, emails=[], name={"givenName": None}, phoneNumbers=None)
    assert sent(accepted(await scim.post("/Users", body), 201)) == {
        "schemas": [USER],
        "userName": "ann",
        "active": True,
    }


@pytest.mark.parametrize(
    "attributes",
    [
        {"name": "Ann"},
        {"active": "perhaps"},
        {"active": 1},
        {"title": 5},
        {"title": {"value": "Guide"}},
        {"userName": 5},
        {"name": {"givenName": ["Ann"]}},
        {"emails": [{"value": "ann@example.com", "primary": "perhaps"}]},
        {ENTERPRISE: "Tours"},
        {ENTERPRISE: {"department": 5}},
    ],
)
@pytest.mark.parametrize("dialect", ["generic", "strict"])
async def test_a_value_of_the_wrong_type_is_refused(
    connect: Connect, dialect: str, attributes: dict[str, Any]
) -> None:
    scim = await connect(dialect=dialect)
    refused(await scim.post("/Users", {**user("ann"), **attributes}), 400, "invalidValue", "invalidSyntax")
    assert await listed(scim, "/Users") == []


@pytest.mark.parametrize(
    "attributes", [{"emails": "ann@example.com"}, {"emails": ["ann@example.com"]}, {"title": ["Guide"]}]
)
async def test_strict_refuses_a_value_of_the_wrong_shape(connect: Connect, attributes: Json) -> None:
    strict = await connect(dialect="strict")
    refused(await strict.post("/Users", user("ann", **attributes)), 400, "invalidValue", "invalidSyntax")
    assert await listed(strict, "/Users") == []


async def test_strict_refuses_a_boolean_written_as_text(connect: Connect) -> None:
    strict = await connect(dialect="strict")
    refused(await strict.post("/Users", user("ann", active="true")), 400, "invalidValue")


@pytest.mark.parametrize(("text", "active"), [("True", True), ("false", False)])
async def test_generic_reads_a_boolean_written_as_text(scim: ScimClient, text: str, active: bool) -> None:
    assert accepted(await scim.post("/Users", user("ann", active=text)), 201)["active"] is active


async def test_strict_refuses_two_primary_values(connect: Connect) -> None:
    emails = [{"value": "a@example.com", "primary": True}, {"value": "b@example.com", "primary": True}]
    strict = await connect(dialect="strict")
    refused(await strict.post("/Users", user("ann", emails=emails)), 400, "invalidValue")


@pytest.mark.parametrize("dialect", ["okta", "entra", "generic"])
async def test_unknown_attributes_are_ignored(connect: Connect, dialect: str) -> None:
    scim = await connect(dialect=dialect)
    body = user("ann", shoeSize=43, name={"givenName": "Ann", "shoe": "left"})
    assert sent(accepted(await scim.post("/Users", body), 201)) == {
        "schemas": [USER],
        "userName": "ann",
        "name": {"givenName": "Ann"},
        "active": True,
    }


@pytest.mark.parametrize("attributes", [{"shoeSize": 43}, {"name": {"shoe": "left"}}])
async def test_strict_refuses_unknown_attributes(connect: Connect, attributes: Json) -> None:
    strict = await connect(dialect="strict")
    refused(await strict.post("/Users", user("ann", **attributes)), 400, "invalidSyntax")
    assert await listed(strict, "/Users") == []


@pytest.mark.parametrize("schemas", [{}, {"schemas": [ENTERPRISE]}, {"schemas": []}])
async def test_generic_supplies_the_schemas_a_client_left_out(scim: ScimClient, schemas: Json) -> None:
    assert accepted(await scim.post("/Users", {"userName": "ann", **schemas}), 201)["schemas"] == [USER]


@pytest.mark.parametrize("schemas", [{}, {"schemas": [GROUP]}, {"schemas": []}])
async def test_strict_insists_on_the_schemas(connect: Connect, schemas: Json) -> None:
    strict = await connect(dialect="strict")
    response = await strict.post("/Users", {"userName": "ann", **schemas})
    refused(response, 400, "invalidSyntax", "invalidValue")


async def test_the_schemas_name_the_extensions_that_hold_data(scim: ScimClient) -> None:
    body = {"schemas": [USER], "userName": "ann", ENTERPRISE: {"department": "Tours"}}
    assert accepted(await scim.post("/Users", body), 201)["schemas"] == [USER, ENTERPRISE]


@pytest.mark.parametrize(
    "value",
    [
        "  spaced  ",
        "Ünïcödé",
        "e\u0301 not composed",
        "日本語",
        "🦊",
        "a\tb\nc",
        "'; DROP TABLE resource; --",
        "%_\\",
    ],
)
async def test_text_comes_back_exactly(scim: ScimClient, value: str) -> None:
    created = await scim.create_user("ann", title=value)
    assert (await scim.read(f"/Users/{created['id']}"))["title"] == value


@pytest.mark.parametrize(
    "attributes",
    [
        {"emails": [{"value": "user@corp.local"}]},
        {"emails": [{"value": "Not An Address"}]},
        {"phoneNumbers": [{"value": "(555) 555 ext. 1"}]},
        {"locale": "not a locale"},
        {"timezone": "Middle-earth/Shire"},
        {"profileUrl": "not a url"},
    ],
)
async def test_values_are_not_judged(scim: ScimClient, attributes: Json) -> None:
    created = await scim.create_user("ann", **attributes)
    assert {name: created[name] for name in attributes} == attributes


async def test_ids_are_lower_case_and_never_repeat(scim: ScimClient) -> None:
    ids = [(await scim.create_user(f"user{number}"))["id"] for number in range(5)]
    assert [identifier.lower() for identifier in ids] == ids
    assert len(set(ids)) == 5
