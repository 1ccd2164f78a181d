"""Approval limits: exact, in active currencies, below the maximum, with defaults of roles and of heads."""

from decimal import Decimal
from typing import Any

import pytest

from scim_server.lifecycle.catalogue import Catalogue
from scim_server.lifecycle.change import Actor
from scim_server.lifecycle.documents import Document, get
from scim_server.lifecycle.urns import APPROVAL_LIMIT, CLEARANCE, CONNECTOR, DEPARTMENT, ROLE
from tests.lifecycle.samples import (
    ADMIN,
    ANN,
    DAY,
    ENGINE,
    ENTRIES,
    HRIS,
    IDP,
    IMPORT,
    NOW,
    catalogue,
    changed,
    created,
    extension,
    later,
    role,
    ruled,
    said,
    stored,
)

DEFAULTS = (
    role("payer", defaultApprovalLimits=[{"type": "general", "amount": Decimal(100), "currency": "EUR"}]),
    role(
        "boss",
        clearanceLevel="secret",
        defaultApprovalLimits=[
            {"type": "general", "amount": Decimal(300), "currency": "EUR"},
            {"type": "general", "amount": Decimal(200), "currency": "USD"},
        ],
    ),
)
WORLD = catalogue(*ENTRIES, *DEFAULTS)


def limit(amount: Any, currency: str = "EUR", **facts: Any) -> Document:
    """Return a limit."""
    return {"amount": amount, "currency": currency, **facts}


def user(*limits: Document, roles: tuple[str, ...] = ()) -> Document:
    """Return a user with limits and roles."""
    return {
        **ANN,
        APPROVAL_LIMIT: {"approvalLimits": list(limits)},
        ROLE: {"roleAssignments": [{"value": name} for name in roles]},
    }


def judged(
    rule: str, document: Document, world: Catalogue = WORLD, actor: Actor = ADMIN, **context: Any
) -> list[tuple[str, str]]:
    """Return what a rule says of the creation of a user."""
    return said(ruled(created(document, actor, world, **context).change, world), rule)


def effective(document: Document, world: Catalogue = WORLD, now: int = NOW) -> list[tuple[str, str, str]]:
    """Return currency, amount and source of the effective limits."""
    found = get(ENGINE.view(document, world, now), APPROVAL_LIMIT, "effectiveApprovalLimits") or []
    return [(one["currency"], str(one["amount"]), one["source"]) for one in found]


@pytest.mark.parametrize(
    ("amount", "currency", "message"),
    [
        (Decimal(0), "EUR", "Approval limit must be a positive number"),
        (Decimal(-1), "EUR", "Approval limit must be a positive number"),
        (Decimal("1.001"), "EUR", "Approval limit in EUR can have at most 2 decimal places"),
        (Decimal("1.5"), "JPY", "Approval limit in JPY can have no decimal places"),
        (5, "DEM", "Selected currency is invalid"),
        (5, "eur", "Selected currency is invalid"),
    ],
)
@pytest.mark.parametrize("actor", [ADMIN, IMPORT])
@pytest.mark.proves("LIM-02", "LIM-03")
def test_a_limit_is_a_positive_amount_of_an_active_currency(
    amount: Any, currency: str, message: str, actor: Actor
) -> None:
    assert judged("R-LIMIT", user(limit(amount, currency)), actor=actor) == [("refused", message)]


def test_two_limits_of_one_type_and_currency_are_refused() -> None:
    message = "There is more than one approval limit of the type general"
    assert judged("R-LIMIT", user(limit(5), limit(6, type="general"))) == [("refused", message)]
    assert judged("R-LIMIT", user(limit(5), limit(6, "USD"), limit(7, type="expense"))) == []


MAXIMA = [
    {"level": "everybody", "amount": 50, "currency": "EUR"},
    {"level": "everybody", "type": "expense", "amount": 20, "currency": "EUR"},
    {"level": "payer", "amount": 100, "currency": "EUR"},
    {"level": "secret", "amount": 400, "currency": "EUR"},
]
CAPPED = catalogue(*ENTRIES, *DEFAULTS, limits={"maxima": MAXIMA})


@pytest.mark.parametrize(
    ("document", "most"),
    [
        (user(limit(1_000)), "50 EUR"),
        (user(limit(1_000, type="expense")), "20 EUR"),
        (user(limit(1_000), roles=("payer",)), "100 EUR"),
        (user(limit(1_000), roles=("payer", "boss")), "400 EUR"),
        ({**user(limit(1_000)), CLEARANCE: {"level": "secret"}}, "400 EUR"),
        (user(limit(1_000, "USD")), None),
    ],
    ids=["everybody", "type", "role", "clearance of a role", "clearance", "currency"],
)
@pytest.mark.proves("LIM-04")
def test_a_limit_stays_below_the_maximum_of_the_level(document: Document, most: str | None) -> None:
    found = judged("R-LIMIT", document, CAPPED)
    assert found == ([] if most is None else [("refused", f"Approval limit cannot exceed {most}")])


def test_the_maximum_itself_is_allowed() -> None:
    assert judged("R-LIMIT", user(limit(50)), CAPPED) == []


def test_the_maximum_also_holds_for_defaults_from_the_first_look() -> None:
    document = user(roles=("boss",))
    assert effective(document) == [("EUR", "300", "role"), ("USD", "200", "role")]
    capped = catalogue(
        *ENTRIES, *DEFAULTS, limits={"maxima": [{"level": "secret", "amount": 250, "currency": "EUR"}]}
    )
    assert effective(document, capped) == [("EUR", "250", "organizationMaximum"), ("USD", "200", "role")]


@pytest.mark.proves("LIM-05")
def test_the_highest_default_of_the_roles_counts() -> None:
    assert effective(user(roles=("payer",))) == [("EUR", "100", "role")]
    assert effective(user(roles=("payer", "boss")))[0] == ("EUR", "300", "role")


def test_a_limit_of_the_users_own_replaces_the_default_of_its_currency() -> None:
    assert effective(user(limit(7), roles=("boss",))) == [("EUR", "7", "user"), ("USD", "200", "role")]


@pytest.mark.proves("LIM-07")
def test_without_a_limit_of_its_own_a_user_has_the_default_again() -> None:
    kept = stored(user(limit(7), roles=("payer",)), ADMIN, WORLD)
    draft = changed(kept, extension(APPROVAL_LIMIT, approvalLimits=[]), ADMIN, WORLD)
    assert effective(draft.after) == [("EUR", "100", "role")]


def test_a_limit_counts_from_its_beginning_until_its_end() -> None:
    own = limit(7, validFrom=later(DAY), validTo=later(2 * DAY))
    document = user(own, roles=("payer",))
    assert [effective(document, now=NOW + step * DAY)[0][1] for step in range(3)] == ["100", "7", "100"]
    seen = ENGINE.view(document, WORLD, NOW + 2 * DAY)
    assert get(seen, APPROVAL_LIMIT, "approvalLimits") is None


@pytest.mark.proves("DEP-09")
def test_the_head_of_a_department_has_a_limit_of_its_own() -> None:
    world = catalogue(*ENTRIES, limits={"head_of_department": [{"amount": 900, "currency": "EUR"}]})
    for head, expected in ((True, [("EUR", "900", "department")]), (False, [])):
        departments = [{"value": "sales", "headOfDepartment": head}]
        assert effective({**ANN, DEPARTMENT: {"departments": departments}}, world) == expected


@pytest.mark.parametrize(
    ("actor", "effects"), [(ADMIN, ["refused"]), (IMPORT, ["refused"]), (IDP, []), (HRIS, [])]
)
@pytest.mark.proves("LIM-06")
def test_more_than_the_roles_give_needs_a_justification(actor: Actor, effects: list[str]) -> None:
    world = catalogue(*ENTRIES, *DEFAULTS, connector_may_write=["limits"])
    message = "Justification required for a limit above the role's default"
    document = user(limit(101), roles=("payer",))
    assert judged("R-LIMIT-JUST", document, world, actor) == [(effect, message) for effect in effects]


@pytest.mark.parametrize(
    ("own", "context"),
    [
        (limit(101, justification="big orders"), {}),
        (limit(101), {"justification": "big orders"}),
        (limit(100), {}),
        (limit(101, "USD"), {}),
    ],
    ids=["own", "context", "default", "other currency"],
)
def test_a_justified_or_usual_limit_is_fine(own: Document, context: Document) -> None:
    assert judged("R-LIMIT-JUST", user(own, roles=("payer",)), **context) == []


def test_nobody_raises_his_own_limit() -> None:
    actor = Actor("admin", "console", "console-1", ADMIN.permissions, "u1")
    draft = changed(stored(ANN), extension(APPROVAL_LIMIT, approvalLimits=[limit(5)]), actor)
    message = "You cannot grant an approval limit to yourself"
    assert said(ruled(draft.change), "R-LIMIT-SELF") == [("refused", message)]


@pytest.mark.proves("CRE-27")
def test_the_flat_amount_is_the_general_limit_without_a_binary_fraction() -> None:
    flat = {"approvalLimitAmount": Decimal("1234567890123.10"), "approvalLimitCurrency": "EUR"}
    document = stored({**ANN, CONNECTOR: flat}, ADMIN, WORLD)
    assert get(document, APPROVAL_LIMIT, "approvalLimits") == [
        {"type": "general", "amount": Decimal("1234567890123.10"), "currency": "EUR"}
    ]
    assert effective(document) == [("EUR", "1234567890123.10", "user")]


def test_the_flat_amount_follows_the_rich_one_and_ends_with_it() -> None:
    flat = {"approvalLimitAmount": Decimal(5), "approvalLimitCurrency": "EUR"}
    kept = stored({**ANN, CONNECTOR: flat}, ADMIN, WORLD)
    rich = [limit(Decimal(9), "USD", type="general", validTo=later(DAY))]
    after = changed(kept, extension(APPROVAL_LIMIT, approvalLimits=rich), ADMIN, WORLD).after
    assert after[CONNECTOR] == {"approvalLimitAmount": Decimal(9), "approvalLimitCurrency": "USD"}
    assert CONNECTOR not in ENGINE.view(after, WORLD, NOW + DAY)


def test_the_flat_amount_leaves_limits_of_other_types() -> None:
    kept = stored(user(limit(3, type="expense"), limit(4, type="general")), ADMIN, WORLD)
    flat = extension(CONNECTOR, approvalLimitAmount=Decimal(5), approvalLimitCurrency="EUR")
    after = changed(kept, flat, ADMIN, WORLD).after
    found = [(one["type"], one["amount"]) for one in after[APPROVAL_LIMIT]["approvalLimits"]]
    assert found == [("expense", 3), ("general", 5)]


def test_a_flat_amount_without_a_currency_is_refused() -> None:
    found = judged("R-LIMIT", {**ANN, CONNECTOR: {"approvalLimitAmount": Decimal(5)}})
    assert found == [("refused", "Selected currency is invalid")]


def test_flat_and_rich_limits_that_differ_are_refused() -> None:
    flat = {"approvalLimitAmount": Decimal(5), "approvalLimitCurrency": "EUR"}
    draft = created({**user(limit(Decimal(6))), CONNECTOR: flat}, ADMIN, WORLD)
    assert [finding.rule for finding in draft.judgement.refusals] == ["R-FORMS"]
