"""Passwords satisfy the policy whenever one is set, and are neither kept nor shown."""

from typing import Any

import pytest

from tests.conftest import Connect
from tests.requirements.accounts import (
    LIFECYCLE,
    PERSON,
    act,
    acted,
    events,
    hire,
    part,
    problem,
    set_active,
    status_of,
)
from tests.requirements.records import is_anywhere, told
from tests.support.catalogue import load_catalogue
from tests.support.client import ScimClient
from tests.support.time import Clock

KINDS = "Password must contain uppercase, lowercase, number, and special character"
SHORT = "Password must have at least 8 characters"
SEED = [
    ("Secret1!", None),
    ("Sécrét1!", None),
    ("Secre1!", SHORT),
    ("secret1!", KINDS),
    ("SECRET1!", KINDS),
    ("Secrets!", KINDS),
    ("Secrets1", KINDS),
    ("secret", f"{SHORT}; {KINDS}"),
]
NIST = [
    ("correct horse battery", None),
    ("correct horse", "Password must have at least 15 characters"),
    ("passwordpassword1", "Password is too easy to guess"),
]


NEW = {**PERSON, "userName": "new", "emails": [{"value": "new@example.com"}]}


async def answers(client: ScimClient, user: str, password: str) -> list[tuple[int, str | None]]:
    """Set a password in every way there is; returns status and detail of each answer."""
    replaced = {"op": "replace", "path": "password", "value": password}
    found = [
        await client.post("/Users", {**NEW, "password": password}),
        await client.patch(f"/Users/{user}", replaced),
        await client.patch(f"/Users/{user}", {"op": "add", "value": {"password": password}}),
        await client.put(f"/Users/{user}", {**PERSON, "userName": "ann", "password": password}),
    ]
    return [(response.status_code, response.json().get("detail")) for response in found]


def expected(said: str | None) -> list[tuple[int, str | None]]:
    """Return what every way of setting a password has to answer."""
    return [(400, said)] * 4 if said else [(201, None), (200, None), (200, None), (200, None)]


@pytest.mark.proves("PWD-01", "PWD-02")
@pytest.mark.parametrize("profile", ["admin", "idp", "import"])
@pytest.mark.parametrize(("password", "said"), SEED)
async def test_a_password_satisfies_the_organisation_whenever_one_is_set(
    password: str, said: str | None, profile: str, admin: ScimClient, connect: Connect
) -> None:
    user = await hire(admin)
    client = await connect(profile=profile)
    assert await answers(client, user, password) == expected(said)


@pytest.mark.proves("PWD-01", "PWD-02")
@pytest.mark.parametrize(("password", "said"), NIST)
async def test_an_organisation_may_prefer_long_passwords(
    password: str, said: str | None, admin: ScimClient, database: Any
) -> None:
    await load_catalogue(database, policies={"password": "nist"})
    assert await answers(admin, await hire(admin), password) == expected(said)


@pytest.mark.proves("PWD-02", "AUD-01")
async def test_a_password_is_kept_and_shown_nowhere(admin: ScimClient, database: Any) -> None:
    user = await hire(admin, password="Tr0ub4dor&3")
    assert await is_anywhere(database, "ann@example.com") != []
    for name in ("password", "userName,password"):
        assert "Tr0ub4dor" not in (await admin.get(f"/Users/{user}", attributes=name)).text
    new = {"op": "replace", "path": "password", "value": "N3w&Secret"}
    changed = await admin.patch(f"/Users/{user}", new)
    assert "N3w&Secret" not in changed.text
    assert (await admin.get("/Users", filter='password eq "N3w&Secret"')).status_code == 400
    assert [await is_anywhere(database, text) for text in ("Tr0ub4dor", "N3w&Secret", "N3w&secret")] == [
        [],
        [],
        [],
    ]


@pytest.mark.proves("PWD-02", "LCK-05")
async def test_that_a_password_was_set_is_known_and_on_record(
    admin: ScimClient, clock: Clock, database: Any
) -> None:
    user = await hire(admin)
    await admin.patch_ok(f"/Users/{user}", {"op": "replace", "path": "password", "value": "N3w&Secret"})
    assert (await part(admin, user, "credentials"))["passwordSetAt"] == clock.text()
    assert [name for name, _ in await told(database, "user.update")] == ["password.changed"]


@pytest.mark.proves("PWD-04", "STA-22")
async def test_a_temporary_password_is_shown_once_and_kept_nowhere(
    admin: ScimClient, clock: Clock, database: Any
) -> None:
    user = await hire(admin)
    done = await acted(admin, user, "setTemporaryPassword")
    password = done["temporaryPassword"]
    kinds = (str.isupper, str.islower, str.isdigit, lambda character: not character.isalnum())
    assert len(password) == 16
    assert all(any(kind(character) for character in password) for kind in kinds)
    assert "temporaryPassword" not in await admin.read(f"/AccountActions/{done['id']}")
    assert await is_anywhere(database, password) == []
    assert await part(admin, user, "credentials") == {
        "passwordSetAt": clock.text(),
        "temporary": True,
        "mustChange": True,
    }
    assert [name for name, _ in await told(database, "user.setTemporaryPassword")] == [
        "password.temporary.set"
    ]


@pytest.mark.proves("PWD-04")
async def test_every_temporary_password_is_another(admin: ScimClient) -> None:
    user = await hire(admin)
    made = [(await acted(admin, user, "setTemporaryPassword"))["temporaryPassword"] for _ in range(3)]
    assert len(set(made)) == 3
    found = await events(admin, f'resource.value eq "{user}" and action eq "user.setTemporaryPassword"')
    assert len(found) == 3


@pytest.mark.proves("PWD-04")
async def test_a_dry_run_makes_no_password(admin: ScimClient) -> None:
    user = await hire(admin)
    done = await acted(admin, user, "setTemporaryPassword", dryRun=True)
    assert (done["status"], "temporaryPassword" in done) == ("preview", False)
    assert await part(admin, user, "credentials") is None


@pytest.mark.proves("PWD-04")
async def test_an_organisation_may_show_temporary_passwords_to_nobody(
    admin: ScimClient, database: Any
) -> None:
    await load_catalogue(database, policies={"temporary_password": "none"})
    done = await acted(admin, await hire(admin), "setTemporaryPassword")
    assert "temporaryPassword" not in done


@pytest.mark.proves("PWD-05", "STA-22")
@pytest.mark.parametrize("action", ["resetPassword", "setTemporaryPassword"])
@pytest.mark.parametrize("begins", ["active", "inactive", "pending"])
async def test_a_reset_leaves_the_status_as_it_is(action: str, begins: str, admin: ScimClient) -> None:
    user = await hire(admin, **({LIFECYCLE: {"status": "pending"}} if begins == "pending" else {}))
    if begins == "inactive":
        await set_active(admin, user, active=False, reason="other")
    await acted(admin, user, action)
    assert (await status_of(admin, user), (await part(admin, user, "credentials"))["mustChange"]) == (
        begins,
        True,
    )


@pytest.mark.proves("PWD-04", "STA-22")
async def test_a_reset_by_link_is_asked_of_the_login_system(
    admin: ScimClient, clock: Clock, database: Any
) -> None:
    user = await hire(admin)
    await acted(admin, user, "resetPassword")
    payload = {"id": user, "type": "User", "expiresAt": clock.text(days=1)}
    assert await told(database, "user.resetPassword") == [("password.reset.requested", payload)]


@pytest.mark.proves("PWD-04", "ACT-01")
@pytest.mark.parametrize("action", ["resetPassword", "setTemporaryPassword", "unlock", "keepLocked"])
async def test_only_who_may_unlock_sets_passwords_for_others(
    action: str, admin: ScimClient, connect: Connect
) -> None:
    user = await hire(admin)
    client = await connect(profile="admin", permissions=["user:view", "user:update", "user:lifecycle"])
    said = "Access denied: the client client-2 has no permission user:unlock."
    assert problem(await act(client, user, action)) == (403, said)
