"""scim2-tester, the compliance checks of another project, over HTTP."""

import asyncio

import httpx2
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import CheckResult, Status, check_server

from tests.protocol.messages import Connect
from tests.support.client import ScimClient

PASSED = {Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE}


def checked(scim: ScimClient) -> list[CheckResult]:
    """Return the results of all checks against the server behind the client."""
    headers = {"Authorization": f"Bearer {scim.token}"}
    with httpx2.Client(base_url=scim.base_url, headers=headers, trust_env=False, timeout=60) as http:
        return check_server(SyncSCIMClient(http))


async def test_every_check_passes(live_connect: Connect) -> None:
    scim = await live_connect(profile="admin")
    results = await asyncio.to_thread(checked, scim)
    assert [(each.title, each.reason) for each in results if each.status not in PASSED] == []
    assert {each.resource_type for each in results} >= {"User", "Group"}
    assert len(results) > 100


async def test_every_check_passes_for_a_strict_client(live_connect: Connect) -> None:
    scim = await live_connect(dialect="strict")
    results = await asyncio.to_thread(checked, scim)
    assert [(each.title, each.reason) for each in results if each.status not in PASSED] == []


async def test_the_checks_leave_nothing_behind(live_connect: Connect) -> None:
    scim = await live_connect(profile="admin")
    await asyncio.to_thread(checked, scim)
    left = [(await scim.read(path))["totalResults"] for path in ("/Users", "/Groups")]
    assert left == [0, 0]
