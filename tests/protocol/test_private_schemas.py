"""Private schemas: one tenant has them, and no other tenant learns of them, whichever way it asks."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette

from scim_server.app import create_app
from scim_server.schema_files import load_registry
from scim_server.scim.attributes import SchemaError
from scim_server.security.principals import PERMISSIONS
from scim_server.services.loading_files import Loaded, Loader
from scim_server.services.tenants import TenantError, Tenants
from scim_server.settings import Settings
from scim_server.store.database import Database
from tests.protocol.messages import (
    ENTERPRISE,
    PATCH_OP,
    Json,
    accepted,
    bulk,
    group,
    operation,
    patch,
    refused,
    user,
)
from tests.requirements.plans import outcome_of, plan
from tests.support.catalogue import create_department
from tests.support.client import ScimClient
from tests.support.tenants import token_of
from tests.support.time import Clock

BADGE = "urn:example:acme:2.0:User"
NOBODYS = "urn:example:nobody:2.0:User"
SITE = "urn:example:acme:2.0:Department"
CAR = "urn:example:acme:2.0:Car"
BUDDY = "urn:example:acme:2.0:Buddy"
REFERENCE: Json = {
    "name": "buddy",
    "type": "complex",
    "subAttributes": [{"name": "value"}, {"name": "$ref", "type": "reference", "referenceTypes": ["User"]}],
}
GROUPS: Json = {
    "name": "groups",
    "type": "complex",
    "multiValued": True,
    "mutability": "readOnly",
    "subAttributes": [{"name": "value"}, {"name": "$ref", "type": "reference", "referenceTypes": ["Group"]}],
}
SCHEMAS: list[Json] = [
    {
        "id": BADGE,
        "name": "Badge",
        "attributes": [{"name": "badge", "type": "string", "required": True, "uniqueness": "server"}],
    },
    {"id": SITE, "name": "Site", "attributes": [{"name": "site", "type": "string"}]},
    {"id": CAR, "name": "Car", "attributes": [{"name": "plate", "type": "string", "required": True}, GROUPS]},
    {"id": BUDDY, "name": "Buddy", "attributes": [REFERENCE]},
]
TYPES: list[Json] = [
    {
        "name": "User",
        "schemaExtensions": [{"schema": BADGE, "private": True}, {"schema": BUDDY, "private": True}],
    },
    {"name": "Department", "schemaExtensions": [{"schema": SITE, "private": True}]},
    {"name": "Car", "endpoint": "/Cars", "schema": CAR, "private": True},
]
OWN = f"{BADGE},{SITE},{CAR},{BUDDY}"


@pytest.fixture
def application(database_url: str, tmp_path: Path) -> Starlette:
    (tmp_path / "schemas.json").write_text(json.dumps(SCHEMAS))
    (tmp_path / "resource_types.json").write_text(json.dumps(TYPES))
    return create_app(Settings(database_url=database_url, schema_folders=(tmp_path,)))


@pytest.fixture
def tenants(application: Starlette) -> Tenants:
    server = application.state.server
    return Tenants(server.database, server.registry)


@pytest.fixture
async def both(application: Starlette, tenants: Tenants) -> AsyncIterator[tuple[ScimClient, ScimClient]]:
    """Give a client of the tenant that has the schemas, and one of a tenant that has none."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(application.router.lifespan_context(application))
        clients = []
        for name in ("acme", "globex"):
            token = await token_of(
                application.state.server.database, name, profile="idp", permissions=PERMISSIONS
            )
            transport = httpx2.ASGITransport(app=application)
            client = ScimClient("http://scim.test/scim/v2", token, transport)
            clients.append(await stack.enter_async_context(client))
        await tenants.set("acme", {"private_schemas": OWN})
        yield clients[0], clients[1]


def badged(name: str, badge: str) -> Json:
    body = user(name)
    return {**body, "schemas": [*body["schemas"], BADGE], BADGE: {"badge": badge}}


async def test_discovery_names_them_to_their_tenant_alone(both: tuple[ScimClient, ScimClient]) -> None:
    for path in ("/Schemas", "/ResourceTypes"):
        own, other = [(await client.get(path)).text for client in both]
        assert [CAR in own, "urn:example:acme" in other] == [True, False]
    for path in (f"/Schemas/{BADGE}", f"/Schemas/{CAR}", "/ResourceTypes/Car", "/Cars"):
        found = [(await client.get(path)).status_code for client in both]
        assert (path, found) == (path, [200, 404])


@pytest.mark.parametrize("dialect", ["okta", "entra", "strict"])
async def test_discovery_names_them_under_every_dialect(
    application: Starlette, both: tuple[ScimClient, ScimClient], dialect: str
) -> None:
    server = application.state.server
    for name, expected in (("acme", True), ("globex", False)):
        token = await token_of(server.database, name, f"another {dialect}", dialect=dialect)
        headers = {"Authorization": f"Bearer {token}"}
        shown = (await both[0].request("GET", "/Schemas", headers=headers)).text
        assert ("urn:example:acme" in shown) is expected


async def test_what_a_tenant_says_in_them_is_kept_found_and_unique(
    both: tuple[ScimClient, ScimClient],
) -> None:
    acme, _ = both
    ann = accepted(await acme.post("/Users", badged("ann", "7")), 201)
    assert ann[BADGE] == {"badge": "7"}
    assert (await acme.read(f"/Users/{ann['id']}"))[BADGE] == {"badge": "7"}
    assert [one["id"] for one in await acme.find("/Users", f'{BADGE}:badge eq "7"')] == [ann["id"]]
    refused(await acme.post("/Users", badged("bob", "7")), 409, "uniqueness")
    changed = accepted(await patch(acme, f"/Users/{ann['id']}", operation("replace", f"{BADGE}:badge", "8")))
    assert changed[BADGE] == {"badge": "8"}
    accepted(await acme.post("/Cars", {"schemas": [CAR], "plate": "A 1"}), 201)


async def test_to_another_tenant_they_are_as_unknown_as_any_name(
    both: tuple[ScimClient, ScimClient],
) -> None:
    acme, globex = both
    accepted(await acme.post("/Users", badged("ann", "7")), 201)
    bodies = badged("ann", "7"), json.loads(json.dumps(badged("amy", "7")).replace(BADGE, NOBODYS))
    made = [accepted(await globex.post("/Users", body), 201) for body in bodies]
    assert [(set(one), one["schemas"]) for one in made] == [(set(made[0]), made[0]["schemas"])] * 2
    assert BADGE not in made[0]
    ann = made[0]
    for path in (f"{BADGE}:badge", f"{NOBODYS}:badge"):
        refused(await globex.get("/Users", filter=f'{path} eq "7"'), 400, "invalidFilter")
        refused(await patch(globex, f"/Users/{ann['id']}", operation("replace", path, "9")), 400)
    assert BADGE not in (await globex.get(f"/Users/{ann['id']}", attributes=BADGE)).text


async def test_bulk_keeps_to_the_tenant(both: tuple[ScimClient, ScimClient]) -> None:
    post = [
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": badged("ann", "7")},
        {"method": "POST", "path": "/Cars", "bulkId": "c", "data": {"schemas": [CAR], "plate": "A 1"}},
    ]
    answers = [accepted(await bulk(client, *post))["Operations"] for client in both]
    own, other = [[one["status"] for one in answer] for answer in answers]
    assert (own, other) == (["201", "201"], ["201", "400"])
    shown = [(await client.find("/Users", 'userName eq "ann"'))[0].get(BADGE) for client in both]
    assert shown == [{"badge": "7"}, None]


async def test_a_planned_patch_keeps_to_the_tenant(clock: Clock, both: tuple[ScimClient, ScimClient]) -> None:
    said = {"schemas": [PATCH_OP], "Operations": [operation("add", f"{BADGE}:badge", "7")]}
    found = []
    for client in both:
        ann = accepted(await client.post("/Users", user("ann")), 201)
        planned = await plan(client, ann["id"], "patch", clock.text(hours=1), patch=json.dumps(said))
        clock.advance(hours=2)
        badge = (await client.read(f"/Users/{ann['id']}")).get(BADGE)
        found.append((await outcome_of(client, planned), badge))
    assert found == [("applied", {"badge": "7"}), ("failed", None)]


async def test_files_keep_to_the_tenant(both: tuple[ScimClient, ScimClient], application: Starlette) -> None:
    server = application.state.server
    loader = Loader(server.database, server.provisioning._lifecycle)  # noqa: SLF001 - of the server's own
    for client, name, expected in ((both[0], "acme", (2, True)), (both[1], "globex", (1, False))):
        loaded = Loaded()
        lines = [
            (1, json.dumps({"schemas": [CAR], "plate": "A 1"}).encode()),
            (2, json.dumps(badged("zoe", "9")).encode()),
        ]
        await loader.load(await loader.call(name, "okta"), lines, loaded)
        (zoe,) = await client.find("/Users", 'userName eq "zoe"')
        assert (loaded.created, BADGE in zoe) == expected


async def test_a_schema_with_content_is_not_taken_away(
    both: tuple[ScimClient, ScimClient], tenants: Tenants
) -> None:
    acme, _ = both
    ann = accepted(await acme.post("/Users", badged("ann", "7")), 201)
    car = accepted(await acme.post("/Cars", {"schemas": [CAR], "plate": "A 1"}), 201)
    with pytest.raises(TenantError, match=f"1 resources of the tenant have content in {BADGE}"):
        await tenants.set("acme", {"private_schemas": CAR})
    with pytest.raises(TenantError, match=f"1 resources of the tenant have content in {CAR}"):
        await tenants.set("acme", {"private_schemas": BADGE})
    accepted(await patch(acme, f"/Users/{ann['id']}", operation("remove", BADGE)))
    assert (await acme.delete(f"/Cars/{car['id']}")).status_code == 204
    await tenants.set("acme", {"private_schemas": ""})
    refused(await acme.get("/Cars"), 404)


async def test_only_a_private_schema_can_be_given(tenants: Tenants, database: Database) -> None:
    await token_of(database, "acme")
    with pytest.raises(ValueError, match=r"urn:x is no private schema of this server; it has: urn:example"):
        await tenants.set("acme", {"private_schemas": "urn:x"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("OPTIONS", "/Cars"),
        ("OPTIONS", "/Cars/1"),
        ("PUT", "/Cars"),
        ("POST", "/Cars/1"),
        ("GET", "/Cars/.search"),
        ("GET", "/Cars?count=x"),
        ("GET", "/Cars/1?attributes=a&excludedAttributes=b"),
        ("POST", "/Cars/.search"),
        ("POST", "/Cars?dryRun=x"),
    ],
)
async def test_the_endpoint_of_a_private_type_is_like_any_path_that_is_none(
    both: tuple[ScimClient, ScimClient], method: str, path: str
) -> None:
    _, globex = both
    for headers in ({}, {"Authorization": "Bearer nobody"}):
        found = []
        for one in (path, path.replace("Cars", "Bars")):
            answer = await globex.request(method, one, headers=headers)
            found.append(
                (answer.status_code, answer.text.replace("Cars", "Bars"), answer.headers.get("allow"))
            )
        assert found[0] == found[1]


async def test_options_tell_the_methods_to_who_has_the_type(both: tuple[ScimClient, ScimClient]) -> None:
    acme, globex = both
    answer = await acme.request("OPTIONS", "/Cars")
    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, POST")
    refused(await acme.request("PUT", "/Cars"), 405)
    assert (await globex.request("OPTIONS", "/Users", headers={"Authorization": ""})).status_code == 204


async def test_what_can_be_a_member_names_no_private_type(both: tuple[ScimClient, ScimClient]) -> None:
    for client, named in zip(both, ("Car, Group, User", "Group, User"), strict=True):
        department = await create_department(client, "SALES")
        answer = await client.post("/Groups", group("Guides", department))
        assert f"takes {named}, not" in refused(answer, 400, "invalidValue")["detail"]


async def test_a_user_who_comes_back_brings_nothing_that_the_tenant_has_no_more(
    both: tuple[ScimClient, ScimClient], application: Starlette, tenants: Tenants
) -> None:
    server = application.state.server
    switches = {"revive_former_users": True}
    facts = {"profile": "idp", "permissions": PERMISSIONS, "switches": switches}
    headers = {"Authorization": f"Bearer {await token_of(server.database, 'acme', 'reviving', **facts)}"}
    body = {**badged("ann", "7"), "externalId": "e1"}
    ann = accepted(await both[0].request("POST", "/Users", json=body, headers=headers), 201)
    assert (await both[0].request("DELETE", f"/Users/{ann['id']}", headers=headers)).status_code == 204
    await tenants.set("acme", {"private_schemas": CAR})
    again = {**user("ann"), "externalId": "e1"}
    back = accepted(await both[0].request("POST", "/Users", json=again, headers=headers), 201)
    assert (back["id"], BADGE in json.dumps(back)) == (ann["id"], False)
    await tenants.set("acme", {"private_schemas": OWN})
    accepted(await both[0].post("/Users", badged("bob", "7")), 201)


async def test_content_is_what_is_in_the_schema_references_too_and_not_what_looks_like_its_name(
    both: tuple[ScimClient, ScimClient], tenants: Tenants
) -> None:
    acme, _ = both
    ann = accepted(await acme.post("/Users", {**user("ann"), "externalId": BADGE, "title": BADGE}), 201)
    await tenants.set("acme", {"private_schemas": f"{CAR},{BUDDY}"})
    body = {
        **user("bob"),
        "schemas": [*user("bob")["schemas"], BUDDY],
        BUDDY: {"buddy": {"value": ann["id"]}},
    }
    accepted(await acme.post("/Users", body), 201)
    with pytest.raises(TenantError, match=f"1 resources of the tenant have content in {BUDDY}"):
        await tenants.set("acme", {"private_schemas": CAR})


@pytest.mark.parametrize(
    ("further", "said"),
    [
        ({"name": "Location", "private": True}, "the resource type Location is for every tenant"),
        (
            {"name": "User", "schemaExtensions": [{"schema": ENTERPRISE, "private": True}]},
            "is private in every folder that names it, or in none",
        ),
    ],
)
def test_what_every_tenant_has_is_not_made_private(tmp_path: Path, further: Json, said: str) -> None:
    (tmp_path / "resource_types.json").write_text(json.dumps([further]))
    with pytest.raises(SchemaError, match=said):
        load_registry([tmp_path])
