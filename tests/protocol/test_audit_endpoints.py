"""/audit tells who may verify what an outsider needs to know, and nobody else anything."""

import base64

import pytest
from starlette.applications import Starlette

from scim_server.http.server import Server
from scim_server.security.transparency.merkle import grew, includes
from scim_server.security.transparency.notes import Signer
from scim_server.services.transparency.checkpoints import Checkpoints
from tests.conftest import Connect
from tests.support.client import ScimClient

PATHS = ("/audit/checkpoint", "/audit/proof/x", "/audit/consistency", "/audit/verify")


async def chained(application: Starlette, admin: ScimClient) -> Signer:
    """Make three users, chain their events, and sign a checkpoint."""
    for name in ("ann", "bob", "cyd"):
        await admin.create_user(name)
    server: Server = application.state.server
    await server.keeper.run_once()
    signer = Signer.generate("log.test")
    await Checkpoints(server.database, signer).make(1, "default")
    return signer


async def test_the_last_checkpoint_is_a_signed_note(application: Starlette, scim: ScimClient) -> None:
    assert (await scim.get("/audit/checkpoint")).status_code == 404
    signer = await chained(application, scim)
    answer = await scim.get("/audit/checkpoint")
    assert answer.status_code == 200
    assert signer.verifier.has_signed(answer.text)


async def test_an_event_is_proved(application: Starlette, scim: ScimClient) -> None:
    await chained(application, scim)
    events = (await scim.read("/AuditEvents", count=1))["Resources"]
    proof = (await scim.get(f"/audit/proof/{events[0]['id']}")).json()
    path = [base64.b64decode(one) for one in proof["proof"]]
    own, root = base64.b64decode(proof["hash"]), base64.b64decode(proof["root"])
    assert includes(own, proof["index"], proof["size"], path, root)


async def test_growth_is_proved(application: Starlette, scim: ScimClient) -> None:
    await chained(application, scim)
    proof = (await scim.get("/audit/consistency", **{"from": 1, "to": 3})).json()
    roots = base64.b64decode(proof["firstRoot"]), base64.b64decode(proof["secondRoot"])
    assert grew(1, 3, roots, [base64.b64decode(one) for one in proof["proof"]])
    assert (await scim.get("/audit/consistency", **{"from": 1})).status_code == 400
    assert (await scim.get("/audit/consistency", **{"from": "x", "to": 2})).status_code == 400


async def test_the_server_verifies_a_range(application: Starlette, scim: ScimClient) -> None:
    await chained(application, scim)
    found = (await scim.get("/audit/verify", **{"from": 1, "to": 2})).json()
    assert (found["intact"], found["events"], found["bad"]) == (True, 2, None)

    for start, end in ((100, 200), (3, 2), (10**21, 10**21)):
        answer = await scim.get("/audit/verify", **{"from": start, "to": end})
        assert answer.status_code == 400


@pytest.mark.parametrize("path", PATHS)
async def test_only_who_may_verify_is_answered(path: str, connect: Connect) -> None:
    client = await connect(profile="admin", permissions=["user:view", "audit:read"])
    assert (await client.get(path)).status_code == 403


async def test_events_are_shown_the_same_before_and_after_they_are_chained(
    application: Starlette, scim: ScimClient
) -> None:
    user = await scim.create_user("ann", title="Clerk")
    asked = f'resource.value eq "{user["id"]}"'
    before = (await scim.read("/AuditEvents", filter=asked))["Resources"]
    server: Server = application.state.server
    assert (await server.keeper.run_once())["chained"] > 0
    after = (await scim.read("/AuditEvents", filter=asked))["Resources"]
    one = (await scim.get(f"/AuditEvents/{before[0]['id']}")).json()
    assert before == after == [one]
    assert {"path": "title", "to": "Clerk"} in one["changes"]


async def test_values_are_found_by_no_filter(scim: ScimClient) -> None:
    await scim.create_user("ann", title="Clerk")
    found = await scim.read("/AuditEvents", filter='changes.to eq "Clerk"')
    assert found["totalResults"] == 0
