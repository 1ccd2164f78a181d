"""sortBy and sortOrder (RFC 7644 §3.4.2.3)."""

from typing import Any

import pytest

from tests.protocol.messages import ENTERPRISE, accepted, listed, refused, user_names
from tests.support.client import ScimClient

USERS: dict[str, dict[str, Any]] = {
    "delta": {
        "externalId": "b",
        "title": "beta",
        "name": {"familyName": "Zeta"},
        "emails": [{"value": "z@example.com"}, {"value": "a@example.com", "primary": True}],
        ENTERPRISE: {"department": "Two"},
    },
    "Alpha": {
        "externalId": "B",
        "title": "Alpha",
        "name": {"familyName": "eta"},
        "emails": [{"value": "m@example.com"}, {"value": "b@example.com"}],
    },
    "charlie": {"title": "Ähre", "emails": [{"value": "c@example.com"}], ENTERPRISE: {"department": "One"}},
    "Bravo": {"active": False},
}


async def ordered(scim: ScimClient, sort_by: str, **parameters: Any) -> list[str]:
    for name, attributes in USERS.items():
        await scim.create_user(name, **attributes)
    return user_names(await listed(scim, "/Users", sortBy=sort_by, **parameters))


async def test_the_order_is_ascending_unless_stated(scim: ScimClient) -> None:
    assert await ordered(scim, "userName") == ["Alpha", "Bravo", "charlie", "delta"]


@pytest.mark.parametrize("order", ["ascending", "ASCENDING"])
async def test_the_order_can_be_stated(scim: ScimClient, order: str) -> None:
    assert await ordered(scim, "userName", sortOrder=order) == ["Alpha", "Bravo", "charlie", "delta"]


async def test_the_order_can_be_turned_round(scim: ScimClient) -> None:
    assert await ordered(scim, "userName", sortOrder="descending") == ["delta", "charlie", "Bravo", "Alpha"]


async def test_missing_values_come_last_when_ascending(scim: ScimClient) -> None:
    assert (await ordered(scim, "title"))[-1] == "Bravo"


async def test_missing_values_come_first_when_descending(scim: ScimClient) -> None:
    assert (await ordered(scim, "title", sortOrder="descending"))[0] == "Bravo"


async def test_text_that_is_not_case_exact_is_sorted_without_case(scim: ScimClient) -> None:
    assert (await ordered(scim, "name.familyName"))[:2] == ["Alpha", "delta"]


async def test_text_that_is_case_exact_is_sorted_with_case(scim: ScimClient) -> None:
    assert (await ordered(scim, "externalId"))[:2] == ["Alpha", "delta"]


async def test_the_primary_value_or_else_the_first_is_sorted_by(scim: ScimClient) -> None:
    assert await ordered(scim, "emails") == ["delta", "charlie", "Alpha", "Bravo"]


async def test_a_sub_attribute_of_the_primary_value_is_sorted_by(scim: ScimClient) -> None:
    assert await ordered(scim, "emails.value") == ["delta", "charlie", "Alpha", "Bravo"]


async def test_an_extension_is_sorted_by_its_urn(scim: ScimClient) -> None:
    assert (await ordered(scim, f"{ENTERPRISE}:department"))[:2] == ["charlie", "delta"]


async def test_times_are_sorted_as_times(scim: ScimClient) -> None:
    assert await ordered(scim, "meta.created", sortOrder="descending") == list(reversed(USERS))


async def test_the_name_is_read_in_any_case(scim: ScimClient) -> None:
    assert await ordered(scim, "USERNAME") == ["Alpha", "Bravo", "charlie", "delta"]


async def test_an_order_without_an_attribute_is_ignored(scim: ScimClient) -> None:
    await scim.create_user("ann")
    await scim.create_user("bob")
    assert user_names(await listed(scim, "/Users", sortOrder="descending")) == ["ann", "bob"]


async def test_without_an_order_users_come_in_the_order_of_their_creation(scim: ScimClient) -> None:
    for name in ("zoe", "ann", "mia"):
        await scim.create_user(name)
    assert user_names(await listed(scim, "/Users")) == ["zoe", "ann", "mia"]


async def test_equal_values_lose_nobody_across_pages(scim: ScimClient) -> None:
    names = [f"user{number}" for number in range(7)]
    for name in names:
        await scim.create_user(name, title="Guide")
    pages = [
        user_names(accepted(await scim.get("/Users", sortBy="title", startIndex=index, count=2))["Resources"])
        for index in (1, 3, 5, 7)
    ]
    assert sorted(name for page in pages for name in page) == names


async def test_a_filter_and_an_order_work_together(scim: ScimClient) -> None:
    assert await ordered(scim, "userName", filter="active eq true", sortOrder="descending") == [
        "delta",
        "charlie",
        "Alpha",
    ]


@pytest.mark.parametrize("sort_by", ["shoeSize", "name.shoe", "emails[", "urn:example:nothing:userName"])
async def test_an_attribute_nobody_knows_is_refused(scim: ScimClient, sort_by: str) -> None:
    refused(await scim.get("/Users", sortBy=sort_by), 400)


async def test_an_order_nobody_knows_is_refused(scim: ScimClient) -> None:
    refused(await scim.get("/Users", sortBy="userName", sortOrder="sideways"), 400)
