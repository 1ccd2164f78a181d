"""A dry run says what a change would do and what the rules say of it, and does nothing."""

from typing import Any

import pytest
import sqlalchemy as sa

from scim_server.store.database import Database
from scim_server.store.tables import audit_event, outbox, resource
from tests.conftest import Connect
from tests.requirements.accounts import LIFECYCLE, PERSON, act, acted, hire, last_event, problem, status_of
from tests.requirements.records import rows_of
from tests.support.catalogue import create_department, create_role
from tests.support.client import PATCH_SCHEMA, ScimClient

WHY = [{"op": "add", "path": f"{LIFECYCLE}:changeContext", "value": {"reason": "other"}}]
DRY_RUN = "urn:scim-server:api:messages:2.0:DryRun"


async def state(database: Database) -> list[Any]:
    """Return how many rows there are and the versions of the resources."""
    counts = [
        await rows_of(database, sa.select(sa.func.count()).select_from(table))
        for table in (audit_event, outbox)
    ]
    versions = sa.select(resource.c.id, resource.c.version, resource.c.deleted).order_by(resource.c.id)
    return [*counts, await rows_of(database, versions)]


@pytest.mark.proves("STA-04", "UPD-01")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_nothing_is_written(method: str, admin: ScimClient, database: Database) -> None:
    user = await hire(admin)
    before = await state(database)
    body: Any = {
        "POST": {**PERSON, "emails": [{"value": "new@example.com"}]},
        "PUT": {**PERSON, "userName": "ann", "title": "Boss"},
        "PATCH": {
            "schemas": [PATCH_SCHEMA],
            "Operations": [{"op": "add", "path": "title", "value": "Boss"}],
        },
    }.get(method)
    path = "/Users" if method == "POST" else f"/Users/{user}"
    answer = await admin.request(method, f"{path}?dryRun=true", json=body)
    assert (answer.status_code, answer.json()["schemas"]) == (200, [DRY_RUN])
    assert await state(database) == before


@pytest.mark.proves("STA-04")
async def test_it_says_what_would_change_and_shows_the_result(admin: ScimClient) -> None:
    user = await hire(admin)
    change = {"op": "add", "path": "title", "value": "Boss"}
    shown = (await admin.patch(f"/Users/{user}?dryRun=true", change)).json()
    assert shown["changes"] == [{"resource": user, "path": "title", "to": "Boss"}]
    assert (shown["verdicts"], shown["resource"]["title"]) == ([], "Boss")


@pytest.mark.proves("STA-18")
async def test_it_says_what_the_rules_record(admin: ScimClient, scim: ScimClient) -> None:
    user = (await scim.create_user("ann", active=False))["id"]
    await create_role(admin, "recruiter")
    await create_department(admin, "SALES")
    change = {"op": "replace", "path": "active", "value": True}
    shown = (await scim.patch(f"/Users/{user}?dryRun=true", change)).json()
    assert [(verdict["rule"], verdict["effect"]) for verdict in shown["verdicts"]] == [
        ("R-READY", "recorded"),
        ("R-READY", "recorded"),
    ]
    assert await status_of(admin, user) == "inactive"


@pytest.mark.proves("STA-04")
async def test_a_refusal_is_a_refusal_and_not_on_record(admin: ScimClient) -> None:
    user = await hire(admin)
    change = {"op": "replace", "path": f"{LIFECYCLE}:status", "value": "inactive"}
    refused = await admin.patch(f"/Users/{user}?dryRun=true", change)
    assert problem(refused) == (400, "Deactivation reason is required")
    assert (await last_event(admin, user))["action"] == "user.create"


@pytest.mark.proves("STA-22")
async def test_an_action_is_tried_and_kept_as_a_preview(admin: ScimClient) -> None:
    user = await hire(admin)
    tried = await acted(admin, user, "deactivate", reason="other", dryRun=True)
    assert (tried["status"], tried["result"]) == ("preview", ["user.deactivate: success"])
    assert await status_of(admin, user) == "active"
    kept = await admin.read(f"/AccountActions/{tried['id']}")
    assert (kept["status"], kept["action"]) == ("preview", "deactivate")


@pytest.mark.proves("STA-22")
async def test_an_action_that_would_be_refused_is(admin: ScimClient) -> None:
    user = await hire(admin)
    response = await act(admin, user, "deactivate", dryRun=True)
    assert problem(response) == (400, "Deactivation reason is required")


@pytest.mark.proves("STA-04")
async def test_notes_of_administrators_are_not_shown_in_what_would_change(
    admin: ScimClient, scim: ScimClient, connect: Connect
) -> None:
    user = await hire(admin)
    for action in ("suspend", "reinstate"):
        await acted(scim, user, action, reason="other", note="Between us.")
    change = {"op": "replace", "path": "active", "value": False}
    client = await connect(permissions=["user:view", "user:update"])
    for caller, is_shown in ((admin, True), (client, False)):
        changes = {"schemas": [PATCH_SCHEMA], "Operations": [change, *WHY] if caller is admin else [change]}
        answer = await caller.request("PATCH", f"/Users/{user}?dryRun=true", json=changes)
        assert answer.status_code == 200, answer.text
        assert answer.json()["changes"]
        assert ("Between us." in answer.text) is is_shown
