"""Tokens of outside issuers, which are really asked for their keys: let in, mapped, attacks refused."""

import base64
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from joserfc.jwk import ECKey, OctKey, RSAKey
from starlette.applications import Starlette

from scim_server.http.server import Server
from scim_server.services.clients import Clients
from scim_server.services.issuers import Issuers, Trust
from scim_server.store.database import Database
from scim_server.store.tables import audit_event
from scim_server.store.tables import token as token_table
from tests.conftest import Connect
from tests.protocol.messages import refused, user
from tests.support.client import ScimClient
from tests.support.issuer import FakeIssuer, segment, signed
from tests.support.tenants import make_tenant
from tests.support.time import Clock

Attack = Callable[[FakeIssuer], str]


@pytest.fixture
def issuer() -> Iterator[FakeIssuer]:
    with FakeIssuer() as issuer:
        yield issuer


@pytest.fixture
async def issuers(database: Database) -> Issuers:
    await Clients(database).register("payroll", profile="hris", dialect="strict")
    return Issuers(database)


@pytest.fixture
async def trusted(issuers: Issuers, issuer: FakeIssuer) -> FakeIssuer:
    await issuers.add("corp", Trust(issuer.url, "scim", clients={"hr-sync": "payroll"}))
    return issuer


@pytest.fixture
async def ask(connect: Connect) -> Callable[..., Awaitable[Any]]:
    """Give a function that reads with a token, and returns the answer."""
    client = await connect(profile="admin")

    async def ask(token: str, path: str = "/Users") -> Any:
        return await client.request("GET", path, headers={"Authorization": f"Bearer {token}"})

    return ask


async def kept(database: Database) -> list[Any]:
    query = sa.select(token_table).where(token_table.c.kind == "issuer")
    rows: list[Any] = list((await database.read(lambda reader: reader.execute(query))).all())
    return rows


async def test_a_token_of_a_trusted_issuer_is_its_client(
    trusted: FakeIssuer, ask: Any, scim: ScimClient
) -> None:
    ann = await scim.create_user("ann")
    answer = await ask(trusted.token(), f"/Users/{ann['id']}")
    assert (answer.status_code, answer.json()["userName"]) == (200, "ann")


async def test_keys_are_fetched_once_and_a_token_is_verified_once(
    trusted: FakeIssuer, ask: Any, database: Database
) -> None:
    token = trusted.token()
    for text in (token, token, trusted.token(jti="other")):
        assert (await ask(text)).status_code == 200
    assert trusted.requests == ["/.well-known/openid-configuration", "/keys"]
    assert len(await kept(database)) == 2


async def test_the_token_itself_is_kept_nowhere(trusted: FakeIssuer, ask: Any, database: Database) -> None:
    token = trusted.token()
    await ask(token)
    stored = " ".join(str(value) for row in await kept(database) for value in row)
    assert token.rpartition(".")[2] not in stored
    assert token[:20] not in stored


async def test_a_rotated_key_is_fetched_once_it_is_needed(
    trusted: FakeIssuer, ask: Any, clock: Clock
) -> None:
    assert (await ask(trusted.token(**_around(clock)))).status_code == 200
    clock.advance(minutes=1)
    trusted.rotate()
    assert (await ask(trusted.token(**_around(clock)))).status_code == 200
    assert trusted.requests[2:] == ["/.well-known/openid-configuration", "/keys"]


async def test_unknown_keys_have_keys_fetched_again_once_in_a_while(trusted: FakeIssuer, ask: Any) -> None:
    await ask(trusted.token())
    for number in range(5):
        assert (await ask(trusted.token({"kid": f"made-up-{number}"}))).status_code == 401
    assert len(trusted.requests) == 2


def _around(clock: Clock) -> dict[str, Any]:
    moment = clock.time_ns() // 1_000_000_000
    return {"iat": moment, "nbf": moment, "exp": moment + 600}


async def test_removing_the_issuer_ends_its_tokens_at_once(
    trusted: FakeIssuer, ask: Any, issuers: Issuers
) -> None:
    token = trusted.token()
    assert (await ask(token)).status_code == 200
    assert await issuers.remove("corp") == 1
    assert (await ask(token)).status_code == 401
    assert (await ask(trusted.token(jti="new"))).status_code == 401


async def test_revoking_the_client_ends_its_tokens_at_once(
    trusted: FakeIssuer, ask: Any, database: Database
) -> None:
    token = trusted.token()
    assert (await ask(token)).status_code == 200
    await Clients(database).revoke("payroll")
    assert (await ask(token)).status_code == 401
    assert (await ask(trusted.token(jti="new"))).status_code == 401


async def test_a_long_token_is_verified_again_every_hour(trusted: FakeIssuer, ask: Any, clock: Clock) -> None:
    moment = clock.time_ns() // 1_000_000_000
    token = trusted.token(iat=moment, nbf=moment, exp=moment + 7_000)
    assert (await ask(token)).status_code == 200
    clock.advance(minutes=61)
    assert (await ask(token)).status_code == 200
    clock.advance(minutes=58)
    refused(await ask(token), 401)


async def test_the_audience_may_be_one_of_several(trusted: FakeIssuer, ask: Any) -> None:
    assert (await ask(trusted.token(aud=["other", "scim"]))).status_code == 200


async def test_a_claim_may_narrow_what_the_client_may_do(
    issuers: Issuers, issuer: FakeIssuer, connect: Connect
) -> None:
    trust = Trust(issuer.url, "scim", clients={"hr-sync": "payroll"}, narrow_claim="roles")
    await issuers.add("corp", trust)
    client = await connect(profile="admin")
    for number, (roles, statuses) in enumerate(
        [
            (["user:view", "token:manage"], (200, 403)),
            ("user:view user:create", (200, 201)),
            ([], (403, 403)),
            (None, (403, 403)),
        ]
    ):
        headers = {"Authorization": f"Bearer {issuer.token(roles=roles)}"}
        found = [
            await client.request("GET", "/Users", headers=headers),
            await client.request("POST", "/Users", json=user(f"u{number}"), headers=headers),
        ]
        assert tuple(answer.status_code for answer in found) == statuses


async def test_a_claim_may_name_the_user_whom_me_is(
    issuers: Issuers, issuer: FakeIssuer, ask: Any, scim: ScimClient
) -> None:
    ann = await scim.create_user("ann", externalId="e-1")
    trust = Trust(issuer.url, "scim", clients={"hr-sync": "payroll"}, user_claim="oid")
    await issuers.add("corp", trust)
    answer = await ask(issuer.token(oid="e-1"), "/Me")
    assert (answer.status_code, answer.json()["id"]) == (200, ann["id"])
    for oid in ("e-2", None, 'e-1" or userName pr or userName eq "'):
        refused(await ask(issuer.token(oid=oid), "/Me"), 401)


async def test_a_token_of_a_user_who_is_deactivated_is_good_for_nothing(
    issuers: Issuers, issuer: FakeIssuer, ask: Any, scim: ScimClient
) -> None:
    ann = await scim.create_user("ann", externalId="e-1")
    await issuers.add("corp", Trust(issuer.url, "scim", clients={"hr-sync": "payroll"}, user_claim="oid"))
    token = issuer.token(oid="e-1")
    assert (await ask(token)).status_code == 200
    await scim.patch_ok(f"/Users/{ann['id']}", {"op": "replace", "path": "active", "value": False})
    refused(await ask(token), 401)
    refused(await ask(issuer.token(oid="e-1", jti="2")), 401)


async def test_without_a_user_there_is_no_me(trusted: FakeIssuer, ask: Any) -> None:
    assert (await ask(trusted.token(), "/Me")).status_code in {404, 501}


def _unsigned(alg: str) -> Attack:
    return lambda issuer: f"{segment({'alg': alg})}.{segment(issuer.claims())}.{segment(b'x')}"


def _confused(form: str) -> Attack:
    def attack(issuer: FakeIssuer) -> str:
        public = issuer.key.as_pem() if form == "pem" else json.dumps(issuer.key.as_dict()).encode()
        header = {"alg": "HS256", "kid": issuer.kid}
        return signed(header, issuer.claims(), OctKey.import_key(base64.b64encode(public)))

    return attack


def _embedded(name: str) -> Attack:
    def attack(issuer: FakeIssuer) -> str:
        own = RSAKey.generate_key(2048)
        values = {
            "jwk": own.as_dict(private=False),
            "jku": f"{issuer.url}/elsewhere",
            "x5u": f"{issuer.url}/elsewhere",
        }
        return signed({"alg": "RS256", "kid": "own", name: values[name]}, issuer.claims(), own)

    return attack


def _header(**header: Any) -> Attack:
    return lambda issuer: issuer.token(header)


def _claims(**claims: Any) -> Attack:
    return lambda issuer: issuer.token(**claims)


def _doubled(issuer: FakeIssuer) -> str:
    text = json.dumps(issuer.claims(azp="nobody"))
    doubled = f'{text[:-1]}, "azp": "hr-sync"}}'.encode()
    return signed({"alg": "RS256", "kid": issuer.kid}, doubled, issuer.key)


NOW = int(time.time())
ATTACKS: dict[str, Attack] = {
    "alg none": _unsigned("none"),
    "alg nOnE": _unsigned("nOnE"),
    "no signature": lambda issuer: issuer.token().rpartition(".")[0] + ".",
    "HS256 with the public key as PEM": _confused("pem"),
    "HS256 with the public key as JWK": _confused("jwk"),
    "another key under the same id": lambda issuer: signed(
        {"alg": "RS256", "kid": issuer.kid}, issuer.claims(), RSAKey.generate_key(2048)
    ),
    "another key without an id": lambda issuer: signed(
        {"alg": "RS256"}, issuer.claims(), RSAKey.generate_key(2048)
    ),
    "another kind of key": lambda issuer: signed(
        {"alg": "ES256", "kid": issuer.kid}, issuer.claims(), ECKey.generate_key("P-256")
    ),
    "an algorithm that is not allowed": lambda issuer: signed(
        {"alg": "RS512", "kid": issuer.kid}, issuer.claims(), issuer.key
    ),
    "a path as key id": _header(kid="../../../../dev/null"),
    "SQL as key id": _header(kid="' OR 1=1 --"),
    "a number as key id": _header(kid=1),
    "a list as key id": _header(kid=["a"]),
    "an embedded key": _embedded("jwk"),
    "a key set of its own": _embedded("jku"),
    "a certificate of its own": _embedded("x5u"),
    "critical extensions": _header(crit=["exp"]),
    "an unencoded payload": _header(b64=False),
    "another type": _header(typ="secevent+jwt"),
    "another part changed": lambda issuer: ".".join(
        [issuer.token().split(".")[0], segment(issuer.claims(azp="root")), issuer.token().split(".")[2]]
    ),
    "expired": _claims(exp=NOW - 61),
    "no end": _claims(exp=None),
    "a text as end": _claims(exp="9999999999"),
    "an endless number as end": _claims(exp=10**400),
    "true as end": _claims(exp=True),
    "not yet good": _claims(nbf=NOW + 86_400),
    "issued in the future": _claims(iat=NOW + 86_400),
    "meant for somebody else": _claims(aud="other"),
    "meant for several others": _claims(aud=["other", None, {"scim": 1}]),
    "meant for nobody": _claims(aud=None),
    "meant for something longer": _claims(aud="scim2"),
    "of another issuer": _claims(iss="https://idp.example.com"),
    "of the issuer with a slash": lambda issuer: issuer.token(iss=f"{issuer.url}/"),
    "of a list of issuers": lambda issuer: issuer.token(iss=[issuer.url]),
    "of no issuer": _claims(iss=None),
    "of a client nobody knows": _claims(azp="nobody"),
    "of a client by its own name": _claims(azp="payroll"),
    "of no client": _claims(azp=None),
    "of a list of clients": _claims(azp=["hr-sync"]),
    "with NUL in the client": _claims(azp="hr-sync\x00"),
    "huge": _claims(padding="x" * 9_000),
    "names said twice": _doubled,
    "nested deeply": lambda issuer: signed(
        {"alg": "RS256", "kid": issuer.kid}, b'{"a":' * 900 + b"1" + b"}" * 900, issuer.key
    ),
    "a payload that is no object": lambda issuer: signed(
        {"alg": "RS256", "kid": issuer.kid}, [issuer.claims()], issuer.key
    ),
    "five parts": lambda issuer: issuer.token() + ".a.b",
}


@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_is_refused_and_writes_nothing(
    name: str, trusted: FakeIssuer, ask: Any, database: Database
) -> None:
    token = ATTACKS[name](trusted)
    answer = await ask(token)
    refused(answer, 401)
    assert token not in answer.text
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert await kept(database) == []
    assert "/elsewhere" not in trusted.requests
    events = await database.read(lambda reader: reader.execute(sa.select(audit_event.c.action)))
    assert [row.action for row in events] == []


async def test_a_good_token_is_good_with_every_hint_it_need_not_have(trusted: FakeIssuer, ask: Any) -> None:
    header = {"x5t": "abc", "nonce": "n", "jku": f"{trusted.url}/elsewhere", "typ": "at+JWT"}
    assert (await ask(trusted.token(header))).status_code == 200
    assert "/elsewhere" not in trusted.requests


@pytest.mark.parametrize("mode", ["down", "slow", "huge", "garbage", "redirect", "other"])
async def test_an_issuer_that_does_not_answer_well_is_no_fault_of_the_token(
    mode: str, trusted: FakeIssuer, ask: Any, database: Database, application: Starlette
) -> None:
    trusted.mode = mode
    if mode == "slow":
        server: Server = application.state.server
        server.key_sets.seconds = 0.3
    answer = await ask(trusted.token())
    refused(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert await kept(database) == []
    count = len(trusted.requests)
    refused(await ask(trusted.token()), 503)
    assert len(trusted.requests) == count
    assert "/elsewhere" not in trusted.requests


async def test_known_keys_do_while_the_issuer_is_down(trusted: FakeIssuer, ask: Any, clock: Clock) -> None:
    assert (await ask(trusted.token(**_around(clock)))).status_code == 200
    trusted.mode = "down"
    clock.advance(hours=2)
    assert (await ask(trusted.token(**_around(clock)))).status_code == 200
    clock.advance(hours=5)
    refused(await ask(trusted.token(**_around(clock))), 503)


async def test_the_issuer_of_another_tenant_is_not_trusted(
    database: Database, issuer: FakeIssuer, ask: Any
) -> None:
    await make_tenant(database, "acme")
    await Clients(database).register("payroll", tenant="acme")
    trust = Trust(issuer.url, "scim", clients={"hr-sync": "payroll"})
    await Issuers(database).add("corp", trust, tenant="acme")
    for known in (False, True):
        for tenant, status in (("default", 401), ("nowhere", 401), ("acme", 200)):
            path = f"http://scim.test/t/{tenant}/scim/v2/Users"
            token = issuer.token(jti="same" if known else tenant)
            assert (await ask(token, path)).status_code == status


async def test_a_tenant_that_cannot_be_is_not_there(trusted: FakeIssuer, ask: Any) -> None:
    refused(await ask(trusted.token(), "http://scim.test/t/a%00b/scim/v2/Users"), 401)


async def test_a_token_that_two_tenants_trust_needs_the_url_of_one(
    trusted: FakeIssuer, database: Database, ask: Any
) -> None:
    await make_tenant(database, "acme")
    await Clients(database).register("payroll", tenant="acme")
    trust = Trust(trusted.url, "scim", clients={"hr-sync": "payroll"})
    await Issuers(database).add("corp", trust, tenant="acme")
    refused(await ask(trusted.token()), 401)
    assert (await ask(trusted.token(), "http://scim.test/t/acme/scim/v2/Users")).status_code == 200


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        ({"issuer": "http://idp.example.com"}, "https"),
        ({"issuer": "idp.example.com"}, "https"),
        ({"jwks_url": "file:///etc/passwd"}, "https"),
        ({"audience": ""}, "audience"),
        ({"algorithms": ("HS256",)}, "HS256"),
        ({"algorithms": ("none",)}, "none"),
        ({"algorithms": ()}, "algorithm"),
        ({"user_attribute": "title"}, "title"),
    ],
)
async def test_what_cannot_be_trusted_is_refused(facts: Any, named: str, issuers: Issuers) -> None:
    with pytest.raises(ValueError, match=named):
        await issuers.add("corp", Trust(**{"issuer": "https://idp.example.com", "audience": "scim", **facts}))
    assert await issuers.list() == []
