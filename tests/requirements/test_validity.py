"""Users begin and end at the moment that was said, to the microsecond, with no worker."""

from typing import Any

import pytest

from tests.conftest import Connect
from tests.requirements.accounts import CONNECTOR, LIFECYCLE, make, part, problem, status_of
from tests.support.catalogue import create_location, load_catalogue
from tests.support.client import ScimClient
from tests.support.time import Clock

LOCATION = "urn:ietf:params:scim:schemas:extension:location:2.0:User"
AUCKLAND = "Pacific/Auckland"
DATES = [
    pytest.param("endDate", "2026-04-04", "2026-04-04T11:00:00Z", id="last day of summer time"),
    pytest.param("endDate", "2026-04-05", "2026-04-05T12:00:00Z", id="the day of 25 hours"),
    pytest.param("startDate", "2026-04-05", "2026-04-04T11:00:00Z", id="begins as the day of 25 hours does"),
    pytest.param("startDate", "2026-04-06", "2026-04-05T12:00:00Z", id="first day of standard time"),
    pytest.param("startDate", "2026-09-27", "2026-09-26T12:00:00Z", id="begins as the day of 23 hours does"),
    pytest.param("endDate", "2026-09-27", "2026-09-27T11:00:00Z", id="the day of 23 hours"),
    pytest.param("terminationDate", "2026-12-31", "2026-12-31T11:00:00Z", id="termination"),
]


async def active_ids(client: ScimClient) -> list[str]:
    """Return the ids of the users that a filter finds active."""
    return [user["id"] for user in await client.find("/Users", "active eq true")]


@pytest.mark.proves("STA-25", "STA-06")
@pytest.mark.parametrize(("name", "date", "moment"), DATES)
async def test_a_date_is_a_day_where_the_user_is(
    name: str, date: str, moment: str, scim: ScimClient, clock: Clock
) -> None:
    user = await make(scim, timezone=AUCKLAND, **{CONNECTOR: {name: date}})
    rich = "validFrom" if name == "startDate" else "validTo"
    seen = await scim.read(f"/Users/{user}")
    assert (seen[CONNECTOR][name], seen[LIFECYCLE][rich]) == (date, moment)
    clock.before(moment)
    ends = name != "startDate"
    assert (await scim.read(f"/Users/{user}"))["active"] is ends
    assert await active_ids(scim) == ([user] if ends else [])
    clock.at(moment)
    assert (await scim.read(f"/Users/{user}"))["active"] is not ends
    assert await active_ids(scim) == ([] if ends else [user])
    assert await status_of(scim, user) == ("expired" if ends else "active")


@pytest.mark.proves("STA-25")
async def test_the_zone_is_that_of_the_location_else_that_of_the_organisation(
    admin: ScimClient, scim: ScimClient, database: Any
) -> None:
    await load_catalogue(database, policies={"timezone": "Asia/Tokyo"})
    await create_location(admin, "AKL", timezone=AUCKLAND)
    there = await make(scim, "there", **{CONNECTOR: {"endDate": "2026-07-01", "locationCode": "AKL"}})
    nowhere = await make(scim, "nowhere", **{CONNECTOR: {"endDate": "2026-07-01"}})
    ends = [(await scim.read(f"/Users/{user}"))[LIFECYCLE]["validTo"] for user in (there, nowhere)]
    assert ends == ["2026-07-01T12:00:00Z", "2026-07-01T15:00:00Z"]


@pytest.mark.proves("STA-25")
async def test_dates_of_hire_and_termination_are_kept_and_shown(scim: ScimClient) -> None:
    user = await make(scim, **{CONNECTOR: {"hireDate": "2020-01-01", "terminationDate": "2030-12-31"}})
    seen = await scim.read(f"/Users/{user}")
    assert seen[CONNECTOR] == {"hireDate": "2020-01-01", "terminationDate": "2030-12-31"}


@pytest.mark.proves("STA-06")
async def test_validity_begins_and_ends_to_the_microsecond(scim: ScimClient, clock: Clock) -> None:
    begins, ends = clock.text(days=1), clock.text(days=2)
    user = await make(scim, **{LIFECYCLE: {"validFrom": begins, "validTo": ends}})
    seen = []
    for moment in (begins, ends):
        clock.before(moment)
        seen.append((await status_of(scim, user), await active_ids(scim)))
        clock.at(moment)
        seen.append((await status_of(scim, user), await active_ids(scim)))
    assert seen == [("scheduled", []), ("active", [user]), ("active", [user]), ("expired", [])]


@pytest.mark.proves("STA-06")
async def test_entity_tags_follow_time(scim: ScimClient, clock: Clock) -> None:
    ends = clock.text(days=1)
    user = await make(scim, **{LIFECYCLE: {"validTo": ends}})
    path = f"/Users/{user}"
    old = (await scim.get(path)).headers["etag"]
    clock.before(ends)
    same = await scim.request("GET", path, headers={"if-none-match": old})
    assert (same.status_code, same.headers["etag"]) == (304, old)
    clock.at(ends)
    changed = await scim.request("GET", path, headers={"if-none-match": old})
    assert (changed.status_code, changed.json()["active"]) == (200, False)
    assert changed.headers["etag"] == changed.json()["meta"]["version"] != old
    assert changed.json()["meta"]["lastModified"].startswith(ends[:19])


@pytest.mark.proves("STA-06")
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_a_change_that_expects_what_was_before_a_boundary_is_refused(
    method: str, scim: ScimClient, clock: Clock
) -> None:
    ends = clock.text(days=1)
    user = await make(scim, **{LIFECYCLE: {"validTo": ends}})
    path = f"/Users/{user}"
    bodies: dict[str, Any] = {
        "PUT": {"userName": "ann", "title": "Boss"},
        "PATCH": {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "title", "value": "Boss"}],
        },
    }
    old = (await scim.get(path)).headers["etag"]
    clock.at(ends)
    refused = await scim.request(method, path, json=bodies.get(method), headers={"if-match": old})
    assert refused.status_code == 412
    new = (await scim.get(path)).headers["etag"]
    done = await scim.request(method, path, json=bodies.get(method), headers={"if-match": new})
    assert done.status_code in (200, 204)


@pytest.mark.proves("STA-06")
async def test_a_change_after_a_boundary_has_a_version_of_its_own(scim: ScimClient, clock: Clock) -> None:
    begins, ends = clock.text(days=1), clock.text(days=2)
    user = await make(scim, **{LIFECYCLE: {"validFrom": begins, "validTo": ends}})
    tags = [(await scim.get(f"/Users/{user}")).headers["etag"]]
    clock.at(begins)
    tags.append((await scim.get(f"/Users/{user}")).headers["etag"])
    changed = await scim.patch(f"/Users/{user}", {"op": "add", "path": "title", "value": "Boss"})
    tags.append(changed.headers["etag"])
    clock.at(ends)
    tags.append((await scim.get(f"/Users/{user}")).headers["etag"])
    assert len(set(tags)) == len(tags)


@pytest.mark.proves("STA-06")
async def test_an_end_that_is_put_off_counts_no_longer(scim: ScimClient, clock: Clock) -> None:
    user = await make(scim, **{CONNECTOR: {"endDate": "2026-03-04"}})
    later = {"op": "replace", "path": f"{CONNECTOR}:endDate", "value": "2026-03-31"}
    await scim.patch_ok(f"/Users/{user}", later)
    clock.at("2026-03-20T00:00:00+00:00")
    assert await status_of(scim, user) == "active"
    clock.at("2026-04-01T00:00:00+00:00")
    assert await status_of(scim, user) == "expired"


@pytest.mark.proves("STA-25")
@pytest.mark.parametrize("profile", ["admin", "idp", "hris", "import"])
async def test_an_end_before_the_beginning_is_refused(
    profile: str, connect: Connect, scim: ScimClient, clock: Clock
) -> None:
    user = await make(scim)
    client = await connect(profile=profile)
    value = {f"{LIFECYCLE}:validFrom": clock.text(days=2), f"{LIFECYCLE}:validTo": clock.text(days=1)}
    response = await client.patch(f"/Users/{user}", {"op": "replace", "value": value})
    said = "The end of validity must be after its beginning"
    assert problem(response) == (400, said)


@pytest.mark.proves("STA-25")
async def test_what_is_no_date_is_refused(scim: ScimClient) -> None:
    body = {"userName": "ann", CONNECTOR: {"endDate": "next Friday"}}
    assert problem(await scim.post("/Users", body)) == (400, "endDate must be a date or a dateTime")


@pytest.mark.proves("STA-25")
async def test_both_forms_of_an_end_have_to_agree(scim: ScimClient) -> None:
    body = {
        "userName": "ann",
        CONNECTOR: {"endDate": "2026-12-01"},
        LIFECYCLE: {"validTo": "2026-12-24T00:00:00Z"},
    }
    flat = f"{CONNECTOR}:endDate, {CONNECTOR}:terminationDate"
    said = f"{flat} and {LIFECYCLE}:validTo state different values"
    assert problem(await scim.post("/Users", body)) == (400, said)


@pytest.mark.proves("STA-06")
async def test_a_user_whose_end_has_passed_before_it_is_made_is_never_active(
    scim: ScimClient, clock: Clock
) -> None:
    body = {"userName": "ann", LIFECYCLE: {"validTo": clock.text(days=-1)}, "active": True}
    created = await scim.post("/Users", body)
    assert (created.status_code, created.json()["active"]) == (201, False)
    assert await part(scim, created.json()["id"], "effectiveStatus") == "expired"
