"""Look-ups, media types, letter case and error answers: what connectors do before they write."""

from urllib.parse import quote

import pytest

from tests.clients.exchanges import (
    EVERY_DIALECT,
    FRIENDLY,
    GROUP,
    USER,
    Connect,
    call,
    identifier,
    members,
    new_group,
    new_user,
    patch,
    patched,
    read,
)
from tests.clients.script import equality
from tests.clients.wire import send

UNKNOWN_ID = "01890000-0000-7000-8000-000000000000"


LOOK_UPS = {
    "/Users": ("userName", "externalId", "emails.value", "id", "meta.version"),
    "/Groups": ("displayName", "externalId", "id", "members.value"),
}


@pytest.mark.parametrize("dialect", EVERY_DIALECT)
async def test_a_look_up_that_finds_nothing_is_an_empty_list(connect: Connect, dialect: str) -> None:
    client = await connect(dialect=dialect)
    await new_group(client, "Field Ops", await new_user(client, externalId="x-1"), externalId="g-1")
    for endpoint, attributes in LOOK_UPS.items():
        for attribute in attributes:
            found = await read(client, equality(endpoint, attribute, "nobody"))
            assert (found["totalResults"], found["Resources"]) == (0, []), attribute


@pytest.mark.parametrize("dialect", FRIENDLY)
async def test_a_value_path_with_a_sub_attribute_looks_up_one_element(connect: Connect, dialect: str) -> None:
    client = await connect(dialect=dialect)
    wanted = await new_user(client, "ann", emails=[{"type": "work", "value": "a@corp.example"}])
    await new_user(
        client, "bo", emails=[{"type": "home", "value": "a@corp.example"}, {"type": "work", "value": "b"}]
    )
    text = quote('emails[type eq "work"].value eq "A@corp.example"', safe="")
    found = await read(client, f"/Users?filter={text}")
    assert [user["id"] for user in found["Resources"]] == [identifier(wanted)]


async def test_the_strict_dialect_refuses_a_value_path_with_a_sub_attribute_in_a_filter(
    connect: Connect,
) -> None:
    client = await connect(dialect="strict")
    text = quote('emails[type eq "work"].value eq "a@corp.example"', safe="")
    answer = await call(client, "GET", f"/Users?filter={text}")
    assert answer.status_code == 400
    assert answer.json()["scimType"] == "invalidFilter"


@pytest.mark.parametrize("dialect", EVERY_DIALECT)
async def test_names_and_attributes_compare_in_any_case(connect: Connect, dialect: str) -> None:
    client = await connect(dialect=dialect)
    user = await new_user(client, "Bo.Hall@Corp.Example", externalId="Mixed-Case")
    await new_group(client, "Design Guild", user)
    for endpoint, attribute, value, expected in (
        ("/Users", "username", "BO.HALL@corp.example", 1),
        ("/Users", f"{USER}:USERNAME", "bo.hall@corp.example", 1),
        ("/Groups", "DISPLAYNAME", "DESIGN guild", 1),
        ("/Users", "externalid", "Mixed-Case", 1),
        ("/Users", "externalId", "mixed-case", 0),
    ):
        found = await read(client, equality(endpoint, attribute, value))
        assert found["totalResults"] == expected, (endpoint, attribute, value)
    assert (await read(client, user))["userName"] == "Bo.Hall@Corp.Example"


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("/Users", {"schemas": [USER], "userName": "BO@CORP.EXAMPLE"}),
        ("/Groups", {"schemas": [GROUP], "displayName": "DESIGN GUILD"}),
    ],
    ids=["user", "group"],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_a_name_taken_in_another_case_is_a_conflict(
    connect: Connect, method: str, endpoint: str, body: dict[str, str]
) -> None:
    client = await connect(dialect="entra")
    await new_group(client, "Design Guild", await new_user(client))
    other = await new_user(client, "ann@corp.example")
    if endpoint == "/Groups":
        other = await new_group(client, "Field Ops")
    before = await read(client, other)
    if method == "PATCH":
        value = {name: value for name, value in body.items() if name != "schemas"}
        answer = await patch(client, other, {"op": "Replace", "value": value})
    else:
        answer = await call(client, method, endpoint if method == "POST" else other, body)
    assert answer.status_code == 409
    assert answer.json()["scimType"] == "uniqueness"
    assert await read(client, other) == before
    assert (await read(client, endpoint))["totalResults"] == 2


@pytest.mark.parametrize("dialect", EVERY_DIALECT)
async def test_a_resource_may_take_its_own_name_in_another_case(connect: Connect, dialect: str) -> None:
    client = await connect(dialect=dialect)
    user = await new_user(client)
    group = await new_group(client, "Design Guild", user)
    await patched(client, user, {"op": "replace", "path": "userName", "value": "BO@corp.example"})
    await patched(client, group, {"op": "replace", "path": "displayName", "value": "DESIGN GUILD"})
    assert (await read(client, user))["userName"] == "BO@corp.example"
    assert (await read(client, group))["displayName"] == "DESIGN GUILD"


@pytest.mark.parametrize("excluded", ["members", "Members", "members,meta", f"{GROUP}:members"])
async def test_members_are_left_out_of_lists_and_reads_on_request(connect: Connect, excluded: str) -> None:
    client = await connect(dialect="entra")
    user = await new_user(client)
    group = await new_group(client, "Design Guild", user)
    one = await read(client, f"{group}?excludedAttributes={excluded}")
    listed = await read(client, f"/Groups?excludedAttributes={excluded}")
    assert "members" not in one
    assert one["displayName"] == "Design Guild"
    assert listed["Resources"] == [one]
    assert await members(client, group) == {user}


@pytest.mark.parametrize(
    "content_type",
    [
        "application/scim+json",
        "application/scim+json; charset=utf-8",
        "application/scim+json;charset=UTF-8",
        "application/json",
        "application/json; charset=utf-8",
        "Application/SCIM+JSON",
    ],
)
async def test_json_is_taken_under_any_of_its_names_and_answered_as_scim(
    connect: Connect, content_type: str
) -> None:
    client = await connect(dialect="okta")
    content = b'{"schemas": ["%s"], "userName": "Zo\xc3\xab@corp.example"}' % USER.encode()
    for accept in (None, "*/*", "application/json", "application/scim+json; charset=utf-8"):
        headers = {"Authorization": f"Bearer {client.token}", "Content-Type": content_type}
        if accept:
            headers["Accept"] = accept
        created = await send(client, "POST", "/Users", headers, content)
        assert created.status_code == 201, accept
        assert created.headers["content-type"].split(";")[0] == "application/scim+json"
        assert created.json()["userName"] == "Zoë@corp.example"
        for method, expected in (("GET", 200), ("DELETE", 204)):
            answer = await send(client, method, f"/Users/{created.json()['id']}", headers, None)
            assert answer.status_code == expected, (accept, method)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/Nowhere", 404),
        ("GET", f"/Users/{UNKNOWN_ID}", 404),
        ("GET", "/Users/not-an-id/at/all", 404),
        ("DELETE", f"/Groups/{UNKNOWN_ID}", 404),
        ("PATCH", "/Users", 405),
        ("DELETE", "/Schemas", 405),
        ("GET", "/Users?filter=userName", 400),
        ("POST", "/Users", 400),
    ],
)
async def test_every_error_is_a_scim_message(connect: Connect, method: str, path: str, status: int) -> None:
    client = await connect(dialect="okta")
    answer = await call(client, method, path, {} if method in ("POST", "PATCH") else None)
    assert answer.status_code == status
    assert answer.json()["status"] == str(status)


@pytest.mark.parametrize("header", ["startIndex", "startindex", "STARTINDEX"])
async def test_a_query_parameter_is_read_in_any_case(connect: Connect, header: str) -> None:
    client = await connect(dialect="entra")
    for number in range(3):
        await new_user(client, f"user{number}@corp.example")
    page = await read(client, f"/Users?{header}=3&count=5")
    assert (page["totalResults"], page["startIndex"], len(page["Resources"])) == (3, 3, 1)


@pytest.mark.parametrize("start", [0, -1, -100])
@pytest.mark.parametrize("dialect", EVERY_DIALECT)
async def test_a_start_below_one_is_one(connect: Connect, dialect: str, start: int) -> None:
    client = await connect(dialect=dialect)
    await new_user(client)
    page = await read(client, f"/Users?startIndex={start}&count=5")
    assert (page["startIndex"], page["itemsPerPage"]) == (1, 1)
