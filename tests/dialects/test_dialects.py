"""Dialects are sets of named switches over the strict reading."""

from dataclasses import fields

import pytest

from scim_server.dialects import DIALECTS, GENERIC, SCHEMA_NAMES, STRICT, Policy, switch_names


def on(policy: Policy) -> set[str]:
    return {name for name in switch_names() if getattr(policy, name)}


def test_the_dialects_are_these() -> None:
    assert DIALECTS.keys() == {"okta", "entra", "generic", "strict"}


def test_the_strict_dialect_has_nothing_switched_on() -> None:
    assert on(STRICT) == set()
    assert Policy() == STRICT


@pytest.mark.parametrize("name", ["okta", "entra"])
def test_a_named_client_is_the_generic_one_that_also_sends_unknown_paths_and_is_told_less(name: str) -> None:
    assert on(DIALECTS[name]) - on(GENERIC) == {"ignore_unknown_paths", "quiet_extensions"}
    assert on(GENERIC) <= on(DIALECTS[name])


def test_what_could_do_harm_is_on_in_no_dialect() -> None:
    risky = {"skip_unknown_members", "unquoted_filter_values", "value_paths_in_attributes"}
    assert [name for name, policy in DIALECTS.items() if on(policy) & risky] == []


def test_single_switches_are_set_without_changing_the_dialect() -> None:
    assert not GENERIC.switched({"string_booleans": False}).string_booleans
    assert GENERIC.string_booleans


def test_an_unknown_switch_is_refused_with_the_known_ones_named() -> None:
    with pytest.raises(ValueError, match=r"unknown switch loud, quiet; known: .*string_booleans"):
        GENERIC.switched({"quiet": True, "loud": False, "string_booleans": True})


def test_every_field_of_a_policy_is_a_switch() -> None:
    assert {field.name for field in fields(Policy)} == switch_names()
    assert {field.type for field in fields(Policy)} == {bool}


def test_only_okta_has_names_of_its_own_for_schemas() -> None:
    assert SCHEMA_NAMES == {
        "okta": {
            "urn:ietf:params:scim:schemas:core:2.0:Role": "urn:okta:scim:schemas:core:1.0:Role",
            "urn:ietf:params:scim:schemas:core:2.0:Entitlement": "urn:okta:scim:schemas:core:1.0:Entitlement",
        }
    }
