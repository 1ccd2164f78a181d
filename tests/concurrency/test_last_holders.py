"""Races for the last holder of a role of which somebody has to remain."""

import asyncio
from collections import Counter

import pytest

from scim_server.security.principals import PERMISSIONS
from tests.conftest import Connect
from tests.requirements.accounts import act, acted, hire
from tests.support.catalogue import create_role
from tests.support.client import ScimClient

ATTEMPTS = 6


@pytest.fixture
async def admin(live_connect: Connect) -> ScimClient:
    return await live_connect(profile="admin", permissions=list(PERMISSIONS))


@pytest.mark.parametrize(("role", "least"), [("admin", 0), ("signer", 1)])
async def test_of_two_who_go_at_once_one_remains(admin: ScimClient, role: str, least: int) -> None:
    await create_role(admin, "staff")
    await create_role(admin, role, minimumAssignees=least)
    roles = [{"value": "staff", "primary": True}, {"value": role}]
    both = [await hire(admin, name, roles=roles) for name in ("ann", "bob")]
    for _ in range(ATTEMPTS):
        answers = await asyncio.gather(*(act(admin, each, "deactivate", reason="other") for each in both))
        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 1}
        gone = next(each for each, answer in zip(both, answers, strict=True) if answer.status_code == 201)
        await acted(admin, gone, "reactivate", reason="returned")
