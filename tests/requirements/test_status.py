"""Users go from status to status as the table of the life cycle has it, and in no other way."""

from typing import Any

import pytest

from tests.conftest import Connect
from tests.requirements.accounts import (
    CONNECTOR,
    LIFECYCLE,
    PERSON,
    act,
    acted,
    events,
    fail,
    hire,
    holds_of,
    last_event,
    make,
    part,
    problem,
    set_active,
    status_of,
    wish,
)
from tests.support.client import ScimClient
from tests.support.time import Clock

STATUSES = ("pending", "scheduled", "active", "locked", "suspended", "inactive", "expired")
ALLOWED = {
    ("pending", "active"): "active",
    ("pending", "inactive"): "inactive",
    ("scheduled", "inactive"): "inactive",
    ("scheduled", "suspended"): "suspended",
    ("active", "inactive"): "inactive",
    ("active", "suspended"): "suspended",
    ("locked", "inactive"): "inactive",
    ("locked", "suspended"): "suspended",
    ("expired", "inactive"): "inactive",
    ("expired", "suspended"): "suspended",
    ("inactive", "active"): "active",
    ("inactive", "suspended"): "suspended",
    ("inactive", "pending"): "pending",
    ("suspended", "active"): "active",
}
REFUSED = (
    ("pending", "suspended"),
    ("scheduled", "pending"),
    ("active", "pending"),
    ("locked", "pending"),
    ("expired", "pending"),
    ("suspended", "pending"),
    ("suspended", "inactive"),
)
ACTIONS = {"active": "activate", "inactive": "deactivate", "suspended": "suspend", "pending": "reonboard"}


async def user_in(status: str, admin: ScimClient, clock: Clock) -> str:
    """Create a user and bring it into a status."""
    facts: dict[str, Any] = {
        "pending": {"status": "pending"},
        "scheduled": {"validFrom": clock.text(days=3)},
        "expired": {"validTo": clock.text(days=1)},
    }.get(status, {})
    user = await hire(admin, **({LIFECYCLE: facts} if facts else {}))
    if status == "expired":
        clock.advance(days=1)
    elif status == "locked":
        await fail(admin, user)
    elif status in {"inactive", "suspended"}:
        await acted(admin, user, ACTIONS[status], reason="other")
    assert await status_of(admin, user) == status
    return user


@pytest.mark.proves("STA-01", "STA-02", "STA-03")
@pytest.mark.parametrize("status", STATUSES)
async def test_a_user_shows_its_status_and_whether_it_is_active(
    status: str, admin: ScimClient, clock: Clock
) -> None:
    user = await user_in(status, admin, clock)
    assert (await admin.read(f"/Users/{user}"))["active"] is (status in {"active", "locked"})
    found = await admin.find("/Users", f'{LIFECYCLE}:effectiveStatus eq "{status}"')
    assert [one["id"] for one in found] == [user]


@pytest.mark.proves("STA-19")
@pytest.mark.parametrize(("pair", "after"), ALLOWED.items())
async def test_a_transition_of_the_table_happens_by_patch(
    pair: tuple[str, str], after: str, admin: ScimClient, clock: Clock
) -> None:
    user = await user_in(pair[0], admin, clock)
    response = await wish(admin, user, pair[1], reason="other")
    assert (response.status_code, await status_of(admin, user)) == (200, after)


@pytest.mark.proves("STA-22")
@pytest.mark.parametrize(("pair", "after"), ALLOWED.items())
async def test_a_transition_of_the_table_happens_by_an_account_action(
    pair: tuple[str, str], after: str, admin: ScimClient, clock: Clock
) -> None:
    user = await user_in(pair[0], admin, clock)
    done = await acted(admin, user, ACTIONS[pair[1]], reason="other")
    assert (done["status"], await status_of(admin, user)) == ("done", after)


@pytest.mark.proves("STA-19")
@pytest.mark.parametrize("pair", REFUSED)
async def test_people_are_refused_every_other_transition(
    pair: tuple[str, str], admin: ScimClient, clock: Clock
) -> None:
    user = await user_in(pair[0], admin, clock)
    answers = [
        await wish(admin, user, pair[1], reason="other"),
        await act(admin, user, ACTIONS[pair[1]], reason="other"),
    ]
    said = (400, f"Invalid status transition from {pair[0]} to {pair[1]}")
    assert [problem(answer) for answer in answers] == [said, said]
    assert await status_of(admin, user) == pair[0]


@pytest.mark.proves("STA-19")
@pytest.mark.parametrize("pair", [pair for pair in REFUSED if pair != ("suspended", "inactive")])
async def test_a_connector_is_answered_with_the_status_as_it_stayed(
    pair: tuple[str, str], admin: ScimClient, scim: ScimClient, clock: Clock
) -> None:
    user = await user_in(pair[0], admin, clock)
    response = await wish(scim, user, pair[1])
    assert (response.status_code, await status_of(admin, user)) == (200, pair[0])
    event = await last_event(admin, user)
    said = f"Invalid status transition from {pair[0]} to {pair[1]}"
    assert event["outcome"] == "noop"
    assert event["rules"] == [{"value": "R-TRANS", "effect": "corrected", "message": said}]


@pytest.mark.proves("STA-19")
async def test_among_many_users_one_that_cannot_follow_is_passed_over(
    admin: ScimClient, clock: Clock
) -> None:
    active = await user_in("active", admin, clock)
    inactive = await hire(admin, "bob", active=False)
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            {
                "method": "PATCH",
                "path": f"/Users/{user}",
                "data": {
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                    "Operations": [{"op": "replace", "path": f"{LIFECYCLE}:status", "value": "pending"}],
                },
            }
            for user in (active, inactive)
        ],
    }
    answer = (await admin.post("/Bulk", body)).json()
    assert [operation["status"] for operation in answer["Operations"]] == ["400", "200"]
    said = answer["Operations"][0]["response"]["detail"]
    assert said == "Invalid status transition from active to pending"
    assert [await status_of(admin, user) for user in (active, inactive)] == ["active", "pending"]


@pytest.mark.proves("STA-01", "STA-22")
@pytest.mark.parametrize(
    ("profile", "facts", "status"),
    [
        ("idp", {}, "active"),
        ("idp", {"active": True}, "active"),
        ("idp", {"active": False}, "inactive"),
        ("hris", {CONNECTOR: {"startDate": "2026-03-09"}}, "scheduled"),
        ("hris", {}, "active"),
        ("admin", {}, "active"),
        ("admin", {"active": False}, "inactive"),
        ("admin", {LIFECYCLE: {"status": "pending"}}, "pending"),
        ("import", {}, "pending"),
        ("import", {"active": True}, "active"),
    ],
)
async def test_a_new_user_begins_as_its_source_has_it(
    profile: str, facts: dict[str, Any], status: str, connect: Connect, admin: ScimClient, clock: Clock
) -> None:
    assert clock.moment
    client = await connect(profile=profile)
    assert await status_of(admin, await hire(client, **facts)) == status


@pytest.mark.proves("STA-01")
async def test_nobody_begins_suspended(admin: ScimClient) -> None:
    body = {"userName": "ann", **PERSON, LIFECYCLE: {"status": "suspended"}}
    assert problem(await admin.post("/Users", body)) == (
        400,
        "Invalid status transition from new to suspended",
    )


@pytest.mark.proves("STA-04")
@pytest.mark.parametrize("door", ["active", "status", "action"])
@pytest.mark.parametrize("wanted", ["inactive", "suspended"])
async def test_people_say_why_they_take_access_away(door: str, wanted: str, admin: ScimClient) -> None:
    user = await hire(admin)
    if door == "action":
        response = await act(admin, user, ACTIONS[wanted])
    elif door == "status" or wanted == "suspended":
        response = await wish(admin, user, wanted)
    else:
        response = await set_active(admin, user, active=False)
    assert problem(response) == (400, "Deactivation reason is required")
    assert await status_of(admin, user) == "active"


@pytest.mark.proves("STA-04")
@pytest.mark.parametrize(
    ("profile", "reason"), [("idp", "idpDeprovisioned"), ("hris", "hrisTerminated"), ("import", None)]
)
async def test_the_reason_of_a_connector_goes_without_saying(
    profile: str, reason: str | None, connect: Connect, scim: ScimClient
) -> None:
    user = await make(scim)
    client = await connect(profile=profile)
    response = await set_active(client, user, active=False)
    if reason is None:
        assert problem(response) == (400, "Deactivation reason is required")
        return
    assert (response.status_code, response.json()["active"]) == (200, False)
    assert (await part(scim, user, "statusReason"))["code"] == reason


@pytest.mark.proves("STA-05")
@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("voluntaryTermination", "termination"),
        ("involuntaryTermination", "termination"),
        ("leaveOfAbsence", "leave"),
        ("duplicateAccount", "deprovisioned"),
        ("securityIncident", "deprovisioned"),
        ("other", "deprovisioned"),
    ],
)
async def test_every_reason_of_the_organisation_is_kept_with_the_hold(
    reason: str, kind: str, admin: ScimClient, clock: Clock
) -> None:
    user = await hire(admin)
    await acted(admin, user, "deactivate", reason=reason)
    assert await part(admin, user, "statusReason") == {
        "code": reason,
        "setBy": "client-1",
        "setAt": clock.text(),
        "source": "admin",
    }
    assert await part(admin, user, "holds") == [
        {
            "value": f"admin-{kind}",
            "source": "admin",
            "kind": kind,
            "reason": reason,
            "since": clock.text(),
            "liftableBy": ["admin"],
        }
    ]


@pytest.mark.proves("STA-05")
async def test_a_reason_that_nobody_knows_is_refused(admin: ScimClient) -> None:
    user = await hire(admin)
    assert (await act(admin, user, "deactivate", reason="tired")).status_code == 400


@pytest.mark.proves("STA-07")
async def test_a_note_on_a_deactivation_is_for_those_who_ask_for_it_and_may(
    admin: ScimClient, connect: Connect
) -> None:
    user = await hire(admin)
    await acted(admin, user, "deactivate", reason="other", note="He shouted at Bob.")
    note = f"{LIFECYCLE}:statusReason.note"
    shown = await admin.read(f"/Users/{user}", attributes=note)
    assert shown[LIFECYCLE] == {"statusReason": {"note": "He shouted at Bob."}}
    idp = await connect(profile="idp")
    for seen in (
        await idp.read(f"/Users/{user}"),
        await idp.read(f"/Users/{user}", attributes=f"{LIFECYCLE}:statusReason"),
        await idp.read(f"/Users/{user}", attributes=note),
    ):
        assert "shouted" not in str(seen)


@pytest.mark.proves("STA-07")
@pytest.mark.parametrize(
    "query",
    [
        {"filter": f'{LIFECYCLE}:statusReason.note sw "He"'},
        {"filter": f'{LIFECYCLE}:statusReason[note sw "He"]'},
        {"filter": f'not ({LIFECYCLE}:statusReason.note eq "x")'},
        {"sortBy": f"{LIFECYCLE}:statusReason.note"},
    ],
)
async def test_a_note_cannot_be_guessed_by_asking_for_it(
    admin: ScimClient, connect: Connect, query: dict[str, str]
) -> None:
    user = await hire(admin)
    await acted(admin, user, "deactivate", reason="other", note="He shouted at Bob.")
    idp = await connect(profile="idp")
    assert (await admin.get("/Users", **query)).status_code == 200
    assert (await idp.get("/Users", **query)).status_code == 400


@pytest.mark.proves("STA-09")
async def test_deactivating_deletes_nothing(admin: ScimClient) -> None:
    user = await hire(admin, title="Recruiter")
    before = await admin.read(f"/Users/{user}")
    await acted(admin, user, "deactivate", reason="other")
    after = await admin.read(f"/Users/{user}")
    assert {**after, "meta": None} == {**before, "meta": None, "active": False}
    assert [one["id"] for one in await admin.find("/Users", "active eq false")] == [user]


@pytest.mark.proves("STA-21")
async def test_a_security_incident_locks_out_at_once_and_only_security_lets_in_again(
    admin: ScimClient, connect: Connect, scim: ScimClient
) -> None:
    user = await hire(admin)
    await acted(admin, user, "suspend", reason="securityIncident")
    assert await holds_of(admin, user) == {"security-suspension"}
    assert (await scim.read(f"/Users/{user}"))["active"] is False
    people = await connect(profile="admin")
    assert problem(await act(people, user, "reinstate", reason="returned")) == (
        403,
        "The account is held by security, which alone can lift that",
    )
    await acted(admin, user, "reinstate", reason="returned")
    assert await status_of(admin, user) == "active"


@pytest.mark.proves("STA-16")
async def test_people_say_why_they_let_somebody_in_again(admin: ScimClient) -> None:
    user = await hire(admin, active=False)
    assert problem(await act(admin, user, "reactivate")) == (400, "Reactivation reason is required")
    await acted(admin, user, "reactivate", reason="rehired")
    done = await events(admin, f'resource.value eq "{user}" and action eq "user.reactivate"')
    assert [event["reason"] for event in done] == ["rehired"]
