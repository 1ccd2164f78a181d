"""/oauth/token (RFC 6749 §4.4, §5): who proves itself gets a short token, others learn why not."""

import asyncio
import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus

import httpx2
import pytest
import sqlalchemy as sa
from joserfc import jws
from joserfc.jwk import OKPKey
from starlette.applications import Starlette

from scim_server.services.clients import Clients
from scim_server.services.credentials import Credentials, IssuedSecret
from scim_server.store.database import Database
from scim_server.store.tables import token as token_table
from tests.protocol.messages import refused, user
from tests.protocol.oauth.conftest import ROOT
from tests.requirements.accounts import hire
from tests.requirements.plans import outcome_of, patch, plan
from tests.support.catalogue import create_role
from tests.support.client import PATCH_SCHEMA, ScimClient
from tests.support.time import Clock

GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
async def issued(credentials: Credentials) -> IssuedSecret:
    return await credentials.new_secret("payroll")


def basic(client_id: str, secret: str) -> dict[str, str]:
    text = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


async def ask(
    http: httpx2.AsyncClient,
    form: Mapping[str, Any] | str,
    headers: Mapping[str, str] | None = None,
    path: str = "/oauth/token",
) -> httpx2.Response:
    """Ask for a token; whatever the answer, nobody may keep it."""
    content = form if isinstance(form, str) else str(httpx2.QueryParams(form))
    sent = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
    answer = await http.post(path, content=content, headers=sent)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    return answer


async def granted(http: httpx2.AsyncClient, issued: IssuedSecret, **form: str) -> dict[str, Any]:
    answer = await ask(http, {**GRANT, **form}, basic(issued.client_id, issued.secret))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def status(http: httpx2.AsyncClient, token: str, method: str = "GET", **sent: Any) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return (await http.request(method, "/scim/v2/Users", headers=headers, **sent)).status_code


async def rows(database: Database) -> list[Any]:
    query = sa.select(token_table).where(token_table.c.kind == "access")
    return list((await database.read(lambda reader: reader.execute(query))).all())


def error(answer: httpx2.Response, code: str, status: int = 400) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, code), answer.text
    assert set(answer.json()) == {"error", "error_description"}


@pytest.mark.parametrize("method", ["basic", "post", "post with the id in the header too"])
async def test_a_secret_brings_a_token_that_works(
    method: str, http: httpx2.AsyncClient, issued: IssuedSecret
) -> None:
    form, headers = dict(GRANT), {}
    if method == "post":
        form |= {"client_id": issued.client_id, "client_secret": issued.secret}
    else:
        headers = basic(issued.client_id, issued.secret)
    if "too" in method:
        form["client_id"] = issued.client_id
    answer = await ask(http, form, headers)
    body = answer.json()
    assert (answer.status_code, body["token_type"], body["expires_in"]) == (200, "Bearer", 900)
    assert [await status(http, body["access_token"]) for _ in range(2)] == [200, 200]


async def test_the_token_is_a_signed_jwt_that_the_published_key_verifies(
    http: httpx2.AsyncClient, issued: IssuedSecret
) -> None:
    body = await granted(http, issued)
    (key,) = (await http.get("/oauth/jwks")).json()["keys"]
    assert "d" not in key
    found = jws.deserialize_compact(body["access_token"], OKPKey.import_key(key), algorithms=["Ed25519"])
    claims = json.loads(found.payload or b"")
    assert found.headers() == {"alg": "Ed25519", "typ": "at+jwt", "kid": key["kid"]}
    assert (claims["iss"], claims["aud"], claims["scope"]) == (ROOT, f"{ROOT}/scim/v2", body["scope"])
    assert claims["sub"] == claims["client_id"] == issued.client_id
    assert claims["exp"] - claims["iat"] == 900


async def test_the_token_and_the_secret_are_kept_nowhere(
    http: httpx2.AsyncClient, issued: IssuedSecret, database: Database
) -> None:
    token = (await granted(http, issued))["access_token"]
    stored = " ".join(str(value) for row in await rows(database) for value in row)
    assert token.rpartition(".")[2] not in stored
    assert issued.secret not in stored


async def test_a_token_that_the_key_signed_and_nobody_issued_is_none(
    http: httpx2.AsyncClient, issued: IssuedSecret, application: Starlette
) -> None:
    token = (await granted(http, issued))["access_token"]
    key = await application.state.server.signing_keys.current()
    payload = base64.urlsafe_b64decode(token.split(".")[1] + "==")
    header = {"alg": "Ed25519", "typ": "at+jwt", "kid": key.kid}
    forged = jws.serialize_compact(header, payload + b" ", key.key, algorithms=["Ed25519"])
    assert [await status(http, each) for each in (token, forged)] == [200, 401]


async def test_a_token_ends_in_time(http: httpx2.AsyncClient, issued: IssuedSecret, clock: Clock) -> None:
    token = (await granted(http, issued))["access_token"]
    clock.advance(seconds=899)
    assert await status(http, token) == 200
    clock.advance(seconds=1)
    assert await status(http, token) == 401


async def test_revoking_the_client_ends_its_tokens_at_once(
    http: httpx2.AsyncClient, issued: IssuedSecret, database: Database
) -> None:
    token = (await granted(http, issued))["access_token"]
    assert await status(http, token) == 200
    await Clients(database).revoke("payroll")
    assert await status(http, token) == 401
    error(await ask(http, GRANT, basic(issued.client_id, issued.secret)), "invalid_client", 401)


async def test_a_scope_narrows_what_the_token_is_good_for(
    http: httpx2.AsyncClient, issued: IssuedSecret
) -> None:
    body = await granted(http, issued, scope="user:view")
    assert body["scope"] == "user:view"
    token = body["access_token"]
    assert [await status(http, token), await status(http, token, "POST", json=user("eve"))] == [200, 403]
    full = await granted(http, issued)
    assert "user:create" in full["scope"].split()
    assert await status(http, full["access_token"], "POST", json=user("eve")) == 201


@pytest.mark.parametrize(
    ("scope", "outcome"), [(None, "applied"), ("user:view user:update user:lifecycle", "failed")]
)
async def test_what_a_narrowed_token_planned_is_carried_out_within_its_scope(
    scope: str | None,
    outcome: str,
    http: httpx2.AsyncClient,
    credentials: Credentials,
    database: Database,
    admin: ScimClient,
    clock: Clock,
) -> None:
    await create_role(admin, "clerk")
    owner = await hire(admin)
    form = {} if scope is None else {"scope": scope}
    await Clients(database).register("planner", profile="admin")
    planner = await granted(http, await credentials.new_secret("planner"), **form)
    client = ScimClient(f"{ROOT}/scim/v2", planner["access_token"])
    client.http = http
    roles = patch(roles=[{"value": "clerk"}])
    change = await plan(client, owner, "patch", clock.text(minutes=10), patch=roles)
    clock.advance(minutes=11)
    assert await outcome_of(admin, change) == outcome


@pytest.mark.parametrize(
    "scope", ["user:fly", "security:manage", "user:view user:fly", "user:view  user:create"]
)
async def test_a_scope_that_is_not_held_is_refused(
    scope: str, http: httpx2.AsyncClient, issued: IssuedSecret, database: Database
) -> None:
    answer = await ask(http, {**GRANT, "scope": scope}, basic(issued.client_id, issued.secret))
    error(answer, "invalid_scope")
    assert await rows(database) == []


@pytest.mark.parametrize("change", ["secret", "id", "bearer", "truncated", "case", "empty", "nothing"])
async def test_a_client_that_does_not_prove_itself_gets_nothing(
    change: str, http: httpx2.AsyncClient, issued: IssuedSecret, database: Database
) -> None:
    other = await Clients(database).create("other")
    headers = {
        "secret": basic(issued.client_id, "scims_" + "0" * 49),
        "id": basic("00000000-0000-7000-8000-000000000000", issued.secret),
        "bearer": basic(issued.client_id, other.token),
        "truncated": basic(issued.client_id, issued.secret[:-1]),
        "case": basic(issued.client_id.upper(), issued.secret),
        "empty": basic(issued.client_id, ""),
        "nothing": {},
    }[change]
    answer = await ask(http, GRANT, headers)
    error(answer, "invalid_client", 401)
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert await rows(database) == []


async def test_the_secret_of_another_client_is_refused(
    http: httpx2.AsyncClient, credentials: Credentials, issued: IssuedSecret, database: Database
) -> None:
    await Clients(database).register("other")
    other = await credentials.new_secret("other")
    error(await ask(http, GRANT, basic(issued.client_id, other.secret)), "invalid_client", 401)


async def test_of_three_secrets_the_newest_two_are_good(
    http: httpx2.AsyncClient, credentials: Credentials
) -> None:
    made = [await credentials.new_secret("payroll") for _ in range(3)]
    answers = [await ask(http, GRANT, basic(each.client_id, each.secret)) for each in made]
    assert [answer.status_code for answer in answers] == [401, 200, 200]


async def test_a_secret_ends_in_time(http: httpx2.AsyncClient, credentials: Credentials) -> None:
    issued = await credentials.new_secret("payroll", expires_in=timedelta(milliseconds=50))
    await asyncio.sleep(0.06)
    error(await ask(http, GRANT, basic(issued.client_id, issued.secret)), "invalid_client", 401)


async def test_a_secret_is_no_bearer_token(http: httpx2.AsyncClient, issued: IssuedSecret) -> None:
    assert await status(http, issued.secret) == 401


async def test_a_client_of_another_tenant_is_unknown_at_the_url_of_a_tenant(
    http: httpx2.AsyncClient, issued: IssuedSecret
) -> None:
    headers = basic(issued.client_id, issued.secret)
    assert (await ask(http, GRANT, headers, "/t/default/oauth/token")).status_code == 200
    error(await ask(http, GRANT, headers, "/t/acme/oauth/token"), "invalid_client", 401)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ("", "invalid_request"),
        ("grant_type=", "invalid_request"),
        ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        ("grant_type=client_credentials&scope=user:view&scope=user:view", "invalid_request"),
        ("grant_type=client_credentials&client_secret=x&client_id=y", "invalid_request"),
        ("grant_type=client_credentials&client_assertion=x", "invalid_request"),
        ("grant_type=client_credentials&client_id=somebody-else", "invalid_request"),
        ("grant_type=client_credentials&%zz", "invalid_request"),
        ("grant_type=client_credentials&scope=%ff", "invalid_request"),
        ('{"grant_type": "client_credentials"}', "invalid_request"),
        ("&".join(f"a{number}=1" for number in range(100)), "invalid_request"),
        ("grant_type=authorization_code&code=x", "unsupported_grant_type"),
        ("grant_type=password&username=a&password=b", "unsupported_grant_type"),
        ("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer", "unsupported_grant_type"),
    ],
)
async def test_what_is_no_request_is_refused(
    form: str, code: str, http: httpx2.AsyncClient, issued: IssuedSecret, database: Database
) -> None:
    error(await ask(http, form, basic(issued.client_id, issued.secret)), code)
    assert await rows(database) == []


async def test_only_a_form_is_read(http: httpx2.AsyncClient, issued: IssuedSecret) -> None:
    headers = {**basic(issued.client_id, issued.secret), "Content-Type": "application/json"}
    error(await ask(http, json.dumps(GRANT), headers), "invalid_request", 415)


async def test_a_form_that_is_too_large_is_refused(http: httpx2.AsyncClient, issued: IssuedSecret) -> None:
    form = f"grant_type=client_credentials&a={'x' * 100_000}"
    error(await ask(http, form, basic(issued.client_id, issued.secret)), "invalid_request", 413)


async def test_credentials_in_the_query_are_not_looked_at(
    http: httpx2.AsyncClient, issued: IssuedSecret
) -> None:
    query = f"client_id={issued.client_id}&client_secret={issued.secret}"
    error(await ask(http, GRANT, path=f"/oauth/token?{query}"), "invalid_client", 401)


@pytest.mark.parametrize("header", ["Bearer x", "Basic", "Basic %%%", "Basic YQ==", "Basic Og==", "Digest x"])
async def test_a_garbled_header_is_refused(header: str, http: httpx2.AsyncClient) -> None:
    error(await ask(http, GRANT, {"Authorization": header}), "invalid_client", 401)


async def test_tokens_are_only_posted_for(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/oauth/token")).status_code == 405


@pytest.mark.parametrize(
    ("path", "issuer"),
    [
        ("/.well-known/oauth-authorization-server", ROOT),
        ("/.well-known/oauth-authorization-server/t/acme", f"{ROOT}/t/acme"),
        ("/t/acme/.well-known/oauth-authorization-server", f"{ROOT}/t/acme"),
    ],
)
async def test_the_metadata_name_what_is_there(path: str, issuer: str, http: httpx2.AsyncClient) -> None:
    found = (await http.get(path)).json()
    assert (found["issuer"], found["token_endpoint"]) == (issuer, f"{issuer}/oauth/token")
    assert (await http.get(found["jwks_uri"])).json() == {"keys": []}
    assert "private_key_jwt" in found["token_endpoint_auth_methods_supported"]
    assert "none" not in found["token_endpoint_auth_signing_alg_values_supported"]


async def test_the_resource_names_its_authorization_server(http: httpx2.AsyncClient) -> None:
    found = (await http.get("/.well-known/oauth-protected-resource/t/acme/scim/v2")).json()
    assert (found["resource"], found["authorization_servers"]) == (
        f"{ROOT}/t/acme/scim/v2",
        [f"{ROOT}/t/acme"],
    )


async def test_the_service_provider_configuration_names_oauth(http: httpx2.AsyncClient) -> None:
    found = (await http.get("/scim/v2/ServiceProviderConfig")).json()["authenticationSchemes"]
    assert [scheme["type"] for scheme in found] == ["oauthbearertoken", "oauth2", "httpbasic"]


async def test_a_narrowed_token_loses_what_its_client_loses_during_a_request(
    http: httpx2.AsyncClient, issued: IssuedSecret, database: Database
) -> None:
    token = (await granted(http, issued, scope="user:view user:update"))["access_token"]
    full = (await granted(http, issued))["access_token"]
    made = await http.post("/scim/v2/Users", json=user("ann"), headers={"Authorization": f"Bearer {full}"})
    change = {"schemas": [PATCH_SCHEMA], "Operations": [{"op": "add", "path": "title", "value": "x"}]}
    path = f"/scim/v2/Users/{made.json()['id']}"
    headers = {"Authorization": f"Bearer {token}"}
    assert (await http.patch(path, json=change, headers=headers)).status_code == 200
    text = "UPDATE client SET permissions = '[\"user:view\"]' WHERE name = 'payroll'"
    await database.write(lambda writer: writer.execute(sa.text(text)))
    refused(await http.patch(path, json=change, headers=headers), 403)
