"""Where clients, test suites and the standard disagree: what this server has decided."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.clients.exchanges import (
    ENTERPRISE,
    EVERY_DIALECT,
    GROUP,
    USER,
    Connect,
    call,
    identifier,
    new_group,
    new_user,
    patch,
    patched,
    read,
)
from tests.clients.script import equality


@pytest.mark.parametrize("dialect", EVERY_DIALECT)
async def test_a_patch_without_path_is_accepted(connect: Connect, dialect: str) -> None:
    client = await connect(dialect=dialect)
    user = await new_user(client)
    answer = await patch(client, user, {"op": "replace", "value": {"active": False, "title": "Clerk"}})
    assert answer.status_code == 200
    assert (answer.json()["active"], answer.json()["title"]) == (False, "Clerk")


@pytest.mark.parametrize("dialect", EVERY_DIALECT)
@pytest.mark.parametrize("op", ["add", "replace"])
@pytest.mark.parametrize("path_less", [True, False], ids=["path-less", "path"])
async def test_part_of_a_complex_attribute_merges_into_it(
    connect: Connect, dialect: str, op: str, path_less: bool
) -> None:
    client = await connect(dialect=dialect)
    extension = {"department": "Field", "costCenter": "CC1"}
    user = await new_user(client, name={"givenName": "Bo", "familyName": "Hall"}, **{ENTERPRISE: extension})
    changes: dict[str, Any] = {"name": {"familyName": "Lind"}, ENTERPRISE: {"costCenter": "CC2"}}
    operations = [{"op": op, "path": path, "value": value} for path, value in changes.items()]
    await patched(client, user, *([{"op": op, "value": changes}] if path_less else operations))
    after = await read(client, user)
    assert after["name"] == {"givenName": "Bo", "familyName": "Lind"}
    assert after[ENTERPRISE] == {"department": "Field", "costCenter": "CC2"}


@pytest.mark.parametrize("dialect", EVERY_DIALECT)
async def test_several_users_may_share_an_external_id(connect: Connect, dialect: str) -> None:
    client = await connect(dialect=dialect)
    users = [await new_user(client, f"user{number}@corp.example", externalId="shared") for number in range(3)]
    found = await read(client, equality("/Users", "externalId", "shared"))
    assert {user["id"] for user in found["Resources"]} == {identifier(user) for user in users}


@pytest.mark.parametrize("dialect", EVERY_DIALECT)
async def test_creating_an_inactive_user_again_is_a_conflict(connect: Connect, dialect: str) -> None:
    client = await connect(dialect=dialect)
    user = await new_user(client, externalId="x-1", active=False)
    body = {"schemas": [USER], "userName": "bo@corp.example", "externalId": "x-1", "active": True}
    answer = await call(client, "POST", "/Users", body)
    assert answer.status_code == 409
    assert answer.json()["scimType"] == "uniqueness"
    assert (await read(client, user))["active"] is False


@pytest.mark.parametrize("dialect", EVERY_DIALECT)
async def test_a_patch_answers_users_with_a_body_and_groups_without(connect: Connect, dialect: str) -> None:
    client = await connect(dialect=dialect)
    user = await new_user(client)
    group = await new_group(client, "Design Guild")
    of_user = await patch(client, user, {"op": "replace", "path": "title", "value": "Clerk"})
    of_group = await patch(client, group, {"op": "replace", "path": "displayName", "value": "Guild"})
    assert (of_user.status_code, of_group.status_code) == (200, 204)
    assert of_user.json() == await read(client, user)


async def test_a_client_may_have_the_success_codes_of_patch_the_other_way_round(connect: Connect) -> None:
    switches = {"patch_user_without_body": True, "patch_group_with_body": True}
    client = await connect(dialect="entra", switches=switches)
    user = await new_user(client)
    group = await new_group(client, "Design Guild")
    of_user = await patch(client, user, {"op": "replace", "path": "title", "value": "Clerk"})
    of_group = await patch(client, group, {"op": "replace", "path": "displayName", "value": "Guild"})
    assert (of_user.status_code, of_group.status_code) == (204, 200)
    assert of_group.json() == await read(client, group)


@pytest.mark.parametrize("dialect", EVERY_DIALECT)
async def test_time_zone_locale_profile_phone_and_country_are_not_judged(
    connect: Connect, dialect: str
) -> None:
    client = await connect(dialect=dialect)
    junk: dict[str, Any] = {
        "timezone": "Atlantis/Central",
        "locale": "RJRANDHNZ",
        "preferredLanguage": "xx-yy-zz",
        "profileUrl": "BARANDSRQGD",
        "phoneNumbers": [{"type": "work", "value": "call me (maybe)"}],
        "addresses": [{"type": "work", "country": "Sierra Leone", "postalCode": "cx4 7mz"}],
        "emails": [{"type": "work", "value": "not an address"}],
    }
    user = await read(client, await new_user(client, **junk))
    assert {name: user[name] for name in junk} == junk


async def test_ids_are_given_out_in_lower_case(connect: Connect) -> None:
    client = await connect(dialect="generic")
    user = await new_user(client)
    group = await new_group(client, "Design Guild", user)
    for path in (user, group):
        assert identifier(path) == identifier(path).lower()


UNQUOTED = quote("userName eq bo@corp.example", safe="")


@pytest.mark.parametrize("dialect", EVERY_DIALECT)
async def test_an_unquoted_filter_value_is_refused(connect: Connect, dialect: str) -> None:
    client = await connect(dialect=dialect)
    await new_user(client)
    answer = await call(client, "GET", f"/Users?filter={UNQUOTED}")
    assert answer.status_code == 400
    assert answer.json()["scimType"] == "invalidFilter"


async def test_a_client_may_have_unquoted_filter_values_read(connect: Connect) -> None:
    client = await connect(dialect="entra", switches={"unquoted_filter_values": True})
    user = await new_user(client)
    await new_user(client, "ann@corp.example")
    found = await read(client, f"/Users?filter={UNQUOTED}")
    assert [resource["id"] for resource in found["Resources"]] == [identifier(user)]


@pytest.mark.parametrize("dialect", EVERY_DIALECT)
async def test_a_value_path_among_the_attributes_asked_for_is_refused(connect: Connect, dialect: str) -> None:
    client = await connect(dialect=dialect)
    asked = quote('emails[type eq "work"]', safe="")
    answer = await call(client, "GET", f"/Users?attributes={asked}")
    assert answer.status_code == 400


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_null_members_empty_a_group(connect: Connect, method: str) -> None:
    client = await connect(dialect="okta")
    user = await new_user(client)
    group = await new_group(client, "Design Guild", user)
    if method == "PUT":
        body = {"schemas": [GROUP], "displayName": "Design Guild", "members": None}
        assert (await call(client, "PUT", group, body)).status_code == 200
    else:
        await patched(client, group, {"op": "replace", "path": "members", "value": None})
    assert not (await read(client, group)).get("members")
    assert "groups" not in await read(client, user)
