"""API tokens of users: shown once, good for a time and for scopes, dead with their owner."""

import hashlib
from typing import Any

import pytest
import sqlalchemy as sa

from scim_server.security.principals import PERMISSIONS
from scim_server.store.tables import token as token_table
from tests.conftest import Connect
from tests.requirements.accounts import LIFECYCLE, acted, events, hire, make, part, problem, set_active
from tests.requirements.records import is_anywhere, rows_of
from tests.support.catalogue import load_catalogue
from tests.support.client import ScimClient
from tests.support.time import Clock

READ, WRITE = ["users:read"], ["users:read", "users:write"]


async def ask(client: ScimClient, owner: str, **facts: Any) -> Any:
    """Ask for a token."""
    return await client.post(
        "/ApiTokens", {"displayName": "Import", "owner": {"value": owner}, "scopes": READ, **facts}
    )


async def issue(client: ScimClient, owner: str, **facts: Any) -> dict[str, Any]:
    """Ask for a token, which has to be given, and return the answer."""
    response = await ask(client, owner, **facts)
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.json()
    return body


def use(client: ScimClient, token: str) -> ScimClient:
    """Return a client that speaks with a token."""
    other = ScimClient(client.base_url, token)
    other.http = client.http
    return other


@pytest.mark.proves("TOK-01", "TOK-04", "TOK-05")
async def test_a_token_is_shown_once_with_its_prefix(admin: ScimClient, database: Any) -> None:
    owner = await hire(admin)
    made = await issue(admin, owner)
    assert made["token"].startswith("itm_live_")
    assert (made["tokenPrefix"], made["status"]) == (made["token"][:10], "active")
    assert len(made["token"]) >= 40
    assert "token" not in await admin.read(f"/ApiTokens/{made['id']}")
    assert [("token" in one) for one in await admin.find("/ApiTokens", "displayName pr")] == [False]
    assert await is_anywhere(database, made["token"]) == []


@pytest.mark.proves("TOK-05")
async def test_the_store_keeps_the_digest_and_ten_characters(admin: ScimClient, database: Any) -> None:
    owner = await hire(admin)
    made = await issue(admin, owner)
    query = sa.select(token_table.c.digest, token_table.c.prefix, token_table.c.name).where(
        token_table.c.owner_id == owner
    )
    digest = hashlib.sha256(made["token"].encode()).hexdigest()
    assert [tuple(row) for row in await rows_of(database, query)] == [(digest, made["token"][:10], "Import")]


@pytest.mark.proves("TOK-01")
@pytest.mark.parametrize(("length", "status"), [(1, 201), (100, 201), (101, 400)])
async def test_a_name_has_a_hundred_characters_at_most(length: int, status: int, admin: ScimClient) -> None:
    response = await ask(admin, await hire(admin), displayName="x" * length)
    assert response.status_code == status
    if status == 400:
        assert response.json()["detail"] == "Token name cannot exceed 100 characters"


@pytest.mark.proves("TOK-01", "TOK-03")
@pytest.mark.parametrize("profile", ["idp", "hris", "app", "import"])
async def test_only_who_may_manage_tokens_does(profile: str, admin: ScimClient, connect: Connect) -> None:
    owner = await hire(admin)
    client = await connect(profile=profile)
    assert (await ask(client, owner)).status_code == 403
    assert (await client.get("/ApiTokens")).status_code == 403


@pytest.mark.proves("TOK-02")
@pytest.mark.parametrize("days", [30, 90, 365])
async def test_a_token_ends_when_it_was_said_to(days: int, admin: ScimClient, clock: Clock) -> None:
    ends = clock.text(days=days)
    made = await issue(admin, await hire(admin), expiresAt=ends)
    client = use(admin, made["token"])
    clock.before(ends)
    assert (await client.get("/Users")).status_code == 200
    clock.at(ends)
    refused = await client.get("/Users")
    assert problem(refused) == (401, "The token has expired.")
    assert (await admin.read(f"/ApiTokens/{made['id']}"))["status"] == "expired"


@pytest.mark.proves("TOK-02")
async def test_a_token_without_an_end_lasts_a_year(admin: ScimClient, clock: Clock) -> None:
    made = await issue(admin, await hire(admin))
    assert made["expiresAt"] == clock.text(days=365)


@pytest.mark.proves("TOK-02")
@pytest.mark.parametrize(
    ("days", "said"),
    [(0, "expiresAt must be in the future"), (366, "A token cannot last longer than 365 days")],
)
async def test_an_end_has_to_be_in_reach(days: int, said: str, admin: ScimClient, clock: Clock) -> None:
    response = await ask(admin, await hire(admin), expiresAt=clock.text(days=days))
    assert problem(response) == (400, said)


@pytest.mark.proves("TOK-02")
async def test_tokens_that_never_end_are_for_organisations_that_allow_them(
    admin: ScimClient, clock: Clock, database: Any
) -> None:
    await load_catalogue(database, policies={"tokens": {"allow_never": True}})
    made = await issue(admin, await hire(admin))
    assert "expiresAt" not in made
    clock.advance(days=10_000)
    assert (await use(admin, made["token"]).get("/Users")).status_code == 200


@pytest.mark.proves("TOK-03")
@pytest.mark.parametrize(
    ("scopes", "statuses"),
    [
        (READ, [200, 403, 403, 403]),
        (WRITE, [200, 201, 200, 403]),
        (["full"], [200, 201, 200, 204]),
        (["jobs:read", "candidates:write", "submissions:read", "reports:read"], [403, 403, 403, 403]),
    ],
)
async def test_a_token_may_do_what_its_scopes_say(
    scopes: list[str], statuses: list[int], admin: ScimClient
) -> None:
    owner, other = await hire(admin), await hire(admin, "bob")
    client = use(admin, (await issue(admin, owner, scopes=scopes))["token"])
    body = {"name": {"givenName": "Zoe", "familyName": "Kim"}, "emails": [{"value": "zoe@example.com"}]}
    found = [
        await client.get("/Users"),
        await client.post("/Users", body),
        await client.patch(f"/Users/{other}", {"op": "add", "path": "title", "value": "Boss"}),
        await client.delete(f"/Users/{other}"),
    ]
    assert [response.status_code for response in found] == statuses


@pytest.mark.proves("TOK-03")
async def test_scopes_may_be_changed_and_count_at_once(admin: ScimClient) -> None:
    made = await issue(admin, await hire(admin))
    client = use(admin, made["token"])
    assert (await client.get("/Users")).status_code == 200
    none = {"op": "replace", "path": "scopes", "value": ["jobs:read"]}
    await admin.patch_ok(f"/ApiTokens/{made['id']}", none)
    assert (await client.get("/Users")).status_code == 403


@pytest.mark.proves("TOK-03")
async def test_a_scope_that_nobody_knows_is_refused(admin: ScimClient) -> None:
    response = await ask(admin, await hire(admin), scopes=["everything"])
    assert problem(response) == (400, "There is no scope everything")


@pytest.mark.proves("TOK-03")
async def test_nobody_lends_what_he_has_not(admin: ScimClient, connect: Connect) -> None:
    owner = await hire(admin)
    client = await connect(profile="admin", permissions=["user:view", "token:manage"])
    said = "Access denied: the client client-2 has no permission user:create."
    assert problem(await ask(client, owner, scopes=WRITE)) == (403, said)
    made = await issue(client, owner, scopes=READ)
    more = {"op": "replace", "path": "scopes", "value": ["full"]}
    assert problem(await client.patch(f"/ApiTokens/{made['id']}", more)) == (403, said)


@pytest.mark.proves("TOK-06")
@pytest.mark.parametrize("door", ["status", "delete"])
async def test_a_token_is_revoked_at_once(door: str, admin: ScimClient) -> None:
    made = await issue(admin, await hire(admin))
    client = use(admin, made["token"])
    assert (await client.get("/Users")).status_code == 200
    path = f"/ApiTokens/{made['id']}"
    if door == "status":
        await admin.patch_ok(path, {"op": "replace", "path": "status", "value": "revoked"})
    else:
        assert (await admin.delete(path)).status_code == 204
    assert problem(await client.get("/Users")) == (401, "The token has been revoked.")


@pytest.mark.proves("TOK-06")
async def test_revoked_tokens_are_listed_with_who_and_when(
    admin: ScimClient, connect: Connect, clock: Clock
) -> None:
    boss = await hire(admin, "boss")
    made = await issue(admin, await hire(admin))
    await issue(admin, boss, displayName="Other")
    own = await connect(profile="admin", user=boss)
    clock.advance(hours=1)
    await own.patch_ok(f"/ApiTokens/{made['id']}", {"op": "replace", "path": "status", "value": "revoked"})
    found = await admin.find("/ApiTokens", 'status eq "revoked"')
    assert [(one["id"], one["revokedBy"], one["revokedAt"]) for one in found] == [
        (made["id"], boss, clock.text())
    ]


@pytest.mark.proves("TOK-06")
async def test_a_revoked_token_stays_revoked(admin: ScimClient) -> None:
    made = await issue(admin, await hire(admin))
    path = f"/ApiTokens/{made['id']}"
    await admin.patch_ok(path, {"op": "replace", "path": "status", "value": "revoked"})
    response = await admin.patch(path, {"op": "replace", "path": "status", "value": "active"})
    assert problem(response) == (400, "status can be set to revoked only.")


@pytest.mark.proves("TOK-07")
async def test_a_token_says_when_it_was_used_last(admin: ScimClient, clock: Clock) -> None:
    made = await issue(admin, await hire(admin))
    path = f"/ApiTokens/{made['id']}"
    assert "lastUsedAt" not in await admin.read(path)
    clock.advance(days=1)
    await use(admin, made["token"]).get("/Users")
    assert (await admin.read(path))["lastUsedAt"] == clock.text()
    clock.advance(minutes=6)
    await use(admin, made["token"]).get("/Users")
    assert (await admin.read(path))["lastUsedAt"] == clock.text()


@pytest.mark.proves("TOK-08")
async def test_too_many_tokens_in_an_hour_are_refused(admin: ScimClient, clock: Clock, database: Any) -> None:
    await load_catalogue(database, policies={"tokens": {"per_hour": 3}})
    owner = await hire(admin)
    for _ in range(3):
        await issue(admin, owner)
    refused = await ask(admin, owner)
    assert problem(refused) == (429, "Too many tokens created. Try again later.")
    assert refused.headers["retry-after"] == "3600"
    await issue(admin, await hire(admin, "bob"))
    clock.advance(hours=1, seconds=1)
    await issue(admin, owner)


@pytest.mark.proves("TOK-09", "STA-15", "DBS-04")
@pytest.mark.parametrize("end", ["deactivate", "suspend", "delete", "connector", "revokeTokens"])
async def test_tokens_die_with_the_access_of_their_owner(
    end: str, admin: ScimClient, scim: ScimClient
) -> None:
    owner = await hire(admin)
    made = await issue(admin, owner)
    client = use(admin, made["token"])
    assert (await client.get("/Users")).status_code == 200
    if end == "delete":
        assert (await admin.delete(f"/Users/{owner}")).status_code == 204
    elif end == "connector":
        await set_active(scim, owner, active=False)
    else:
        await acted(admin, owner, end, reason="other")
    assert problem(await client.get("/Users")) == (401, "The token has been revoked.")
    assert (await admin.read(f"/ApiTokens/{made['id']}"))["status"] == "revoked"
    if end in {"deactivate", "suspend", "connector"}:
        await acted(admin, owner, "reactivate", reason="returned")
        assert (await client.get("/Users")).status_code == 401


@pytest.mark.proves("TOK-09", "STA-15")
async def test_tokens_die_when_the_validity_of_their_owner_passes(admin: ScimClient, clock: Clock) -> None:
    ends = clock.text(days=1)
    made = await issue(admin, await hire(admin, **{LIFECYCLE: {"validTo": ends}}))
    client = use(admin, made["token"])
    clock.before(ends)
    assert (await client.get("/Users")).status_code == 200
    clock.at(ends)
    assert problem(await client.get("/Users")) == (401, "The token has been revoked.")


@pytest.mark.proves("TOK-09", "STA-15")
async def test_tokens_die_at_the_moment_of_a_planned_deactivation(admin: ScimClient, clock: Clock) -> None:
    owner = await hire(admin)
    made = await issue(admin, owner)
    client = use(admin, made["token"])
    await acted(admin, owner, "deactivate", reason="other", effectiveAt=clock.text(days=1))
    assert (await client.get("/Users")).status_code == 200
    clock.advance(days=1)
    assert (await client.get("/Users")).status_code == 401


@pytest.mark.proves("STA-15")
@pytest.mark.parametrize("action", ["deactivate", "suspend"])
async def test_taking_access_away_ends_sessions_and_tokens(
    action: str, admin: ScimClient, clock: Clock
) -> None:
    user = await hire(admin)
    await acted(admin, user, action, reason="other")
    ended = [await part(admin, user, name) for name in ("sessionsRevokedAt", "tokensRevokedAt")]
    assert ended == [clock.text(), clock.text()]


@pytest.mark.proves("TOK-01", "AUD-01")
async def test_tokens_made_and_revoked_are_on_record_without_their_secret(admin: ScimClient) -> None:
    made = await issue(admin, await hire(admin))
    await admin.patch_ok(f"/ApiTokens/{made['id']}", {"op": "replace", "path": "status", "value": "revoked"})
    found = await events(admin, f'resource.value eq "{made["id"]}"')
    assert [event["action"] for event in found] == ["apiToken.create", "apiToken.update"]
    assert made["token"] not in str(found)


@pytest.mark.proves("TOK-01")
async def test_a_token_is_of_a_user_who_is_there_and_active(admin: ScimClient, scim: ScimClient) -> None:
    unknown = "0190f0a0-0000-7000-8000-000000000000"
    assert problem(await ask(admin, unknown)) == (400, f"owner: User not found: {unknown}.")
    gone = await make(scim, active=False)
    assert problem(await ask(admin, gone)) == (400, "owner: The user is not active.")


@pytest.mark.proves("TOK-01")
async def test_a_token_sees_no_more_than_who_issued_it(admin: ScimClient, connect: Connect) -> None:
    owner = await hire(admin, "ann", title="Sales")
    outsider = await hire(admin, "bob", title="Law")
    confined = await connect(profile="admin", permissions=list(PERMISSIONS), row_scope='title eq "Sales"')
    token = use(admin, (await issue(confined, owner, scopes=["full"]))["token"])
    assert [one["id"] for one in await token.find("/Users", "userName pr")] == [owner]
    assert (await token.get(f"/Users/{outsider}")).status_code == 404
