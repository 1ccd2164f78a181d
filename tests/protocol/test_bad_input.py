"""Input no client should send: each is answered by the right SCIM error and changes nothing."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.protocol.messages import (
    SEARCH_REQUEST,
    UNKNOWN_ID,
    USER,
    Serve,
    accepted,
    listed,
    operation,
    patch,
    refused,
    user,
)
from tests.support.client import ScimClient

PREFIX = b'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"eve"'


async def unread(scim: ScimClient, content: bytes, *scim_types: str) -> str:
    """POST and PUT the raw body: both are refused with 400 and nothing changes. Return the detail."""
    ann = await scim.create_user("ann")
    refused(await scim.request("POST", "/Users", content=content), 400, *scim_types)
    body = refused(await scim.request("PUT", f"/Users/{ann['id']}", content=content), 400, *scim_types)
    assert await listed(scim, "/Users") == [ann]
    return str(body["detail"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" ",
        b"{",
        b"}",
        PREFIX,
        PREFIX + b",}",
        PREFIX + b"}}",
        PREFIX + b"} x",
        b"{'userName': 'eve'}",
        b"{userName: 1}",
        b"userName=eve",
        b"<user/>",
        PREFIX + b",\"title\":'x'}",
        PREFIX + b',"title":"\t"}',
        PREFIX + b',"title":"\\x"}',
        PREFIX + b',"title":01}',
        PREFIX + b',"title":NaN}',
        PREFIX + b',"title":Infinity}',
        PREFIX + b',"title":"\xff\xfe"}',
        PREFIX.decode().encode("utf-16") + b"}",
        b"\x00",
    ],
)
async def test_malformed_json_is_an_invalid_syntax(scim: ScimClient, content: bytes) -> None:
    await unread(scim, content, "invalidSyntax")


@pytest.mark.parametrize("content", [b"[]", b'"eve"', b"5", b"null", b"true", b"[" + PREFIX + b"}]"])
async def test_another_type_than_an_object_is_an_invalid_syntax(scim: ScimClient, content: bytes) -> None:
    await unread(scim, content, "invalidSyntax")


@pytest.mark.parametrize(
    "nested",
    [
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b"[" * 500 + b"]" * 500,
    ],
    ids=["open", "lists", "objects", "shallower lists"],
)
async def test_deep_nesting_is_refused(scim: ScimClient, nested: bytes) -> None:
    await unread(scim, PREFIX + b',"title":' + nested + b"}", "invalidSyntax", "invalidValue")


async def test_deep_nesting_of_the_whole_body_is_refused(scim: ScimClient) -> None:
    await unread(scim, b'{"name":' * 50_000 + b"1" + b"}" * 50_000, "invalidSyntax", "invalidValue")


@pytest.mark.parametrize("text", [b"a\\u0000b", b"\\u0000", b"\\ud800", b"\\udfff\\ud800", b"x\\ud83d"])
@pytest.mark.parametrize("name", [b"title", b"nickName"])
async def test_text_that_cannot_be_stored_is_refused_by_name(
    scim: ScimClient, text: bytes, name: bytes
) -> None:
    detail = await unread(
        scim, PREFIX + b',"' + name + b'":"' + text + b'"}', "invalidValue", "invalidSyntax"
    )
    assert b"\\ud" in text or name.decode() in detail


@pytest.mark.parametrize("path", ["title", 'emails[type eq "work"].value', "name.givenName"])
@pytest.mark.parametrize("text", ["a\x00b", "\x00"])
async def test_text_that_cannot_be_stored_is_refused_in_a_patch(
    scim: ScimClient, path: str, text: str
) -> None:
    ann = await scim.create_user("ann")
    refused(await patch(scim, f"/Users/{ann['id']}", operation("add", path, text)), 400, "invalidValue")
    assert await listed(scim, "/Users") == [ann]


async def test_a_name_that_cannot_be_stored_is_refused(scim: ScimClient) -> None:
    await unread(scim, b'{"schemas":[],"userName":"eve","a\\u0000b":1}', "invalidSyntax", "invalidValue")


@pytest.mark.parametrize(
    "members",
    [
        b',"userName":"bob"}',
        b',"title":"a","title":"b"}',
        b',"title":"a","title":"a"}',
        b',"name":{"givenName":"a","givenName":"b"}}',
        b',"emails":[{"value":"a","value":"b"}]}',
        b',"title":"a","TITLE":"b"}',
        b',"USERNAME":"bob"}',
    ],
)
async def test_a_name_given_twice_is_refused(scim: ScimClient, members: bytes) -> None:
    await unread(scim, PREFIX + members, "invalidSyntax", "invalidValue")


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"1" * 40, b"1.5"])
async def test_a_number_where_there_is_none_is_refused(scim: ScimClient, number: bytes) -> None:
    await unread(scim, PREFIX + b',"title":' + number + b"}", "invalidSyntax", "invalidValue")


@pytest.mark.parametrize("name", ["count", "startIndex"])
@pytest.mark.parametrize("number", ["1e400", "9" * 40, "-" + "9" * 40])
async def test_a_number_beyond_range_in_a_search_is_no_fault_of_the_server(
    scim: ScimClient, name: str, number: str
) -> None:
    ann = await scim.create_user("ann")
    content = f'{{"schemas": ["{SEARCH_REQUEST}"], "{name}": {number}}}'.encode()
    response = await scim.request("POST", "/Users/.search", content=content)
    if response.status_code != 200:
        refused(response, 400, "invalidValue", "invalidSyntax")
    else:
        assert accepted(response)["Resources"] in ([], [ann])


@pytest.mark.parametrize("name", ["count", "startIndex"])
@pytest.mark.parametrize("number", ["9" * 19, "9" * 40, "-" + "9" * 40, "9" * 500])
async def test_a_number_beyond_range_in_a_query_is_no_fault_of_the_server(
    scim: ScimClient, name: str, number: str
) -> None:
    response = await scim.get("/Users", **{name: number})
    if response.status_code != 200:
        refused(response, 400, "invalidValue", "invalidSyntax")
    else:
        assert accepted(response)["Resources"] == []


@pytest.mark.parametrize(
    "filter_",
    [
        'userName eq "' + "a" * 1_000_000 + '"',
        "a" * 1_000_000,
        'userName eq "a" or ' * 60_000 + "active pr",
        "(" * 1_000_000,
        "not (" * 200_000,
        "[" * 1_000_000,
    ],
    ids=["text", "name", "terms", "parentheses", "negations", "brackets"],
)
async def test_a_megabyte_of_filter_is_refused(scim: ScimClient, filter_: str) -> None:
    response = await scim.post("/Users/.search", {"schemas": [SEARCH_REQUEST], "filter": filter_})
    refused(response, 400, "invalidFilter")


@pytest.mark.parametrize(
    "filter_",
    [
        "(" * 500 + 'userName eq "ann"' + ")" * 500,
        "not (" * 500 + 'userName eq "ann"' + ")" * 500,
        "emails[" + "(" * 500 + 'type eq "work"' + ")" * 500 + "]",
    ],
    ids=["parentheses", "negations", "value path"],
)
async def test_five_hundred_levels_of_parentheses_are_refused(scim: ScimClient, filter_: str) -> None:
    refused(await scim.get("/Users", filter=filter_), 400, "invalidFilter")


async def test_five_hundred_levels_in_a_path_are_refused(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    path = "emails[" + "(" * 500 + 'type eq "work"' + ")" * 500 + "].value"
    response = await patch(scim, f"/Users/{ann['id']}", operation("replace", path, "x"))
    refused(response, 400, "invalidPath", "invalidFilter")
    assert await listed(scim, "/Users") == [ann]


@pytest.mark.parametrize("value", ["a\x00b", "\x00", "\ud800"])
async def test_text_that_cannot_be_stored_is_refused_in_a_filter(scim: ScimClient, value: str) -> None:
    filter_ = f'userName eq "{value}"'.encode(errors="surrogatepass").decode(errors="replace")
    escaped = "userName eq " + json.dumps(value)
    for text in (filter_, escaped):
        response = await scim.post("/Users/.search", {"schemas": [SEARCH_REQUEST], "filter": text})
        if response.status_code != 200:
            refused(response, 400, "invalidFilter", "invalidValue")
        else:
            assert accepted(response)["Resources"] == []


@pytest.mark.parametrize("name", ["userName", "title", "externalId"])
async def test_a_value_that_is_too_long_is_refused_by_name(scim: ScimClient, name: str) -> None:
    ann = await scim.create_user("ann")
    body = refused(await scim.post("/Users", {**user("eve"), name: "x" * 1_000_000}), 400, "invalidValue")
    assert name in body["detail"]
    assert await listed(scim, "/Users") == [ann]


async def chunks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 100):
        yield content[start : start + 100]


@pytest.mark.parametrize("streamed", [False, True])
async def test_an_oversized_body_is_refused(serve: Serve, streamed: bool) -> None:
    scim = await serve(max_body_bytes=2000)
    content = json.dumps(user("eve", title="x" * 2000)).encode()
    body: Any = chunks(content) if streamed else content
    refused(await scim.request("POST", "/Users", content=body), 413)
    assert await listed(scim, "/Users") == []


async def test_a_body_just_within_the_limit_is_read(serve: Serve) -> None:
    content = json.dumps(user("ann", title="x" * 1100)).encode()
    scim = await serve(max_body_bytes=len(content))
    assert (await scim.request("POST", "/Users", content=content)).status_code == 201
    refused(await scim.request("POST", "/Users", content=content + b" "), 413)


@pytest.mark.parametrize(
    "identifier",
    [
        UNKNOWN_ID,
        "1",
        "x" * 200,
        "%00",
        "a%00b",
        "%2e%2e%2f",
        "..%2f..%2fetc",
        "%ff",
        "%F0%9F%A6%8A",
        "'%20OR%201=1",
        "*",
        "null",
        "%20",
    ],
)
async def test_an_unknown_id_is_not_found(scim: ScimClient, identifier: str) -> None:
    await scim.create_user("ann")
    for path in (f"/Users/{identifier}", f"/Groups/{identifier}"):
        refused(await scim.request("GET", path), 404)
        refused(await scim.request("DELETE", path), 404)
    assert len(await listed(scim, "/Users")) == 1


@pytest.mark.parametrize(
    "query", ["filter=%ff", "filter=%00", "sortBy=%00", "attributes=%00", "cursor=%00", "%00=1"]
)
async def test_a_query_that_cannot_be_read_is_no_fault_of_the_server(scim: ScimClient, query: str) -> None:
    response = await scim.request("GET", f"/Users?{query}")
    if response.status_code != 200:
        refused(response, 400)
    else:
        assert accepted(response)["Resources"] == []


async def test_a_parameter_nobody_knows_is_ignored(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    assert await listed(scim, "/Users", shoe="left") == [ann]


async def test_every_violation_of_a_request_is_reported(scim: ScimClient) -> None:
    body = {"schemas": [USER], "active": "perhaps", "title": 5, "name": {"givenName": ["Ann"]}}
    detail = refused(await scim.post("/Users", body), 400, "invalidValue", "invalidSyntax")["detail"]
    assert [name for name in ("userName", "active", "title", "givenName") if name not in detail] == []


async def test_an_error_shows_nothing_of_the_inside(scim: ScimClient) -> None:
    for response in (
        await scim.get("/Users", filter="(" * 400),
        await scim.request("POST", "/Users", content=b"{"),
        await scim.get("/Nothing"),
    ):
        assert [
            word for word in ("Traceback", "sqlalchemy", "scim_server", ".py") if word in response.text
        ] == []
