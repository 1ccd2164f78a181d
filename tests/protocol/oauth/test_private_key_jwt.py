"""Assertions instead of secrets (RFC 7523): signed by a client's own key, or by an outside issuer for it."""

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from joserfc.jwk import ECKey, OKPKey, RSAKey

from scim_server.services.clients import Clients
from scim_server.services.credentials import Credentials
from scim_server.services.housekeeping import run_once
from scim_server.services.issuers import Issuers, Trust
from scim_server.services.lifecycle import Lifecycle
from scim_server.store.database import Database
from scim_server.store.tables import assertion as assertion_table
from tests.protocol.oauth.conftest import ROOT
from tests.protocol.oauth.test_token_endpoint import GRANT, ask, error, rows, status
from tests.support.issuer import FakeIssuer, Key, segment, signed
from tests.support.time import Clock

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
RSA, EC, ED = RSAKey.generate_key(2048), ECKey.generate_key("P-256"), OKPKey.generate_key("Ed25519")
KEYS: dict[str, Key] = {"RS256": RSA, "PS256": RSA, "ES256": EC, "Ed25519": ED, "EdDSA": ED}


@pytest.fixture
async def client_id(credentials: Credentials) -> str:
    added = await credentials.add_key("payroll", RSA.as_pem(private=False).decode())
    return added.client_id


def claims(client_id: str, **changed: Any) -> dict[str, Any]:
    moment = int(time.time())
    made = {
        "iss": client_id,
        "sub": client_id,
        "aud": f"{ROOT}/oauth/token",
        "jti": uuid.uuid4().hex,
        "exp": moment + 120,
        "iat": moment,
        **changed,
    }
    return {name: value for name, value in made.items() if value is not None}


async def send(http: httpx2.AsyncClient, assertion: str, path: str = "/oauth/token", **form: str) -> Any:
    sent = {**GRANT, "client_assertion_type": TYPE, "client_assertion": assertion, **form}
    return await ask(http, sent, path=path)


@pytest.mark.parametrize("alg", KEYS)
@pytest.mark.parametrize("form", ["jwk", "pem"])
async def test_an_assertion_brings_a_token_that_works(
    alg: str, form: str, http: httpx2.AsyncClient, credentials: Credentials
) -> None:
    key = KEYS[alg]
    public = key.as_dict(private=False) | {"kid": "k1"}
    text = json.dumps(public) if form == "jwk" else key.as_pem(private=False).decode()  # type: ignore[union-attr]
    added = await credentials.add_key("payroll", text)
    answer = await send(http, signed({"alg": alg, "kid": "k1"}, claims(added.client_id), key))
    assert answer.status_code == 200, answer.text
    assert await status(http, answer.json()["access_token"]) == 200


@pytest.mark.parametrize("audience", [ROOT, f"{ROOT}/oauth/token", ["x", ROOT]])
async def test_an_assertion_is_meant_for_the_endpoint_or_the_issuer(
    audience: Any, http: httpx2.AsyncClient, client_id: str
) -> None:
    answer = await send(http, signed({"alg": "RS256"}, claims(client_id, aud=audience), RSA))
    assert answer.status_code == 200


async def test_an_assertion_is_good_once(
    http: httpx2.AsyncClient, client_id: str, database: Database
) -> None:
    assertion = signed({"alg": "RS256"}, claims(client_id), RSA)
    assert (await send(http, assertion)).status_code == 200
    error(await send(http, assertion), "invalid_client", 401)
    error(await send(http, assertion, "/t/default/oauth/token"), "invalid_client", 401)
    assert len(await rows(database)) == 1


async def test_of_many_uses_at_once_one_is_good(
    http: httpx2.AsyncClient, client_id: str, database: Database
) -> None:
    assertion = signed({"alg": "RS256"}, claims(client_id), RSA)
    answers = await asyncio.gather(*(send(http, assertion) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200, *[401] * 7]
    assert len(await rows(database)) == 1


async def test_used_assertions_are_tidied_away_once_they_have_ended(
    http: httpx2.AsyncClient, client_id: str, database: Database, clock: Clock
) -> None:
    moment = clock.time_ns() // 1_000_000_000
    times = {"iat": moment, "exp": moment + 120}
    assert (await send(http, signed({"alg": "RS256"}, claims(client_id, **times), RSA))).status_code == 200

    async def left() -> int:
        await run_once(database, Lifecycle.of())
        query = sa.select(sa.func.count()).select_from(assertion_table)
        return (await database.read(lambda reader: reader.execute(query))).scalar_one()

    clock.advance(seconds=180)
    assert await left() == 1
    clock.advance(seconds=180)
    assert await left() == 0


NOW = int(time.time())
Attack = Callable[[str], str]


def _with(**changed: Any) -> Attack:
    return lambda client_id: signed({"alg": "RS256"}, claims(client_id, **changed), RSA)


ATTACKS: dict[str, Attack] = {
    "meant for another server": _with(aud="https://scim.example.com/oauth/token"),
    "meant for the SCIM base": _with(aud=f"{ROOT}/scim/v2"),
    "meant for nobody": _with(aud=None),
    "without an id": _with(jti=None),
    "with a number as id": _with(jti=7),
    "without an end": _with(exp=None),
    "expired": _with(exp=NOW - 61),
    "far ahead": _with(exp=NOW + 3_600),
    "of the future": _with(nbf=NOW + 100_000),
    "of another subject": _with(sub="somebody"),
    "of another issuer": _with(iss="https://idp.example.com"),
    "of nobody": _with(iss=None, sub=None),
    "of a client nobody knows": _with(iss="x", sub="x"),
    "of a client with NUL": _with(iss="x\x00", sub="x\x00"),
    "signed by another key": lambda client_id: signed(
        {"alg": "RS256"}, claims(client_id), RSAKey.generate_key(2048)
    ),
    "signed with another kind of key": lambda client_id: signed({"alg": "ES256"}, claims(client_id), EC),
    "unsigned": lambda client_id: signed({"alg": "none"}, claims(client_id), RSA, alg="RS256"),
    "critical": lambda client_id: signed({"alg": "RS256", "crit": ["x"]}, claims(client_id), RSA),
    "garbage": lambda _: "a.b.c",
}


@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_is_refused(
    name: str, http: httpx2.AsyncClient, client_id: str, database: Database
) -> None:
    error(await send(http, ATTACKS[name](client_id)), "invalid_client", 401)
    assert await rows(database) == []


async def test_the_client_that_is_named_beside_must_be_the_one(
    http: httpx2.AsyncClient, client_id: str
) -> None:
    assertion = signed({"alg": "RS256"}, claims(client_id), RSA)
    error(await send(http, assertion, client_id="somebody"), "invalid_client", 401)
    assert (await send(http, assertion, client_id=client_id)).status_code == 200


async def test_a_key_that_was_removed_proves_nothing(
    http: httpx2.AsyncClient, client_id: str, credentials: Credentials
) -> None:
    (key,) = await credentials.keys("payroll")
    await credentials.remove_key("payroll", key.thumbprint)
    error(await send(http, signed({"alg": "RS256"}, claims(client_id), RSA)), "invalid_client", 401)


async def test_the_key_of_another_client_proves_nothing(
    http: httpx2.AsyncClient, client_id: str, credentials: Credentials, database: Database
) -> None:
    await Clients(database).register("other")
    await credentials.add_key("other", json.dumps(EC.as_dict(private=False)))
    error(await send(http, signed({"alg": "ES256"}, claims(client_id), EC)), "invalid_client", 401)


async def test_another_type_of_assertion_is_refused(http: httpx2.AsyncClient, client_id: str) -> None:
    assertion = signed({"alg": "RS256"}, claims(client_id), RSA)
    answer = await send(http, assertion, client_assertion_type="urn:x:saml2-bearer")
    error(answer, "invalid_request")


async def test_an_assertion_beside_a_secret_is_refused(http: httpx2.AsyncClient, client_id: str) -> None:
    assertion = signed({"alg": "RS256"}, claims(client_id), RSA)
    error(await send(http, assertion, client_id=client_id, client_secret="x"), "invalid_request")


@pytest.fixture
def issuer() -> Iterator[FakeIssuer]:
    with FakeIssuer() as issuer:
        yield issuer


async def test_an_outside_issuer_may_speak_for_a_client(
    http: httpx2.AsyncClient, client_id: str, database: Database, issuer: FakeIssuer
) -> None:
    await Issuers(database).add("ci", Trust(issuer.url, "scim", clients={"hr-sync": "payroll"}))
    answer = await send(http, issuer.token(), client_id=client_id, scope="user:view")
    assert (answer.status_code, answer.json()["scope"]) == (200, "user:view")
    token = answer.json()["access_token"]
    assert await status(http, token) == 200
    assert await Issuers(database).remove("ci") == 1
    assert await status(http, token) == 401
    error(await send(http, issuer.token()), "invalid_client", 401)


async def test_an_issuer_that_is_down_is_no_fault_of_the_client(
    http: httpx2.AsyncClient, client_id: str, database: Database, issuer: FakeIssuer
) -> None:
    assert client_id
    await Issuers(database).add("ci", Trust(issuer.url, "scim", clients={"hr-sync": "payroll"}))
    issuer.mode = "down"
    answer = await send(http, issuer.token())
    error(answer, "temporarily_unavailable", 503)
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "{}",
        "[]",
        '{"kty":"oct","k":"AAAA"}',
        json.dumps(RSA.as_dict(private=True)),
        RSA.as_pem(private=True).decode(),
        json.dumps({**RSA.as_dict(private=False), "use": "enc"}),
        json.dumps({"kty": "RSA", "e": "AQAB", "n": segment(b"\xc1" + b"\x55" * 127)}),
    ],
    ids=["empty", "nonsense", "object", "list", "symmetric", "private jwk", "private pem", "enc", "short"],
)
async def test_what_is_no_public_key_is_refused(text: str, credentials: Credentials) -> None:
    with pytest.raises(ValueError, match="key"):
        await credentials.add_key("payroll", text)
    assert await credentials.keys("payroll") == []
