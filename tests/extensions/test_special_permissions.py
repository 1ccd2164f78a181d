"""Special permissions: justified, granted by those who may, for a time, and gone when it is over."""

from dataclasses import replace
from typing import Any

import pytest

from scim_server.lifecycle.assignments import PERMISSIONS, rows
from scim_server.lifecycle.change import SYSTEM, Actor
from scim_server.lifecycle.documents import Document
from scim_server.lifecycle.extension import Finding
from scim_server.lifecycle.urns import SPECIAL_PERMISSION
from tests.lifecycle.samples import (
    ADMIN,
    ANN,
    DAY,
    ENGINE,
    ENTRIES,
    HOUR,
    NOW,
    ORGANISATION,
    catalogue,
    changed,
    created,
    entitlement,
    extension,
    granted,
    later,
    ruled,
    said,
    stored,
)

WORLD = catalogue(
    *ENTRIES,
    entitlement("retired", supported=False),
    entitlement("rescue", emergency=True, maximumDuration="PT48H"),
    entitlement("papers", requiresJustification=True),
    entitlement("vault", grantableBy=["chief", "security:manage"]),
)


def judged(rule: str, document: Document, actor: Actor = ADMIN, **context: Any) -> list[tuple[str, str]]:
    """Return what a rule says of the creation of a user."""
    return said(ruled(created({**ANN, **document}, actor, WORLD, **context).change, WORLD), rule)


@pytest.mark.parametrize("value", ["override", "papers"])
@pytest.mark.proves("PRM-04")
def test_a_sensitive_permission_takes_a_justification(value: str) -> None:
    refused = [("refused", "Justification required for this permission")]
    assert judged("R-PERM-JUST", granted(value)) == refused
    assert judged("R-PERM-JUST", granted(value, justification="audit")) == []
    assert judged("R-PERM-JUST", granted(value), justification="audit") == []


def test_other_permissions_take_none() -> None:
    assert judged("R-PERM-JUST", granted("crossing")) == []


@pytest.mark.parametrize(("ends", "is_asked"), [(DAY, False), (2 * DAY, True)])
def test_a_grant_that_lasts_longer_is_justified_anew(ends: int, *, is_asked: bool) -> None:
    kept = stored({**ANN, **granted("override", justification="audit", validTo=later(DAY))})
    work = extension(SPECIAL_PERMISSION, specialPermissions=[{"value": "override", "validTo": later(ends)}])
    assert bool(said(ruled(changed(kept, work).change), "R-PERM-JUST")) is is_asked


@pytest.mark.parametrize(
    ("actor", "refused"),
    [
        (ADMIN, True),
        (replace(ADMIN, roles=frozenset({"Chief"})), False),
        (replace(ADMIN, permissions=ADMIN.permissions | {"security:manage"}), False),
        (SYSTEM, False),
    ],
    ids=["nobody", "role", "permission", "system"],
)
@pytest.mark.proves("PRM-05")
def test_a_permission_is_granted_by_those_it_names(actor: Actor, *, refused: bool) -> None:
    found = judged("R-PERM-AUTH", granted("vault"), actor)
    assert found == ([("refused", "Insufficient authority to grant VAULT")] if refused else [])


def test_nobody_grants_himself_a_permission() -> None:
    work = extension(SPECIAL_PERMISSION, specialPermissions=[{"value": "crossing"}])
    draft = changed(stored(ANN), work, replace(ADMIN, user_id="u1"))
    assert said(ruled(draft.change), "R-PERM-AUTH") == [("refused", "You cannot grant CROSSING to yourself")]


def test_only_permissions_in_use_are_granted() -> None:
    message = "Special permission RETIRED is not available"
    assert judged("R-PERM-ACTIVE", granted("retired")) == [("refused", message)]


@pytest.mark.parametrize(
    ("span", "is_long"),
    [
        ({"validTo": later(48 * HOUR)}, False),
        ({"validTo": later(48 * HOUR + 1)}, True),
        ({"validFrom": later(DAY), "validTo": later(3 * DAY)}, False),
        ({}, True),
    ],
    ids=["48 hours", "longer", "later", "for ever"],
)
def test_a_permission_is_granted_no_longer_than_it_may_be(span: Document, *, is_long: bool) -> None:
    found = judged("R-PERM-DURATION", granted("rescue", **span))
    assert found == ([("refused", "RESCUE can be granted for PT48H at most")] if is_long else [])


def test_a_grant_shows_status_and_what_it_is() -> None:
    document = {**ANN, **granted("override")}
    row = rows(ENGINE.view(document, WORLD, NOW), PERMISSIONS)[0]
    assert (row["status"], row["sensitive"], row["emergency"]) == ("active", True, False)


@pytest.mark.proves("PRM-06")
def test_a_grant_is_scheduled_then_active_then_gone() -> None:
    document = {**ANN, **granted("crossing", validFrom=later(DAY), validTo=later(2 * DAY))}
    seen = [
        [row["status"] for row in rows(ENGINE.view(document, ORGANISATION, NOW + step * DAY), PERMISSIONS)]
        for step in range(3)
    ]
    assert seen == [["scheduled"], ["active"], []]
    assert [moment for moment, _ in ENGINE.boundaries(document, ORGANISATION, NOW)] == [
        NOW + DAY,
        NOW + 2 * DAY,
    ]


def test_the_job_tells_which_grants_ended() -> None:
    document = {**ANN, **granted("crossing", validTo=later(DAY))}
    before, after = (ENGINE.view(document, ORGANISATION, moment) for moment in (NOW, NOW + DAY))
    found = [finding for job in ENGINE.jobs for finding in job.run(before, after, ORGANISATION)]
    assert found == [Finding("user.permission.expired", "CROSSING")]
    assert [list(job.run(before, before, ORGANISATION)) for job in ENGINE.jobs] == [[]]
