"""Principals: what a client may do."""

from typing import get_args

import pytest

from scim_server.dialects import STRICT
from scim_server.lifecycle.policies import Profile
from scim_server.scim.errors import Forbidden
from scim_server.security.principals import (
    CREATE,
    DEFAULT_PERMISSIONS,
    DELETE,
    PERMISSIONS,
    PROFILES,
    UPDATE,
    VIEW,
    Principal,
    within,
)


def principal(*permissions: str) -> Principal:
    return Principal(1, "one", "c", "hr", "hris", "strict", STRICT, frozenset(permissions))


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_a_permission_that_is_there_is_enough(permission: str) -> None:
    principal(permission).require(permission)


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_a_permission_that_is_missing_is_named(permission: str) -> None:
    others = set(PERMISSIONS) - {permission}
    with pytest.raises(Forbidden, match=f"client hr has no permission {permission}"):
        principal(*others).require(permission)


def test_every_profile_has_permissions() -> None:
    assert DEFAULT_PERMISSIONS.keys() == set(PROFILES)
    assert all(DEFAULT_PERMISSIONS.values())


def test_the_policies_know_the_profiles_of_clients_and_the_system() -> None:
    assert set(get_args(Profile)) == {*PROFILES, "system"}


def test_an_application_may_look_and_report() -> None:
    assert DEFAULT_PERMISSIONS["app"] == (VIEW, "obligation:write", "login:report")


def test_a_connector_may_do_all_that_provisioning_needs() -> None:
    assert set(DEFAULT_PERMISSIONS["idp"]) == {
        VIEW, CREATE, UPDATE, DELETE, "user:assign_role", "user:bulk_update",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "held", "is_within"),
    [
        ("user:view", {"user:view"}, True),
        ("group:view", {"user:view"}, True),
        ("group:view", {"user:create"}, False),
        ("role:update", {"permission:manage"}, True),
        ("role:update", {"user:update"}, False),
        ("api_token:delete", {"token:manage"}, True),
        ("audit_event:view", {"audit:read"}, True),
        ("audit_event:create", set(PERMISSIONS), False),
        ("user.clearance:update", {"permission:manage"}, True),
        ("user.limits:update", {"permission:manage"}, False),
        ("device:create", {"user:create"}, True),
        ("user:view", {"group:view"}, False),
        ("nonsense", set(PERMISSIONS), False),
        ("x:view:y", {"user:view"}, False),
    ],
)
def test_a_narrow_permission_is_within_the_general_one(name: str, held: set[str], *, is_within: bool) -> None:
    assert within([name], held) == (frozenset({name}) if is_within else frozenset())
