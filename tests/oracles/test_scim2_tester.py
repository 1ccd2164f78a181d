"""scim2-tester, the compliance checks of another project, over HTTP."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import Path, ResourceType, Schema, ScimProvider
from scim2_tester import CheckResult, Status, check_server, filling

from scim_server.security.principals import PERMISSIONS
from tests.protocol.messages import ENTERPRISE, Connect
from tests.support.client import ScimClient

PASSED = {Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE}
TYPES = {
    "User": "/Users",
    "Group": "/Groups",
    "Role": "/Roles",
    "Entitlement": "/Entitlements",
    "Department": "/Departments",
    "Location": "/Locations",
}
"""What any client may create, change and delete; the other types are checked in discovery only."""

NAMED = {
    "currency": "EUR",
    "maximum_duration": "P90D",
    "password": "Quite-a-l0ng-one",
    "timezone": "Europe/Berlin",
}
TYPED: dict[object, object] = {float: 12.5, datetime: datetime(2030, 1, 31, 12, tzinfo=UTC)}
"""Values for attributes that take no arbitrary text, which is all that the checks come up with."""


@pytest.fixture(autouse=True)
def _examples(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = filling.get_random_example_value

    def example(path: Path[Any]) -> Any:
        found = path.resolve()
        if found is None:
            return chosen(path)
        return NAMED.get(found.target_field_name or "") or TYPED.get(found.target_type) or chosen(path)

    monkeypatch.setattr(filling, "get_random_example_value", example)


async def described(scim: ScimClient) -> ScimProvider:
    """Return what the server publishes, with no extension of User and Group but those of the standard.

    The others have rules of their own, and parts that the server fills in.
    """
    types = (await scim.read("/ResourceTypes"))["Resources"]
    for each in types:
        if each["name"] in {"User", "Group"}:
            standard = [found for found in each["schemaExtensions"] if found["schema"] == ENTERPRISE]
            each["schemaExtensions"] = standard
    schemas = (await scim.read("/Schemas"))["Resources"]
    return ScimProvider.from_discovery(
        [Schema.model_validate(each) for each in schemas],
        [ResourceType.model_validate(each) for each in types],
    )


def checked(scim: ScimClient, provider: ScimProvider, types: list[str]) -> list[CheckResult]:
    """Return the results of all checks against the server behind the client."""
    headers = {"Authorization": f"Bearer {scim.token}"}
    with httpx2.Client(base_url=scim.base_url, headers=headers, trust_env=False, timeout=60) as http:
        return check_server(SyncSCIMClient(http, provider=provider), resource_types=types)


async def results_of(scim: ScimClient, types: list[str]) -> list[CheckResult]:
    return await asyncio.to_thread(checked, scim, await described(scim), types)


def failures(results: list[CheckResult]) -> list[tuple[str | None, str | None, str | None]]:
    return [
        (each.resource_type, each.title, each.reason)
        for each in results
        if each.status not in PASSED and not appended(each)
    ]


def appended(result: CheckResult) -> bool:
    """Tell whether an `add` kept what a list held, as RFC 7644 §3.5.2.1 says.

    The check adds a whole extension first and then expects each list of it to be replaced.
    """
    data = result.data if isinstance(result.data, dict) else {}
    expected, actual = data.get("expected"), data.get("modify_actual")
    return (
        result.title == "check_add_attribute"
        and isinstance(expected, list)
        and isinstance(actual, list)
        and actual[-len(expected) :] == expected
    )


async def test_every_check_passes(live_connect: Connect) -> None:
    results = await results_of(await live_connect(permissions=list(PERMISSIONS)), [*TYPES])
    assert failures(results) == []
    assert {each.resource_type for each in results} == {None, *TYPES}
    assert len(results) > 300


async def test_every_check_passes_for_a_strict_client(live_connect: Connect) -> None:
    results = await results_of(await live_connect("strict", permissions=list(PERMISSIONS)), [*TYPES])
    assert failures(results) == []


async def test_the_checks_leave_nothing_behind(live_connect: Connect) -> None:
    scim = await live_connect(permissions=list(PERMISSIONS))
    await results_of(scim, ["User", "Group"])
    left = [(await scim.read(path))["totalResults"] for path in TYPES.values()]
    assert left == [0] * len(TYPES)
