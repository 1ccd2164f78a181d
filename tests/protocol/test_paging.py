"""Paging by index (RFC 7644 §3.4.2.4) and by cursor (RFC 9865)."""

import asyncio
from typing import Any

import pytest

from tests.protocol.messages import LIST_RESPONSE, Connect, Json, Serve, accepted, refused, user_names
from tests.support.client import ScimClient

NAMES = [f"user{number}" for number in range(5)]


async def populate(scim: ScimClient) -> None:
    for name in NAMES:
        await scim.create_user(name)


async def page(scim: ScimClient, **parameters: Any) -> Json:
    return accepted(await scim.get("/Users", **parameters))


async def walk(scim: ScimClient, path: str = "/Users", **parameters: Any) -> list[list[str]]:
    """Follow the cursors to their end and return the user names of each page."""
    pages: list[list[str]] = []
    cursor: str | None = ""
    while cursor is not None:
        body = accepted(await scim.get(path, cursor=cursor, **parameters))
        pages.append(user_names(body["Resources"]))
        cursor = body.get("nextCursor")
    return pages


async def test_an_empty_list_is_answered_whole(scim: ScimClient) -> None:
    assert await page(scim) == {
        "schemas": [LIST_RESPONSE],
        "totalResults": 0,
        "startIndex": 1,
        "itemsPerPage": 0,
        "Resources": [],
    }


async def test_a_page_says_where_it_is(scim: ScimClient) -> None:
    await populate(scim)
    body = await page(scim, startIndex=2, count=2)
    assert (body["totalResults"], body["startIndex"], body["itemsPerPage"]) == (5, 2, 2)
    assert user_names(body["Resources"]) == NAMES[1:3]


async def test_the_last_page_holds_what_is_left(scim: ScimClient) -> None:
    await populate(scim)
    body = await page(scim, startIndex=5, count=2)
    assert (body["totalResults"], body["startIndex"], body["itemsPerPage"]) == (5, 5, 1)
    assert user_names(body["Resources"]) == NAMES[4:]


async def test_past_the_end_there_is_nothing(scim: ScimClient) -> None:
    await populate(scim)
    body = await page(scim, startIndex=6, count=2)
    assert (body["totalResults"], body["itemsPerPage"], body["Resources"]) == (5, 0, [])


@pytest.mark.parametrize("start_index", [0, -1, -100])
async def test_an_index_below_one_means_one(scim: ScimClient, start_index: int) -> None:
    await populate(scim)
    body = await page(scim, startIndex=start_index, count=2)
    assert (body["startIndex"], user_names(body["Resources"])) == (1, NAMES[:2])


@pytest.mark.parametrize("count", [0, -1, -100])
async def test_a_count_below_one_asks_only_for_the_total(scim: ScimClient, count: int) -> None:
    await populate(scim)
    body = await page(scim, count=count)
    assert (body["totalResults"], body["itemsPerPage"], body["Resources"]) == (5, 0, [])


async def test_the_total_counts_what_the_filter_selects(scim: ScimClient) -> None:
    await populate(scim)
    body = await page(scim, filter='userName ge "user3"', count=1)
    assert (body["totalResults"], user_names(body["Resources"])) == (2, ["user3"])


async def test_the_pages_together_hold_everybody_once(scim: ScimClient) -> None:
    await populate(scim)
    pages = [user_names((await page(scim, startIndex=index, count=2))["Resources"]) for index in (1, 3, 5)]
    assert [name for names in pages for name in names] == NAMES


async def test_users_who_arrive_during_a_walk_push_nobody_out(scim: ScimClient) -> None:
    await populate(scim)
    first = user_names((await page(scim, startIndex=1, count=3))["Resources"])
    await scim.create_user("late")
    second = user_names((await page(scim, startIndex=4, count=3))["Resources"])
    assert first + second == [*NAMES, "late"]


@pytest.mark.parametrize("parameter", ["startIndex", "count"])
@pytest.mark.parametrize("value", ["one", "1.5", "0x10", "1e3"])
async def test_a_number_that_is_none_is_refused(scim: ScimClient, parameter: str, value: str) -> None:
    refused(
        await scim.get("/Users", **{parameter: value}), 400, "invalidValue", "invalidCount", "invalidSyntax"
    )


async def test_a_count_above_the_maximum_is_capped(serve: Serve) -> None:
    scim = await serve(page_size_default=3, page_size_max=3)
    await populate(scim)
    body = await page(scim, count=1000)
    assert (body["totalResults"], body["itemsPerPage"]) == (5, 3)
    assert user_names(body["Resources"]) == NAMES[:3]


async def test_the_page_size_has_a_default(serve: Serve) -> None:
    scim = await serve(page_size_default=2)
    await populate(scim)
    body = await page(scim)
    assert (body["totalResults"], body["itemsPerPage"]) == (5, 2)


async def test_the_page_sizes_in_force_are_advertised(serve: Serve) -> None:
    scim = await serve(page_size_default=2, page_size_max=3, cursor_lifetime_seconds=60)
    configuration = await scim.read("/ServiceProviderConfig")
    assert configuration["filter"]["maxResults"] == 3
    assert {name: configuration["pagination"][name] for name in ("defaultPageSize", "maxPageSize")} == {
        "defaultPageSize": 2,
        "maxPageSize": 3,
    }
    assert configuration["pagination"]["cursorTimeout"] == 60


async def test_an_empty_cursor_begins_a_walk(scim: ScimClient) -> None:
    await populate(scim)
    body = await page(scim, cursor="", count=2)
    assert (body["totalResults"], body["itemsPerPage"]) == (5, 2)
    assert user_names(body["Resources"]) == NAMES[:2]
    assert isinstance(body["nextCursor"], str)


async def test_a_cursor_without_a_value_begins_a_walk(scim: ScimClient) -> None:
    await populate(scim)
    body = accepted(await scim.request("GET", "/Users?cursor&count=2"))
    assert user_names(body["Resources"]) == NAMES[:2]
    assert body["nextCursor"]


async def test_a_walk_holds_everybody_once_and_ends(scim: ScimClient) -> None:
    await populate(scim)
    assert await walk(scim, count=2) == [NAMES[:2], NAMES[2:4], NAMES[4:]]


async def test_a_walk_that_fits_one_page_has_no_next(scim: ScimClient) -> None:
    await populate(scim)
    assert await walk(scim, count=5) == [NAMES]


async def test_a_walk_over_nothing_ends_at_once(scim: ScimClient) -> None:
    assert await walk(scim, count=2) == [[]]


async def test_a_walk_keeps_its_filter_and_its_order(scim: ScimClient) -> None:
    await populate(scim)
    parameters: Json = {
        "filter": 'userName ne "user2"',
        "sortBy": "userName",
        "sortOrder": "descending",
        "count": 2,
    }
    assert await walk(scim, **parameters) == [["user4", "user3"], ["user1", "user0"]]


async def test_a_walk_over_equal_values_loses_nobody(scim: ScimClient) -> None:
    for name in NAMES:
        await scim.create_user(name, **({"title": "Guide"} if name < "user3" else {}))
    assert sorted(name for names in await walk(scim, sortBy="title", count=1) for name in names) == NAMES


async def test_a_walk_is_not_disturbed_by_changes(scim: ScimClient) -> None:
    await populate(scim)
    first = await page(scim, cursor="", count=2)
    await scim.delete(f"/Users/{first['Resources'][0]['id']}")
    await scim.create_user("late")
    second = await page(scim, cursor=first["nextCursor"], count=5)
    assert user_names(second["Resources"]) == [*NAMES[2:], "late"]


async def test_a_walk_may_change_its_count(scim: ScimClient) -> None:
    await populate(scim)
    first = await page(scim, cursor="", count=2)
    second = await page(scim, cursor=first["nextCursor"], count=1)
    assert user_names(second["Resources"]) == NAMES[2:3]


async def test_a_cursor_can_be_used_again(scim: ScimClient) -> None:
    await populate(scim)
    cursor = (await page(scim, cursor="", count=2))["nextCursor"]
    again = [user_names((await page(scim, cursor=cursor, count=2))["Resources"]) for _ in range(2)]
    assert again == [NAMES[2:4], NAMES[2:4]]


async def test_an_index_page_offers_no_cursor(scim: ScimClient) -> None:
    await populate(scim)
    assert "nextCursor" not in await page(scim, startIndex=1, count=2)


@pytest.mark.parametrize("cursor", ["x", "2", "-1", "AAAA", "eyJhIjoxfQ==", "é", "x" * 500])
async def test_a_cursor_nobody_gave_is_refused(scim: ScimClient, cursor: str) -> None:
    await populate(scim)
    refused(await scim.get("/Users", cursor=cursor, count=2), 400, "invalidCursor")


async def test_a_cursor_that_was_tampered_with_is_refused(scim: ScimClient) -> None:
    await populate(scim)
    cursor = (await page(scim, cursor="", count=2))["nextCursor"]
    middle = len(cursor) // 2
    tampered = cursor[:middle] + ("A" if cursor[middle] != "A" else "B") + cursor[middle + 1 :]
    refused(await scim.get("/Users", cursor=tampered, count=2), 400, "invalidCursor")


@pytest.mark.parametrize(
    "parameters",
    [
        {"filter": "active eq true"},
        {"sortBy": "userName"},
        {"sortBy": "title", "sortOrder": "descending"},
    ],
)
async def test_a_cursor_of_another_query_is_refused(scim: ScimClient, parameters: Json) -> None:
    await populate(scim)
    cursor = (await page(scim, cursor="", count=2))["nextCursor"]
    refused(await scim.get("/Users", cursor=cursor, count=2, **parameters), 400, "invalidCursor")


async def test_a_cursor_of_another_type_is_refused(scim: ScimClient) -> None:
    await populate(scim)
    cursor = (await page(scim, cursor="", count=2))["nextCursor"]
    refused(await scim.get("/Groups", cursor=cursor, count=2), 400, "invalidCursor")


async def test_a_cursor_of_another_client_is_refused(connect: Connect) -> None:
    first, second = await connect(), await connect()
    await populate(first)
    cursor = (await page(first, cursor="", count=2))["nextCursor"]
    refused(await second.get("/Users", cursor=cursor, count=2), 400, "invalidCursor")


async def test_a_cursor_expires(serve: Serve) -> None:
    scim = await serve(cursor_lifetime_seconds=1)
    await populate(scim)
    cursor = (await page(scim, cursor="", count=2))["nextCursor"]
    await asyncio.sleep(2.1)
    refused(await scim.get("/Users", cursor=cursor, count=2), 400, "expiredCursor")
