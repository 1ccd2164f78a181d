"""Requests that few clients make: users are answered on both paths alike, down to the errors."""

from typing import Any

import pytest

from tests.support.client import ScimClient
from tests.support.two_paths import TwoPaths, answered, in_full

QUERIES: dict[str, dict[str, Any]] = {
    "a start far beyond the end": {"startIndex": 3_000_000_000},
    "a start at the end of all numbers": {"startIndex": 2**63 - 1},
    "a start beyond every number": {"startIndex": 2**64},
    "a filtered start far beyond the end": {"startIndex": 3_000_000_000, "filter": 'title eq "Guide"'},
    "a start below the first": {"startIndex": -5},
    "a count beyond every number": {"count": 2**64},
    "a count below nothing": {"count": -1},
    "nothing to find": {"filter": 'title eq ""'},
    "no value": {"filter": "title eq null"},
    "a character no store holds": {"filter": 'title eq "\\u0000"'},
    "a name with a character no store holds": {"filter": 'userName eq "\\u0000"'},
    "half a character": {"filter": 'title eq "\\ud800"'},
    "a name with half a character": {"filter": 'userName eq "\\ud800"'},
    "another case": {"filter": 'TITLE EQ "gUIDE"'},
    "a name in another case": {"filter": 'username eq "ANN"'},
    "a name from a place": {"filter": 'userName eq "ann"', "startIndex": 2},
    "a name without a page": {"filter": 'userName eq "ann"', "count": 0},
    "a name by cursor": {"filter": 'userName eq "ann"', "cursor": ""},
    "a value beyond the end": {"filter": 'title eq "Guide"', "startIndex": 9},
    "a value without a page": {"filter": 'title eq "Guide"', "count": 0},
    "a part of a name": {"filter": 'name.familyName eq "lee"'},
    "any of a list": {"filter": 'emails eq "ann@example.com"'},
    "an id": {"filter": 'id eq "{id}"'},
    "what is not equal": {"filter": 'title ne "Guide"'},
    "two things": {"filter": 'title eq "Guide" and active eq true'},
    "groups": {"filter": 'groups.display eq "Guides"'},
    "a moment": {"filter": 'meta.resourceType eq "User"'},
    "in an order": {"sortBy": "title"},
    "in an order downwards": {"filter": 'title eq "Guide"', "sortBy": "id", "sortOrder": "descending"},
    "some attributes": {"attributes": "userName"},
    "without some": {"excludedAttributes": "groups"},
    "all attributes by an empty list": {"attributes": ""},
}
PLACES = ("{ID}", "{id} ", "none", "%00", "%C3%28", "00000000-0000-7000-8000-000000000000", "{group}")


@pytest.fixture
async def furnished(scim: ScimClient) -> dict[str, str]:
    """Give the ids of a user and a group beside others."""
    ids = [
        (await scim.create_user(name, title="Guide", name={"familyName": "Lee"}))["id"]
        for name in ("ann", "bob", "cleo")
    ]
    emails = [{"value": "ann@example.com", "type": "work"}]
    await scim.create_user("dan", emails=emails)
    group = await scim.create_group("Guides", ids[:2])
    return {"id": ids[0], "ID": ids[0].upper(), "group": group["id"]}


@pytest.mark.parametrize("name", QUERIES)
async def test_odd_lists_are_the_same(name: str, scim: ScimClient, furnished: dict[str, str]) -> None:
    query = {
        key: value.replace("{id}", furnished["id"]) if isinstance(value, str) else value
        for key, value in QUERIES[name].items()
    }
    fast = answered(name, await scim.get("/Users", **query))
    with in_full():
        slow = answered(name, await scim.get("/Users", **query))
    assert fast == slow
    assert fast[1] < 500


@pytest.mark.parametrize("place", PLACES)
async def test_odd_places_are_the_same(place: str, scim: ScimClient, furnished: dict[str, str]) -> None:
    path = f"/Users/{place.format(**furnished)}"
    fast = answered(path, await scim.get(path))
    with in_full():
        slow = answered(path, await scim.get(path))
    assert fast == slow
    assert fast[1] < 500


async def test_a_server_under_another_name_shows_that_name(
    scim: ScimClient, furnished: dict[str, str]
) -> None:
    path = f"http://other.test/scim/v2/Users/{furnished['id']}"
    fast = (await scim.get(path)).json()
    with in_full():
        assert fast == (await scim.get(path)).json()
    assert fast["meta"]["location"].endswith(f"/Users/{furnished['id']}")


async def test_pages_longer_than_those_read_with_their_groups_are_the_same(
    paths: TwoPaths, scim: ScimClient
) -> None:
    users = [await scim.create_user(f"user{number}", title="Guide") for number in range(12)]
    await scim.create_group("Guides", [user["id"] for user in users[::2]])
    assert len(await paths.agree()) == 12
