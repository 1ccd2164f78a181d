"""Approval limits: exact amounts in active currencies, up to a maximum, with defaults by role."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from extensions.clearance import effective_level
from scim_server.lifecycle.assignments import DEPARTMENTS, ROLES, is_over, is_valid, moments_of, valid_entries
from scim_server.lifecycle.catalogue import Catalogue, Limit
from scim_server.lifecycle.change import Actor, Change, Rule, RuleContext, Verdict, modes, only_new
from scim_server.lifecycle.documents import Document, get, put
from scim_server.lifecycle.extension import Derivation, Extension, Mirror
from scim_server.lifecycle.messages import message
from scim_server.lifecycle.money import parse_amount
from scim_server.lifecycle.policies import LimitMaximum
from scim_server.lifecycle.urns import APPROVAL_LIMIT, CONNECTOR

GENERAL = "general"
PATH = f"{APPROVAL_LIMIT}:approvalLimits"


def limits(document: Document) -> list[Document]:
    """Return the limits that a user has of its own."""
    return list(get(document, APPROVAL_LIMIT, "approvalLimits") or ())


def _derive(document: Document, now: int, catalogue: Catalogue) -> None:
    """Leave the limits that have not ended and set the effective ones (lifecycle of a limit: S2 UC-008)."""
    own = [limit for limit in limits(document) if not is_over(limit, now)]
    put(document, APPROVAL_LIMIT, "approvalLimits", own)
    put(document, APPROVAL_LIMIT, "effectiveApprovalLimits", _effective(document, own, now, catalogue))
    if get(document, CONNECTOR, "approvalLimitAmount") is not None:
        general = _general([limit for limit in own if is_valid(limit, now)])
        put(document, CONNECTOR, "approvalLimitAmount", general.get("amount"))
        put(document, CONNECTOR, "approvalLimitCurrency", general.get("currency"))


def _general(own: list[Document]) -> Document:
    return next((limit for limit in own if limit.get("type", GENERAL) == GENERAL), {})


def _effective(document: Document, own: list[Document], now: int, catalogue: Catalogue) -> list[Document]:
    """Return the limit of each type and currency: the user's own, else the highest default, capped."""
    found: dict[tuple[str, str], tuple[Decimal, str]] = {}
    for source, default in _defaults(document, now, catalogue):
        key = (default.type, default.currency)
        if key not in found or default.amount > found[key][0]:
            found[key] = (default.amount, source)
    for limit in own:
        if is_valid(limit, now):
            found[limit.get("type", GENERAL), limit["currency"]] = (Decimal(limit["amount"]), "user")
    return [
        _shown(type_name, currency, amount, source, document, catalogue, now)
        for (type_name, currency), (amount, source) in sorted(found.items())
    ]


def _defaults(document: Document, now: int, catalogue: Catalogue) -> Iterable[tuple[str, Limit]]:
    for _, role in valid_entries(document, ROLES, catalogue, now):
        for limit in role.limits:
            yield "role", limit
    if any(row.get("headOfDepartment") for row, _ in valid_entries(document, DEPARTMENTS, catalogue, now)):
        for head in catalogue.policies.limits.head_of_department:
            yield "department", Limit(head.type, head.amount, head.currency)


def _shown(
    type_name: str,
    currency: str,
    amount: Decimal,
    source: str,
    document: Document,
    catalogue: Catalogue,
    now: int,
) -> Document:
    most = maximum(document, type_name, currency, catalogue, now)
    if most is not None and most < amount:
        amount, source = most, "organizationMaximum"
    return {"type": type_name, "amount": amount, "currency": currency, "source": source}


def maximum(
    document: Document, type_name: str, currency: str, catalogue: Catalogue, now: int
) -> Decimal | None:
    """Return the organisation's maximum for a user's level: the most specific one, the highest of several."""
    roles = {entry.value.lower() for _, entry in valid_entries(document, ROLES, catalogue, now)}
    levels = roles | {str(effective_level(document, now, catalogue)).lower()}
    fitting = [
        one
        for one in catalogue.policies.limits.maxima
        if one.currency == currency and one.type in (None, type_name)
    ]
    own = [one for one in fitting if one.level.lower() in levels]
    everybody = [one for one in fitting if one.level == "everybody"]
    return max((one.amount for one in _of_type(own) or _of_type(everybody)), default=None)


def _of_type(maxima: list[LimitMaximum]) -> list[LimitMaximum]:
    return [one for one in maxima if one.type is not None] or maxima


def _write_flat(document: Document, _actor: Actor, _catalogue: Catalogue) -> None:
    amount = get(document, CONNECTOR, "approvalLimitAmount")
    currency = get(document, CONNECTOR, "approvalLimitCurrency")
    others = [limit for limit in limits(document) if limit.get("type", GENERAL) != GENERAL]
    flat = [] if amount is None else [{"type": GENERAL, "amount": amount, "currency": currency or ""}]
    put(document, APPROVAL_LIMIT, "approvalLimits", [*others, *flat])


def _agrees(document: Document, _catalogue: Catalogue) -> bool:
    general = _general(limits(document))
    amount, currency = (
        get(document, CONNECTOR, "approvalLimitAmount"),
        get(document, CONNECTOR, "approvalLimitCurrency"),
    )
    return bool(general.get("amount") == amount and general.get("currency") == currency)


def _well_formed(document: Document, _change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-LIMIT: positive, an active currency and its digits, up to the maximum (S2 UC-008 MF11, AF1, AF2)."""
    seen: set[tuple[str, str]] = set()
    for limit in limits(document):
        type_name, currency = limit.get("type", GENERAL), limit.get("currency", "")
        key = f"{type_name} {limit.get('amount')} {currency}"
        try:
            amount = parse_amount(limit.get("amount", 0), currency)
        except ValueError as error:
            yield Verdict(str(error), PATH, key)
            continue
        most = maximum(document, type_name, currency, context.catalogue, context.now)
        if most is not None and amount > most:
            yield Verdict(message("R-LIMIT.maximum", maximum=f"{most} {currency}"), PATH, key)
        if (type_name, currency) in seen:
            yield Verdict(message("R-LIMIT.twice", type=type_name), PATH, key)
        seen.add((type_name, currency))


def _justified(change: Change, context: RuleContext) -> Iterable[Verdict]:
    """R-LIMIT-JUST: more than the roles give needs a justification (S2 UC-008 MF9)."""
    if change.actor.profile not in context.policies.limits.justify_override:
        return
    before = [_said(limit) for limit in limits(change.old)]
    defaults: dict[tuple[str, str], Decimal] = {}
    for _, limit in _defaults(change.new, context.now, context.catalogue):
        key = (limit.type, limit.currency)
        defaults[key] = max(defaults.get(key, Decimal(0)), limit.amount)
    for own in limits(change.new):
        given = defaults.get((own.get("type", GENERAL), own.get("currency", "")))
        is_above = given is not None and Decimal(own.get("amount", 0)) > given
        if _said(own) not in before and is_above and not (own.get("justification") or change.justification):
            yield Verdict(message("R-LIMIT-JUST"), PATH, own.get("type", GENERAL))


def _said(limit: Document) -> tuple[Any, ...]:
    return tuple(limit.get(name) for name in ("type", "amount", "currency", "validFrom", "validTo"))


def _own(change: Change, _context: RuleContext) -> Iterable[Verdict]:
    """R-SELF: nobody raises his own limit."""
    if change.actor.user_id == change.id and change.differs(APPROVAL_LIMIT, "approvalLimits"):
        yield Verdict(message("R-SELF.escalate", what="an approval limit"), PATH)


extension = Extension(
    "approval_limits",
    rules=(
        Rule(
            "R-LIMIT",
            only_new(_well_formed),
            modes("enforce", "enforce", "enforce", "enforce"),
            requirements=("LIM-02", "LIM-03", "LIM-04"),
        ),
        Rule(
            "R-LIMIT-JUST",
            _justified,
            modes("off", "off", "enforce", "enforce"),
            requirements=("LIM-06",),
        ),
        Rule("R-LIMIT-SELF", _own, modes("record", "record", "enforce", "enforce"), error="forbidden"),
    ),
    derivations=(
        Derivation(
            _derive,
            attributes=(
                f"{APPROVAL_LIMIT.lower()}:approvallimits",
                f"{APPROVAL_LIMIT.lower()}:effectiveapprovallimits",
                f"{CONNECTOR.lower()}:approvallimitamount",
                f"{CONNECTOR.lower()}:approvallimitcurrency",
            ),
            moments=lambda document: moments_of(limits(document)),
        ),
    ),
    mirrors=(
        Mirror(
            "connector approval limit",
            ((CONNECTOR, "approvalLimitAmount"), (CONNECTOR, "approvalLimitCurrency")),
            ((APPROVAL_LIMIT, "approvalLimits"),),
            _write_flat,
            _agrees,
        ),
    ),
)
