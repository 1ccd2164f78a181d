"""What each client does differently, as sets of named switches over the protocol's strict reading."""

from collections.abc import Mapping

from scim_server.scim.policy import Policy, switch_names

STRICT = Policy()
GENERIC = Policy(
    ignore_unknown_attributes=True,
    ignore_read_only_in_patch=True,
    optional_schemas=True,
    open_canonical_values=True,
    string_booleans=True,
    empty_string_clears=True,
    single_value_for_list=True,
    scalar_for_complex=True,
    json_text_roles=True,
    path_keys=True,
    operation_names_any_case=True,
    empty_operations=True,
    create_on_value_path=True,
    remove_absent=True,
    remove_by_value=True,
    filter_value_path_suffix=True,
    parameter_names_any_case=True,
    keep_omitted_in_replace=True,
)
OKTA = GENERIC.switched({"ignore_unknown_paths": True, "quiet_extensions": True})
ENTRA = GENERIC.switched({"ignore_unknown_paths": True, "quiet_extensions": True})

DIALECTS = {"okta": OKTA, "entra": ENTRA, "generic": GENERIC, "strict": STRICT}

_OKTA_SCHEMAS = "urn:okta:scim:schemas:core:1.0"
_SCHEMAS = "urn:ietf:params:scim:schemas:core:2.0"
SCHEMA_NAMES: Mapping[str, Mapping[str, str]] = {
    "okta": {
        f"{_SCHEMAS}:Role": f"{_OKTA_SCHEMAS}:Role",
        f"{_SCHEMAS}:Entitlement": f"{_OKTA_SCHEMAS}:Entitlement",
    }
}
"""By dialect, the schemas it knows under another URN than the one in their documents."""

__all__ = ["DIALECTS", "ENTRA", "GENERIC", "OKTA", "SCHEMA_NAMES", "STRICT", "Policy", "switch_names"]
