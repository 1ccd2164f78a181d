"""Races of many clients over HTTP: nothing is lost, nothing is done twice, no circle of groups closes."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable
from typing import Any

import httpx2
import pytest

from scim_server.security.principals import PERMISSIONS
from tests.protocol.messages import Connect, Json, bulk, listed, operation, patch, user
from tests.support.client import ScimClient

MANY = 50
ATTRIBUTES = (
    "title",
    "nickName",
    "displayName",
    "userType",
    "locale",
    "timezone",
    "preferredLanguage",
    "profileUrl",
    "externalId",
    "name.givenName",
    "name.familyName",
    "name.middleName",
    "name.formatted",
    "name.honorificPrefix",
    "name.honorificSuffix",
)


@pytest.fixture
async def scim(live_connect: Connect) -> ScimClient:
    return await live_connect(profile="idp", permissions=list(PERMISSIONS))


async def statuses(requests: Iterable[Awaitable[httpx2.Response]]) -> Counter[int]:
    """Send the requests at once and count the statuses of their answers."""
    return Counter(response.status_code for response in await asyncio.gather(*requests))


async def create_users(scim: ScimClient, number: int) -> list[str]:
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": str(index), "data": user(f"user{index}")}
        for index in range(number)
    ]
    response = await bulk(scim, *operations)
    assert response.status_code == 200, response.text
    return [str(each["location"]).rsplit("/", 1)[-1] for each in response.json()["Operations"]]


def add(*ids: str) -> Json:
    return operation("add", "members", [{"value": each} for each in ids])


async def member_ids(scim: ScimClient, path: str) -> set[str]:
    return {member["value"] for member in (await scim.read(path)).get("members", [])}


async def test_members_added_at_once_are_all_there(scim: ScimClient) -> None:
    ids = await create_users(scim, MANY)
    path = f"/Groups/{(await scim.create_group('Guides'))['id']}"
    assert await statuses(patch(scim, path, add(each)) for each in ids) == {204: MANY}
    assert await member_ids(scim, path) == set(ids)


async def test_members_added_and_removed_at_once_are_what_was_asked(scim: ScimClient) -> None:
    ids = await create_users(scim, MANY)
    leaving, coming = ids[: MANY // 2], ids[MANY // 2 :]
    path = f"/Groups/{(await scim.create_group('Guides', members=leaving))['id']}"
    changes = [operation("remove", f'members[value eq "{each}"]') for each in leaving]
    changes += [add(each) for each in coming]
    assert await statuses(patch(scim, path, change) for change in changes) == {204: MANY}
    assert await member_ids(scim, path) == set(coming)


async def test_attributes_of_one_user_changed_at_once_are_all_changed(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    path = f"/Users/{ann['id']}"
    phones = [{"value": f"555-{number:04}", "type": "work"} for number in range(MANY - len(ATTRIBUTES))]
    changes = [operation("replace", name, f"new {name}") for name in ATTRIBUTES]
    changes += [operation("add", "phoneNumbers", [phone]) for phone in phones]
    assert await statuses(patch(scim, path, change) for change in changes) == {200: MANY}
    body = await scim.read(path)
    assert {phone["value"] for phone in body["phoneNumbers"]} == {phone["value"] for phone in phones}
    stated = {name: _at(body, name) for name in ATTRIBUTES}
    assert stated == {name: f"new {name}" for name in ATTRIBUTES}


def _at(body: Json, path: str) -> Any:
    value: Any = body
    for name in path.split("."):
        value = value.get(name)
    return value


async def test_every_change_moved_the_version_once(scim: ScimClient) -> None:
    path = f"/Users/{(await scim.create_user('ann'))['id']}"
    changes = [operation("add", "emails", [{"value": f"a{number}@example.com"}]) for number in range(MANY)]
    answers = await asyncio.gather(*(patch(scim, path, change) for change in changes))
    assert len({response.headers["etag"] for response in answers}) == MANY
    assert len((await scim.read(path))["emails"]) == MANY


async def test_one_name_posted_at_once_is_created_once(scim: ScimClient) -> None:
    requests = (scim.post("/Users", user("ann" if number % 2 else "ANN")) for number in range(MANY))
    assert await statuses(requests) == {201: 1, 409: MANY - 1}
    assert len(await listed(scim, "/Users")) == 1


async def test_one_group_name_posted_at_once_is_created_once(scim: ScimClient) -> None:
    requests = (scim.post("/Groups", {"schemas": [], "displayName": "Guides"}) for _ in range(MANY))
    assert await statuses(requests) == {201: 1, 409: MANY - 1}
    assert len(await listed(scim, "/Groups")) == 1


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_of_those_who_hold_the_same_version_one_wins(scim: ScimClient, method: str) -> None:
    ann = await scim.create_user("ann")
    path, headers = f"/Users/{ann['id']}", {"If-Match": ann["meta"]["version"]}

    async def write(number: int) -> httpx2.Response:
        change = operation("replace", "title", f"Title {number}")
        body = user("ann", title=f"Title {number}") if method == "PUT" else {"Operations": [change]}
        schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"] if method == "PATCH" else body["schemas"]
        return await scim.request(method, path, json={**body, "schemas": schemas}, headers=headers)

    answers = await asyncio.gather(*(write(number) for number in range(MANY)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: MANY - 1}
    (winner,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert await scim.read(path) == winner


async def test_of_those_who_delete_the_same_version_one_wins(scim: ScimClient) -> None:
    ann = await scim.create_user("ann")
    path, headers = f"/Users/{ann['id']}", {"If-Match": ann["meta"]["version"]}
    done = await statuses(scim.request("DELETE", path, headers=headers) for _ in range(MANY))
    assert done[204] == 1
    assert done[404] + done[412] == MANY - 1


async def test_users_deleted_while_they_are_added_leave_no_trace(scim: ScimClient) -> None:
    ids = await create_users(scim, MANY)
    path = f"/Groups/{(await scim.create_group('Guides'))['id']}"
    leaving = set(ids[::2])
    requests: list[Awaitable[httpx2.Response]] = [patch(scim, path, add(each)) for each in ids]
    requests += [scim.delete(f"/Users/{each}") for each in leaving]
    answers = await asyncio.gather(*requests)
    assert {answer.status_code for answer in answers[:MANY]} <= {204, 400}
    assert {answer.status_code for answer in answers[MANY:]} == {204}
    assert await member_ids(scim, path) == set(ids) - leaving
    for each in leaving:
        assert await scim.find("/Groups", f'members.value eq "{each}"') == []


async def test_a_group_deleted_while_members_are_added_is_gone_for_its_users(scim: ScimClient) -> None:
    ids = await create_users(scim, MANY // 2)
    path = f"/Groups/{(await scim.create_group('Guides'))['id']}"
    requests: list[Awaitable[httpx2.Response]] = [patch(scim, path, add(each)) for each in ids]
    requests.insert(MANY // 4, scim.delete(path))
    done = await statuses(requests)
    assert set(done) <= {204, 404}
    assert (await scim.get(path)).status_code == 404
    assert [each["userName"] for each in await listed(scim, "/Users") if "groups" in each] == []


async def test_two_groups_that_take_each_other_in_never_close_a_circle(scim: ScimClient) -> None:
    for attempt in range(10):
        first, second = [(await scim.create_group(f"{name} {attempt}"))["id"] for name in ("A", "B")]
        done = await statuses(
            [
                patch(scim, f"/Groups/{first}", add(second)),
                patch(scim, f"/Groups/{second}", add(first)),
            ]
        )
        assert done == {204: 1, 400: 1}
        held = [await member_ids(scim, f"/Groups/{each}") for each in (first, second)]
        assert sorted(len(members) for members in held) == [0, 1]


async def test_a_ring_of_groups_never_closes(scim: ScimClient) -> None:
    ids = [(await scim.create_group(f"Ring {number}"))["id"] for number in range(8)]
    pairs = list(zip(ids, ids[1:] + ids[:1], strict=True))
    done = await statuses(patch(scim, f"/Groups/{holder}", add(member)) for holder, member in pairs)
    assert done == {204: len(ids) - 1, 400: 1}


async def test_bulk_requests_at_once_create_everybody_once(scim: ScimClient) -> None:
    def people(part: int) -> list[Json]:
        return [
            {"method": "POST", "path": "/Users", "bulkId": str(number), "data": user(f"user{part}-{number}")}
            for number in range(10)
        ]

    assert await statuses(bulk(scim, *people(part)) for part in range(5)) == {200: 5}
    assert len(await listed(scim, "/Users")) == MANY
