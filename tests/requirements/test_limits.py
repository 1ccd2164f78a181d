"""Approval limits: who sets them, exact amounts, maxima, defaults of roles, overrides, history."""

from typing import Any

import pytest

from scim_server.lifecycle.urns import APPROVAL_LIMIT, CONNECTOR, ROLE
from scim_server.security.principals import BUNDLES
from scim_server.store.database import Database
from tests.protocol.messages import Connect, accepted, refused
from tests.support.catalogue import ROLE_GOVERNANCE, create_role, load_catalogue
from tests.support.client import ScimClient
from tests.support.people import (
    add,
    because,
    hire,
    last_event,
    news,
    remove,
    replace,
    roles,
    said,
)
from tests.support.time import Clock

PATH = f"{APPROVAL_LIMIT}:approvalLimits"


def limit(amount: float, currency: str = "USD", **facts: Any) -> dict[str, Any]:
    """Return an approval limit of the type general."""
    return {"type": "general", "amount": amount, "currency": currency, **facts}


def effective(user: dict[str, Any]) -> list[tuple[str, Any, str, str]]:
    """Return type, amount, currency and source of the limits that count."""
    return [
        (one["type"], one["amount"], one["currency"], one["source"])
        for one in user.get(APPROVAL_LIMIT, {}).get("effectiveApprovalLimits", [])
    ]


@pytest.fixture
async def buyer(admin: ScimClient) -> str:
    """Give the role buyer, which brings 1,000 USD for everything and 200 EUR for expenses."""
    defaults = [limit(1000), {"type": "expense", "amount": 200, "currency": "EUR"}]
    return await create_role(admin, "buyer", defaultApprovalLimits=defaults)


@pytest.mark.proves("LIM-01")
@pytest.mark.parametrize(
    ("bundle", "may"),
    [("root", True), ("financial-controller", True), ("hr-manager", False), ("system-admin", False)],
)
async def test_limits_are_set_by_whom_finance_trusts(
    admin: ScimClient, connect: Connect, bundle: str, *, may: bool
) -> None:
    ann = await hire(admin)
    permissions = sorted({*BUNDLES[bundle], "user:update"})
    client = await connect(profile="admin", permissions=permissions)
    response = await client.patch(f"/Users/{ann['id']}", add(PATH, [limit(100)]))
    if may:
        assert accepted(response)[APPROVAL_LIMIT]["approvalLimits"] == [limit(100)]
    else:
        assert refused(response, 403)["detail"].endswith("has no permission financial:configure.")


@pytest.mark.proves("LIM-01")
async def test_a_connector_sets_limits_only_where_the_policy_says_so(
    admin: ScimClient, scim: ScimClient, database: Database
) -> None:
    flat = {CONNECTOR: {"approvalLimitAmount": 100, "approvalLimitCurrency": "USD"}}
    first = await scim.create_user("ann", **flat)
    await load_catalogue(database, policies={"connector_may_write": ["limits"]})
    second = await scim.create_user("bob", **flat)
    assert [effective(first), effective(second)] == [[], [("general", 100, "USD", "user")]]
    changed = await admin.patch(f"/Users/{second['id']}", replace(PATH, [limit(50)]))
    assert accepted(changed)[CONNECTOR]["approvalLimitAmount"] == 50


@pytest.mark.proves("LIM-02", "LIM-03")
@pytest.mark.parametrize(
    ("stated", "message"),
    [
        (limit(0), "Approval limit must be a positive number"),
        (limit(-5), "Approval limit must be a positive number"),
        (limit(10.005), "Approval limit in USD can have at most 2 decimal places"),
        (limit(10.5, "JPY"), "Approval limit in JPY can have no decimal places"),
        (limit(10.0001, "KWD"), "Approval limit in KWD can have at most 3 decimal places"),
        (limit(10, "usd"), "Selected currency is invalid"),
        (limit(10, "DEM"), "Selected currency is invalid"),
        (limit(10, "XXX"), "Selected currency is invalid"),
    ],
)
async def test_an_amount_is_positive_and_in_a_currency_that_is_in_use(
    admin: ScimClient, stated: dict[str, Any], message: str
) -> None:
    ann = await hire(admin)
    response = await admin.patch(f"/Users/{ann['id']}", add(PATH, [stated]))
    assert refused(response, 400, "invalidValue")["detail"] == message


@pytest.mark.proves("LIM-02")
@pytest.mark.parametrize("amount", ['"100"', "true", "1e400", "null"])
async def test_an_amount_is_a_number(admin: ScimClient, amount: str) -> None:
    ann = await hire(admin)
    body = (
        '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add",'
        f'"path":"{PATH}","value":[{{"amount":{amount},"currency":"USD"}}]}}]}}'
    )
    refused(await admin.request("PATCH", f"/Users/{ann['id']}", content=body), 400)


@pytest.mark.proves("LIM-02")
@pytest.mark.parametrize("amount", ["0.1", "1234567890123.01", "19.99"])
async def test_amounts_keep_every_digit_on_the_wire(admin: ScimClient, amount: str) -> None:
    ann = await hire(admin)
    body = (
        '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add",'
        f'"path":"{PATH}","value":[{{"amount":{amount},"currency":"USD"}}]}}]}}'
    )
    accepted(await admin.request("PATCH", f"/Users/{ann['id']}", content=body))
    response = await admin.get(f"/Users/{ann['id']}")
    assert response.text.count(f'"amount":{amount},') == 2, "own and effective"
    found = await admin.find("/Users", f"{PATH}.amount eq {amount}")
    assert [user["id"] for user in found] == [ann["id"]]


@pytest.mark.proves("LIM-04")
async def test_a_limit_stays_within_the_maximum_of_the_users_level(
    admin: ScimClient, database: Database, buyer: str
) -> None:
    maxima = [
        {"level": "everybody", "amount": "5000", "currency": "USD"},
        {"level": "buyer", "amount": "20000", "currency": "USD"},
        {"level": "buyer", "type": "contract", "amount": "900", "currency": "USD"},
    ]
    await load_catalogue(database, policies={"limits": {"maxima": maxima, "justify_override": []}})
    ann, bob = await hire(admin, "ann"), await hire(admin, "bob", **roles(buyer))
    context = because(justification="Season")
    answers = {
        (name, amount, kind): await admin.patch(
            f"/Users/{user['id']}", replace(PATH, [limit(amount, type=kind)]), context
        )
        for name, user, amount, kind in (
            ("ann", ann, 5000, "general"),
            ("ann", ann, 5000.01, "general"),
            ("bob", bob, 20000, "general"),
            ("bob", bob, 20000.01, "general"),
            ("bob", bob, 900.01, "contract"),
        )
    }
    refusals = {key: one.json()["detail"] for key, one in answers.items() if one.status_code != 200}
    assert refusals == {
        ("ann", 5000.01, "general"): "Approval limit cannot exceed 5000 USD",
        ("bob", 20000.01, "general"): "Approval limit cannot exceed 20000 USD",
        ("bob", 900.01, "contract"): "Approval limit cannot exceed 900 USD",
    }


@pytest.mark.proves("LIM-05")
async def test_roles_bring_limits_which_stand_beside_the_users_own(admin: ScimClient, buyer: str) -> None:
    ann = await hire(admin, **roles(buyer))
    assert effective(ann) == [("expense", 200, "EUR", "role"), ("general", 1000, "USD", "role")]
    own = accepted(await admin.patch(f"/Users/{ann['id']}", add(PATH, [limit(300)])))
    assert effective(own) == [("expense", 200, "EUR", "role"), ("general", 300, "USD", "user")]
    (role,) = await admin.find("/Roles", 'value eq "buyer"')
    assert role[ROLE_GOVERNANCE]["defaultApprovalLimits"][0] == limit(1000)


@pytest.mark.proves("LIM-05")
async def test_the_highest_default_of_several_roles_counts(admin: ScimClient, buyer: str) -> None:
    chief = await create_role(admin, "chief", defaultApprovalLimits=[limit(7000)])
    ann = await hire(admin, **roles(buyer, chief))
    assert ("general", 7000, "USD", "role") in effective(ann)
    await admin.patch_ok(f"/Roles/{chief}", replace(f"{ROLE_GOVERNANCE}:defaultApprovalLimits", [limit(500)]))
    assert ("general", 1000, "USD", "role") in effective(await admin.read(f"/Users/{ann['id']}"))


@pytest.mark.proves("LIM-04", "LIM-05")
async def test_the_maximum_caps_what_roles_bring(admin: ScimClient, database: Database, buyer: str) -> None:
    ann = await hire(admin, **roles(buyer))
    maxima = [{"amount": "400", "currency": "USD"}]
    await load_catalogue(database, policies={"limits": {"maxima": maxima}})
    read = await admin.read(f"/Users/{ann['id']}")
    assert ("general", 400, "USD", "organizationMaximum") in effective(read)


@pytest.mark.proves("LIM-05")
async def test_default_limits_of_roles_are_amounts_set_by_finance(
    admin: ScimClient, connect: Connect
) -> None:
    body = {"value": "buyer", "display": "Buyer", "supported": True}
    wrong = {**body, ROLE_GOVERNANCE: {"defaultApprovalLimits": [limit(-1)]}}
    refused(await admin.post("/Roles", wrong), 400, "invalidValue")
    manager = await connect(profile="admin", permissions=["user:view", "permission:manage"])
    right = {**body, ROLE_GOVERNANCE: {"defaultApprovalLimits": [limit(1)]}}
    refused(await manager.post("/Roles", right), 403)


@pytest.mark.proves("LIM-06", "LIM-08")
async def test_more_than_the_role_gives_is_justified_and_audited(admin: ScimClient, buyer: str) -> None:
    ann = await hire(admin, **roles(buyer))
    grant = add(PATH, [limit(1500)])
    body = refused(await admin.patch(f"/Users/{ann['id']}", grant), 400, "invalidValue")
    assert body["detail"] == "Justification required for a limit above the role's default"
    accepted(await admin.patch(f"/Users/{ann['id']}", grant, because(justification="Season", ticket="F-1")))
    assert await said(admin, ann["id"]) == {"justification": "Season", "ticket": "F-1"}
    changes = {one["path"]: one for one in (await last_event(admin, ann["id"]))["changes"]}
    assert '"amount":1500' in changes[PATH]["to"]
    assert '"amount":1000' in changes[f"{APPROVAL_LIMIT}:effectiveApprovalLimits"]["from"]


@pytest.mark.proves("LIM-06")
async def test_a_justification_may_stand_with_the_limit_and_is_shown_on_request(
    admin: ScimClient, buyer: str
) -> None:
    ann = await hire(admin, **roles(buyer))
    grant = add(PATH, [limit(1500, justification="Season")])
    changed = accepted(await admin.patch(f"/Users/{ann['id']}", grant))
    assert changed[APPROVAL_LIMIT]["approvalLimits"] == [limit(1500)]
    read = await admin.read(f"/Users/{ann['id']}", attributes=f"{PATH}.justification")
    assert read[APPROVAL_LIMIT]["approvalLimits"] == [{"justification": "Season"}]


@pytest.mark.proves("LIM-06")
async def test_the_organisation_may_ask_for_no_justification(
    admin: ScimClient, database: Database, buyer: str
) -> None:
    await load_catalogue(database, policies={"limits": {"justify_override": []}})
    ann = await hire(admin, **roles(buyer))
    accepted(await admin.patch(f"/Users/{ann['id']}", add(PATH, [limit(1500)])))


@pytest.mark.proves("LIM-07")
async def test_a_limit_is_set_back_to_that_of_the_role(
    admin: ScimClient, database: Database, buyer: str
) -> None:
    ann = await hire(admin, **roles(buyer))
    await admin.patch_ok(f"/Users/{ann['id']}", add(PATH, [limit(300)]))
    reset = accepted(await admin.patch(f"/Users/{ann['id']}", remove(f'{PATH}[type eq "general"]')))
    assert effective(reset) == [("expense", 200, "EUR", "role"), ("general", 1000, "USD", "role")]
    told = [facts for name, facts in await news(database, ann["id"]) if name == "user.limit.changed"]
    assert [facts["to"][1]["source"] for facts in told] == ["role", "user", "role"]


@pytest.mark.proves("LIM-07")
async def test_a_limit_that_ends_leaves_that_of_the_role(admin: ScimClient, clock: Clock, buyer: str) -> None:
    ann = await hire(admin, **roles(buyer))
    await admin.patch_ok(f"/Users/{ann['id']}", add(PATH, [limit(300, validTo=clock.text(days=1))]))
    mine = f'{APPROVAL_LIMIT}:effectiveApprovalLimits[amount eq 300 and source eq "user"]'
    clock.advance(days=1, microseconds=-1)
    assert [user["id"] for user in await admin.find("/Users", mine)] == [ann["id"]]
    clock.advance(microseconds=1)
    assert await admin.find("/Users", mine) == []
    assert ("general", 1000, "USD", "role") in effective(await admin.read(f"/Users/{ann['id']}"))


@pytest.mark.proves("LIM-04")
async def test_there_is_one_limit_of_a_type_in_a_currency(admin: ScimClient) -> None:
    ann = await hire(admin)
    twice = replace(PATH, [limit(1), limit(2)])
    body = refused(await admin.patch(f"/Users/{ann['id']}", twice), 400, "invalidValue")
    assert body["detail"] == "There is more than one approval limit of the type general"


@pytest.mark.proves("LIM-11")
async def test_limits_differ_by_type_currency_and_level(admin: ScimClient, database: Database) -> None:
    maxima = [{"level": "secret", "type": "invoice", "amount": "10", "currency": "EUR"}]
    await load_catalogue(database, policies={"limits": {"maxima": maxima, "justify_override": []}})
    await create_role(admin, "agent", clearanceLevel="secret")
    ann = await hire(admin, **roles("agent"))
    changed = await admin.patch(
        f"/Users/{ann['id']}", add(PATH, [limit(9, "EUR", type="invoice"), limit(50, "EUR", type="contract")])
    )
    assert effective(accepted(changed)) == [("contract", 50, "EUR", "user"), ("invoice", 9, "EUR", "user")]
    beyond = replace(PATH, [limit(11, "EUR", type="invoice")])
    body = refused(await admin.patch(f"/Users/{ann['id']}", beyond), 400, "invalidValue")
    assert body["detail"] == "Approval limit cannot exceed 10 EUR"


@pytest.mark.proves("LIM-01")
async def test_nobody_raises_his_own_limit(admin: ScimClient, connect: Connect) -> None:
    ann = await hire(admin)
    own = await connect(profile="admin", user=ann["id"])
    body = refused(await own.patch(f"/Users/{ann['id']}", add(PATH, [limit(1)])), 403)
    assert body["detail"] == "You cannot grant an approval limit to yourself"
    assert ROLE not in await admin.read(f"/Users/{ann['id']}")


@pytest.mark.proves("LIM-01")
async def test_nobody_raises_the_limits_of_his_own_role(admin: ScimClient, connect: Connect) -> None:
    signer = await create_role(admin, "signer", defaultApprovalLimits=[limit(10)])
    other = await create_role(admin, "other")
    ann = await hire(admin, **roles("signer"))
    own = await connect(profile="admin", user=ann["id"])
    path = f"{ROLE_GOVERNANCE}:defaultApprovalLimits"
    for wanted in ([limit(11)], [limit(10), limit(1, "EUR")], [limit(1, type="invoice")]):
        body = refused(await own.patch(f"/Roles/{signer}", replace(path, wanted)), 403)
        assert body["detail"] == "You cannot grant an approval limit to yourself"
    accepted(await own.patch(f"/Roles/{signer}", replace(path, [limit(9)])))
    accepted(await own.patch(f"/Roles/{other}", replace(path, [limit(99)])))
    accepted(await admin.patch(f"/Roles/{signer}", replace(path, [limit(99)])))
