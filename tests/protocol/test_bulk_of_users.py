"""Many users created by one Bulk: what is asked for all of them at once says the same as asked for each."""

from typing import Any

import pytest

from scim_server.lifecycle.messages import message
from scim_server.security.principals import PERMISSIONS
from tests.protocol.messages import ENTERPRISE, Connect, Json, accepted, bulk, listed
from tests.support.client import ScimClient
from tests.support.people import person


def body(name: str, email: str = "", **enterprise: Any) -> Json:
    """Return the body of a user, whose e-mail address is its user name unless another is given."""
    stated = person(name, userName=f"{name}@example.com", **({ENTERPRISE: enterprise} if enterprise else {}))
    stated["emails"] = [{"value": email or f"{name}@example.com", "type": "work", "primary": True}]
    return stated


async def create(scim: ScimClient, *bodies: Json) -> list[Json]:
    """Create users by one request, each under its place in it, and return the results."""
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": str(place), "data": each}
        for place, each in enumerate(bodies)
    ]
    done: list[Json] = accepted(await bulk(scim, *operations))["Operations"]
    return done


def statuses(results: list[Json]) -> list[str]:
    return [each["status"] for each in results]


async def managers(scim: ScimClient) -> dict[str, str | None]:
    """Return the user name of each user's manager, by user name."""
    users = await listed(scim, "/Users?count=200")
    names = {each["id"]: each["userName"] for each in users}
    return {
        each["userName"]: names.get(each.get(ENTERPRISE, {}).get("manager", {}).get("value"))
        for each in users
    }


@pytest.fixture
async def hris(connect: Connect) -> ScimClient:
    """Speak as a client for which two users must not share an e-mail address."""
    return await connect(profile="hris", permissions=list(PERMISSIONS))


@pytest.mark.parametrize("number", [2, 40, 120])
async def test_all_are_there_afterwards(number: int, scim: ScimClient) -> None:
    names = [f"user{place:03}" for place in range(number)]
    assert statuses(await create(scim, *map(body, names))) == ["201"] * number
    assert (await scim.read("/Users?count=0"))["totalResults"] == number
    for name in (names[0], names[-1]):
        (found,) = await listed(scim, f'/Users?filter=userName eq "{name}@example.com"')
        assert found["emails"][0]["value"] == f"{name}@example.com"


async def test_an_address_that_somebody_has_is_refused_to_that_one_alone(hris: ScimClient) -> None:
    assert statuses(await create(hris, body("ann"), body("bob"))) == ["201", "201"]
    done = await create(hris, body("cid"), body("dan", "ANN@example.com"), body("eve"))
    assert statuses(done) == ["201", "409", "201"]


async def test_an_address_that_two_of_the_request_have_goes_to_the_first(hris: ScimClient) -> None:
    done = await create(hris, body("ann", "one@example.com"), body("bob"), body("cid", "One@example.com"))
    assert statuses(done) == ["201", "201", "409"]


async def test_a_user_name_that_two_of_the_request_have_goes_to_the_first(scim: ScimClient) -> None:
    done = await create(scim, body("ann"), *(body(f"user{place}") for place in range(60)), body("Ann"))
    assert statuses(done) == ["201"] * 61 + ["409"]
    assert (await scim.read("/Users?count=0"))["totalResults"] == 61


async def test_managers_are_found_whether_they_were_there_or_come_with_the_request(scim: ScimClient) -> None:
    (boss,) = await create(scim, body("boss"))
    boss_id = boss["location"].rsplit("/", 1)[-1]
    done = await create(
        scim,
        body("ann", manager={"value": boss_id}),
        body("bob", manager={"value": "bulkId:0"}),
        body("cid", manager={"value": "ann@example.com"}),
        body("dan", manager={"value": "later@example.com"}),
        body("later", manager={"value": "bulkId:2"}),
    )
    assert statuses(done) == ["201"] * 5
    assert await managers(scim) == {
        "boss@example.com": None,
        "ann@example.com": "boss@example.com",
        "bob@example.com": "ann@example.com",
        "cid@example.com": "ann@example.com",
        "dan@example.com": "later@example.com",
        "later@example.com": "cid@example.com",
    }


@pytest.mark.parametrize(
    "odd",
    [
        {"emails": "ann@example.com"},
        {"emails": [{"value": 5}]},
        {"emails": [None, ["x"], {"value": None}]},
        {"EMAILS": [{"Value": "cased@example.com"}]},
        {"emails": [{"value": "a\u0001b@example.com"}]},
        {ENTERPRISE: {"manager": 5}},
        {ENTERPRISE: []},
        {ENTERPRISE.upper(): {"Manager": {"VALUE": "nobody"}}},
        {ENTERPRISE: {"manager": {"value": "x" * 300}}},
    ],
    ids=str,
)
async def test_odd_bodies_get_the_answer_that_they_get_alone(odd: Json, scim: ScimClient) -> None:
    plain = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]}
    alone = await scim.post("/Users", {**plain, "userName": "alone", **odd})
    done = await create(scim, body("ann"), {**plain, "userName": "together", **odd}, body("bob"))
    assert statuses(done) == ["201", str(alone.status_code), "201"]


async def test_a_user_that_names_itself_is_on_record(scim: ScimClient) -> None:
    own, _ = await create(scim, body("ann", manager={"value": "bulkId:0"}), body("bob"))
    ann = own["location"].rsplit("/", 1)[-1]
    events = await listed(scim, f'/AuditEvents?filter=resource.value eq "{ann}" and action eq "user.create"')
    assert [rule["message"] for event in events for rule in event["rules"]].count(message("R-REF.cycle")) == 1
