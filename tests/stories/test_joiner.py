"""A joiner from the HR system, pushed by Okta, and a rehire years later."""

import pytest

from tests.stories.cast import (
    CONNECTOR,
    DEPARTMENT,
    ENTERPRISE,
    LIFECYCLE,
    MAPPING,
    ROLE,
    Cast,
    add,
    done,
    replace,
)


def joiner(**facts: object) -> dict[str, object]:
    return {
        "userName": "nia.okafor@example.com",
        "externalId": "W-1001",
        "name": {"givenName": "Nia", "familyName": "Okafor"},
        "emails": [{"value": "nia.okafor@example.com", "type": "work", "primary": True}],
        CONNECTOR: {"hrisId": "W-1001", "startDate": "2026-04-01", "departmentCode": "ENG", **facts},
    }


@pytest.mark.proves("STA-06", "CRE-21", "CRE-32")
async def test_a_joiner_from_the_hr_system_works_from_the_first_day(cast: Cast) -> None:
    """Hired in March for April: announced, equipped by department and group, in on the first morning."""
    created = await cast.hris.post("/Users", joiner())
    assert created.status_code == 201, created.text
    nia = created.json()
    assert nia["active"] is False
    assert await cast.status(nia["id"]) == "scheduled"
    assert [row["display"] for row in nia[DEPARTMENT]["departments"]] == ["Engineering"]
    assert nia[ENTERPRISE]["department"] == "Engineering"

    role = await cast.entry("Roles", "auditor")
    group = await cast.admin.post(
        "/Groups", {"displayName": "app-auditors", MAPPING: {"kind": "role", "mapsTo": {"value": role}}}
    )
    assert group.status_code == 201, group.text
    pushed = await cast.okta.patch(f"/Groups/{group.json()['id']}", add("members", [{"value": nia["id"]}]))
    assert pushed.status_code == 204, pushed.text
    equipped = await cast.user(nia["id"], ROLE, "roles")
    assert [role["value"] for role in equipped["roles"]] == ["engineer", "auditor"]
    assert equipped[ROLE]["effectivePermissions"] == ["audit:read", "code:write", "reports:view"]

    assert "nia.okafor@example.com" not in await cast.active()
    cast.clock.at("2026-04-01T08:00:00Z")
    assert await cast.status(nia["id"]) == "active"
    assert "nia.okafor@example.com" in await cast.active()
    assert (await cast.events(nia["id"]))[:2] == ["user.create", "user.assignRole"]


async def test_a_push_from_okta_finds_its_user_and_touches_only_what_is_its_own(cast: Cast) -> None:
    """Okta looks up, creates, updates by PUT, deactivates, reactivates; what HR wrote stays."""
    await cast.hris.post("/Users", joiner(startDate="2026-02-01"))
    (found,) = await cast.okta.find("/Users", 'userName eq "nia.okafor@example.com"')
    path = f"/Users/{found['id']}"
    put = await cast.okta.put(
        path,
        {
            "schemas": found["schemas"],
            "userName": found["userName"],
            "name": {"givenName": "Nia", "familyName": "O."},
            "title": "Surveyor",
            "active": True,
            ENTERPRISE: {"department": "Sales"},
        },
    )
    assert put.status_code == 200, put.text
    after = await cast.user(found["id"])
    assert after["name"] == {"givenName": "Nia", "familyName": "Okafor"}
    assert after["title"] == "Surveyor"
    assert after[ENTERPRISE]["department"] == "Engineering"
    assert (await done(cast.okta, path, replace("active", value=False)))["active"] is False
    assert (await done(cast.okta, path, replace("active", value=True)))["active"] is True


@pytest.mark.proves("STA-01")
async def test_who_comes_back_gets_the_same_account(cast: Cast) -> None:
    """Terminated by HR, rehired a year later: the same id, pending until the first day."""
    nia = (await cast.hris.post("/Users", joiner(startDate="2026-02-01"))).json()
    path = f"/Users/{nia['id']}"
    await done(cast.hris, path, replace("active", value=False))
    assert await cast.status(nia["id"]) == "inactive"
    cast.clock.advance(days=365)
    action = await cast.hris.post(
        "/AccountActions", {"user": {"value": nia["id"]}, "action": "reonboard", "reason": "rehired"}
    )
    assert action.status_code == 201, action.text
    assert await cast.status(nia["id"]) == "pending"
    await done(
        cast.hris, path, replace("active", value=True), replace(f"{CONNECTOR}:startDate", "2027-03-01")
    )
    assert await cast.status(nia["id"]) == "active"
    assert (await cast.user(nia["id"]))["id"] == nia["id"]
    holds = (await cast.user(nia["id"], f"{LIFECYCLE}:holds")).get(LIFECYCLE, {})
    assert holds == {}
