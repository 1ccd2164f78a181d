"""Finance raises a limit, security grants a weekend, HR moves somebody, an incident, a leaver."""

from decimal import Decimal

import pytest

from tests.stories.cast import (
    CONNECTOR,
    DEPARTMENT,
    ENTERPRISE,
    LIFECYCLE,
    LIMIT,
    PERMISSION,
    Cast,
    add,
    done,
    employee,
    refused,
    replace,
)


def limit(amount: int, currency: str = "USD", **more: object) -> dict[str, object]:
    return add(
        f"{LIMIT}:approvalLimits", [{"type": "general", "amount": amount, "currency": currency, **more}]
    )


@pytest.mark.proves("LIM-01", "LIM-04", "LIM-05", "LIM-06", "LIM-07")
async def test_a_limit_raised_by_finance(cast: Cast) -> None:
    """The role gives 10,000; finance raises it with a reason, up to the maximum of the level, and back."""
    own = await employee(cast, "Wei", "finance", "FIN")
    path = f"/Users/{own}"
    assert [
        (one["amount"], one["source"]) for one in (await cast.user(own))[LIMIT]["effectiveApprovalLimits"]
    ] == [(10000, "role")]
    status, detail = await refused(cast.support, path, limit(20000, justification="please"))
    assert (status, detail) == (403, "The client client-6 has no permission financial:configure.")
    status, detail = await refused(cast.finance, path, limit(20000))
    assert (status, detail) == (400, "Justification required for a limit above the role's default")
    status, detail = await refused(cast.finance, path, limit(260000, justification="year end"))
    assert (status, detail) == (400, "Approval limit cannot exceed 250000 USD")
    raised = await done(cast.finance, path, limit(20000, justification="year end"))
    assert [(one["amount"], one["source"]) for one in raised[LIMIT]["effectiveApprovalLimits"]] == [
        (20000, "user")
    ]
    assert Decimal(str(raised[LIMIT]["approvalLimits"][0]["amount"])) == Decimal(20000)
    reset = await done(cast.finance, path, {"op": "remove", "path": f"{LIMIT}:approvalLimits"})
    assert [(one["amount"], one["source"]) for one in reset[LIMIT]["effectiveApprovalLimits"]] == [
        (10000, "role")
    ]
    status, detail = await refused(cast.finance, path, replace("title", "Controller"))
    assert status == 403


@pytest.mark.proves("PRM-03", "PRM-04", "PRM-06")
async def test_a_special_permission_for_a_weekend(cast: Cast) -> None:
    """Granted on Friday for the weekend, in force when it begins, gone the moment it ends."""
    own = await employee(cast, "Hana", "engineer")
    cast.clock.at("2026-03-06T15:00:00Z")
    grant = {
        "value": "recipe-confidential-access",
        "validFrom": "2026-03-07T00:00:00Z",
        "validTo": "2026-03-09T00:00:00Z",
    }
    path = f"/Users/{own}"
    operation = add(f"{PERMISSION}:specialPermissions", [grant])
    assert await refused(cast.admin, path, operation) == (400, "Justification required for this permission")
    granted = await done(cast.admin, path, operation, reason={"justification": "stock-taking"})
    assert [row["status"] for row in granted[PERMISSION]["specialPermissions"]] == ["scheduled"]
    held = f'{PERMISSION}:specialPermissions[status eq "active"]'
    assert await cast.admin.find("/Users", held) == []
    cast.clock.at("2026-03-08T12:00:00Z")
    assert [user["id"] for user in await cast.admin.find("/Users", held)] == [own]
    cast.clock.at("2026-03-09T00:00:00Z")
    assert await cast.admin.find("/Users", f"{PERMISSION}:specialPermissions pr") == []
    assert PERMISSION not in await cast.user(own)


@pytest.mark.proves("UPD-10", "DEP-02")
async def test_a_mover_between_departments(cast: Cast) -> None:
    """HR moves an engineer to Finance: the department follows in every form, and is on record."""
    own = await employee(cast, "Mateo", "engineer")
    moved = await done(
        cast.hris, f"/Users/{own}", replace(f"{CONNECTOR}:departmentCode", "FIN"), replace("title", "Analyst")
    )
    assert moved[ENTERPRISE]["department"] == "Finance"
    primary = [row["code"] for row in moved[DEPARTMENT]["departments"] if row["primary"]]
    assert primary == ["FIN"]
    assert (await cast.events(own))[-1] == "user.update"
    (event,) = await cast.auditor.find(
        "/AuditEvents", f'resource.value eq "{own}" and action eq "user.update"'
    )
    paths = {change["path"] for change in event["changes"]}
    assert {"title", f"{ENTERPRISE}:department", f"{DEPARTMENT}:departments"} <= paths


@pytest.mark.proves("STA-15", "STA-21")
async def test_a_suspected_breach(cast: Cast) -> None:
    """Security suspends at once; neither the IdP nor an administrator brings the user back, security does."""
    own = await employee(cast, "Liam", "finance", "FIN")
    path = f"/Users/{own}"
    suspended = await cast.security.post(
        "/AccountActions", {"user": {"value": own}, "action": "suspend", "reason": "securityIncident"}
    )
    assert suspended.status_code == 201, suspended.text
    assert await cast.status(own) == "suspended"
    facts = (await cast.user(own, LIFECYCLE))[LIFECYCLE]
    assert [hold["source"] for hold in facts["holds"]] == ["security"]
    assert facts["sessionsRevokedAt"] == cast.clock.text()
    blocked = await done(cast.okta, path, replace("active", value=True))
    assert blocked["active"] is False
    status, detail = await refused(cast.admin, path, replace("active", value=True))
    assert (status, detail) == (403, "The account is held by security, which alone can lift that")
    back = await cast.security.post(
        "/AccountActions", {"user": {"value": own}, "action": "reinstate", "reason": "returned"}
    )
    assert back.status_code == 201, back.text
    assert await cast.status(own) == "active"
    assert (await cast.events(own))[-1] == "user.reinstate"


@pytest.mark.proves("DEL-02", "STA-10", "STA-11")
async def test_a_leaver_with_open_approvals(cast: Cast) -> None:
    """Open approvals block the deletion, not the deactivation; handed over they block nothing any more."""
    leaver = await employee(cast, "Priya", "finance-manager", "FIN")
    heir = await employee(cast, "Amara", "coo", "MGT")
    opened = await cast.app.post(
        "/Obligations",
        {"user": {"value": leaver}, "kind": "pendingApproval", "source": "procurement", "display": "PR-77"},
    )
    assert opened.status_code == 201, opened.text
    refusal = await cast.admin.delete(f"/Users/{leaver}")
    assert refusal.status_code == 409
    assert refusal.json()["detail"] == "Cannot delete user with active transactions. Deactivate instead."
    status, detail = await refused(cast.admin, f"/Users/{leaver}", replace("active", value=False))
    assert (status, detail) == (400, "Deactivation reason is required")
    await done(
        cast.admin,
        f"/Users/{leaver}",
        replace("active", value=False),
        reason={"reason": "voluntaryTermination", "transferTo": "amara@example.com"},
    )
    obligation = await cast.admin.read(f"/Obligations/{opened.json()['id']}")
    assert (obligation["status"], obligation["transferredTo"]["value"]) == ("transferred", heir)
    assert (await cast.admin.delete(f"/Users/{leaver}")).status_code == 204
    assert (await cast.admin.get(f"/Users/{leaver}")).status_code == 404
    assert "user.delete" in await cast.events(leaver)
