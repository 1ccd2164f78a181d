"""What each client does differently, as sets of named switches over the protocol's strict reading."""

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
OKTA = GENERIC.switched({"ignore_unknown_paths": True})
ENTRA = GENERIC.switched({"ignore_unknown_paths": True})

DIALECTS = {"okta": OKTA, "entra": ENTRA, "generic": GENERIC, "strict": STRICT}

__all__ = ["DIALECTS", "ENTRA", "GENERIC", "OKTA", "STRICT", "Policy", "switch_names"]
