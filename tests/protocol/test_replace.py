"""PUT: replacing a resource (RFC 7644 §3.5.1), keeping what the client cannot know."""

import pytest

from tests.protocol.messages import (
    ENTERPRISE,
    UNKNOWN_ID,
    USER,
    Connect,
    Json,
    accepted,
    group,
    refused,
    sent,
    user,
)
from tests.support.client import ScimClient

DIALECTS = ["okta", "entra", "generic", "strict"]


async def put(scim: ScimClient, resource: Json, body: Json) -> Json:
    return accepted(await scim.request("PUT", f"/Users/{resource['id']}", json=body))


async def test_a_replacement_is_answered_whole_and_read_the_same(scim: ScimClient) -> None:
    ann = await scim.create_user("ann", title="Guide")
    body = await put(scim, ann, user("ann", displayName="Ann"))
    assert body == {
        "schemas": [USER],
        "id": ann["id"],
        "userName": "ann",
        "displayName": "Ann",
        "active": True,
        "meta": {
            **ann["meta"],
            "lastModified": body["meta"]["lastModified"],
            "version": body["meta"]["version"],
        },
    }
    assert await scim.read(f"/Users/{ann['id']}") == body


async def test_a_replacement_moves_the_version_and_the_time(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    meta = (await put(scim, ann, user("ann", title="Guide")))["meta"]
    assert meta["version"] != ann["meta"]["version"]
    assert meta["lastModified"] > ann["meta"]["lastModified"]
    assert meta["created"] == ann["meta"]["created"]


async def test_a_replacement_by_the_same_changes_nothing(scim: ScimClient) -> None:
    ann = await scim.create_user("ann", title="Guide", emails=[{"value": "ann@example.com", "type": "work"}])
    assert await put(scim, ann, ann) == ann


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_omitted_core_attributes_are_cleared(connect: Connect, dialect: str) -> None:
    scim = await connect(dialect=dialect)
    emails = [{"value": "ann@example.com", "type": "work"}]
    ann = await scim.create_user(
        "ann", title="Guide", emails=emails, name={"givenName": "Ann"}, externalId="1"
    )
    assert sent(await put(scim, ann, user("ann"))) == {"schemas": [USER], "userName": "ann", "active": True}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_an_omitted_active_is_kept(connect: Connect, dialect: str) -> None:
    scim = await connect(dialect=dialect)
    ann = await scim.create_user("ann", active=False)
    assert (await put(scim, ann, user("ann")))["active"] is False


@pytest.mark.parametrize("dialect", ["okta", "entra", "generic"])
async def test_an_extension_the_client_does_not_know_is_kept(connect: Connect, dialect: str) -> None:
    scim = await connect(dialect=dialect)
    ann = await scim.create_user("ann", **{ENTERPRISE: {"department": "Tours"}})
    body = await put(scim, ann, user("ann"))
    assert body[ENTERPRISE] == {"department": "Tours"}
    assert body["schemas"] == [USER, ENTERPRISE]


async def test_strict_clears_an_omitted_extension(connect: Connect) -> None:
    strict = await connect(dialect="strict")
    ann = await strict.create_user("ann", **{ENTERPRISE: {"department": "Tours"}})
    assert sent(await put(strict, ann, user("ann"))) == {"schemas": [USER], "userName": "ann", "active": True}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_an_extension_named_without_data_is_cleared(connect: Connect, dialect: str) -> None:
    scim = await connect(dialect=dialect)
    ann = await scim.create_user("ann", **{ENTERPRISE: {"department": "Tours"}})
    body = await put(scim, ann, {"schemas": [USER, ENTERPRISE], "userName": "ann"})
    assert sent(body) == {"schemas": [USER], "userName": "ann", "active": True}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_an_extension_that_is_given_is_replaced_whole(connect: Connect, dialect: str) -> None:
    scim = await connect(dialect=dialect)
    ann = await scim.create_user("ann", **{ENTERPRISE: {"department": "Tours", "division": "Parks"}})
    body = await put(scim, ann, user("ann", **{ENTERPRISE: {"costCenter": "4130"}}))
    assert body[ENTERPRISE] == {"costCenter": "4130"}


async def test_null_and_an_empty_list_clear(scim: ScimClient) -> None:
    ann = await scim.create_user("ann", title="Guide", emails=[{"value": "ann@example.com"}])
    body = await put(scim, ann, user("ann", title=None, emails=[]))
    assert sent(body) == {"schemas": [USER], "userName": "ann", "active": True}


async def test_read_only_attributes_sent_back_are_ignored(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    foreign = {"id": UNKNOWN_ID, "meta": {"version": "x", "created": "1999-01-01T00:00:00Z"}, "groups": []}
    assert await put(scim, ann, {**user("ann"), **foreign}) == ann


async def test_the_membership_of_a_user_survives_its_replacement(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    guides = await scim.create_group("Guides", members=(ann["id"],))
    body = await put(scim, ann, user("ann", title="Guide"))
    assert [entry["value"] for entry in body["groups"]] == [guides["id"]]


async def test_the_required_attribute_must_be_given(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    response = await scim.request("PUT", f"/Users/{ann['id']}", json={"schemas": [USER], "title": "Guide"})
    refused(response, 400, "invalidValue")
    assert await scim.read(f"/Users/{ann['id']}") == ann


async def test_a_name_of_another_user_is_refused(scim: ScimClient) -> None:
    await scim.create_user("bob")
    ann = await scim.create_user("ann")
    response = await scim.request("PUT", f"/Users/{ann['id']}", json=user("BOB", title="Guide"))
    refused(response, 409, "uniqueness")
    assert await scim.read(f"/Users/{ann['id']}") == ann


async def test_the_own_name_may_change_its_case(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    assert (await put(scim, ann, user("Ann")))["userName"] == "Ann"


async def test_a_changed_name_frees_the_former_one(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    await put(scim, ann, user("anna"))
    assert (await scim.create_user("ann"))["userName"] == "ann"


async def test_an_unknown_resource_is_not_created(scim: ScimClient) -> None:
    refused(await scim.request("PUT", f"/Users/{UNKNOWN_ID}", json=user("ann")), 404)
    assert (await scim.read("/Users"))["totalResults"] == 0


async def test_an_id_of_another_type_is_unknown(scim: ScimClient) -> None:
    guides = await scim.create_group("Guides")
    refused(await scim.request("PUT", f"/Users/{guides['id']}", json=user("ann")), 404)
    refused(await scim.get(f"/Users/{guides['id']}"), 404)


async def test_the_name_of_another_group_is_refused(scim: ScimClient) -> None:
    await scim.create_group("Guides")
    drivers = await scim.create_group("Drivers")
    refused(await scim.request("PUT", f"/Groups/{drivers['id']}", json=group("guides")), 409, "uniqueness")
    assert await scim.read(f"/Groups/{drivers['id']}") == drivers


async def test_a_value_of_the_wrong_type_changes_nothing(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    response = await scim.request("PUT", f"/Users/{ann['id']}", json=user("ann", title="Guide", name="Ann"))
    refused(response, 400, "invalidValue", "invalidSyntax")
    assert await scim.read(f"/Users/{ann['id']}") == ann


async def test_the_password_a_replacement_leaves_out_is_kept(scim: ScimClient) -> None:
    ann = await scim.create_user("ann", password="t1meMa$heen")
    assert await put(scim, ann, user("ann")) == ann
