"""Clearance: by hand, by the highest role, or the higher of both."""

from dataclasses import replace

import pytest

from scim_server.lifecycle.change import Actor
from scim_server.lifecycle.documents import Document, get
from scim_server.lifecycle.urns import CLEARANCE, CONNECTOR, ROLE
from tests.lifecycle.samples import (
    ADMIN,
    ANN,
    DAY,
    ENGINE,
    IDP,
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

ROLES = (role("guest", clearanceLevel="internal"), role("agent", clearanceLevel="secret"), role("clerk"))
MAX = catalogue(*ROLES)


def user(level: str | None, *roles: str, ends: int | None = None) -> Document:
    """Return a user with a level and roles."""
    content = {"level": level, **({} if ends is None else {"validTo": later(ends)})}
    assignments = [{"value": name} for name in roles]
    return {**ANN, ROLE: {"roleAssignments": assignments}, **({CLEARANCE: content} if level else {})}


@pytest.mark.parametrize(
    ("roles", "derived"),
    [((), None), (("clerk",), None), (("guest",), "internal"), (("guest", "agent", "clerk"), "secret")],
)
@pytest.mark.proves("CLR-02", "ROL-06")
def test_clearance_follows_the_highest_role(roles: tuple[str, ...], derived: str | None) -> None:
    seen = ENGINE.view(user(None, *roles), MAX, NOW)
    assert (get(seen, CLEARANCE, "derivedLevel"), get(seen, CLEARANCE, "effectiveLevel")) == (
        derived,
        derived,
    )


@pytest.mark.parametrize(
    ("policy", "level", "role_name", "effective"),
    [
        ("max", "confidential", "guest", "confidential"),
        ("max", "confidential", "agent", "secret"),
        ("max", None, "guest", "internal"),
        ("manual", "public", "agent", "public"),
        ("manual", None, "agent", None),
        ("derived", "topSecret", "guest", "internal"),
    ],
)
def test_the_policy_chooses_what_counts(
    policy: str, level: str | None, role_name: str, effective: str | None
) -> None:
    seen = ENGINE.view(user(level, role_name), catalogue(*ROLES, clearance=policy), NOW)
    assert get(seen, CLEARANCE, "effectiveLevel") == effective


def test_a_level_by_hand_counts_until_its_end() -> None:
    document = user("topSecret", "guest", ends=DAY)
    seen = [
        get(ENGINE.view(document, MAX, NOW + offset), CLEARANCE, "effectiveLevel")
        for offset in (DAY - 1, DAY)
    ]
    assert seen == ["topSecret", "internal"]
    assert [moment for moment, _ in ENGINE.boundaries(document, MAX, NOW)] == [NOW + DAY]


@pytest.mark.parametrize(("actor", "effect"), [(ADMIN, "refused"), (IDP, "recorded")])
def test_where_clearance_follows_the_roles_nobody_sets_it(actor: Actor, effect: str) -> None:
    world = catalogue(*ROLES, clearance="derived", connector_may_write=["clearance"])
    draft = changed(stored(ANN), extension(CLEARANCE, level="secret"), actor, world)
    message = "Clearance follows from the roles and cannot be set"
    assert said(ruled(draft.change, world), "R-CLEAR") == [(effect, message)]


@pytest.mark.parametrize("policy", ["max", "manual"])
def test_elsewhere_clearance_is_set_by_hand(policy: str) -> None:
    world = catalogue(*ROLES, clearance=policy)
    assert said(ruled(created(user("secret"), ADMIN, world).change, world), "R-CLEAR") == []


@pytest.mark.proves("CRE-28")
def test_the_flat_level_is_the_one_by_hand_both_ways() -> None:
    kept = stored({**ANN, CONNECTOR: {"clearanceLevel": "secret"}}, ADMIN, MAX)
    assert get(kept, CLEARANCE, "level") == "secret"
    after = changed(kept, extension(CLEARANCE, level="public"), ADMIN, MAX).after
    assert get(after, CONNECTOR, "clearanceLevel") == "public"


def test_flat_and_rich_levels_that_differ_are_refused() -> None:
    document = {**ANN, CONNECTOR: {"clearanceLevel": "secret"}, CLEARANCE: {"level": "public"}}
    assert [finding.rule for finding in created(document, ADMIN, MAX).judgement.refusals] == ["R-FORMS"]


@pytest.mark.parametrize(
    ("actor", "said_of"),
    [
        (replace(ADMIN, user_id="u1"), [("refused", "You cannot grant a clearance to yourself")]),
        (replace(IDP, user_id="u1"), [("recorded", "You cannot grant a clearance to yourself")]),
        (replace(ADMIN, user_id="u2"), []),
        (ADMIN, []),
    ],
)
@pytest.mark.parametrize("content", [{"level": "secret"}, {"level": "internal", "validTo": later(DAY)}, {}])
def test_nobody_changes_his_own_clearance(
    actor: Actor, said_of: list[tuple[str, str]], content: dict[str, str]
) -> None:
    world = catalogue(*ROLES, clearance="max", connector_may_write=["clearance"])
    kept = stored(user("internal"), ADMIN, world)
    draft = changed(kept, lambda document: document.update({CLEARANCE: content}), actor, world)
    assert said(ruled(draft.change, world), "R-CLEAR-SELF") == said_of
