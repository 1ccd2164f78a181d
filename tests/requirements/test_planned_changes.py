"""What a planned change may say, and what becomes of one that cannot be carried out."""

import json
from typing import Any

import pytest

from scim_server.services import lookups
from scim_server.services.changes import Changes
from tests.requirements.accounts import LIFECYCLE, act, hire, problem, status_of
from tests.requirements.plans import outcome_of, patch, plan
from tests.support.client import PATCH_SCHEMA, ScimClient
from tests.support.time import Clock


@pytest.mark.proves("STA-06")
@pytest.mark.parametrize(
    "said",
    [
        '{"schemas":["%s"],"Operations":[{"op":"replace","path":"title","value":"\\ud800"}]}',
        '{"schemas":["%s"],"Operations":[{"op":"replace","path":"title","value":"\\u0000"}]}',
        '{"schemas":["%s"],"Operations":[{"op":"replace","path":"title","value":NaN}]}',
        "[" * 20_000,
        "{}",
        "",
    ],
    ids=["surrogate", "NUL", "NaN", "deep", "empty", "nothing"],
)
async def test_what_no_patch_may_say_is_refused_when_it_is_planned(
    admin: ScimClient, clock: Clock, said: str
) -> None:
    user = await hire(admin)
    body = {"user": {"value": user}, "kind": "patch", "effectiveAt": clock.text(days=3)}
    response = await admin.post("/ScheduledChanges", {**body, "patch": said.replace("%s", PATCH_SCHEMA)})
    assert problem(response) == (400, "patch must be a PATCH message as JSON text.")


@pytest.mark.proves("PWD-01")
@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "password", "value": "Quite-a-l0ng-one"},
        {"op": "replace", "value": {"PassWord": "Quite-a-l0ng-one"}},
        {"op": "add", "path": "urn:ietf:params:scim:schemas:core:2.0:User:password", "value": "Quite-a-l0ng"},
    ],
)
async def test_a_password_is_never_planned(
    admin: ScimClient, clock: Clock, operation: dict[str, Any]
) -> None:
    user = await hire(admin)
    said = json.dumps({"schemas": [PATCH_SCHEMA], "Operations": [operation]})
    body = {"user": {"value": user}, "kind": "patch", "effectiveAt": clock.text(days=3), "patch": said}
    response = await admin.post("/ScheduledChanges", body)
    assert response.status_code == 400
    assert response.json()["detail"].startswith("patch cannot set a password")


@pytest.mark.proves("STA-06")
async def test_a_planned_patch_that_breaks_the_server_fails_alone(
    admin: ScimClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await hire(admin)
    at = clock.text(days=3)
    broken = await plan(admin, user, "patch", at, patch=patch(title="Boss"))
    other = await plan(admin, user, "delete", at)
    monkeypatch.setattr(Changes, "patch", raising)
    clock.at(at)
    assert (await admin.get(f"/Users/{user}")).status_code == 404
    assert [await outcome_of(admin, one) for one in (broken, other)] == ["failed", "applied"]


def raising(*_arguments: object) -> None:
    raise TypeError("a defect")


@pytest.mark.proves("STA-06")
async def test_what_goes_with_a_deactivation_for_later_happens_at_once(
    admin: ScimClient, clock: Clock
) -> None:
    user = await hire(admin)
    at = clock.text(days=3)
    response = await admin.patch(
        f"/Users/{user}",
        {"op": "replace", "path": "active", "value": False},
        {"op": "replace", "path": "title", "value": "Leaver"},
        {
            "op": "add",
            "path": f"{LIFECYCLE}:changeContext",
            "value": {"reason": "voluntaryTermination", "effectiveAt": at},
        },
    )
    assert response.status_code == 200, response.text
    assert (response.json()["active"], response.json()["title"]) == (True, "Leaver")
    clock.at(at)
    assert await status_of(admin, user) == "inactive"


@pytest.mark.proves("STA-06")
async def test_a_moment_that_would_be_ignored_is_refused(admin: ScimClient, clock: Clock) -> None:
    user, at = await hire(admin), clock.text(days=3)
    response = await admin.patch(
        f"/Users/{user}",
        {"op": "replace", "path": "title", "value": "Boss"},
        {"op": "add", "path": f"{LIFECYCLE}:changeContext", "value": {"effectiveAt": at}},
    )
    assert response.status_code == 400
    assert "ScheduledChanges" in response.json()["detail"]
    assert (await act(admin, user, "revokeSessions", effectiveAt=at)).status_code == 400
    assert "title" not in await admin.read(f"/Users/{user}")


@pytest.mark.proves("STA-06")
@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31", "0001-01-01"])
@pytest.mark.parametrize("path", [f"{LIFECYCLE}:validFrom", f"{LIFECYCLE}:validTo"])
async def test_the_ends_of_the_calendar_are_moments_or_no_dates(
    admin: ScimClient, path: str, text: str
) -> None:
    user = await hire(admin)
    response = await admin.patch(f"/Users/{user}", {"op": "replace", "path": path, "value": text})
    assert response.status_code in {200, 400}
    assert (await admin.get(f"/Users/{user}")).status_code == 200


@pytest.mark.proves("STA-06")
async def test_planned_changes_happen_in_the_order_of_their_moments(
    admin: ScimClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "_MOST", 1)
    user = await hire(admin)
    planned = {
        days: await plan(admin, user, "patch", clock.text(days=days), patch=patch(title=f"Day {days}"))
        for days in (5, 3, 4)
    }
    moments = {days: clock.text(days=days) for days in planned}
    for days in sorted(planned):
        clock.at(moments[days])
        assert (await admin.read(f"/Users/{user}"))["title"] == f"Day {days}"
